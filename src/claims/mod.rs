//! Makes kernels again that others say are right, and looks whether they are.

mod check;

use std::{collections::BTreeMap, io};

use autotune::database::{Database, DatabaseError, Place, Trial};
use ir::Target;
use runtime::{
    Device,
    measure::{Limits, RunnerError},
};

use crate::compile::CompileError;
use backends::cpu::Workers;
use check::Checker;

/// Which claims are looked at, and with what.
#[derive(Clone, Debug)]
pub struct ClaimOptions {
    /// The target; those that the database has claims for without.
    pub target: Option<Target>,
    /// The device; without, the first that runs code for the target, else the emulator.
    pub device: Option<Device>,
    /// The most schedules.
    pub limit: usize,
    /// The program that measures, and what makes it do so.
    pub measure: (std::path::PathBuf, Vec<std::ffi::OsString>),
    /// What one candidate may take.
    pub limits: Limits,
    /// Where drivers are.
    pub drivers: runtime::Drivers,
    /// Where code is generated.
    pub workers: Workers,
    /// Who looks, for records.
    pub by: String,
}

/// A schedule that was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The target.
    pub target: String,
    /// The hash of what the kernel computes.
    pub workload: String,
    /// The trials that claim it to be right.
    pub trials: Vec<String>,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Its numbers are right.
    Right {
        /// What ran it.
        device: String,
        /// Largest error, relative to the largest value of the reference.
        error: f64,
    },
    /// Its numbers are wrong.
    Wrong {
        /// How.
        reason: String,
    },
    /// Nothing is known of its numbers: it stays a claim.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// What came of claims.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClaimReport {
    /// The schedules that were looked at, in order.
    pub claims: Vec<Claim>,
    /// Schedules that were not looked at since there are more than were asked for.
    pub left: usize,
    /// Targets whose claims cannot be looked at here, and why.
    pub elsewhere: Vec<(String, String)>,
}

/// Why claims are not looked at.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// No code can be made at all.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// Nothing can be run.
    #[error(transparent)]
    Runner(#[from] RunnerError),
    /// There is no folder for what is built.
    #[error("a folder for kernels: {0}; help: TMPDIR names where it is made")]
    Folder(#[from] io::Error),
}

/// Claims of one schedule of a workload.
struct Group {
    trials: Vec<Trial>,
}

/// Looks at claims, the best of each workload first, and keeps in `database` what came of each.
///
/// # Errors
/// The database cannot be used, or nothing can be made or run at all. What was found before is kept.
pub fn verify_claims(
    database: &mut Database,
    options: &ClaimOptions,
    watch: &mut dyn FnMut(usize, usize),
) -> Result<ClaimReport, ClaimError> {
    let mut report = ClaimReport::default();
    let mut all: Vec<(Target, Group)> = vec![];
    for place in database.places()? {
        if options
            .target
            .as_ref()
            .is_some_and(|t| t.name != place.target)
        {
            continue;
        }
        let claims = database.claims(&place)?;
        if claims.is_empty() {
            continue;
        }
        match here(&place) {
            Ok(target) => all.extend(groups(claims).into_iter().map(|g| (target.clone(), g))),
            Err(reason) => report.elsewhere.push((place.target, reason)),
        }
    }
    report.left = all.len().saturating_sub(options.limit);
    all.truncate(options.limit);
    let mut checker = Checker::new(options)?;
    let count = all.len();
    for (i, (target, group)) in all.into_iter().enumerate() {
        watch(i, count);
        let verdict = checker.check(database, &target, &group.trials)?;
        report.claims.push(Claim {
            target: target.name,
            workload: group.trials[0].workload.clone(),
            trials: group.trials.iter().map(|t| t.id().0).collect(),
            verdict,
        });
    }
    Ok(report)
}

/// The target of a place, if this program makes the same code for it.
fn here(place: &Place) -> Result<Target, String> {
    let target = backends::resolve(&place.target).map_err(|e| e.to_string())?;
    let own = Place::of(&target);
    if own.toolchain != place.toolchain {
        return Err(format!(
            "wanted claims by {}, found {}",
            own.toolchain, place.toolchain
        ));
    }
    if own.fingerprint != place.fingerprint {
        return Err(
            "wanted claims for the target as it is described here, found another description"
                .into(),
        );
    }
    Ok(target)
}

/// Claims by schedule: first the best of each workload, then the second of each, and so on.
fn groups(claims: Vec<Trial>) -> Vec<Group> {
    let mut by_workload: BTreeMap<String, Vec<Group>> = BTreeMap::new();
    for trial in claims {
        let groups = by_workload.entry(trial.workload.clone()).or_default();
        let same = |g: &&mut Group| g.trials[0].schedule == trial.schedule;
        match groups.iter_mut().find(same) {
            Some(group) => group.trials.push(trial),
            None => groups.push(Group {
                trials: vec![trial],
            }),
        }
    }
    let mut ranked: Vec<(usize, Group)> = by_workload
        .into_values()
        .flat_map(|groups| groups.into_iter().enumerate())
        .collect();
    // Stable: workloads keep their order.
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, group)| group).collect()
}
