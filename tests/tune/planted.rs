//! Candidates that are built wrong on purpose: real machine code in real processes, recorded with what came of it.

use std::{path::Path, time::Duration};

use autotune::{
    database::{Access, Database, Outcome, Place, Workload},
    tune::{Attempt, Context, Effort, Lab, Settings, Task, tune},
};
use backends::cpu::Workers;
use ir::{
    Bytes, Schedule, Target,
    tile::{Counter, For, Program, Stmt},
};
use tilewright::{
    runtime::{
        Artifact, WeightChecks, Writer,
        manifest::{SectionId, SectionKind},
        measure::{self, Candidate, Job, Limits, Policy, Runner},
    },
    write_alone,
};

/// Of the result.
const COLUMNS: i64 = 640;

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

/// Which schedules are built wrong; never the default.
fn planted(task: &Task, schedule: &Schedule) -> Option<Fault> {
    if *schedule == task.default {
        return None;
    }
    let Schedule::Contract(s) = schedule else {
        return None;
    };
    match s.rows % 5 {
        1 if i64::from(s.block_columns) < COLUMNS => Some(Fault::LastTile),
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
        // Sound programs cannot say that.
        Fault::Wild => {}
    }
}

/// Replaces the machine code of an artifact by stores to address 0.
fn overwrite(path: &Path) {
    let artifact = Artifact::open(path, WeightChecks::BeforeUse).unwrap();
    let mut writer = Writer::create(&path.with_extension("new")).unwrap();
    for (i, section) in artifact.sections().iter().enumerate() {
        let mut bytes = artifact.section(SectionId(i as u32)).unwrap().to_vec();
        if section.kind == SectionKind::Code {
            fill(&mut bytes);
        }
        let put = writer.section(&section.name, section.kind, |w| w.write_all(&bytes));
        put.unwrap();
    }
    writer.finish(artifact.manifest().clone()).unwrap();
    std::fs::rename(path.with_extension("new"), path).unwrap();
}

/// Fills the executable segments of an ELF file. Source: System V ABI, "Program Header".
fn fill(elf: &mut [u8]) {
    /// `mov byte ptr [0], 0`; functions start at multiples of its length.
    const STORE: [u8; 8] = [0xc6, 0x04, 0x25, 0, 0, 0, 0, 0];
    let number = |elf: &[u8], at: usize, len: usize| {
        let bytes = elf[at..at + len].iter().rev();
        bytes.fold(0, |n: usize, b| n << 8 | usize::from(*b))
    };
    let (table, size, count) = (
        number(elf, 0x20, 8),
        number(elf, 0x36, 2),
        number(elf, 0x38, 2),
    );
    for header in (0..count).map(|i| table + i * size) {
        let (kind, flags) = (number(elf, header, 4), number(elf, header + 4, 4));
        if (kind, flags & 1) == (1, 1) {
            let (offset, len) = (number(elf, header + 8, 8), number(elf, header + 0x20, 8));
            for piece in elf[offset..offset + len].chunks_exact_mut(8) {
                piece.copy_from_slice(&STORE);
            }
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
    fn build(&self, task: &Task, schedule: &Schedule, name: &str) -> Candidate {
        let mut alone = passes::plan_alone(&task.kernel, schedule, self.target, &[]).unwrap();
        if let Some(fault) = planted(task, schedule) {
            spoil(&mut alone.plan.kernels[0].program, fault);
        }
        let artifact = self.folder.join(name);
        let made = write_alone(&[(&alone, &artifact)], self.target, &Workers::InProcess);
        made.unwrap().remove(0).unwrap();
        if planted(task, schedule) == Some(Fault::Wild) {
            overwrite(&artifact);
        }
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
        let baseline = self.build(task, &task.default, "default.tw");
        let mut all = vec![];
        for schedule in schedules {
            let job = Job {
                graph: task.kernel.graph.clone(),
                candidate: self.build(task, schedule, "candidate.tw"),
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
    let kernel = crate::product(48, 96, COLUMNS);
    let default = autotune::first_choice(&kernel, &target).unwrap();
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
    assert_eq!(planted(&tasks[0], &tuned.tasks[0].schedule), None);
    let trials = database.trials(&tasks[0].workload.meaning, place).unwrap();
    let mut seen = vec![];
    for trial in &trials {
        let wanted = match planted(&tasks[0], &trial.schedule) {
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
