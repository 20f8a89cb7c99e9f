//! Compiling with what a tuning database knows.

use std::{cell::RefCell, collections::BTreeMap, fs};

use autotune::database::{
    Access, CAREFUL, Database, Origin, Outcome, Place, Trial, Verification, Workload, has_program,
};
use ir::{Kernel, Schedule, Target};
use serde_json::Value;
use tilewright::{CompileError, CompileOptions, Decide, Decision, Defaults, import};

use crate::{
    folder::Folder,
    program::{command, done, folder, json, texts},
    support::models,
};

/// Keeps the kernels that it is asked about.
struct Listening(RefCell<Vec<Kernel>>);

impl Decide for Listening {
    fn schedule(&self, kernel: &Kernel, target: &Target) -> Result<Decision, CompileError> {
        self.0.borrow_mut().push(kernel.clone());
        Defaults.schedule(kernel, target)
    }
}

/// The kernels of the stored model `bert` at a length.
pub fn kernels(folder: &Folder, target: &Target, seq: i64) -> Vec<Kernel> {
    let model = import::load(&models().join("bert")).unwrap();
    let options = CompileOptions::new(target.clone()).with_sizes([("batch", 1), ("seq", seq)]);
    let listening = Listening(RefCell::new(vec![]));
    let out = folder.0.join("listened.tw");
    let (graph, weights) = (&model.graph, &model.weights);
    tilewright::compile_by(graph, weights, &options, &listening, &out, &mut |_| ()).unwrap();
    listening.0.into_inner()
}

/// Another schedule than the default.
pub fn other_schedule(kernel: &Kernel, target: &Target) -> Schedule {
    let mut schedule = autotune::first_choice(kernel, target).unwrap();
    match &mut schedule {
        Schedule::Map(s) => s.block /= 2,
        Schedule::Rows(s) => s.block += 1,
        Schedule::Contract(s) => s.unroll /= 2,
        Schedule::Attention(s) => s.unroll /= 2,
        other => panic!("{other:?}"),
    }
    assert!(has_program(kernel, &schedule, target));
    schedule
}

/// A trial that was half of the default's time.
pub fn trial(kernel: &Kernel, target: &Target, threads: u32) -> (Workload, Trial) {
    let workload = Workload::of(kernel).unwrap();
    let trial = Trial {
        workload: workload.meaning.clone(),
        place: Place::of(target),
        schedule: other_schedule(kernel, target),
        outcome: Outcome::Ok,
        reason: None,
        origin: Origin::Measured,
        samples_s: vec![1e-6; CAREFUL],
        baseline_s: vec![2e-6; CAREFUL],
        error: Some(1e-7),
        threads,
        device: "a processor".into(),
        seed: 1,
        unix_time: 1_795_564_799,
        by: "a test".into(),
        more: BTreeMap::new(),
    };
    (workload, trial)
}

pub fn verification(trial: &Trial) -> Verification {
    Verification {
        trial: trial.id(),
        device: "a processor".into(),
        error: 1e-7,
        unix_time: 1_795_564_799,
    }
}

/// A database that knows all kernels of `bert` at a length, but for those of the first family.
fn database(folder: &Folder, target: &Target, seq: i64) -> usize {
    let host = tilewright::host();
    let mut db = Database::open(&folder.0.join("t.db"), Access::Write, &host).unwrap();
    let kernels = kernels(folder, target, seq);
    let first = passes::family(&kernels[0]).unwrap().name();
    let mut known = 0;
    for kernel in &kernels {
        let (workload, trial) = trial(kernel, target, 2);
        if workload.family != first {
            db.add_verified(
                &workload,
                std::slice::from_ref(&trial),
                &[verification(&trial)],
            )
            .unwrap();
            known += 1;
        }
    }
    assert!((1..kernels.len()).contains(&known));
    known
}

