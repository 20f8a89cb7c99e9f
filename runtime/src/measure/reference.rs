//! What a kernel should compute: its graph in f64 on operands made from a seed. Computed once, for many candidates.

use std::{collections::BTreeMap, rc::Rc};

use ir::{
    Graph, Sizes, Tensor, WeightMap, Work,
    eval::{EvalError, evaluate},
};

use super::operands::{Floats, Operand, operands, values};

/// How many references are kept: a tuner goes from task to task and comes back.
const KEPT: usize = 4;

/// An index that no axis has.
const FAR: i64 = 1 << 30;

/// Operands of a kernel, and its result.
pub(super) struct Reference {
    /// In the order of the graph's inputs.
    pub operands: Vec<Tensor>,
    /// Operands of other values, to be seen before: what a candidate keeps of them is wrong.
    pub others: Vec<Tensor>,
    /// Not rounded.
    pub result: Tensor,
    /// Floating-point operations for each element of the result.
    pub operations: f64,
}

/// References by graph and seed.
#[derive(Default)]
pub(super) struct References(Vec<(String, u64, Rc<Reference>)>);

impl References {
    /// The reference of a graph, or why there is none.
    pub fn of(&mut self, graph: &Graph, seed: u64) -> Result<Rc<Reference>, String> {
        let name = serde_json::to_string(graph).expect("plain data becomes JSON");
        let known = self.0.iter().find(|(n, s, _)| *n == name && *s == seed);
        if let Some((_, _, known)) = known {
            return Ok(Rc::clone(known));
        }
        let reference = Rc::new(Reference::new(graph, seed)?);
        if self.0.len() == KEPT {
            self.0.remove(0);
        }
        self.0.push((name, seed, Rc::clone(&reference)));
        Ok(reference)
    }
}

impl Reference {
    fn new(graph: &Graph, seed: u64) -> Result<Self, String> {
        let [_] = graph.outputs() else {
            let found = graph.outputs().len();
            return Err(format!(
                "graph: wanted a kernel's, with one output, found {found}"
            ));
        };
        let mut operands = operands(graph);
        bound_indices(graph, &mut operands)?;
        let work =
            Work::of(graph, &Sizes::new()).ok_or("graph: wanted one whose sizes are known")?;
        let mut best: Option<(u64, Self)> = None;
        for floats in [Floats::Signed, Floats::Positive] {
            let given = all(&operands, seed, floats)?;
            let result = evaluated(graph, &operands, &given).map_err(|e| format!("graph: {e}"))?;
            let values = result.values();
            let finite = values.iter().filter(|v| v.is_finite()).count() as u64;
            let whole = finite == values.len() as u64;
            let operations = work.flops.0 as f64 / values.len().max(1) as f64;
            drop(values);
            // Of values that make no numbers, the ones that make the most.
            if best.as_ref().is_none_or(|(n, _)| finite > *n) {
                let others = all(&operands, !seed, floats)?;
                let reference = Self {
                    operands: given,
                    others,
                    result,
                    operations,
                };
                best = Some((finite, reference));
            }
            if whole {
                break;
            }
        }
        Ok(best.expect("two kinds of values were tried").1)
    }
}

fn all(operands: &[Operand], seed: u64, floats: Floats) -> Result<Vec<Tensor>, String> {
    let each = operands.iter().enumerate().map(|(i, o)| {
        values(o, i, seed, floats).ok_or_else(|| format!("operand {i}: its sizes are not known"))
    });
    each.collect()
}

fn evaluated(graph: &Graph, operands: &[Operand], given: &[Tensor]) -> Result<Tensor, EvalError> {
    let names = operands.iter().map(|o| o.name.clone());
    let inputs: BTreeMap<String, Tensor> = names.zip(given.iter().cloned()).collect();
    let outputs = evaluate(graph, &inputs, &WeightMap::default())?;
    let result = outputs.into_values().next();
    Ok(result.expect("the graph has one output"))
}

/// Says of integers whose range the graph leaves open how large they may be, where they are indices of an axis: one that
/// is far too large is refused with the axis's size.
fn bound_indices(graph: &Graph, operands: &mut [Operand]) -> Result<(), String> {
    for at in 0..operands.len() {
        if !operands[at].is_open() {
            continue;
        }
        let mut given = all(operands, 0, Floats::Signed)?;
        for (i, operand) in operands.iter().enumerate() {
            if operand.is_open() {
                let value = if i == at { FAR as f64 } else { 0.0 };
                let values = vec![value; given[i].elements()];
                let tensor = Tensor::from_f64(operand.ty.dtype, given[i].shape(), values);
                given[i] = tensor.expect("there are as many as elements");
            }
        }
        if let Err(EvalError::OutOfRange { fault, .. }) = evaluated(graph, operands, &given) {
            operands[at].below = fault.outside.size;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(text: &str) -> Graph {
        ir::text::parse(text).unwrap()
    }

    #[test]
    fn a_reference_is_the_same_for_the_same_seed() {
        let graph = graph(
            r#"graph "sum" {
  %a = input {name = "a", ty = f32[4,8], absent = required, below = 0} : f32[4,8]
  %b = input {name = "b", ty = f32[8], absent = required, below = 0} : f32[8]
  %y = add(%a, %b) : f32[4,8]
  return y = %y
}"#,
        );
        let mut references = References::default();
        let [one, two, other] = [1, 1, 2].map(|seed| references.of(&graph, seed).unwrap());
        assert!(Rc::ptr_eq(&one, &two));
        let again = References::default().of(&graph, 1).unwrap();
        assert_eq!(one.operands, again.operands);
        assert_ne!(one.operands, other.operands);
        assert_ne!(one.operands, one.others);
        let [a, b] = [0, 1].map(|i| one.operands[i].values().into_owned());
        let sums: Vec<f64> = (0..32).map(|i| a[i] + b[i % 8]).collect();
        assert_eq!(*one.result.values(), sums[..]);
        assert!(a.iter().all(|x| (-1.0..1.0).contains(x)));
        assert_eq!(one.operations, 1.0);
    }

    #[test]
    fn roots_are_of_numbers_that_have_them() {
        let graph = graph(
            r#"graph "root" {
  %a = input {name = "a", ty = f32[64], absent = required, below = 0} : f32[64]
  %y = sqrt(%a) : f32[64]
  return y = %y
}"#,
        );
        let reference = References::default().of(&graph, 3).unwrap();
        assert!(reference.result.values().iter().all(|y| y.is_finite()));
    }

    #[test]
    fn indices_reach_all_of_their_axis() {
        let graph = graph(
            r#"graph "rows" {
  %t = input {name = "t", ty = f32[40,3], absent = required, below = 0} : f32[40,3]
  %i = input {name = "i", ty = i64[500], absent = required, below = 0} : i64[500]
  %m = input {name = "m", ty = i64[500,1], absent = required, below = 0} : i64[500,1]
  %r = embedding(%t, %i) : f32[500,3]
  %f = cast(%m) {dtype = f32} : f32[500,1]
  %y = mul(%r, %f) : f32[500,3]
  return y = %y
}"#,
        );
        let reference = References::default().of(&graph, 3).unwrap();
        let largest = |i: usize| {
            let values = reference.operands[i].values();
            values.iter().fold(0.0, |m: f64, v| m.max(*v))
        };
        assert_eq!([largest(1), largest(2)], [39.0, 1.0]);
    }

    #[test]
    fn graphs_that_are_no_kernels_are_refused() {
        let none = References::default().of(&Graph::new("none"), 1);
        let message = none.map(|_| ()).unwrap_err();
        assert!(message.contains("one output, found 0"), "{message}");
    }
}
