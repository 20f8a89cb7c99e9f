//! The order in which nodes are imported: each after those whose results it takes.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    error::{NodeName, OnnxError},
    proto,
};

/// The name of a node, for messages.
pub(super) fn name_of(node: &proto::Node) -> NodeName {
    NodeName {
        domain: node.domain.clone(),
        operator: node.op_type.clone(),
        name: node.name.clone(),
        output: node.output.first().cloned().unwrap_or_default(),
    }
}

/// The names that a node needs: its operands, and what its branches take from around them.
fn needs(node: &proto::Node) -> Vec<&str> {
    let mut open = vec![node];
    let mut names = Vec::new();
    while let Some(node) = open.pop() {
        names.extend(node.input.iter().map(String::as_str));
        for graph in node.attribute.iter().filter_map(|a| a.g.as_deref()) {
            names.extend(graph.output.iter().map(|o| o.name.as_str()));
            open.extend(&graph.node);
        }
    }
    names
}

/// Positions of the nodes that the values `wanted` need, operands first; else in the order of the file.
/// `given` says which values are there already.
pub(super) fn order(
    nodes: &[proto::Node],
    given: &dyn Fn(&str) -> bool,
    wanted: &[&str],
) -> Result<Vec<usize>, OnnxError> {
    let mut makers = BTreeMap::new();
    for (i, node) in nodes.iter().enumerate() {
        for output in node.output.iter().filter(|o| !o.is_empty()) {
            if given(output) || makers.insert(output.as_str(), i).is_some() {
                return Err(OnnxError::Duplicate {
                    what: "value",
                    name: output.clone(),
                });
            }
        }
    }
    // For each node, how many makers it waits for; for each maker, who waits for it.
    let mut waits = vec![BTreeSet::new(); nodes.len()];
    let mut users = vec![Vec::new(); nodes.len()];
    for (i, node) in nodes.iter().enumerate() {
        let missing = |n: &&String| !n.is_empty() && !given(n) && !makers.contains_key(n.as_str());
        if let Some(name) = node.input.iter().find(missing) {
            return Err(OnnxError::Undefined {
                node: name_of(node),
                name: name.clone(),
            });
        }
        // Other names that a branch needs are its own.
        for maker in needs(node).into_iter().filter_map(|n| makers.get(n)) {
            if waits[i].insert(*maker) {
                users[*maker].push(i);
            }
        }
    }
    let mut open: BTreeSet<usize> = (0..nodes.len()).filter(|i| waits[*i].is_empty()).collect();
    let mut sorted = Vec::with_capacity(nodes.len());
    while let Some(i) = open.pop_first() {
        sorted.push(i);
        for user in &users[i] {
            waits[*user].remove(&i);
            if waits[*user].is_empty() {
                open.insert(*user);
            }
        }
    }
    if sorted.len() < nodes.len() {
        let stuck = (0..nodes.len()).find(|i| !waits[*i].is_empty());
        let node = name_of(&nodes[stuck.expect("a node that is not sorted waits")]);
        return Err(OnnxError::Cycle { node });
    }
    let mut live = vec![false; nodes.len()];
    for maker in wanted.iter().filter_map(|w| makers.get(w)) {
        live[*maker] = true;
    }
    // A live node's makers come before it in the order, so one pass backwards finds all.
    for i in sorted.iter().rev() {
        if live[*i] {
            for maker in needs(&nodes[*i]).into_iter().filter_map(|n| makers.get(n)) {
                live[*maker] = true;
            }
        }
    }
    sorted.retain(|i| live[*i]);
    Ok(sorted)
}
