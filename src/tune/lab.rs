//! Builds candidates on this machine, and measures them on its device.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use autotune::{
    database::{CAREFUL, Outcome},
    tune::{Attempt, Context, Effort, Lab, Task},
};
use backends::cpu::Failure;
use ir::Schedule;
use runtime::measure::{self, Candidate, Job, Policy, Runner};

use super::{TuneError, TuneOptions, context::InContext, folder::Folder};
use crate::compile::{Copies, NoArtifact, compile_alone};

/// Constants of a kernel are laid into memory so often that they take this many bytes, if the model has so many:
/// twice the last-level cache of large processors' core groups.
const REACH: u64 = 64 << 20;
/// The most copies.
const MOST_COPIES: usize = 32;

/// Enough pairs to tell good from bad; fewer than count as careful.
const SEARCH: Policy = Policy {
    least: 8,
    most: CAREFUL as u32 - 1,
    seconds: 0.2,
};
/// Enough to tell good from better; more than a search takes, so that these count.
const FINAL: Policy = Policy {
    least: CAREFUL as u32 + 1,
    most: 120,
    seconds: 2.0,
};

/// The machine at work.
pub(super) struct Machine<'a> {
    options: &'a TuneOptions,
    runner: Runner,
    folder: Folder,
    copies: Copies,
    /// Artifacts of defaults, by what their kernels compute.
    defaults: BTreeMap<String, Candidate>,
    /// The whole model; none where it is not run.
    context: Option<InContext<'a>>,
    /// By kernel, why it was not measured.
    notes: BTreeMap<String, String>,
    begun: Instant,
}

impl<'a> Machine<'a> {
    /// `constants` are the bytes of weights that a run reads.
    pub fn new(
        options: &'a TuneOptions,
        constants: u64,
        context: Option<InContext<'a>>,
    ) -> Result<Self, TuneError> {
        Ok(Self {
            options,
            runner: options.measuring.runner(),
            folder: Folder::new()?,
            copies: Copies {
                reach: constants.min(REACH),
                most: MOST_COPIES,
            },
            defaults: BTreeMap::new(),
            context,
            notes: BTreeMap::new(),
            begun: Instant::now(),
        })
    }

    /// The artifact of a task's default.
    fn default(&mut self, task: &Task) -> Result<Candidate, TuneError> {
        if let Some(known) = self.defaults.get(&task.workload.meaning) {
            return Ok(known.clone());
        }
        let path = self
            .folder
            .file(&format!("default-{}.tw", self.defaults.len()));
        let made = self.build(task, &[(task.default.clone(), &path)])?;
        let made = made
            .into_iter()
            .next()
            .expect("one schedule has one answer");
        let layouts = made.map_err(|failure| TuneError::Default {
            kernel: task.kernel.name.clone(),
            reason: reason(&failure).1,
        })?;
        let candidate = Candidate {
            artifact: path,
            layouts,
        };
        let meaning = task.workload.meaning.clone();
        self.defaults.insert(meaning, candidate.clone());
        Ok(candidate)
    }

    #[allow(clippy::type_complexity, reason = "an answer for each schedule")]
    fn build(
        &self,
        task: &Task,
        schedules: &[(Schedule, &Path)],
    ) -> Result<Vec<Result<Vec<ir::Layout>, NoArtifact>>, TuneError> {
        let o = self.options;
        Ok(compile_alone(
            &task.kernel,
            schedules,
            o.target(),
            self.copies,
            o.workers(),
        )?)
    }

    /// Fails unless the device runs the default of the first task: otherwise all candidates would fail, each with a
    /// reason that is not its own.
    pub fn require_device(&mut self, tasks: &[Task]) -> Result<(), TuneError> {
        let Some(task) = tasks.first() else {
            return Ok(());
        };
        let candidate = self.default(task)?;
        let job = self.job(task, candidate.clone(), candidate, Policy::CHECK);
        match self.runner.measure(&job)? {
            measure::Outcome::Checked(_) => Ok(()),
            other => Err(TuneError::Device {
                device: self.options.measuring.device.clone(),
                kernel: task.kernel.name.clone(),
                reason: other.reason().unwrap_or_default(),
            }),
        }
    }

