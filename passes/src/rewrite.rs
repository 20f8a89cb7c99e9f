//! Rewriting: a graph as an e-graph, saturated by the rules, and the cheapest equal graphs.

use std::sync::Arc;

use egg::RecExpr;
use ir::{Graph, GraphError, Roofline};

use crate::{
    cost::typical_sizes,
    egraph::{EGraph, Facts, Term, graph_of, rewrite_of, run, term_of},
    extract::{Extracted, extract},
    prove::{Proof, credit, record},
    roll::{Body, Origin, Rolled, restore, roll, set_aside, splice},
    rules::{Rule, Stage, siblings, table},
};

/// What bounds a rewrite and ranks its results. Limits are counts, so that results do not depend on the clock.
#[derive(Clone, Debug)]
pub struct RewriteOptions {
    /// How fast the target can be.
    pub roofline: Roofline,
    /// Nodes of an e-graph at which rules stop.
    pub nodes: usize,
    /// Rounds of all rules in each stage.
    pub iterations: usize,
    /// Rules up to this stage take part.
    pub stage: Stage,
    /// The most graphs that are returned.
    pub candidates: usize,
}

impl RewriteOptions {
    /// The usual limits, for a target with this roofline.
    pub fn new(roofline: Roofline) -> Self {
        Self {
            roofline,
            nodes: 20_000,
            iterations: 24,
            stage: Stage::Fuse,
            candidates: 8,
        }
    }
}

/// An e-graph in which the rules have run, and the cheapest terms for the outputs of its graph.
struct Saturated {
    egraph: EGraph,
    before: RecExpr<Term>,
    candidates: Vec<Extracted>,
}

/// The e-graph of the outputs of `graph`, in which `rules` have run.
pub fn saturate(graph: &Graph, rules: &[Arc<Rule>], options: &RewriteOptions) -> EGraph {
    let mut egraph = EGraph::new(Facts).with_explanations_enabled();
    egraph.add_expr(&term_of(graph).0);
    let run = |egraph: &mut EGraph, last| {
        let active = rules.iter().filter(|r| r.stage <= last);
        let active: Vec<_> = active.map(rewrite_of).collect();
        run(egraph, &active, options.nodes, options.iterations);
    };
    for stage in [Stage::Recognise, Stage::Fuse] {
        run(&mut egraph, stage);
    }
    let mut joined = 0;
    for kind in siblings() {
        joined += kind.join(&mut egraph);
        egraph.rebuild();
    }
    if joined > 0 {
        run(&mut egraph, Stage::Fuse);
    }
    if options.stage > Stage::Fuse {
        run(&mut egraph, options.stage);
    }
    egraph
}

impl Saturated {
    fn new(graph: &Graph, rules: &[Arc<Rule>], options: &RewriteOptions) -> Self {
        let egraph = saturate(graph, rules, options);
        let (before, _) = term_of(graph);
        let sizes = typical_sizes(graph);
        let candidates = extract(
            &egraph,
            &before,
            &options.roofline,
            &sizes,
            options.candidates,
        );
        Self {
            egraph,
            before,
            candidates,
        }
    }
}

/// A part of a graph, rewritten.
struct Part {
    graph: Graph,
    seconds: f64,
    proof: Proof,
    /// For each value of `graph`, the rules that made it.
    rules: Vec<Vec<String>>,
}

/// The candidate of this number for a part, or the best if there are fewer.
fn part(
    saturated: &mut Saturated,
    number: usize,
    like: &Graph,
    about: &str,
) -> Result<Part, GraphError> {
    let Saturated {
        egraph,
        before,
        candidates,
    } = saturated;
    let Extracted { expr, seconds } = candidates.get(number).unwrap_or(&candidates[0]);
    let (graph, values) = graph_of(expr, like)?;
    let (proof, places) = record(egraph, about, before, expr);
    let of: Vec<usize> = values
        .iter()
        .zip(places)
        .filter_map(|(v, p)| v.map(|_| p))
        .collect();
    let rules = credit(&proof, &of);
    Ok(Part {
        graph,
        seconds: *seconds,
        proof,
        rules,
    })
}

