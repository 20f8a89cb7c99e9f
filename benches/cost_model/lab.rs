//! Times of schedules: from the database file, and measured and kept there if they are not in it.

use std::{
    collections::BTreeMap,
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use autotune::{
    Seen,
    database::{Access, Database, Origin, Outcome, Place, Trial, median},
};
use backends::cpu::{Processes, Workers};
use tilewright::{
    Copies, compile_alone,
    ir::{Schedule, Target},
    runtime::measure::{self, Candidate, Job, Limits, Policy, Runner},
};

use crate::{Result, tasks::Task};

/// Pairs of samples, and seconds of both: to tell good from bad, and good from better.
const QUICK: Policy = Policy {
    least: 8,
    most: 32,
    seconds: 0.06,
};
const CAREFUL: Policy = Policy {
    least: 40,
    most: 120,
    seconds: 0.6,
};

/// Constants are laid into memory so often that second-level caches do not hold them.
const COPIES: Copies = Copies {
    reach: 8 << 20,
    most: 8,
};

/// Measures on the CPU.
pub struct Lab {
    target: Target,
    place: Place,
    database: Database,
    runner: Runner,
    workers: Workers,
    threads: NonZeroUsize,
    folder: PathBuf,
    /// Of each kernel, what is known of its schedules: by how many pairs of samples, and the ratio of times.
    known: BTreeMap<String, BTreeMap<Schedule, (usize, Option<f64>)>>,
    defaults: BTreeMap<String, Candidate>,
    /// Schedules that were measured now.
    pub measured: usize,
}

impl Lab {
    pub fn new(
        target: Target,
        program: &Path,
        file: &Path,
        folder: PathBuf,
        threads: NonZeroUsize,
    ) -> Result<Self> {
        let workers = Workers::Processes(Processes {
            program: program.into(),
            arguments: vec!["code-worker".into()],
            count: threads.get(),
            limit: None,
        });
        Ok(Self {
            place: Place::of(&target),
            target,
            database: Database::open(file, Access::Write, "benchmark")?,
            runner: Runner::new(program, vec!["measure-worker".into()], Limits::default()),
            workers,
            threads,
            folder,
            known: BTreeMap::new(),
            defaults: BTreeMap::new(),
            measured: 0,
        })
    }

    pub fn target(&self) -> &Target {
        &self.target
    }

    /// What comes of schedules, in order.
    pub fn seen(&mut self, task: &Task, schedules: &[Schedule]) -> Result<Vec<Seen>> {
        self.by(QUICK, task, schedules)
    }

    /// The ratio of times of a schedule, by more samples.
    pub fn careful(&mut self, task: &Task, schedule: &Schedule) -> Result<Option<f64>> {
        let seen = self.by(CAREFUL, task, std::slice::from_ref(schedule))?;
        Ok(seen[0].ratio)
    }

    fn by(&mut self, policy: Policy, task: &Task, schedules: &[Schedule]) -> Result<Vec<Seen>> {
        let meaning = &task.workload.meaning;
        if !self.known.contains_key(meaning) {
            let trials = self.database.trials(meaning, &self.place)?;
            self.known.insert(meaning.clone(), BTreeMap::new());
            trials
                .iter()
                .filter(|t| t.threads == self.threads.get() as u32)
                .for_each(|t| keep(&mut self.known, t));
        }
        let known = &self.known[meaning];
        let least = policy.least as usize;
        let mut new: Vec<Schedule> = schedules.to_vec();
        // What has no right result has none by more samples.
        new.retain(|s| {
            known
                .get(s)
                .is_none_or(|(pairs, ratio)| *pairs < least && ratio.is_some())
        });
        new.sort();
        new.dedup();
        for some in new.chunks(16) {
            self.measure(task, some, policy)?;
        }
        let known = &self.known[meaning];
        let seen = schedules.iter().map(|schedule| Seen {
            schedule: schedule.clone(),
            ratio: known[schedule].1,
        });
        Ok(seen.collect())
    }

    fn measure(&mut self, task: &Task, schedules: &[Schedule], policy: Policy) -> Result<()> {
        let meaning = &task.workload.meaning;
        if !self.defaults.contains_key(meaning) {
            let path = self.folder.join(format!("default-{meaning}.tw"));
            let made = self.build(task, &[(task.default.clone(), &path)])?;
            let layouts = made
                .into_iter()
                .next()
                .ok_or("one answer for one schedule")??;
            let candidate = Candidate {
                artifact: path,
                layouts,
            };
            self.defaults.insert(meaning.clone(), candidate);
        }
        let paths: Vec<PathBuf> = (0..schedules.len())
            .map(|i| self.folder.join(format!("candidate-{i}.tw")))
            .collect();
        let wanted = schedules
            .iter()
            .cloned()
            .zip(paths.iter().map(PathBuf::as_path));
        let built = self.build(task, &wanted.collect::<Vec<_>>())?;
        let mut trials = vec![];
        for ((schedule, path), built) in schedules.iter().zip(&paths).zip(built) {
            let outcome = match built {
                Err(e) => measure::Outcome::Refused {
                    reason: e.to_string(),
                },
                Ok(layouts) => self.runner.measure(&Job {
                    graph: task.kernel.graph.clone(),
                    candidate: Candidate {
                        artifact: path.clone(),
                        layouts,
                    },
                    baseline: self.defaults[meaning].clone(),
                    seed: 1,
                    device: "cpu".into(),
                    threads: Some(self.threads),
                    policy,
                })?,
            };
            // What was not built is not there.
            let _ = fs::remove_file(path);
            trials.push(self.trial(task, schedule, outcome));
        }
        self.measured += trials.len();
        self.database.add(&task.workload, &trials)?;
        trials.iter().for_each(|t| keep(&mut self.known, t));
        Ok(())
    }

    #[allow(clippy::type_complexity, reason = "an answer for each schedule")]
    fn build(
        &self,
        task: &Task,
        schedules: &[(Schedule, &Path)],
    ) -> Result<Vec<std::result::Result<Vec<tilewright::ir::Layout>, tilewright::NoArtifact>>> {
        Ok(compile_alone(
            &task.kernel,
            schedules,
            &self.target,
            COPIES,
            &self.workers,
        )?)
    }

    fn trial(&self, task: &Task, schedule: &Schedule, outcome: measure::Outcome) -> Trial {
        let reason = outcome.reason();
        let (outcome, samples_s, baseline_s, error, device) = match outcome {
            measure::Outcome::Ok(m) => (
                Outcome::Ok,
                m.samples_s,
                m.baseline_s,
                Some(m.error),
                m.device,
            ),
            other => {
                let kind = match other {
                    measure::Outcome::WrongResult(_) => Outcome::WrongResult,
                    measure::Outcome::Timeout { .. } => Outcome::Timeout,
                    measure::Outcome::Crash { .. } => Outcome::Crash,
                    _ => Outcome::BuildError,
                };
                (kind, vec![], vec![], None, "none".into())
            }
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Trial {
            workload: task.workload.meaning.clone(),
            place: self.place.clone(),
            schedule: schedule.clone(),
            outcome,
            reason,
            origin: Origin::Measured,
            samples_s,
            baseline_s,
            error,
            threads: self.threads.get() as u32,
            device,
            seed: 1,
            unix_time: now.map_or(0, |d| d.as_secs()),
            by: "cost-model benchmark".into(),
            more: BTreeMap::new(),
        }
    }
}

/// Of a schedule the trial with most samples counts.
fn keep(known: &mut BTreeMap<String, BTreeMap<Schedule, (usize, Option<f64>)>>, trial: &Trial) {
    let ratio = |t: &Trial| Some(t.median_s()? / median(&t.baseline_s)?);
    let new = (trial.samples_s.len(), ratio(trial));
    let of = known.entry(trial.workload.clone()).or_default();
    let old = of.entry(trial.schedule.clone()).or_insert(new);
    if new.0 > old.0 {
        *old = new;
    }
}