    /// Notes that nothing can be measured of a kernel, once for each.
    fn refused(&mut self, task: &Task, reason: &str) {
        let name = &task.kernel.name;
        self.notes
            .entry(name.clone())
            .or_insert_with(|| format!("{name} was not measured: {reason}"));
    }

    /// What a user must know beside the numbers.
    pub fn notes(self) -> Vec<String> {
        self.notes.into_values().collect()
    }

    fn job(&self, task: &Task, candidate: Candidate, baseline: Candidate, policy: Policy) -> Job {
        Job {
            graph: task.kernel.graph.clone(),
            candidate,
            baseline,
            seed: self.options.settings.seed,
            device: self.options.measuring.device.to_string(),
            threads: self.options.measuring.threads,
            policy,
        }
    }
}

impl Lab for Machine<'_> {
    type Error = TuneError;

    fn attempt(
        &mut self,
        task: &Task,
        schedules: &[Schedule],
        effort: Effort,
    ) -> Result<Vec<Attempt>, TuneError> {
        let baseline = self.default(task)?;
        let paths: Vec<PathBuf> = (0..schedules.len())
            .map(|i| self.folder.file(&format!("candidate-{i}.tw")))
            .collect();
        let wanted: Vec<_> = schedules
            .iter()
            .cloned()
            .zip(paths.iter().map(PathBuf::as_path))
            .collect();
        let built = self.build(task, &wanted)?;
        let policy = match effort {
            Effort::Search => SEARCH,
            Effort::Final => {
                self.runner = self.options.measuring.runner();
                FINAL
            }
        };
        let mut attempts = Vec::new();
        for ((schedule, path), built) in schedules.iter().zip(&paths).zip(built) {
            match built {
                Err(failure) => {
                    let (outcome, reason) = reason(&failure);
                    attempts.push(failed(schedule, outcome, reason));
                }
                Ok(layouts) => {
                    let candidate = Candidate {
                        artifact: path.clone(),
                        layouts,
                    };
                    let job = self.job(task, candidate, baseline.clone(), policy);
                    match attempt(schedule, self.runner.measure(&job)?) {
                        Ok(attempt) => attempts.push(attempt),
                        Err(refusal) => self.refused(task, &refusal),
                    }
                }
            }
            // What is not there need not go.
            let _ = fs::remove_file(path);
        }
        Ok(attempts)
    }

    fn in_context(&mut self, schedules: &[Schedule]) -> Result<Option<Context>, TuneError> {
        match &mut self.context {
            Some(context) => context.run(schedules, &self.folder),
            None => Ok(None),
        }
    }

    fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    fn unix_time(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.map_or(0, |d| d.as_secs())
    }
}

/// Why there is nothing to measure.
fn reason(failure: &NoArtifact) -> (Outcome, String) {
    match failure {
        NoArtifact::Lower(e) => (Outcome::RejectedStatic, e.to_string()),
        NoArtifact::Code(e @ Failure::TimedOut(_)) => (Outcome::Timeout, e.to_string()),
        NoArtifact::Code(e) => (Outcome::BuildError, e.to_string()),
    }
}

fn failed(schedule: &Schedule, outcome: Outcome, reason: String) -> Attempt {
    Attempt {
        schedule: schedule.clone(),
        outcome,
        reason: Some(reason),
        samples_s: vec![],
        baseline_s: vec![],
        error: None,
        device: "none".into(),
    }
}

/// What a measurement says of a schedule.
///
/// # Errors
/// It says nothing of it.
fn attempt(schedule: &Schedule, outcome: measure::Outcome) -> Result<Attempt, String> {
    use measure::Outcome as Seen;
    let reason = outcome.reason().unwrap_or_default();
    Ok(match outcome {
        Seen::Ok(m) => Attempt {
            schedule: schedule.clone(),
            outcome: Outcome::Ok,
            reason: None,
            samples_s: m.samples_s,
            baseline_s: m.baseline_s,
            error: Some(m.error),
            device: m.device,
        },
        Seen::Checked(_) => unreachable!("times are asked for"),
        Seen::WrongResult(_) => failed(schedule, Outcome::WrongResult, reason),
        Seen::Timeout { .. } => failed(schedule, Outcome::Timeout, reason),
        Seen::Crash { .. } => failed(schedule, Outcome::Crash, reason),
        Seen::Refused { .. } => return Err(reason),
    })
}