/// The cheapest graph equal to `graph`. Repeated layers are rewritten once.
///
/// # Errors
/// An op does not fit its operands: a rule is wrong.
pub fn rewrite(graph: &Graph, options: &RewriteOptions) -> Result<Rewritten, GraphError> {
    let options = RewriteOptions {
        candidates: 1,
        ..options.clone()
    };
    let mut all = candidates(graph, &options)?;
    Ok(all.swap_remove(0))
}

/// The cheapest graphs equal to `graph`, distinct, best first; at least one.
///
/// # Errors
/// An op does not fit its operands: a rule is wrong.
pub fn candidates(graph: &Graph, options: &RewriteOptions) -> Result<Vec<Rewritten>, GraphError> {
    let rules = table();
    let whole_graph = graph;
    let graph = &set_aside(graph);
    let rolled = roll(graph)?;
    let mut rest = Saturated::new(&rolled.rest, &rules, options);
    let mut bodies: Vec<Saturated> = rolled
        .bodies
        .iter()
        .map(|b| Saturated::new(&b.graph, &rules, options))
        .collect();
    // Bodies hold most of the work: candidate `i` takes the `i`th form of each.
    let parts = if bodies.is_empty() {
        std::slice::from_ref(&rest)
    } else {
        &bodies
    };
    let count = parts.iter().map(|s| s.candidates.len()).max().unwrap_or(1);
    let mut out: Vec<Rewritten> = Vec::new();
    for number in 0..count {
        let choice = if bodies.is_empty() { number } else { 0 };
        let rest = part(
            &mut rest,
            choice,
            &rolled.rest,
            "outside of repeated layers",
        )?;
        let mut layers = Vec::new();
        for (i, (saturated, body)) in bodies.iter_mut().zip(&rolled.bodies).enumerate() {
            let about = format!("repeated layers {i}");
            layers.push(part(saturated, number, &body.graph, &about)?);
        }
        let mut found = whole(graph, &rolled, rest, layers)?;
        found.graph = restore(whole_graph, found.graph);
        out.push(found);
    }
    Ok(out)
}

fn whole(
    graph: &Graph,
    rolled: &Rolled,
    rest: Part,
    bodies: Vec<Part>,
) -> Result<Rewritten, GraphError> {
    let graphs: Vec<Graph> = bodies.iter().map(|b| b.graph.clone()).collect();
    let (graph, origins) = splice(graph, rolled, &rest.graph, &graphs)?;
    let rules = origins.iter().map(|origin| match origin {
        Origin::Rest(v) => rest.rules[v.index()].clone(),
        Origin::Body(i, v) => bodies[*i].rules[v.index()].clone(),
    });
    let times = rolled.bodies.iter().map(Body::times);
    let repeated: f64 = bodies
        .iter()
        .zip(times)
        .map(|(b, n)| b.seconds * n as f64)
        .sum();
    let layers = rolled.bodies.iter().map(|b| Layers {
        times: b.times(),
        nodes: b.graph.nodes().len(),
    });
    Ok(Rewritten {
        graph,
        seconds: rest.seconds + repeated,
        layers: layers.collect(),
        rules: rules.collect(),
        proofs: std::iter::once(rest.proof)
            .chain(bodies.into_iter().map(|b| b.proof))
            .collect(),
    })
}

/// What a graph was rewritten to.
#[derive(Clone, Debug)]
pub struct Rewritten {
    /// An equal graph.
    pub graph: Graph,
    /// Seconds that it takes at least, as the sum of its ops, at typical sizes.
    pub seconds: f64,
    /// The repeated layers that were found, in order.
    pub layers: Vec<Layers>,
    /// For each value of the graph, the rules that made it; none if it was there before.
    pub rules: Vec<Vec<String>>,
    /// That the graphs are equal: outside of repeated layers, then for one of each kind of layer.
    pub proofs: Vec<Proof>,
}

/// Layers with one structure, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layers {
    /// How many there are.
    pub times: usize,
    /// Nodes of one, with its leaves.
    pub nodes: usize,
}
