//! Tuning in a laboratory whose times are made up: what is tried, kept and served, whatever candidates do.

mod laboratory;

use std::{path::PathBuf, time::Duration};

use autotune::{
    database::{Access, Database, Outcome, Place, Served, Trial},
    tune::{Settings, Task, TuneError, Tuned, tune},
};
use ir::Target;

use laboratory::{Laboratory, Stopped, tasks};

fn target() -> Target {
    backends::resolve("cpu:x86-64-v3").unwrap()
}

fn settings(trials: usize, seed: u64) -> Settings {
    Settings {
        trials,
        time_limit: None,
        least_gain: 0.0,
        seed,
        batch: 4,
        finalists: 3,
        threads: 2,
        by: "a test".into(),
    }
}

/// A database in a folder that goes.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("tune-{name}"));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn database(&self) -> Database {
        Database::open(&self.0.join("t.db"), Access::Write, "this machine").unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn run(
    tasks: &[Task],
    settings: &Settings,
    database: &mut Database,
    lab: &mut Laboratory,
) -> Result<Tuned, TuneError<Stopped>> {
    let target = target();
    let place = Place::of(&target);
    tune(
        tasks,
        (&target, &place),
        settings,
        database,
        lab,
        &mut |_| (),
    )
}

fn trials(tasks: &[Task], database: &Database) -> Vec<Trial> {
    let place = Place::of(&target());
    let of = |t: &Task| database.trials(&t.workload.meaning, &place).unwrap();
    tasks.iter().flat_map(of).collect()
}

fn searched(all: &[Trial]) -> usize {
    all.iter().filter(|t| t.more["stage"] == "search").count()
}

#[test]
fn what_is_faster_is_found_and_served() {
    let home = Home::new("found");
    let tasks = tasks(&target());
    let (mut database, mut lab) = (home.database(), Laboratory::default());
    let tuned = run(&tasks, &settings(80, 3), &mut database, &mut lab).unwrap();
    assert_eq!(tuned.trials, 80);
    assert_eq!(searched(&trials(&tasks, &database)), 80);
    let place = Place::of(&target());
    for (task, t) in tasks.iter().zip(&tuned.tasks) {
        let best = lab.truth(task, &t.schedule);
        assert!(best < 0.95, "{}: {best}", task.kernel.name);
        let served = database
            .serve(&task.kernel, &task.workload, &target(), &place, 2)
            .unwrap();
        let Some(Served::Verified { trial, .. }) = served else {
            panic!("{served:?}");
        };
        assert_eq!(trial.schedule, t.schedule);
    }
}

#[test]
fn no_schedule_is_tried_twice_and_seeds_decide() {
    let tasks = tasks(&target());
    let tried = |name: &str, seed: u64| {
        let home = Home::new(name);
        let mut lab = Laboratory::default();
        run(&tasks, &settings(40, seed), &mut home.database(), &mut lab).unwrap();
        lab.searched
    };
    let first = tried("seed-a", 1);
    for (i, (task, schedule)) in first.iter().enumerate() {
        assert!(
            !first[..i].contains(&(task.clone(), schedule.clone())),
            "{schedule:?}"
        );
    }
    assert_eq!(first, tried("seed-b", 1));
    assert_ne!(first, tried("seed-c", 2));
}

#[test]
fn candidates_that_fail_are_kept_with_their_outcome_and_never_served() {
    let home = Home::new("fail");
    let tasks = tasks(&target());
    let (mut database, mut lab) = (home.database(), Laboratory::default());
    // The more so the faster they would be.
    lab.faulty = true;
    let tuned = run(&tasks, &settings(80, 5), &mut database, &mut lab).unwrap();
    let all = trials(&tasks, &database);
    for outcome in [
        Outcome::WrongResult,
        Outcome::Crash,
        Outcome::Timeout,
        Outcome::BuildError,
    ] {
        let some: Vec<_> = all.iter().filter(|t| t.outcome == outcome).collect();
        assert!(!some.is_empty(), "no {}", outcome.name());
        assert!(
            some.iter()
                .all(|t| t.reason.is_some() && t.samples_s.is_empty())
        );
    }
    for (task, t) in tasks.iter().zip(&tuned.tasks) {
        assert_eq!(lab.fault(task, &t.schedule), None);
    }
}

#[test]
fn tuning_that_was_stopped_goes_on() {
    let home = Home::new("resume");
    let tasks = tasks(&target());
    let settings = settings(60, 7);
    let mut kept = 0;
    // Stopped again and again, each time in the middle of a batch's work.
    loop {
        let mut database = home.database();
        let mut lab = Laboratory::default();
        lab.stop_after = Some(3);
        let done = run(&tasks, &settings, &mut database, &mut lab);
        let now = searched(&trials(&tasks, &database));
        assert!(now >= kept, "{kept} trials became {now}");
        kept = now;
        match done {
            Ok(tuned) => break assert_eq!(tuned.trials, 60),
            Err(TuneError::Lab(Stopped)) => assert!(lab.searched.len() <= 12 || kept == 60),
            Err(other) => panic!("{other}"),
        }
        if kept == 60 {
            lab.stop_after = None;
            break assert_eq!(
                run(&tasks, &settings, &mut database, &mut lab)
                    .unwrap()
                    .trials,
                60
            );
        }
    }
    assert_eq!(kept, 60);
}

#[test]
fn what_loses_in_the_model_is_not_served() {
    let home = Home::new("context");
    let tasks = tasks(&target());
    let (mut database, mut lab) = (home.database(), Laboratory::default());
    lab.slow_together = true;
    let tuned = run(&tasks, &settings(60, 9), &mut database, &mut lab).unwrap();
    for (task, t) in tasks.iter().zip(&tuned.tasks) {
        assert_eq!(t.schedule, task.default, "{}", task.kernel.name);
    }
    assert_eq!(tuned.context, None);
    assert!(
        trials(&tasks, &database)
            .iter()
            .any(|t| t.more["stage"] == "context")
    );
}

#[test]
fn a_kernel_that_cannot_be_measured_holds_up_no_other() {
    let home = Home::new("refused");
    let tasks = tasks(&target());
    let (mut database, mut lab) = (home.database(), Laboratory::default());
    lab.refuses = Some(tasks[0].kernel.name.clone());
    let tuned = run(&tasks, &settings(30, 3), &mut database, &mut lab).unwrap();
    assert_eq!([tuned.tasks[0].tried, tuned.tasks[1].tried], [0, 30]);
    assert_eq!(
        (tuned.tasks[0].is_tuned, tuned.tasks[1].is_tuned),
        (false, true)
    );
    assert!(trials(&tasks[..1], &database).is_empty());
}

#[test]
fn time_ends_a_search() {
    let home = Home::new("time");
    let tasks = tasks(&target());
    let mut lab = Laboratory::default();
    let settings = Settings {
        time_limit: Some(Duration::from_secs(5)),
        ..settings(10_000, 1)
    };
    let tuned = run(&tasks, &settings, &mut home.database(), &mut lab).unwrap();
    // A second each.
    assert!((5..=8).contains(&tuned.trials), "{}", tuned.trials);
}
