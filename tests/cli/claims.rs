//! What others say is right is looked at here.

use std::path::Path;

use autotune::database::{Access, Database, Outcome, Place, Trial, Workload};
use ir::{Kernel, Schedule};
use serde_json::Value;

use crate::{
    folder::Folder,
    program::{command, done, folder, json, texts},
    tuned::{kernels, trial},
};

fn open(folder: &Folder) -> Database {
    let host = tilewright::host();
    Database::open(&folder.0.join("t.db"), Access::Write, &host).unwrap()
}

#[test]
fn claims_are_served_once_they_were_verified() {
    let folder = folder("claims");
    let target = tilewright::target("cpu").unwrap();
    let mut db = open(&folder);
    let kernels = kernels(&folder, &target, 4);
    for kernel in &kernels {
        let (workload, trial) = trial(kernel, &target, 2);
        // The same schedule twice is looked at once.
        let again = Trial {
            seed: 2,
            ..trial.clone()
        };
        db.add(&workload, &[trial, again]).unwrap();
    }
    drop(db);
    let compile = "compile bert --target cpu --shape batch=1,seq=4 -o o.tw --db t.db --threads 2";
    let sources = || {
        let report = json(&folder, compile);
        let all = report["schedules"].as_array().unwrap().iter();
        all.filter(|s| s["source"] == "tuned").count()
    };
    assert_eq!(sources(), 0, "claims");
    let some = json(&folder, "db verify --db t.db --limit 2");
    assert_eq!((&some["verified"], &some["wrong"]), (&2.into(), &0.into()));
    assert_eq!(some["left"], kernels.len() - 2);
    assert_eq!(some["claims"][0]["trials"].as_array().unwrap().len(), 2);
    let rest = json(&folder, "db verify --db t.db --target cpu");
    assert_eq!(rest["verified"], kernels.len() - 2);
    assert_eq!(rest["left"], 0);
    let report = json(&folder, compile);
    let processor = report["schedules"][0]["verified_by"].as_str().unwrap();
    assert_ne!(processor, "a processor", "it was run here");
    assert_eq!(sources(), kernels.len());
    assert!(done(&folder, "db verify --db t.db").starts_with("0 schedules verified, 0 wrong"));
}

#[test]
fn what_no_device_here_runs_is_emulated() {
    let folder = folder("claims-emulated");
    let target = tilewright::target("cuda:sm_80").unwrap();
    let kernel = &kernels(&folder, &target, 4)[0];
    let schedule = autotune::first_choice(kernel, &target).unwrap();
    claim(&mut open(&folder), kernel, &target, schedule);
    let report = json(&folder, "db verify --db t.db --device emulator:cuda:sm_80");
    assert_eq!(report["verified"], 1, "{report}");
    let device = report["claims"][0]["of"]["device"].as_str().unwrap();
    assert!(device.contains("emulator"), "{device}");
    // The label is what is served.
    let place = Place::of(&target);
    let workload = Workload::of(kernel).unwrap();
    let served = open(&folder).serve(kernel, &workload, &target, &place, 0);
    let served = served.unwrap().unwrap();
    let autotune::database::Served::Verified { verification, .. } = served else {
        panic!("wanted a verified one");
    };
    assert_eq!(verification.device, device);
}

/// Adds a claim that a schedule is right.
fn claim(db: &mut Database, kernel: &Kernel, target: &ir::Target, schedule: Schedule) {
    let workload = Workload::of(kernel).unwrap();
    let like = crate::samples::trial(&workload, 1, 5.0);
    let claim = Trial {
        place: Place::of(target),
        schedule,
        threads: if target.simd().is_some() { 2 } else { 0 },
        ..like
    };
    db.add(&workload, &[claim]).unwrap();
}

