//! Rolling: repeated layers are found by their structure and rewritten once.
//!
//! Values that every way to the outputs passes cut the graph into segments. Segments with the same ops on the
//! same kinds of operands are equal whatever their names; the longest run of a repeated pattern of segments
//! becomes one body, and the graph outside of all bodies is the rest. Each input has its own main path, so encoder and
//! decoder, or two towers, have their own bodies.

mod repeats;
mod segments;
mod shape;
mod splice;
mod states;

use std::collections::BTreeMap;

use ir::{Graph, GraphError, Op, ValueId, ops};

use repeats::Run;
use segments::{Cut, Home, cut};
use shape::{Item, Leaf, Shape, shape};
pub(crate) use splice::{Origin, splice};
pub(crate) use states::{restore, set_aside};

/// Layers that are one body, several times over.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    /// One layer: leaves named by [`leaf_name`] in, one output.
    pub(crate) graph: Graph,
    /// For each time, the value in the original graph of each leaf of the body, by number.
    leaves: Vec<Vec<Leaf>>,
    /// The value of the original graph in which the last layer ends.
    end: ValueId,
}

impl Body {
    /// How many layers it stands for.
    pub(crate) fn times(&self) -> usize {
        self.leaves.len()
    }
}

/// A graph as bodies and the rest.
#[derive(Clone, Debug)]
pub(crate) struct Rolled {
    /// Outside of all bodies: the result of a body is an input; what bodies take are outputs, after those of the graph.
    pub(crate) rest: Graph,
    /// In order.
    pub(crate) bodies: Vec<Body>,
    /// The values that bodies take from the rest, in the order of its further outputs.
    taken: Vec<ValueId>,
    /// Starts the names of inputs of the rest that stand for results of bodies; no input of the graph does.
    prefix: String,
}

/// The name of leaf `i` of a body.
fn leaf_name(i: usize) -> String {
    format!("leaf{i}")
}

/// The smallest body that is worth rolling.
const SMALLEST: usize = 4;

/// Which values depend on no input.
fn fixed(graph: &Graph) -> Vec<bool> {
    let mut fixed: Vec<bool> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let own = !matches!(node.op, Op::Input(_));
        fixed.push(own && node.inputs.iter().all(|i| fixed[i.index()]));
    }
    fixed
}

/// Finds the repeated layers of `graph`.
///
/// # Errors
/// An op of a body does not fit its operands: a graph that was built node by node gives none.
pub(crate) fn roll(graph: &Graph) -> Result<Rolled, GraphError> {
    let fixed = fixed(graph);
    let mut found: Vec<(usize, Cut, Vec<Run>)> = Vec::new();
    for from in graph
        .values()
        .filter(|v| matches!(&graph.node(*v).op, Op::Input(i) if !i.is_state()))
    {
        let Some(cut) = cut(graph, from) else {
            continue;
        };
        let mut numbers: BTreeMap<Shape, usize> = BTreeMap::new();
        let mut sizes = Vec::new();
        let segments: Vec<usize> = (1..cut.cuts.len())
            .map(|i| {
                let (shape, _) = shape(graph, &cut, &fixed, i, i);
                sizes.push(shape.0.iter().filter(|i| matches!(i, Item::Op(..))).count());
                let next = numbers.len();
                *numbers.entry(shape).or_insert(next)
            })
            .collect();
        let mut runs = repeats::runs(&segments, |i| sizes[i]);
        let body_size = |r: &Run| sizes[r.start..r.start + r.period].iter().sum::<usize>();
        runs.retain(|r| body_size(r) >= SMALLEST);
        let saved = runs.iter().map(|r| body_size(r) * (r.times - 1)).sum();
        found.push((saved, cut, runs));
    }
    found.sort_by_key(|(saved, ..)| std::cmp::Reverse(*saved));
    let mut rolled = vec![false; graph.nodes().len()];
    let mut bodies = Vec::new();
    for (_, cut, runs) in &found {
        for run in runs {
            let inside: Vec<_> = graph.values().filter(|v| cut.holds(run, *v)).collect();
            if inside.iter().all(|v| !rolled[v.index()]) {
                inside.iter().for_each(|v| rolled[v.index()] = true);
                bodies.push(body(graph, cut, &fixed, run)?);
            }
        }
    }
    bodies.sort_by_key(|body| body.end);
    take_apart(graph, bodies)
}

impl Cut {
    /// Whether `v` belongs to a layer of `run`.
    fn holds(&self, run: &Run, v: ValueId) -> bool {
        let layers = run.start + 1..=run.start + run.len();
        matches!(self.homes[v.index()], Home::Segment(i) if layers.contains(&i))
    }
}

