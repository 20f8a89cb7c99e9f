//! Rounds of rules.
//!
//! egg's own runner, in builds with debug assertions, writes both sides of each equation out as trees after each round; a value
//! that is used twice doubles its tree, and a graph of shared values would not end. Here equations are checked
//! where they are part of a proof, by `prove::check`.

use egg::{BackoffScheduler, RewriteScheduler};

use super::{apply::EGraph, facts::Facts, language::Term};

/// Applies `rules` round by round until nothing is new, the e-graph has more than `nodes` nodes, or `rounds` are over.
///
/// A rule that matches too often rests for a while, so that it does not crowd the others out.
pub(crate) fn run(
    egraph: &mut EGraph,
    rules: &[egg::Rewrite<Term, Facts>],
    nodes: usize,
    rounds: usize,
) {
    let mut scheduler = BackoffScheduler::default();
    egraph.rebuild();
    for round in 0..rounds {
        let size = |egraph: &EGraph| (egraph.total_size(), egraph.number_of_classes());
        let before = size(egraph);
        if before.0 > nodes {
            return;
        }
        // Rules see the graph as the round found it.
        let search = |rule| scheduler.search_rewrite(round, egraph, rule);
        let found: Vec<_> = rules.iter().map(search).collect();
        let mut changed = false;
        for (rule, matches) in rules.iter().zip(found) {
            changed |= scheduler.apply_rewrite(round, egraph, rule, matches) > 0;
            if egraph.total_size() > nodes {
                break;
            }
        }
        egraph.rebuild();
        let still = !changed && before == size(egraph);
        if still && RewriteScheduler::<Term, Facts>::can_stop(&mut scheduler, round) {
            return;
        }
    }
}
