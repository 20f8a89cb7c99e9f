//! Tuning the kernels of a model: trials of schedules until they pay no more, each kept as soon as it was made.
//!
//! First a search per kernel, which takes turns by what the whole model could gain. Then the best few of each kernel are
//! measured again, longer and in a fresh process. At last the whole model runs under the schedules that the database
//! serves, in turn with the defaults: a kernel that is fast alone and slow beside others loses there. All that is
//! seen goes into the database as facts, and what is served follows from them; so a tuning that was ended at any
//! moment goes on where it was.

mod finish;
mod keep;
mod standing;

use std::time::Duration;

use ir::{Kernel, Schedule, Target};

use crate::{
    CostModel, Limits, Next, Search, Seen, Share,
    database::{Database, DatabaseError, Outcome, Place, Trial, Workload},
    next_task,
};

pub use finish::{Context, Tuned, TunedTask};
pub use keep::{Stage, is_search, seen};
pub use standing::Standing;

/// A kernel to tune.
#[derive(Clone, Debug)]
pub struct Task {
    /// What it computes.
    pub kernel: Kernel,
    /// The same as a record.
    pub workload: Workload,
    /// How often a run of the model launches it.
    pub calls: u64,
    /// What it gets without tuning.
    pub default: Schedule,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Trials in all, those included that a tuning with this seed has made before.
    pub trials: usize,
    /// When to begin no more trials.
    pub time_limit: Option<Duration>,
    /// The part of the model's time that a search must still promise to go on.
    pub least_gain: f64,
    /// Of the searches, and of the values that kernels are tried on.
    pub seed: u64,
    /// Trials that are built at once.
    pub batch: usize,
    /// Schedules of a kernel that are measured again.
    pub finalists: usize,
    /// Threads that run the kernels; 0 where the device counts none.
    pub threads: u32,
    /// Who tunes.
    pub by: String,
}

/// How much care a measurement gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Enough to tell good from bad.
    Search,
    /// Enough to tell good from better, in a process that measured nothing else.
    Final,
}

/// What came of a schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The schedule.
    pub schedule: Schedule,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, if it is not right.
    pub reason: Option<String>,
    /// Seconds of each call.
    pub samples_s: Vec<f64>,
    /// Seconds of each call of the default, measured in turn.
    pub baseline_s: Vec<f64>,
    /// Largest error against the f64 reference, relative to the largest value.
    pub error: Option<f64>,
    /// What ran it.
    pub device: String,
}

/// Builds schedules and measures them.
pub trait Lab {
    /// Why it cannot work at all; what a candidate does wrong is an [`Attempt`].
    type Error;

    /// Tries schedules of a kernel, each in turn with the kernel's default, in order. Those of which nothing can be said,
    /// since the device or the default refused, are left out.
    ///
    /// # Errors
    /// Nothing can be built or measured.
    fn attempt(
        &mut self,
        task: &Task,
        schedules: &[Schedule],
        effort: Effort,
    ) -> Result<Vec<Attempt>, Self::Error>;

    /// Runs the whole model under these schedules, one for each task, in turn with the defaults; none where the device
    /// cannot tell the times of kernels.
    ///
    /// # Errors
    /// The model cannot be built or run.
    fn in_context(&mut self, schedules: &[Schedule]) -> Result<Option<Context>, Self::Error>;

    /// Time since tuning began.
    fn elapsed(&self) -> Duration;

    /// Seconds since 1970-01-01 UTC.
    fn unix_time(&self) -> u64;
}

/// Why tuning ended early.
#[derive(Debug, thiserror::Error)]
pub enum TuneError<E> {
    /// Nothing can be built or measured.
    #[error(transparent)]
    Lab(E),
    /// The database cannot be read or written.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A kernel without schedules.
    #[error(transparent)]
    Space(#[from] passes::LowerError),
}

/// Tunes `tasks` in `place`, and keeps all trials in `database`.
///
/// # Errors
/// The database or the lab cannot be used. What was tried before is kept.
pub fn tune<L: Lab>(
    tasks: &[Task],
    (target, place): (&Target, &Place),
    settings: &Settings,
    database: &mut Database,
    lab: &mut L,
    watch: &mut dyn FnMut(&Standing),
) -> Result<Tuned, TuneError<L::Error>> {
    let mut searches = Searches::new(tasks, (target, place), settings, database)?;
    while let Some((task, schedules)) = searches.next(lab.elapsed()) {
        let attempts = lab
            .attempt(&tasks[task], &schedules, Effort::Search)
            .map_err(TuneError::Lab)?;
        if attempts.is_empty() {
            searches.give_up(task);
            continue;
        }
        let trials = keep::trials(&tasks[task], place, settings, Stage::Search, attempts, lab);
        keep::keep(database, &tasks[task].workload, &trials)?;
        searches.tell(task, &trials);
        watch(&searches.standing(lab.elapsed()));
    }
    finish::finish(
        &mut searches,
        (target, place),
        settings,
        database,
        lab,
        watch,
    )
}

impl State {
    /// Seconds of a call under the default: the middle of what trials saw at different moments.
    fn default_s(&self) -> Option<f64> {
        crate::database::median(&self.defaults_s)
    }
}

/// Trials that each kernel has before any has more: all kernels together not more than half of all.
fn first_round(trials: usize, tasks: usize) -> u64 {
    (trials / (2 * tasks.max(1))).clamp(1, 8) as u64
}

/// The searches of all tasks.
struct Searches<'a> {
    tasks: &'a [Task],
    settings: &'a Settings,
    each: Vec<State>,
    /// Trials that were made, before and now.
    done: usize,
    /// Trials that were there at the start.
    before: usize,
}

