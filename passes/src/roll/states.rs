//! Next values of states, which are set aside while layers are found: each layer has its own, beside the main path.

use ir::{Graph, ValueId};

/// The graph without the outputs that are next values of states; with them, if one cannot be found again by its state.
pub(crate) fn set_aside(graph: &Graph) -> Graph {
    let users = |state: ValueId| {
        let all = graph.values();
        all.filter(|v| graph.node(*v).inputs.contains(&state))
            .collect::<Vec<_>>()
    };
    let mut out = graph.clone();
    out.clear_outputs();
    for o in graph.results() {
        out.output(&o.name, o.value);
    }
    let live = out.live();
    let found = |o: &ir::Output| match graph.state(&o.name) {
        Some(state) => users(state) == [o.value] && live[o.value.index()],
        None => true,
    };
    if graph.outputs().iter().all(found) {
        out
    } else {
        graph.clone()
    }
}

/// The outputs of `graph`, of which `rewritten` has all, or all but next values of states.
pub(crate) fn restore(graph: &Graph, rewritten: Graph) -> Graph {
    if rewritten.outputs().len() == graph.outputs().len() {
        return rewritten;
    }
    let mut out = rewritten.clone();
    out.clear_outputs();
    let mut others = rewritten.outputs().iter();
    for o in graph.outputs() {
        let value = match rewritten.state(&o.name) {
            Some(state) => rewritten
                .values()
                .find(|v| rewritten.node(*v).inputs.contains(&state))
                .expect("what is computed from a state is needed"),
            None => others.next().expect("rewriting keeps outputs").value,
        };
        out.output(&o.name, value);
    }
    out
}
