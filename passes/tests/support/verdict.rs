//! The four checks of a rule: typed, equal, in range, alive.

use std::{collections::BTreeMap, sync::Arc};

use egg::PatternAst;
use ir::{Attr, DType, Graph, Tensor, TensorType, WeightMap, eval, round_to};
use passes::{
    egraph::{Fact, Term, infer_pattern},
    rules::{Bindings, Rule, Sense},
};

use super::{
    cases::{relative_error, tensor},
    field::{self, Number, PRIME},
    random::Random,
    sample::{Samples, graph_of, is_small, retyped, spelled},
};

/// Random points at which both sides are compared, over the field and in f64.
pub const TRIALS: u64 = 3;

/// How a rule was found to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Equal over the prime field.
    Field,
    /// Equal in f64, bit for bit.
    Bits,
    /// Close in f64.
    Close,
}

/// What the check of one rule found.
pub struct Verdict {
    pub how: How,
    /// Operands at which it was checked.
    pub samples: usize,
    /// It applies in some case file.
    pub alive: bool,
}

/// Checks `rule` wherever the case files, or else chance, let it apply.
///
/// # Errors
/// What does not hold, with the operands that show it.
pub fn check(rule: &Arc<Rule>, samples: &Samples) -> Result<Verdict, String> {
    let in_cases = samples.in_cases(rule);
    let alive = !in_cases.is_empty();
    let bindings = if alive {
        in_cases
    } else {
        samples.at_random(rule)
    };
    if bindings.is_empty() {
        return Err(format!(
            "rule {}: no operands were found to which it applies",
            rule.name
        ));
    }
    let mut how = How::Field;
    for bound in bindings.iter().filter(|b| is_small(b)) {
        typed(rule, bound)?;
        across_ranks(rule, bound)?;
        how = match (how, equal(rule, bound)?) {
            (How::Field, How::Field) => How::Field,
            (_, other) if other != How::Field => other,
            (how, _) => how,
        };
        in_range(rule, bound)?;
    }
    Ok(Verdict {
        how,
        samples: bindings.len(),
        alive,
    })
}

fn typed(rule: &Rule, bound: &Bindings) -> Result<(), String> {
    let side = |p: &PatternAst<Term>| infer_pattern(p, bound).as_ref().and_then(Fact::ty).cloned();
    let (left, right) = (side(&rule.left.ast), side(&rule.right.ast));
    if left.is_some() && left == right {
        return Ok(());
    }
    Err(format!(
        "rule {}: the types are {left:?} and {right:?} at {}",
        rule.name,
        spelled(bound)
    ))
}

fn equal(rule: &Rule, bound: &Bindings) -> Result<How, String> {
    let sides = [&rule.left, &rule.right].map(|p| graph_of(&p.ast, bound).expect("it is typed"));
    let (bound_by, exact) = match rule.sense {
        Sense::Bits => (0.0, true),
        // Roundings of f64, over sums of some hundred terms.
        Sense::Reals => (1e-12, false),
        Sense::Within(relative) => (relative, false),
    };
    if !exact && (0..TRIALS).all(|t| same_over_field(&sides, t)) {
        return Ok(How::Field);
    }
    for trial in 0..TRIALS {
        // Where roots and logarithms are defined, and where they are not.
        let (low, high) = [(0.25, 2.0), (-2.0, 2.0), (-8.0, 8.0)][trial as usize % 3];
        let seed = Random::of(&rule.name).0 ^ trial;
        let inputs = inputs(&sides, seed, low, high);
        let values = sides.each_ref().map(|g| value(g, &inputs));
        let error = relative_error(&values[1].values(), &values[0].values());
        if error > bound_by {
            let [left, right] = [&rule.left, &rule.right].map(ToString::to_string);
            let differ = |(a, b): &(f64, f64)| a != b && !(a.is_nan() && b.is_nan());
            let pairs = values[0].values().into_owned().into_iter();
            let pair = pairs.zip(values[1].values().into_owned()).find(differ);
            let given = inputs.iter().map(|(name, t)| {
                let some: Vec<f64> = t.values().iter().take(4).copied().collect();
                format!("{name} = {some:?}..")
            });
            return Err(format!(
                "rule {}: {left} = {right} does not hold ({:?}): relative error {error:e} at {}, where {}: {pair:?}",
                rule.name,
                rule.sense,
                spelled(bound),
                given.collect::<Vec<_>>().join("; "),
            ));
        }
    }
    Ok(if exact { How::Bits } else { How::Close })
}

/// Ranks between which collectives are checked.
const RANKS: i64 = 3;

/// A rule about collectives holds on each of several ranks, which are given different numbers.
fn across_ranks(rule: &Rule, bound: &Bindings) -> Result<(), String> {
    let is_ranks = |v: &egg::Var| v.to_string() == "?ranks";
    if !bound.iter().any(|(v, _)| is_ranks(v)) {
        return Ok(());
    }
    let many = Bindings::new(bound.iter().map(|(v, fact)| {
        (
            *v,
            if is_ranks(v) {
                Fact::Attr(Attr::Int(RANKS))
            } else {
                fact.clone()
            },
        )
    }));
    let sides = [&rule.left, &rule.right].map(|p| graph_of(&p.ast, &many));
    let [Some(left), Some(right)] = sides else {
        return Err(format!("rule {}: no operands fit {RANKS} ranks", rule.name));
    };
    let sides = [left, right];
    let given: Vec<_> = (0..RANKS)
        .map(|r| inputs(&sides, r as u64, -2.0, 2.0))
        .collect();
    let weights = WeightMap::default();
    let [left, right] = sides.each_ref().map(|g| {
        let ranks = given.iter().map(|inputs| eval::Rank {
            inputs,
            weights: &weights,
        });
        eval::evaluate_ranks(g, &ranks.collect::<Vec<_>>()).unwrap()
    });
    for (rank, (left, right)) in left.iter().zip(&right).enumerate() {
        let error = relative_error(&right["y"].values(), &left["y"].values());
        if error > 1e-12 {
            return Err(format!(
                "rule {}: {} = {} does not hold on rank {rank} of {RANKS}: relative error {error:e}",
                rule.name, rule.left, rule.right
            ));
        }
    }
    Ok(())
}

