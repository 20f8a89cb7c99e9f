//! Rewritten bodies and rest put together again, each body as often as it stands for a layer.

use std::collections::HashMap;

use ir::{Graph, GraphError, Op, ValueId};

use super::{Leaf, Rolled, leaf_name};

/// Where a value of the whole came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// This value of the rest.
    Rest(ValueId),
    /// This value of this body.
    Body(usize, ValueId),
}

struct Splicer {
    out: Graph,
    origins: Vec<Origin>,
    places: HashMap<(Op, Vec<ValueId>), ValueId>,
}

impl Splicer {
    /// The value of `op` on `inputs`; equal ones are shared.
    fn push(
        &mut self,
        op: Op,
        inputs: Vec<ValueId>,
        origin: Origin,
    ) -> Result<ValueId, GraphError> {
        let key = (op, inputs);
        if let Some(v) = self.places.get(&key) {
            return Ok(*v);
        }
        let v = self.out.push(key.0.clone(), &key.1)?;
        self.origins.push(origin);
        self.places.insert(key, v);
        Ok(v)
    }
}

/// The whole graph from a rewritten rest and rewritten bodies, and where each value came from.
///
/// # Errors
/// An op does not fit its operands: a part has other types than the one it replaces.
pub(crate) fn splice(
    graph: &Graph,
    rolled: &Rolled,
    rest: &Graph,
    bodies: &[Graph],
) -> Result<(Graph, Vec<Origin>), GraphError> {
    let mut out = Graph::new(graph.name());
    for (symbol, bounds) in graph.symbols() {
        out.declare(symbol.name(), *bounds);
    }
    let mut splicer = Splicer {
        out,
        origins: Vec::new(),
        places: HashMap::new(),
    };
    let results = &rest.outputs()[graph.outputs().len()..];
    let body_of = |v: ValueId| -> Option<usize> {
        let Op::Input(input) = &rest.node(v).op else {
            return None;
        };
        input.name.strip_prefix(&rolled.prefix)?.parse().ok()
    };
    // What a body takes, as values of the rest.
    let takes = |body: usize| -> Vec<ValueId> {
        let leaves = rolled.bodies[body].leaves.iter().flatten();
        let from_rest = leaves.filter_map(|leaf| {
            let v = leaf.value();
            rolled
                .taken
                .iter()
                .position(|t| *t == v)
                .map(|i| results[i].value)
        });
        from_rest.collect()
    };
    let mut done: Vec<Option<ValueId>> = vec![None; rest.nodes().len()];
    let mut stack: Vec<ValueId> = rest.outputs().iter().rev().map(|o| o.value).collect();
    while let Some(v) = stack.last().copied() {
        if done[v.index()].is_some() {
            stack.pop();
            continue;
        }
        let body = body_of(v);
        let node = rest.node(v);
        let needs = body.map_or_else(|| node.inputs.clone(), takes);
        let missing: Vec<ValueId> = needs
            .into_iter()
            .filter(|n| done[n.index()].is_none())
            .collect();
        if !missing.is_empty() {
            stack.extend(missing);
            continue;
        }
        stack.pop();
        done[v.index()] = Some(match body {
            Some(i) => {
                let taken: Vec<Option<ValueId>> =
                    results.iter().map(|o| done[o.value.index()]).collect();
                layers(&mut splicer, graph, rolled, i, &bodies[i], &taken)?
            }
            None => {
                let inputs = node.inputs.iter();
                let inputs = inputs
                    .map(|n| done[n.index()].expect("operands are done"))
                    .collect();
                splicer.push(node.op.clone(), inputs, Origin::Rest(v))?
            }
        });
    }
    for (wanted, output) in graph.outputs().iter().zip(rest.outputs()) {
        let value = done[output.value.index()].expect("outputs are done");
        splicer.out.output(&wanted.name, value);
    }
    Ok((splicer.out, splicer.origins))
}

/// All layers of one body, one after the other; `taken` are the values of the rest that bodies take.
fn layers(
    splicer: &mut Splicer,
    graph: &Graph,
    rolled: &Rolled,
    number: usize,
    body: &Graph,
    taken: &[Option<ValueId>],
) -> Result<ValueId, GraphError> {
    let mut stream = None;
    for leaves in &rolled.bodies[number].leaves {
        let mut values: Vec<ValueId> = Vec::new();
        for v in body.values() {
            let node = body.node(v);
            let origin = Origin::Body(number, v);
            let leaf = match &node.op {
                Op::Input(input) => leaf_number(&input.name),
                Op::Weight(weight) => leaf_number(&weight.name),
                _ => None,
            };
            let value = match leaf.map(|i| leaves[i]) {
                None => {
                    let inputs = node.inputs.iter().map(|i| values[i.index()]).collect();
                    splicer.push(node.op.clone(), inputs, origin)?
                }
                Some(Leaf::Stream(_)) if stream.is_some() => stream.expect("it was asked for"),
                Some(leaf) => {
                    let v = leaf.value();
                    match rolled
                        .taken
                        .iter()
                        .position(|t| *t == v)
                        .and_then(|i| taken[i])
                    {
                        Some(value) => value,
                        None => splicer.push(graph.node(v).op.clone(), Vec::new(), origin)?,
                    }
                }
            };
            values.push(value);
        }
        stream = Some(values[body.outputs()[0].value.index()]);
    }
    Ok(stream.expect("a body stands for at least one layer"))
}

fn leaf_number(name: &str) -> Option<usize> {
    let i = name.strip_prefix("leaf")?.parse().ok()?;
    (leaf_name(i) == name).then_some(i)
}