/// Schedules of a report by where they come from.
fn sources(report: &Value) -> BTreeMap<String, Vec<Value>> {
    let mut by: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for s in report["schedules"].as_array().unwrap() {
        let source = s["source"].as_str().unwrap().to_owned();
        by.entry(source).or_default().push(s.clone());
    }
    by
}

#[test]
fn each_kernel_has_what_the_database_knows_best() {
    let folder = folder("tuned");
    let target = tilewright::target("cpu").unwrap();
    let known = database(&folder, &target, 4);
    let line = "compile bert --target cpu --shape batch=1,seq=4 -o";
    let plain = json(&folder, &format!("{line} plain.tw"));
    assert_eq!(sources(&plain).keys().collect::<Vec<_>>(), ["default"]);

    let tuned = json(&folder, &format!("{line} tuned.tw --db t.db --threads 2"));
    let by = sources(&tuned);
    assert_eq!(by.keys().collect::<Vec<_>>(), ["default", "tuned"]);
    assert_eq!(by["tuned"].len(), known);
    for s in &by["tuned"] {
        assert_eq!(s["ratio"]["high"], 0.5);
        assert_eq!(s["verified_by"], "a processor");
        assert_eq!(s["trial"].as_str().unwrap().len(), 64);
    }
    // The schedules are in the artifact: other code, with right numbers.
    let [a, b] = ["plain.tw", "tuned.tw"].map(|f| fs::read(folder.0.join(f)).unwrap());
    assert_ne!(a, b);
    done(&folder, "verify tuned.tw");

    // Another length is another workload, and other threads are another trial.
    for line in [
        "compile bert --target cpu --shape batch=1,seq=8 -o p.tw --db t.db --threads 2",
        "compile bert --target cpu --shape batch=1,seq=4 -o p.tw --db t.db --threads 3",
    ] {
        let by = sources(&json(&folder, line));
        assert!(!by.contains_key("tuned"), "{line}");
        for s in &by["predicted"] {
            assert_eq!(s["of"].as_str().unwrap().len(), 64);
        }
        done(&folder, "verify p.tw");
    }
    let text = done(&folder, &format!("{line} t.tw --db t.db --threads 2"));
    let words = format!("default, {known} tuned\n");
    assert!(text.contains(&words), "{text}");
    assert!(
        text.contains(": tuned: 0.500 of the default's time (0.500 to 0.500), trial "),
        "{text}"
    );
}

#[test]
fn an_empty_database_changes_nothing() {
    let folder = folder("untuned");
    let host = tilewright::host();
    drop(Database::open(&folder.0.join("t.db"), Access::Write, &host).unwrap());
    let line = "compile bert --target cpu --target opencl --shape batch=1,seq=4 -o";
    done(&folder, &format!("{line} a.tw"));
    done(&folder, &format!("{line} b.tw --db t.db"));
    let [a, b] = ["a.tw", "b.tw"].map(|f| fs::read(folder.0.join(f)).unwrap());
    assert!(a == b);
}

#[test]
fn a_database_that_cannot_be_read_is_named() {
    let folder = folder("unreadable");
    let target = tilewright::target("cpu").unwrap();
    database(&folder, &target, 4);
    let path = folder.0.join("t.db");
    let whole = fs::read(&path).unwrap();
    let line = "compile bert --target cpu --shape batch=1,seq=4 -o o.tw --db t.db";
    let error = || {
        let output = command(&folder.0, line).output().unwrap();
        let [_, stderr] = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(!folder.0.join("o.tw").exists());
        stderr
    };
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(
        error().contains("t.db: the database is damaged"),
        "{}",
        error()
    );
    // The version, at 60. Source: sqlite.org, "Database File Format", 1.3.
    let mut newer = whole;
    newer[60..64].copy_from_slice(&77u32.to_be_bytes());
    fs::write(&path, newer).unwrap();
    let words = "t.db: wanted a database of version 2 or earlier, found 77";
    assert!(error().contains(words), "{}", error());
}