fn same_over_field(sides: &[Graph; 2], trial: u64) -> bool {
    let leaf = |name: &str, ty: &TensorType| -> Vec<Number> {
        let mut random = Random(Random::of(name).0 ^ trial);
        let count = ty.elements().known().unwrap();
        let number = |_| {
            if ty.dtype.is_float() {
                Number::Field(random.next() % PRIME)
            } else {
                Number::Integer(random.below(2) as i64)
            }
        };
        (0..count).map(number).collect()
    };
    let [left, right] = sides.each_ref().map(|g| field::evaluate(g, leaf));
    left.is_some() && left == right
}

fn inputs(sides: &[Graph; 2], seed: u64, low: f64, high: f64) -> BTreeMap<String, Tensor> {
    let nodes = sides.iter().flat_map(Graph::nodes);
    let leaves = nodes.filter_map(|n| match n.op.leaf() {
        Some(ir::ops::Leaf::Input(i)) => Some((i.name.clone(), n.ty.clone())),
        _ => None,
    });
    let value = |(name, ty): (String, TensorType)| {
        let mut random = Random(Random::of(&name).0 ^ seed);
        (name, tensor(&ty, 2, low, high, &mut random).rounded())
    };
    leaves.map(value).collect()
}

fn value(graph: &Graph, inputs: &BTreeMap<String, Tensor>) -> Tensor {
    let own = |name: &str| {
        graph.nodes().iter().any(|n| match n.op.leaf() {
            Some(ir::ops::Leaf::Input(i)) => i.name == name,
            _ => false,
        })
    };
    let inputs = inputs.iter().filter(|(name, _)| own(name));
    let inputs = inputs.map(|(name, t)| (name.clone(), t.clone())).collect();
    eval::evaluate(graph, &inputs, &WeightMap::default())
        .unwrap()
        .remove("y")
        .unwrap()
}

/// The value of `graph` when each op's result is rounded to its element type, and whether all of them are finite.
fn rounded(graph: &Graph, inputs: &BTreeMap<String, Tensor>) -> (Vec<f64>, bool) {
    let mut values: Vec<Tensor> = Vec::new();
    for v in graph.values() {
        let node = graph.node(v);
        let found = if let Some(ir::ops::Leaf::Input(i)) = node.op.leaf() {
            inputs[&i.name].clone()
        } else {
            let mut one = Graph::new("one");
            let mut given = BTreeMap::new();
            let operands: Vec<_> = node
                .inputs
                .iter()
                .enumerate()
                .map(|(i, input)| {
                    let (name, ty) = (format!("{i}"), graph.ty(*input).clone());
                    given.insert(name.clone(), values[input.index()].clone());
                    let absent = ir::ops::Absent::Required;
                    one.push(
                        ir::ops::Input {
                            name,
                            ty,
                            absent,
                            below: 0,
                        },
                        &[],
                    )
                    .unwrap()
                })
                .collect();
            let y = one.push(node.op.clone(), &operands).unwrap();
            one.output("y", y);
            value(&one, &given)
        };
        let dtype = found.dtype();
        let numbers = found.values().iter().map(|x| round_to(dtype, *x)).collect();
        values.push(Tensor::from_f64(dtype, found.shape(), numbers).unwrap());
    }
    let finite = values
        .iter()
        .all(|t| t.values().iter().all(|x| x.is_finite()));
    let y = graph.outputs()[0].value;
    (values.swap_remove(y.index()).into_values(), finite)
}

/// Largest operands by element type. A product of two f32 of this size is finite still.
const LARGE: [(DType, f64); 2] = [(DType::F16, 60_000.0), (DType::F32, 1e18)];

/// At large operands of the narrowest type that the rule admits, the right side is finite where the left is.
fn in_range(rule: &Rule, bound: &Bindings) -> Result<(), String> {
    for (dtype, large) in LARGE {
        let mut at = retyped(bound, DType::F32, dtype);
        if !rule.conditions_hold(&mut at) {
            continue;
        }
        let sides = [&rule.left, &rule.right].map(|p| graph_of(&p.ast, &at));
        let [Some(left), Some(right)] = sides else {
            continue;
        };
        let sides = [left, right];
        for trial in 0..TRIALS {
            // All near the largest number, then spread over magnitudes below it.
            let mut given = inputs(&sides, trial, 0.5, 1.0);
            for t in given.values_mut().filter(|t| t.dtype().is_float()) {
                let mut random = Random(trial);
                let scale = |x: &f64| {
                    let down = if trial == 0 {
                        1.0
                    } else {
                        large.powf(-random.between(0.0, 1.2))
                    };
                    x * large * down
                };
                let numbers = t.values().iter().map(scale).collect();
                *t = Tensor::from_f64(t.dtype(), t.shape(), numbers).unwrap();
            }
            // A left side that overflowed on its way may be finite by luck.
            let [(_, finite), (right, _)] = sides.each_ref().map(|g| rounded(g, &given));
            if finite && right.iter().any(|r| !r.is_finite()) {
                return Err(format!(
                    "rule {}: at operands up to {large:e} in {dtype}, {} is finite and {} is not; {}",
                    rule.name,
                    rule.left,
                    rule.right,
                    spelled(&at)
                ));
            }
        }
        return Ok(());
    }
    Ok(())
}
