//! Evaluates bound graphs in f64, by the meanings of their ops: the reference for everything else.
//!
//! Every number is an f64, whatever the element types; only a `cast` rounds, and integers wrap to their type.
//! Integers are therefore exact below 2^53. Results do not depend on the number of threads.
//!
//! ```
//! use std::collections::BTreeMap;
//! use ir::{Tensor, WeightMap, eval, text};
//!
//! let graph = text::parse(r#"graph "twice" {
//!   %x = input {name = "x", ty = f32[2], absent = required, below = 0} : f32[2]
//!   %y = add(%x, %x) : f32[2]
//!   return y = %y
//! }"#)?;
//! let inputs = BTreeMap::from([("x".to_owned(), Tensor::f32(&[2], &[1.0, 2.5]))]);
//! let outputs = eval::evaluate(&graph, &inputs, &WeightMap::default())?;
//! assert_eq!(*outputs["y"].values(), [2.0, 5.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub(crate) mod compute;
mod contract;
mod error;
mod exchange;
mod leaves;
mod linear;
mod movement;
pub(crate) mod plan;
mod point;
mod program;
mod strip;
mod values;

#[cfg(test)]
mod agree;
#[cfg(test)]
mod tests;

pub use compute::Fault;
pub(crate) use compute::unravel;
pub use error::EvalError;
pub(crate) use point::Operand;
pub use point::Outside;

use std::collections::BTreeMap;

use plan::{Action, Plan, Step, plan};
pub(crate) use values::Values;

use crate::{
    Attr, Compute, DType, Dim, Graph, Primitive, Tensor, TensorType, ValueId, WeightSource,
    round_to, verify::attr_symbols,
};

/// What one rank of a distributed evaluation is given.
#[derive(Clone, Copy)]
pub struct Rank<'a> {
    /// Inputs by name.
    pub inputs: &'a BTreeMap<String, Tensor>,
    /// Its weights.
    pub weights: &'a dyn WeightSource,
}

/// The outputs of a bound graph by name, in f64; what was only moved is held as it is stored. A graph with
/// collectives is evaluated as by one rank.
///
/// # Errors
/// An input or a weight is missing or of another type, or an index lies outside its axis.
pub fn evaluate(
    graph: &Graph,
    inputs: &BTreeMap<String, Tensor>,
    weights: &dyn WeightSource,
) -> Result<BTreeMap<String, Tensor>, EvalError> {
    let mut ranks = evaluate_ranks(graph, &[Rank { inputs, weights }])?;
    Ok(ranks.pop().expect("one rank in, one rank out"))
}

/// The outputs of a bound graph on each of several ranks, which run it together.
///
/// # Errors
/// As [`evaluate`]; and where a collective's sizes are for another number of ranks.
pub fn evaluate_ranks(
    graph: &Graph,
    ranks: &[Rank<'_>],
) -> Result<Vec<BTreeMap<String, Tensor>>, EvalError> {
    let plan = plan(graph);
    let kept = graph.outputs().iter().map(|o| o.value.index());
    let values = run(graph, &plan, ranks, kept)?;
    let of_rank = |values: Vec<Option<Values<'_>>>| {
        let outputs = graph.outputs().iter().map(|o| {
            let step = plan.of_values[o.value.index()].expect("outputs are live");
            let values = values[step].clone().expect("outputs are kept");
            (o.name.clone(), tensor(graph.ty(o.value), values))
        });
        outputs.collect()
    };
    Ok(values.into_iter().map(of_rank).collect())
}

/// Every value that an output of a bound graph needs, in f64, by the number of its node.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_values(
    graph: &Graph,
    inputs: &BTreeMap<String, Tensor>,
    weights: &dyn WeightSource,
) -> Result<Vec<Option<Tensor>>, EvalError> {
    let plan = plan(graph);
    let mut values = run(
        graph,
        &plan,
        &[Rank { inputs, weights }],
        0..graph.nodes().len(),
    )?;
    let values = values.pop().expect("one rank in, one rank out");
    let of = |v: ValueId| {
        let values = values[plan.of_values[v.index()]?]
            .clone()
            .expect("all values are kept");
        Some(tensor(graph.ty(v), values))
    };
    Ok(graph.values().map(of).collect())
}

/// The first output of a bound graph without inputs, in its own element type.
///
/// Movement copies elements as they are stored; arithmetic is in f64, and rounded to the element type once,
/// in the result.
///
/// # Errors
/// As [`evaluate`].
///
/// # Panics
/// The graph has no output.
pub fn fold(graph: &Graph, weights: &dyn WeightSource) -> Result<Tensor, EvalError> {
    let output = graph
        .outputs()
        .first()
        .expect("what is folded has an output");
    let mut outputs = evaluate(graph, &BTreeMap::new(), weights)?;
    let tensor = outputs
        .remove(&output.name)
        .expect("every output is evaluated");
    Ok(tensor.rounded())
}

impl Compute {
    /// The result on these operands, in f64; its element type is `dtype`. All sizes are known.
    ///
    /// # Errors
    /// An index lies outside its axis.
    pub fn evaluate(&self, operands: &[Tensor], dtype: DType) -> Result<Tensor, Fault> {
        let values: Vec<_> = operands.iter().map(Values::borrowed).collect();
        let operands: Vec<_> = values
            .iter()
            .zip(operands.iter().map(Tensor::shape))
            .collect();
        let values = compute::evaluate(self, &operands)?;
        Ok(tensor(
            &TensorType::new(dtype, self.axes.clone()),
            Values::Exact(values.into()),
        ))
    }
}

