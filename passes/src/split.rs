//! Ops that mean several sums of products, apart again: each sum is a kernel of its own, which a template for products
//! computes, and the last takes over what follows.

use ir::{Build, Graph, Meaning, Op, ValueId};

use crate::{
    family::Family,
    group::{GroupError, alone},
    nest::leaf,
};

/// The graph with the terms of such ops in their place. `rules` names the rewrite rules that made a value; those of the new
/// graph are returned with it.
///
/// # Errors
/// An op that no kernel computes.
pub fn split_products(
    graph: &Graph,
    rules: &[Vec<String>],
) -> Result<(Graph, Vec<Vec<String>>), GroupError> {
    let mut out = Graph::new(graph.name());
    let mut names: Vec<Vec<String>> = vec![];
    let mut push = |out: &mut Graph, op: &Op, inputs: &[ValueId], of: Vec<String>| {
        names.push(of);
        out.push(op.clone(), inputs)
            .expect("operands have the types that they had")
    };
    let mut new: Vec<ValueId> = vec![];
    for v in graph.values() {
        let node = graph.node(v);
        let inputs: Vec<ValueId> = node.inputs.iter().map(|i| new[i.index()]).collect();
        let of = rules.get(v.index()).cloned().unwrap_or_default();
        let Some((term, result)) = products(graph, v)? else {
            new.push(push(&mut out, &node.op, &inputs, of));
            continue;
        };
        // The first values of the term stand for the operands.
        let mut place = inputs;
        for t in term.values().skip(place.len()) {
            let node = term.node(t);
            let inputs: Vec<ValueId> = node.inputs.iter().map(|i| place[i.index()]).collect();
            let of = if t == result { of.clone() } else { vec![] };
            place.push(push(&mut out, &node.op, &inputs, of));
        }
        new.push(place[result.index()]);
    }
    for o in graph.outputs() {
        out.output(&o.name, new[o.value.index()]);
    }
    Ok((out, names))
}

/// The term of an op that no template for products computes as a whole, if it has several sums of products.
fn products(graph: &Graph, v: ValueId) -> Result<Option<(Graph, ValueId)>, GroupError> {
    let node = graph.node(v);
    let mut term = Graph::new("term");
    let operands = node.inputs.iter().map(|i| {
        term.push(leaf(graph.ty(*i)), &[])
            .expect("a leaf takes any type")
    });
    let operands: Vec<ValueId> = operands.collect();
    let Meaning::Term(result) = node.op.meaning(&operands, &mut Build::new(&mut term)) else {
        return Ok(None);
    };
    let mut found = 0;
    for t in term.values().skip(operands.len()) {
        found += usize::from(matches!(alone(&term, t)?.family, Family::Contract(_)));
    }
    if found < 2 || !matches!(alone(graph, v)?.family, Family::Rows { .. }) {
        return Ok(None);
    }
    Ok(Some((term, result)))
}