/// The layers of `run` as one body.
fn body(graph: &Graph, cut: &Cut, fixed: &[bool], run: &Run) -> Result<Body, GraphError> {
    // Segment `i` of the sequence ends at cut `i + 1`.
    let layer = |k: usize| {
        let first = run.start + k * run.period + 1;
        let (shape, leaves) = shape(graph, cut, fixed, first, first + run.period - 1);
        (shape, leaves)
    };
    let (Shape(items), places) = layer(0);
    let leaves = (0..run.times)
        .map(|k| {
            let (other, leaves) = layer(k);
            assert!(
                other.0 == items,
                "segments of one number have one structure"
            );
            leaves.into_iter().flatten().collect()
        })
        .collect();
    let mut out = Graph::new(graph.name());
    for (symbol, bounds) in graph.symbols() {
        out.declare(symbol.name(), *bounds);
    }
    let mut values = Vec::new();
    let mut count = 0;
    for (item, leaf) in items.into_iter().zip(places) {
        let (op, inputs): (Op, Vec<ValueId>) = match (item, leaf) {
            (Item::Op(op, inputs), _) => (op, inputs.into_iter().map(|i| values[i]).collect()),
            (_, Some(leaf)) => {
                let name = leaf_name(count);
                count += 1;
                (leaf_op(graph, leaf, name), Vec::new())
            }
            (item, None) => unreachable!("only ops are no leaves: {item:?}"),
        };
        values.push(out.push(op, &inputs)?);
    }
    out.output("stream", *values.last().expect("a body has a result"));
    let end = cut.cuts[run.start + run.len()];
    Ok(Body {
        graph: out,
        leaves,
        end,
    })
}

fn leaf_op(graph: &Graph, leaf: Leaf, name: String) -> Op {
    match leaf {
        Leaf::Fixed(v) => ops::Weight {
            name,
            ty: graph.ty(v).clone(),
        }
        .into(),
        Leaf::Stream(v) | Leaf::Side(v) | Leaf::State(v) => stand_in(graph, v, name),
    }
}

/// An input that stands for `v`.
fn stand_in(graph: &Graph, v: ValueId, name: String) -> Op {
    let (ty, absent) = (graph.ty(v).clone(), ops::Absent::Required);
    ops::Input {
        name,
        ty,
        absent,
        below: 0,
    }
    .into()
}

/// The graph without its bodies.
fn take_apart(graph: &Graph, bodies: Vec<Body>) -> Result<Rolled, GraphError> {
    let mut prefix = "layers".to_owned();
    while graph
        .nodes()
        .iter()
        .any(|n| matches!(&n.op, Op::Input(i) if i.name.starts_with(&prefix)))
    {
        prefix.push('\'');
    }
    let ends: BTreeMap<ValueId, usize> =
        bodies.iter().enumerate().map(|(i, b)| (b.end, i)).collect();
    let mut taken: Vec<ValueId> = Vec::new();
    for body in &bodies {
        let (first, others) = body.leaves.split_first().expect("a body stands for layers");
        // What one layer leaves for the next is no business of the rest.
        let others = others
            .iter()
            .flatten()
            .filter(|l| !matches!(l, Leaf::Stream(_)));
        for leaf in first.iter().chain(others) {
            let v = leaf.value();
            if !matches!(graph.node(v).op, Op::Weight(_)) && !taken.contains(&v) {
                taken.push(v);
            }
        }
    }
    let mut rest = Graph::new(graph.name());
    for (symbol, bounds) in graph.symbols() {
        rest.declare(symbol.name(), *bounds);
    }
    let mut values: Vec<Option<ValueId>> = vec![None; graph.nodes().len()];
    let needed = needed(graph, &ends, &taken);
    for v in graph.values().filter(|v| needed[v.index()]) {
        let node = graph.node(v);
        values[v.index()] = Some(match ends.get(&v) {
            Some(i) => rest.push(stand_in(graph, v, format!("{prefix}{i}")), &[])?,
            None => {
                let inputs = node.inputs.iter();
                let inputs: Vec<_> = inputs
                    .map(|i| values[i.index()].expect("operands come first"))
                    .collect();
                rest.push(node.op.clone(), &inputs)?
            }
        });
    }
    let value = |v: ValueId| values[v.index()].expect("outputs are needed");
    for output in graph.outputs() {
        rest.output(&output.name, value(output.value));
    }
    for (i, v) in taken.iter().enumerate() {
        rest.output(&format!("{prefix}.{i}"), value(*v));
    }
    Ok(Rolled {
        rest,
        bodies,
        taken,
        prefix,
    })
}

/// Values that outputs and bodies need from outside of the bodies.
fn needed(graph: &Graph, ends: &BTreeMap<ValueId, usize>, taken: &[ValueId]) -> Vec<bool> {
    let mut needed = vec![false; graph.nodes().len()];
    for v in graph.outputs().iter().map(|o| &o.value).chain(taken) {
        needed[v.index()] = true;
    }
    for v in graph.values().rev().filter(|v| !ends.contains_key(v)) {
        if needed[v.index()] {
            for input in &graph.node(v).inputs {
                needed[input.index()] = true;
            }
        }
    }
    needed
}
