//! Rewriting: a graph as an e-graph, saturated by the rules, and the cheapest equal graphs.

use std::{sync::Arc, time::Duration};

use egg::Runner;
use ir::{Graph, GraphError, Roofline};

use crate::{
    cost::typical_sizes,
    egraph::{EGraph, Facts, Term, graph_of, rewrite_of, term_of},
    extract::{Extracted, extract},
    roll::{roll, splice},
    rules::{Rule, Siblings, Stage, siblings, table},
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

/// The rules and siblings that take part, ready to run.
pub(crate) struct Rules {
    rules: Vec<(Stage, egg::Rewrite<Term, Facts>)>,
    siblings: Vec<Siblings>,
}

impl Rules {
    pub(crate) fn new(table: &[Arc<Rule>], last: Stage) -> Self {
        let rules = table.iter().filter(|r| r.stage <= last);
        Self {
            rules: rules.map(|r| (r.stage, rewrite_of(r))).collect(),
            siblings: siblings(),
        }
    }
}

/// Runs the rules on `graph`; the cheapest equal terms, best first.
pub(crate) fn saturate(graph: &Graph, rules: &Rules, options: &RewriteOptions) -> Vec<Extracted> {
    let (before, _) = term_of(graph);
    let mut egraph = EGraph::new(Facts).with_explanations_enabled();
    let root = egraph.add_expr(&before);
    egraph.rebuild();
    egraph = run(egraph, rules, Stage::Recognise, options);
    egraph = run(egraph, rules, Stage::Fuse, options);
    let joined: usize = rules
        .siblings
        .iter()
        .map(|s| {
            let n = s.join(&mut egraph);
            egraph.rebuild();
            n
        })
        .sum();
    if joined > 0 {
        egraph = run(egraph, rules, Stage::Fuse, options);
    }
    if options.stage > Stage::Fuse {
        egraph = run(egraph, rules, options.stage, options);
    }
    let sizes = typical_sizes(graph);
    extract(&egraph, root, &options.roofline, &sizes, options.candidates)
}

fn run(egraph: EGraph, rules: &Rules, last: Stage, options: &RewriteOptions) -> EGraph {
    let active = rules
        .rules
        .iter()
        .filter(|(stage, _)| *stage <= last)
        .map(|(_, r)| r);
    let runner: Runner<Term, Facts> = Runner::new(Facts)
        .with_egraph(egraph)
        .with_node_limit(options.nodes)
        .with_iter_limit(options.iterations)
        // Results must not depend on the clock, so there is no limit that a run can meet.
        .with_time_limit(Duration::from_secs(1 << 32))
        .run(active);
    runner.egraph
}

/// The cheapest graph equal to `graph`. Repeated layers are rewritten once.
///
/// # Errors
/// An op does not fit its operands: a rule is wrong.
pub fn rewrite(graph: &Graph, options: &RewriteOptions) -> Result<Rewritten, GraphError> {
    let rules = Rules::new(&table(), options.stage);
    let rolled = roll(graph)?;
    let mut seconds = 0.0;
    let mut best = |part: &Graph, times: usize| -> Result<Graph, GraphError> {
        let candidates = saturate(part, &rules, options);
        seconds += candidates[0].seconds * times as f64;
        Ok(graph_of(&candidates[0].expr, part)?.0)
    };
    let rest = best(&rolled.rest, 1)?;
    let bodies: Result<Vec<Graph>, GraphError> = rolled
        .bodies
        .iter()
        .map(|b| best(&b.graph, b.times()))
        .collect();
    let (out, _) = splice(graph, &rolled, &rest, &bodies?)?;
    let layers = rolled.bodies.iter().map(|b| Layers {
        times: b.times(),
        nodes: b.graph.nodes().len(),
    });
    Ok(Rewritten {
        graph: out,
        seconds,
        layers: layers.collect(),
    })
}

/// What a graph was rewritten to.
#[derive(Clone, Debug)]
pub struct Rewritten {
    /// The cheapest graph found.
    pub graph: Graph,
    /// Seconds that it takes at least, as the sum of its ops, at typical sizes.
    pub seconds: f64,
    /// The repeated layers that were found, in order.
    pub layers: Vec<Layers>,
}

/// Layers with one structure, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layers {
    /// How many there are.
    pub times: usize,
    /// Nodes of one, with its leaves.
    pub nodes: usize,
}
