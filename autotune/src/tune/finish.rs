//! The end of tuning: the best of each kernel again, then all of them together.

use ir::{Schedule, Target};

use super::{Attempt, Effort, Lab, Searches, Settings, Stage, Standing, Task, TuneError, keep};
use runtime::measure::{Ratio, ratio};

use crate::database::{Database, Outcome, Place, Served, Trial};

/// Times that the whole model is built and run; each may show that some kernel's schedule is none for it.
const ROUNDS: usize = 6;

/// Runs of a whole model under tuned schedules, in turn with runs under the defaults.
#[derive(Clone, Debug, PartialEq)]
pub struct Context {
    /// Seconds of each run.
    pub samples_s: Vec<f64>,
    /// Seconds of each run under the defaults.
    pub baseline_s: Vec<f64>,
    /// For each task the seconds of a call, in each run; none where no time was taken.
    pub tasks: Vec<(Vec<f64>, Vec<f64>)>,
    /// What ran it.
    pub device: String,
}

/// What tuning came to.
#[derive(Clone, Debug)]
pub struct Tuned {
    /// For each task.
    pub tasks: Vec<TunedTask>,
    /// The whole model under what is served; none where nothing but defaults is, no times can be taken, or what is served
    /// still changed after the last run.
    pub context: Option<Context>,
    /// Trials of the searches, those of an earlier run included.
    pub trials: usize,
}

/// What tuning of one kernel came to.
#[derive(Clone, Debug)]
pub struct TunedTask {
    /// What is served.
    pub schedule: Schedule,
    /// Whether that is not the default.
    pub is_tuned: bool,
    /// Candidates in its space.
    pub space: usize,
    /// Trials of the search.
    pub tried: usize,
    /// Seconds of a call under the default; none without trials.
    pub default_s: Option<f64>,
    /// Its time over the default's, by the trial that counts; none for the default itself.
    pub ratio: Option<Ratio>,
}

pub(super) fn finish<L: Lab>(
    searches: &mut Searches<'_>,
    (target, place): (&Target, &Place),
    settings: &Settings,
    database: &mut Database,
    lab: &mut L,
    watch: &mut dyn FnMut(&Standing),
) -> Result<Tuned, TuneError<L::Error>> {
    for (i, task) in searches.tasks.iter().enumerate() {
        let best = database.best(&task.workload.meaning, place, settings.threads)?;
        let best = best.into_iter().filter(|s| *s != task.default);
        let finalists: Vec<Schedule> = best.take(settings.finalists).collect();
        if finalists.is_empty() {
            continue;
        }
        let attempts = lab
            .attempt(task, &finalists, Effort::Final)
            .map_err(TuneError::Lab)?;
        let trials = keep::trials(task, place, settings, Stage::Final, attempts, lab);
        keep::keep(database, &task.workload, &trials)?;
        searches.tell(i, &trials);
        watch(&searches.standing(lab.elapsed()));
    }
    let mut chosen = served(searches.tasks, (target, place), settings, database)?;
    let mut context = None;
    for _ in 0..ROUNDS {
        if chosen.iter().all(Option::is_none) {
            break;
        }
        let schedules: Vec<Schedule> = (chosen.iter().zip(searches.tasks))
            .map(|(trial, task)| schedule(trial, task))
            .collect();
        let Some(seen) = lab.in_context(&schedules).map_err(TuneError::Lab)? else {
            break;
        };
        for ((task, trial), times) in searches.tasks.iter().zip(&chosen).zip(&seen.tasks) {
            let (Some(trial), false) = (trial, times.0.is_empty()) else {
                continue;
            };
            let attempt = Attempt {
                schedule: trial.schedule.clone(),
                outcome: Outcome::Ok,
                reason: None,
                samples_s: times.0.clone(),
                baseline_s: times.1.clone(),
                // Its numbers are those that were checked before.
                error: trial.error,
                device: seen.device.clone(),
            };
            let trials = keep::trials(task, place, settings, Stage::Context, vec![attempt], lab);
            keep::keep(database, &task.workload, &trials)?;
        }
        let now = served(searches.tasks, (target, place), settings, database)?;
        let is_same = now
            .iter()
            .zip(&chosen)
            .zip(searches.tasks)
            .all(|((a, b), task)| schedule(a, task) == schedule(b, task));
        chosen = now;
        if is_same {
            context = Some(seen);
            break;
        }
    }
    let tasks = searches.tasks.iter().zip(&searches.each).zip(&chosen);
    let tasks = tasks.map(|((task, state), trial)| TunedTask {
        schedule: schedule(trial, task),
        is_tuned: trial.is_some(),
        space: state.space,
        tried: state.tried,
        default_s: state.default_s(),
        ratio: trial
            .as_ref()
            .and_then(|t| ratio(&t.samples_s, &t.baseline_s)),
    });
    Ok(Tuned {
        tasks: tasks.collect(),
        context,
        trials: searches.done,
    })
}

fn schedule(trial: &Option<Trial>, task: &Task) -> Schedule {
    trial
        .as_ref()
        .map_or_else(|| task.default.clone(), |t| t.schedule.clone())
}

/// The trial that is served for each task by what is known now; none where the default is best.
fn served<E>(
    tasks: &[Task],
    (target, place): (&Target, &Place),
    settings: &Settings,
    database: &Database,
) -> Result<Vec<Option<Trial>>, TuneError<E>> {
    let one = |task: &Task| {
        let served = database.serve(
            &task.kernel,
            &task.workload,
            target,
            place,
            settings.threads,
        )?;
        Ok(match served {
            Some(Served::Verified { trial, .. }) if trial.schedule != task.default => Some(trial),
            _ => None,
        })
    };
    tasks.iter().map(one).collect()
}
