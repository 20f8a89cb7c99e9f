//! Candidates that are built wrong on purpose: real machine code in real processes, recorded with what came of it.

use std::{path::Path, time::Duration};

use autotune::{
    database::{Access, Database, Outcome, Place, Workload},
    tune::{Attempt, Context, Effort, Lab, Settings, Task, tune},
};
use backends::cpu::Workers;
use ir::{
    Bytes, Kernel, Schedule, Target,
    tile::{Counter, For, Program, Stmt},
};
use tilewright::{
    runtime::measure::{self, Candidate, Job, Limits, Policy, Runner},
    write_alone,
};

/// What is done to a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Its last tile is not computed.
    LastTile,
    /// It computes for years.
    Endless,
    /// It writes where no memory is.
    Wild,
}

/// Which schedules are built wrong.
fn planted(schedule: &Schedule) -> Option<Fault> {
    let Schedule::Contract(s) = schedule else {
        return None;
    };
    match s.rows % 5 {
        1 => Some(Fault::LastTile),
        2 => Some(Fault::Wild),
        3 if s.unroll == 2 => Some(Fault::Endless),
        _ => None,
    }
}

fn spoil(program: &mut Program, fault: Fault) {
    match fault {
        Fault::LastTile => {
            let last = program.grid.iter_mut().rev().find(|n| **n > 1);
            *last.expect("the grid has several blocks") -= 1;
        }
        Fault::Endless => {
            let body = std::mem::take(&mut program.body);
            program.body = vec![Stmt::For(For {
                counter: Counter(1000),
                start: 0.into(),
                end: (1 << 50).into(),
                step: 1,
                unroll: 1,
                carried: vec![],
                body,
            })];
        }
        Fault::Wild => wild(&mut program.body),
    }
}

fn wild(body: &mut [Stmt]) {
    for statement in body {
        match statement {
            Stmt::Store { to, .. } => to.at = to.at.clone() + (1 << 30),
            Stmt::For(each) => wild(&mut each.body),
            Stmt::Let(..) => {}
        }
    }
}

/// Builds as the compiler does, but for what is planted.
struct Workbench<'a> {
    target: &'a Target,
    folder: &'a Path,
    runner: Runner,
}

impl Workbench<'_> {
    fn build(&self, kernel: &Kernel, schedule: &Schedule, name: &str) -> Candidate {
        let mut alone = passes::plan_alone(kernel, schedule, self.target, &[]).unwrap();
        if let Some(fault) = planted(schedule) {
            spoil(&mut alone.plan.kernels[0].program, fault);
        }
        let artifact = self.folder.join(name);
        let made = write_alone(&[(&alone, &artifact)], self.target, &Workers::InProcess);
        made.unwrap().remove(0).unwrap();
        Candidate {
            artifact,
            layouts: alone.layouts,
        }
    }
}

impl Lab for Workbench<'_> {
    type Error = measure::RunnerError;

    fn attempt(
        &mut self,
        task: &Task,
        schedules: &[Schedule],
        effort: Effort,
    ) -> Result<Vec<Attempt>, Self::Error> {
        let baseline = self.build(&task.kernel, &task.default, "default.tw");
        let mut all = vec![];
        for schedule in schedules {
            let job = Job {
                graph: task.kernel.graph.clone(),
                candidate: self.build(&task.kernel, schedule, "candidate.tw"),
                baseline: baseline.clone(),
                seed: 1,
                device: "cpu".into(),
                threads: std::num::NonZero::new(2),
                policy: Policy {
                    least: if effort == Effort::Final { 41 } else { 8 },
                    most: 41,
                    seconds: 0.05,
                },
            };
            let outcome = self.runner.measure(&job)?;
            let reason = outcome.reason();
            let (outcome, samples_s, baseline_s, error) = match outcome {
                measure::Outcome::Ok(m) => (Outcome::Ok, m.samples_s, m.baseline_s, Some(m.error)),
                measure::Outcome::WrongResult(_) => (Outcome::WrongResult, vec![], vec![], None),
                measure::Outcome::Timeout { .. } => (Outcome::Timeout, vec![], vec![], None),
                measure::Outcome::Crash { .. } => (Outcome::Crash, vec![], vec![], None),
                other => panic!("{other:?}"),
            };
            all.push(Attempt {
                schedule: schedule.clone(),
                outcome,
                reason,
                samples_s,
                baseline_s,
                error,
                device: "cpu".into(),
            });
        }
        Ok(all)
    }

    fn in_context(&mut self, _: &[Schedule]) -> Result<Option<Context>, Self::Error> {
        Ok(None)
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn unix_time(&self) -> u64 {
        1_795_564_799
    }
}

#[test]
fn planted_faults_are_recorded_and_never_served() {
    let folder = crate::folder("planted");
    let target = tilewright::target("cpu").unwrap();
    let place = Place::of(&target);
    let kernel = crate::product(48, 96, 160);
    let default = autotune::first_choice(&kernel, &target).unwrap();
    assert_eq!(planted(&default), None, "{default:?}");
    let task = Task {
        workload: Workload::of(&kernel).unwrap(),
        calls: 1,
        default,
        kernel,
    };
    let limits = Limits {
        time: Duration::from_secs(2),
        memory: Bytes(4 << 30),
    };
    let mut bench = Workbench {
        target: &target,
        folder: &folder,
        runner: Runner::new(crate::PROGRAM, ["measure-worker".into()], limits),
    };
    let mut database = Database::open(&folder.join("t.db"), Access::Write, "here").unwrap();
    let settings = Settings {
        trials: 40,
        time_limit: None,
        least_gain: 0.0,
        seed: 4,
        batch: 8,
        finalists: 3,
        threads: 2,
        by: "a test".into(),
    };
    let tasks = [task];
    let (target, place) = (&target, &place);
    let tuned = tune(
        &tasks,
        (target, place),
        &settings,
        &mut database,
        &mut bench,
        &mut |_| (),
    );
    let tuned = tuned.unwrap();
    assert_eq!(planted(&tuned.tasks[0].schedule), None);
    let trials = database.trials(&tasks[0].workload.meaning, place).unwrap();
    let mut seen = vec![];
    for trial in &trials {
        let wanted = match planted(&trial.schedule) {
            None => Outcome::Ok,
            Some(Fault::LastTile) => Outcome::WrongResult,
            Some(Fault::Endless) => Outcome::Timeout,
            Some(Fault::Wild) => Outcome::Crash,
        };
        assert_eq!(
            trial.outcome, wanted,
            "{:?}: {:?}",
            trial.schedule, trial.reason
        );
        assert_eq!(trial.reason.is_some(), wanted != Outcome::Ok);
        seen.push(wanted);
    }
    for wanted in [
        Outcome::Ok,
        Outcome::WrongResult,
        Outcome::Timeout,
        Outcome::Crash,
    ] {
        assert!(seen.contains(&wanted), "no {}", wanted.name());
    }
}
