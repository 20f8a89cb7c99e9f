//! Attempts as records.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Attempt, Lab, Settings, Task};
use crate::{
    Seen,
    database::{Database, DatabaseError, Origin, Outcome, Place, Trial, Verification, Workload},
};

/// When a trial was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// By the search.
    Search,
    /// Among the best of a kernel.
    Final,
    /// In a run of the whole model.
    Context,
}

/// The key of a trial under which its stage is kept.
const STAGE: &str = "stage";

impl Stage {
    /// As records spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Final => "final",
            Self::Context => "context",
        }
    }
}

/// Whether a search made a trial.
pub fn is_search(trial: &Trial) -> bool {
    is_of(trial, Stage::Search)
}

/// Whether a trial was made at this stage.
pub(super) fn is_of(trial: &Trial, stage: Stage) -> bool {
    trial.more.get(STAGE).and_then(Value::as_str) == Some(stage.name())
}

/// Attempts at a task's schedules as records.
pub(super) fn trials<L: Lab>(
    task: &Task,
    place: &Place,
    settings: &Settings,
    stage: Stage,
    attempts: Vec<Attempt>,
    lab: &L,
) -> Vec<Trial> {
    let record = |a: Attempt| Trial {
        workload: task.workload.meaning.clone(),
        place: place.clone(),
        schedule: a.schedule,
        outcome: a.outcome,
        reason: a.reason,
        origin: Origin::Measured,
        samples_s: a.samples_s,
        baseline_s: a.baseline_s,
        error: a.error,
        threads: settings.threads,
        device: a.device,
        seed: settings.seed,
        unix_time: lab.unix_time(),
        by: settings.by.clone(),
        more: BTreeMap::from([(STAGE.into(), stage.name().into())]),
    };
    attempts.into_iter().map(record).collect()
}

/// Keeps trials that were made here: those with right numbers are verified by that.
pub(super) fn keep(
    database: &mut Database,
    workload: &Workload,
    trials: &[Trial],
) -> Result<(), DatabaseError> {
    let right = trials.iter().filter(|t| t.outcome == Outcome::Ok);
    let verified: Vec<_> = right
        .map(|t| Verification {
            trial: t.id(),
            device: t.device.clone(),
            error: t.error.unwrap_or(0.0),
            unix_time: t.unix_time,
        })
        .collect();
    database.add_verified(workload, trials, &verified)?;
    Ok(())
}

/// What a search is told of a trial.
pub fn seen(trial: &Trial) -> Seen {
    let ratio = match (trial.outcome, trial.median_s(), baseline(trial)) {
        (Outcome::Ok, Some(time), Some(baseline)) => Some(time / baseline),
        _ => None,
    };
    Seen {
        schedule: trial.schedule.clone(),
        ratio,
    }
}

/// Seconds of a call of the default that was measured in turn with a trial.
pub(super) fn baseline(trial: &Trial) -> Option<f64> {
    crate::database::median(&trial.baseline_s)
}
