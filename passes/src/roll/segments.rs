//! The main path of a graph, cut at the values that every way to the outputs passes.

use std::collections::{BTreeMap, BTreeSet};

use ir::{Graph, ValueId};
use petgraph::{algo::dominators::simple_fast, graphmap::DiGraphMap};

/// Where a value belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// No output needs it.
    Dead,
    /// Made of constants, or of few ops beside the main path; every user has its own copy. Copies become
    /// one value again when the layers are put together.
    Anywhere,
    /// Made beside the main path, for several segments.
    Side,
    /// In the segment that ends at the cut of this number, and nowhere else.
    Segment(usize),
}

/// A graph cut into segments.
pub(super) struct Cut {
    /// The values where it is cut, in order; segment `i` leads from cut `i - 1` to cut `i`.
    pub(super) cuts: Vec<ValueId>,
    /// Where each value belongs.
    pub(super) homes: Vec<Home>,
}

/// Cuts `graph` along the main path from its value `from`; none if some output does not depend on it.
pub(super) fn cut(graph: &Graph, from: ValueId) -> Option<Cut> {
    let live = graph.live();
    let mut reached = vec![false; graph.nodes().len()];
    reached[from.index()] = true;
    // One vertex more than there are values: all outputs together.
    let end = u32::try_from(graph.nodes().len()).expect("a graph has under 2^32 nodes");
    let mut edges = DiGraphMap::<u32, ()>::new();
    for v in graph.values().filter(|v| live[v.index()]) {
        for input in &graph.node(v).inputs {
            if reached[input.index()] {
                reached[v.index()] = true;
                edges.add_edge(input.0, v.0, ());
            }
        }
    }
    for output in graph.outputs() {
        if reached[output.value.index()] {
            edges.add_edge(output.value.0, end, ());
        }
    }
    if !edges.contains_node(end) {
        return None;
    }
    let dominators = simple_fast(&edges, from.0);
    let mut cuts: Vec<ValueId> = dominators.strict_dominators(end)?.map(ValueId).collect();
    cuts.reverse();
    let place: BTreeMap<u32, usize> = cuts.iter().enumerate().map(|(i, v)| (v.0, i)).collect();

    let mut homes = vec![Home::Dead; graph.nodes().len()];
    for v in graph.values().filter(|v| live[v.index()]) {
        let node = graph.node(v);
        homes[v.index()] = if reached[v.index()] {
            let own = place.get(&v.0).copied();
            let after = || {
                let above = dominators
                    .dominators(v.0)?
                    .find_map(|d| place.get(&d).copied());
                above.map(|i| i + 1)
            };
            Home::Segment(
                own.or_else(after)
                    .expect("the start dominates what it reaches"),
            )
        } else {
            let leaf = node.op.leaf().is_some();
            let from_constants = node
                .inputs
                .iter()
                .all(|i| homes[i.index()] == Home::Anywhere);
            if !leaf && from_constants {
                Home::Anywhere
            } else {
                Home::Side
            }
        };
    }
    claim_private(graph, &live, &mut homes);
    copy_small(graph, &mut homes);
    Some(Cut { cuts, homes })
}

/// Side values that one segment alone uses belong to it; leaves stay outside.
fn claim_private(graph: &Graph, live: &[bool], homes: &mut [Home]) {
    let mut claims: Vec<Option<Home>> = vec![None; homes.len()];
    for output in graph.outputs() {
        claims[output.value.index()] = Some(Home::Side);
    }
    for v in graph.values().rev().filter(|v| live[v.index()]) {
        let node = graph.node(v);
        let leaf = node.op.leaf().is_some();
        if let (Home::Side, false, Some(claim)) = (homes[v.index()], leaf, claims[v.index()]) {
            homes[v.index()] = claim;
        }
        let home = homes[v.index()];
        for input in &node.inputs {
            let claim = &mut claims[input.index()];
            *claim = match *claim {
                None => Some(home),
                Some(other) if other == home => Some(home),
                Some(_) => Some(Home::Side),
            };
        }
    }
}

/// The most ops of which each layer has its own copy.
const SMALL: usize = 32;

/// Side values of few ops are copied, so that rules see what they are made of: a mask, tables of angles.
fn copy_small(graph: &Graph, homes: &mut [Home]) {
    // The side ops that a value is made of; none if they are too many.
    let mut made_of: Vec<Option<BTreeSet<ValueId>>> = vec![None; homes.len()];
    for v in graph.values() {
        let node = graph.node(v);
        if node.op.leaf().is_some() {
            made_of[v.index()] = Some(BTreeSet::new());
        } else if matches!(homes[v.index()], Home::Side | Home::Anywhere) {
            let mut all = BTreeSet::from([v]);
            let known = node.inputs.iter().all(|i| {
                made_of[i.index()].as_ref().is_some_and(|ops| {
                    all.extend(ops);
                    true
                })
            });
            if known && all.len() <= SMALL {
                homes[v.index()] = Home::Anywhere;
                made_of[v.index()] = Some(all);
            }
        }
    }
}
