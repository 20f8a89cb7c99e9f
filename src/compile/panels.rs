//! One layout of a weight for all programs of a target, so that it is stored once.

use std::collections::BTreeMap;

use ir::{ContractSchedule, Graph, Op, Schedule, Target, ValueId};
use passes::{Groups, PlanError};

use super::{Decision, Source};

/// How wide the panels are in which programs so far hold weights, by the weights' names.
#[derive(Default)]
pub(super) struct Panels(BTreeMap<Vec<String>, u32>);

impl Panels {
    /// The decision for a kernel, or, where nobody asked for that one, the best of those with the panels of an earlier program.
    ///
    /// The first program reads prompts, and is bound by products. One that adds a token waits for the weights to come from
    /// memory, in whatever panels; if its space has none of this width, its own schedule is taken with them.
    pub fn agree(
        &mut self,
        decision: Decision,
        (graph, groups, at): (&Graph, &Groups, usize),
        target: &Target,
    ) -> Result<Decision, PlanError> {
        let Schedule::Contract(own) = &decision.schedule else {
            return Ok(decision);
        };
        let lanes = *self
            .0
            .entry(weights(graph, groups, at))
            .or_insert(own.lanes);
        if lanes == own.lanes || decision.source != Source::Default {
            return Ok(decision);
        }
        let same = |s: &Schedule| matches!(s, Schedule::Contract(s) if s.lanes == lanes);
        let best = autotune::first_choice_among(&groups.kernels[at], target, &same)?;
        let schedule = best.unwrap_or_else(|| {
            Schedule::Contract(ContractSchedule {
                lanes,
                block_columns: (own.block_columns / lanes).max(1) * lanes,
                ..own.clone()
            })
        });
        Ok(Decision {
            schedule,
            ..decision
        })
    }
}

/// The weights that the first launch of a kernel reads, through what is computed when compiling.
fn weights(graph: &Graph, groups: &Groups, kernel: usize) -> Vec<String> {
    let launch = groups.launches.iter().find(|l| l.kernel == kernel);
    let operands = launch.expect("a kernel is launched").operands.iter();
    let constants = operands.filter(|v| groups.constants.contains(v));
    let mut open: Vec<ValueId> = constants.copied().collect();
    let mut names = vec![];
    while let Some(value) = open.pop() {
        let node = graph.node(value);
        if let Op::Weight(w) = &node.op {
            names.push(w.name.clone());
        }
        open.extend(&node.inputs);
    }
    names.sort();
    names
}