impl Primitive {
    /// The result on these operands, in f64; its element type is `dtype`. All sizes are known.
    ///
    /// # Errors
    /// An index lies outside its axis.
    pub fn evaluate(&self, operands: &[Tensor], dtype: DType) -> Result<Tensor, Fault> {
        let types: Vec<_> = operands.iter().map(Tensor::ty).collect();
        let values: Vec<_> = operands.iter().map(Values::borrowed).collect();
        let operands: Vec<_> = values
            .iter()
            .zip(operands.iter().map(Tensor::shape))
            .collect();
        let values = self.values(&operands)?;
        Ok(tensor(
            &TensorType::new(dtype, self.shape(&types)),
            Values::Exact(values.into()),
        ))
    }
}

/// Integers as their type holds them; other numbers as they are.
fn wrapped(dtype: DType, mut values: Vec<f64>) -> Vec<f64> {
    if dtype.is_int() {
        values.iter_mut().for_each(|x| *x = round_to(dtype, *x));
    }
    values
}

/// Values that were only moved stay as they are stored.
fn tensor(ty: &TensorType, values: Values<'_>) -> Tensor {
    let shape = compute::known(&ty.shape);
    let tensor = match values {
        Values::Stored(dtype, bytes) => Tensor::from_bytes(dtype, &shape, bytes.into_owned()),
        Values::Exact(values) => Tensor::from_f64(ty.dtype, &shape, values.into_owned()),
    };
    tensor.expect("a step fills its shape")
}

/// Runs all steps on all ranks; afterwards the steps of the values `kept` still have theirs.
fn run<'a>(
    graph: &'a Graph,
    plan: &Plan,
    ranks: &[Rank<'a>],
    kept: impl Iterator<Item = usize>,
) -> Result<Vec<Vec<Option<Values<'a>>>>, EvalError> {
    check_bound(graph)?;
    for rank in ranks {
        leaves::check_names(graph, rank.inputs)?;
    }
    let mut uses = vec![0usize; plan.steps.len()];
    for step in plan.steps.iter().flat_map(|s| &s.inputs).copied() {
        uses[step] += 1;
    }
    for step in kept.filter_map(|v| plan.of_values[v]) {
        uses[step] += 1;
    }
    let mut values = vec![vec![None; plan.steps.len()]; ranks.len()];
    for (at, step) in plan.steps.iter().enumerate() {
        let results = run_step(graph, plan, step, ranks, &values)?;
        for (values, result) in values.iter_mut().zip(results) {
            values[at] = (uses[at] > 0).then_some(result);
        }
        for input in &step.inputs {
            uses[*input] -= 1;
            if uses[*input] == 0 {
                values.iter_mut().for_each(|v| v[*input] = None);
            }
        }
    }
    Ok(values)
}

fn check_bound(graph: &Graph) -> Result<(), EvalError> {
    let unbound = graph.values().find_map(|value| {
        let node = graph.node(value);
        let symbols = node.ty.shape.iter().flat_map(Dim::symbols).cloned();
        let symbol = symbols.chain(attr_symbols(&node.op)).next()?;
        Some(EvalError::Unbound { value, symbol })
    });
    unbound.map_or(Ok(()), Err)
}

/// Fails if the op says that it is for another number of ranks.
fn require_ranks(graph: &Graph, value: ValueId, found: usize) -> Result<(), EvalError> {
    let op = &graph.node(value).op;
    match op.attrs().get("ranks") {
        Some(Attr::Int(n)) if usize::try_from(*n) != Ok(found) => {
            let op = op.name();
            Err(EvalError::Ranks { value, op, found })
        }
        _ => Ok(()),
    }
}

fn run_step<'a>(
    graph: &'a Graph,
    plan: &Plan,
    step: &Step,
    ranks: &[Rank<'a>],
    values: &[Vec<Option<Values<'a>>>],
) -> Result<Vec<Values<'a>>, EvalError> {
    let shapes: Vec<_> = step
        .inputs
        .iter()
        .map(|i| compute::known(&plan.steps[*i].ty.shape))
        .collect();
    let op = graph.node(step.value).op.name();
    let operands = |rank: usize| -> Vec<Operand<'_>> {
        let value = |i: &usize| {
            values[rank][*i]
                .as_ref()
                .expect("operands are kept until used")
        };
        step.inputs
            .iter()
            .map(value)
            .zip(shapes.iter().map(Vec::as_slice))
            .collect()
    };
    let exact = |result: Result<Vec<f64>, Fault>| match result {
        Ok(values) => Ok(Values::Exact(wrapped(step.ty.dtype, values).into())),
        Err(fault) => Err(EvalError::OutOfRange {
            value: step.value,
            op,
            fault,
        }),
    };
    let all = 0..ranks.len();
    match &step.action {
        Action::Leaf => ranks
            .iter()
            .map(|r| leaves::values(graph, step.value, *r))
            .collect(),
        Action::Compute(c) => {
            let dtype = step.ty.dtype;
            let of_rank = |r| match movement::evaluate(c, &operands(r), dtype) {
                Some(bytes) => Ok(Values::Stored(dtype, bytes.into())),
                None => exact(compute::evaluate(c, &operands(r))),
            };
            all.map(of_rank).collect()
        }
        Action::Primitive(p) => all.map(|r| exact(p.values(&operands(r)))).collect(),
        Action::Exchange(e) => {
            require_ranks(graph, step.value, ranks.len())?;
            let operands: Vec<_> = all
                .map(|r| operands(r)[0].0.to_f64().into_owned())
                .collect();
            let to = compute::known(&step.ty.shape);
            let results = exchange::evaluate(e, &operands, &shapes[0], &to);
            let results = results.ok_or(EvalError::Ranks {
                value: step.value,
                op,
                found: ranks.len(),
            })?;
            Ok(results
                .into_iter()
                .map(|v| Values::Exact(v.into()))
                .collect())
        }
    }
}
