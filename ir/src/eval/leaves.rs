//! Inputs and weights.

use std::collections::BTreeMap;

use super::{EvalError, Rank, compute::known, values::Values};
use crate::{
    Graph, Leaf, Tensor, TensorType, ValueId, WeightSource,
    ops::{Absent, Input},
    tensor::count,
};

/// Fails if an input is given that the graph does not have.
pub(super) fn check_names(
    graph: &Graph,
    inputs: &BTreeMap<String, Tensor>,
) -> Result<(), EvalError> {
    let known: Vec<&str> = graph
        .nodes()
        .iter()
        .filter_map(|n| match n.op.leaf() {
            Some(Leaf::Input(input)) => Some(input.name.as_str()),
            _ => None,
        })
        .collect();
    match inputs.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(EvalError::UnknownInput {
            name: name.clone(),
            known: known.join(", "),
        }),
    }
}

/// The values of a leaf on one rank.
pub(super) fn values<'a>(
    graph: &'a Graph,
    value: ValueId,
    rank: Rank<'a>,
) -> Result<Values<'a>, EvalError> {
    match graph.node(value).op.leaf().expect("the op means a leaf") {
        Leaf::Input(input) => match rank.inputs.get(&input.name) {
            Some(tensor) => given(input, tensor),
            None => absent(input),
        },
        Leaf::Weight(weight) => weight_values(&weight.name, &weight.ty, rank.weights),
    }
}

fn given<'a>(input: &Input, tensor: &'a Tensor) -> Result<Values<'a>, EvalError> {
    check_type(&input.name, &input.ty, tensor.ty())?;
    let values = Values::borrowed(tensor);
    let fits = |x: f64| x >= 0.0 && x < input.below as f64;
    if input.below > 0
        && let Some(element) = values.to_f64().iter().position(|x| !fits(*x))
    {
        let (name, below, found) = (input.name.clone(), input.below, values.get(element));
        return Err(EvalError::Id {
            name,
            element,
            below,
            found,
        });
    }
    Ok(values)
}

fn absent<'a>(input: &Input) -> Result<Values<'a>, EvalError> {
    let shape = known(&input.ty.shape);
    let elements = count(&shape).expect("a tensor has under 2^63 elements");
    let values = match input.absent {
        Absent::Zeros | Absent::State | Absent::Size => vec![0.0; elements],
        Absent::Ones => vec![1.0; elements],
        Absent::Positions => {
            let last = shape.last().map_or(1, |n| *n as usize);
            (0..elements).map(|i| (i % last) as f64).collect()
        }
        Absent::Required => {
            let (name, wanted) = (input.name.clone(), Box::new(input.ty.clone()));
            return Err(EvalError::MissingInput { name, wanted });
        }
    };
    Ok(Values::Exact(values.into()))
}

fn weight_values<'a>(
    name: &str,
    ty: &TensorType,
    weights: &'a dyn WeightSource,
) -> Result<Values<'a>, EvalError> {
    let Some(view) = weights.weight(name) else {
        return Err(EvalError::MissingWeight {
            name: name.into(),
            wanted: Box::new(ty.clone()),
        });
    };
    check_type(name, ty, TensorType::fixed(view.dtype, &view.shape))?;
    Ok(Values::Stored(view.dtype, view.bytes.into()))
}

fn check_type(name: &str, wanted: &TensorType, found: TensorType) -> Result<(), EvalError> {
    if *wanted == found {
        return Ok(());
    }
    let (wanted, found) = (Box::new(wanted.clone()), Box::new(found));
    Err(EvalError::LeafType {
        name: name.into(),
        wanted,
        found,
    })
}