/// What is known of one task.
struct State {
    search: Search,
    /// Candidates in its space.
    space: usize,
    /// Trials of this tuning.
    tried: usize,
    /// No candidate is left.
    exhausted: bool,
    /// Seconds of a call under the default, in each trial.
    defaults_s: Vec<f64>,
}

impl<'a> Searches<'a> {
    fn new<E>(
        tasks: &'a [Task],
        (target, place): (&Target, &Place),
        settings: &'a Settings,
        database: &Database,
    ) -> Result<Self, TuneError<E>> {
        let model = CostModel::of_database(database, place, target, settings.seed)?;
        let mut all = Self {
            tasks,
            settings,
            each: vec![],
            done: 0,
            before: 0,
        };
        for (i, task) in tasks.iter().enumerate() {
            let space = crate::space(&task.kernel, target)?;
            let seed = settings.seed.wrapping_add(i as u64);
            let size = space.len();
            let search = Search::new(
                &task.kernel,
                target,
                space,
                task.default.clone(),
                seed,
                model.as_ref(),
            );
            all.each.push(State {
                search,
                space: size,
                tried: 0,
                exhausted: false,
                defaults_s: vec![],
            });
            let known = database.trials(&task.workload.meaning, place)?;
            let known = known.into_iter().filter(|t| t.threads == settings.threads);
            // In the order in which they were made, so that a search goes on as it would have.
            let mut known: Vec<Trial> = known.collect();
            known.sort_by_key(|t| (t.unix_time, t.id()));
            all.tell(i, &known);
        }
        all.before = all.done;
        Ok(all)
    }

    /// The task whose turn it is after so much time, and what to try of it; none when it is time to stop.
    fn next(&mut self, elapsed: Duration) -> Option<(usize, Vec<Schedule>)> {
        let settings = self.settings;
        let limits = Limits {
            trials: Some(settings.trials as u64),
            time: settings.time_limit,
            gain: settings.least_gain,
            first: first_round(settings.trials, self.tasks.len()),
        };
        loop {
            let shares: Vec<Share> = (self.each.iter().zip(self.tasks))
                .map(|(state, task)| Share {
                    calls: task.calls,
                    best_s: state.default_s().unwrap_or(0.0) * state.search.best().1,
                    gain: state.search.expected_gain(),
                    trials: state.tried as u64,
                    exhausted: state.exhausted,
                })
                .collect();
            let Next::Task(task) = next_task(&shares, elapsed, &limits) else {
                return None;
            };
            let first = limits.first as usize;
            let most = match self.each[task].tried {
                tried if tried < first => settings.batch.min(first - tried),
                _ => settings.batch,
            };
            let most = most.min(settings.trials.saturating_sub(self.done));
            let schedules = self.each[task].search.propose(most);
            if !schedules.is_empty() {
                return Some((task, schedules));
            }
            self.each[task].exhausted = true;
        }
    }

    /// Tries no more of a task: nothing can be measured of it.
    fn give_up(&mut self, task: usize) {
        self.each[task].exhausted = true;
    }

    fn tell(&mut self, task: usize, trials: &[Trial]) {
        let state = &mut self.each[task];
        let seen: Vec<Seen> = trials.iter().map(keep::seen).collect();
        state.search.tell(&seen);
        for trial in trials {
            if keep::is_of(trial, Stage::Search) && trial.seed == self.settings.seed {
                state.tried += 1;
                self.done += 1;
            }
            state.defaults_s.extend(keep::baseline(trial));
        }
    }
}