/// A kernel whose numbers leave the range of f32, and not of f64: no schedule of it is right.
fn beyond() -> Kernel {
    let mut body = String::from(
        "%x0 = input {name = \"x\", ty = f32[8,64], absent = required, below = 0} : f32[8,64]\n",
    );
    for i in 0..8 {
        body += &format!("%x{} = add(%x{i}, %x{i}) : f32[8,64]\n", i + 1);
    }
    let graph = format!("graph \"beyond\" {{ {body} %y = exp(%x8) : f32[8,64] return y = %y }}");
    Kernel {
        name: "beyond".into(),
        graph: ir::text::parse(&graph).unwrap(),
        constant: vec![false],
        rules: vec![],
    }
}

fn verify(folder: &Path) -> (Option<i32>, Value) {
    let output = command(folder, "db verify --db t.db --json")
        .output()
        .unwrap();
    let [stdout, stderr] = texts(&output);
    assert_eq!(stderr, "");
    (output.status.code(), serde_json::from_str(&stdout).unwrap())
}

#[test]
fn a_wrong_claim_is_kept_as_such() {
    let folder = folder("claims-wrong");
    let target = tilewright::target("cpu").unwrap();
    let kernel = beyond();
    let schedule = autotune::first_choice(&kernel, &target).unwrap();
    claim(&mut open(&folder), &kernel, &target, schedule);
    let (code, report) = verify(&folder.0);
    assert_eq!((code, &report["wrong"]), (Some(1), &1.into()), "{report}");
    let db = open(&folder);
    let workload = Workload::of(&kernel).unwrap();
    let place = Place::of(&target);
    let trials = db.trials(&workload.meaning, &place).unwrap();
    let wrong = trials
        .iter()
        .find(|t| t.outcome == Outcome::WrongResult)
        .unwrap();
    assert_eq!((wrong.threads, wrong.samples_s.len()), (2, 0));
    assert!(
        wrong.reason.as_ref().unwrap().contains("bound"),
        "{wrong:?}"
    );
    assert_eq!(db.claims(&place).unwrap(), [], "it is settled");
    assert_eq!(
        db.serve(&kernel, &workload, &target, &place, 2).unwrap(),
        None
    );
    assert_eq!(db.best(&workload.meaning, &place, 2).unwrap(), []);
}

#[test]
fn hostile_claims_stay_claims() {
    let folder = folder("claims-hostile");
    let target = tilewright::target("cpu").unwrap();
    let mut db = open(&folder);
    let kernel = crate::samples::product(8);
    for n in [0, 1 << 20] {
        let mut schedule = autotune::first_choice(&kernel, &target).unwrap();
        let Schedule::Contract(s) = &mut schedule else {
            panic!("{schedule:?}");
        };
        (s.rows, s.lanes, s.block_rows, s.block_columns) = (n, n, n, n);
        claim(&mut db, &kernel, &target, schedule);
    }
    // A kernel that no memory holds.
    let large = crate::samples::product(1 << 40);
    claim(
        &mut db,
        &large,
        &target,
        autotune::first_choice(&kernel, &target).unwrap(),
    );
    // Claims of other places are not looked at.
    let mut elsewhere = crate::samples::trial(&crate::samples::workload(8), 64, 5.0);
    elsewhere.place = Place {
        toolchain: "tilewright 0.0.1".into(),
        ..Place::of(&target)
    };
    db.add(&crate::samples::workload(8), &[elsewhere]).unwrap();
    drop(db);
    let (code, report) = verify(&folder.0);
    assert_eq!((code, &report["unknown"]), (Some(1), &3.into()), "{report}");
    for claim in report["claims"].as_array().unwrap() {
        let reason = claim["of"]["reason"].as_str().unwrap();
        let known = ["gives no program", "found no kernel"];
        assert!(known.iter().any(|words| reason.contains(words)), "{reason}");
    }
    let reason = report["elsewhere"][0]["reason"].as_str().unwrap();
    assert!(reason.ends_with("found tilewright 0.0.1"), "{reason}");
}
