//! The end of tuning: the best of each kernel again, then all of them together.

use ir::{Schedule, Target};

use super::{Attempt, Effort, Lab, Searches, Settings, Stage, Standing, Task, TuneError, keep};
use crate::database::{Database, Outcome, Place, Served};

/// Times that the whole model is built and run; each may show that some kernel's schedule is none for it.
const ROUNDS: usize = 4;

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
    /// The whole model under what is served; none where nothing but defaults is, or no times can be taken.
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
    let mut last = None;
    for _ in 0..ROUNDS {
        if chosen.iter().zip(searches.tasks).all(|(s, t)| *s == t.default) {
            last = None;
            break;
        }
        last = lab.in_context(&chosen).map_err(TuneError::Lab)?;
        let Some(context) = &last else { break };
        for ((task, schedule), times) in searches.tasks.iter().zip(&chosen).zip(&context.tasks) {
            if *schedule == task.default || times.0.is_empty() {
                continue;
            }
            let attempt = Attempt {
                schedule: schedule.clone(),
                outcome: Outcome::Ok,
                reason: None,
                samples_s: times.0.clone(),
                baseline_s: times.1.clone(),
                error: None,
                device: context.device.clone(),
            };
            let trials =
                keep::trials(task, place, settings, Stage::Context, vec![attempt], lab);
            keep::keep(database, &task.workload, &trials)?;
        }
        let now = served(searches.tasks, (target, place), settings, database)?;
        if now == chosen {
            break;
        }
        chosen = now;
    }
    let tasks = searches.tasks.iter().zip(&searches.each).zip(chosen);
    let tasks = tasks.map(|((task, state), schedule)| TunedTask {
        is_tuned: schedule != task.default,
        schedule,
        space: state.space,
        tried: state.tried,
        default_s: state.default_s,
    });
    Ok(Tuned {
        tasks: tasks.collect(),
        context: last,
        trials: searches.done,
    })
}

/// The schedule that each task gets by what is known now.
fn served<E>(
    tasks: &[Task],
    (target, place): (&Target, &Place),
    settings: &Settings,
    database: &Database,
) -> Result<Vec<Schedule>, TuneError<E>> {
    let one = |task: &Task| {
        let served = database.serve(&task.kernel, &task.workload, target, place, settings.threads)?;
        Ok(match served {
            Some(Served::Verified { trial, .. }) => trial.schedule,
            _ => task.default.clone(),
        })
    };
    tasks.iter().map(one).collect()
}
