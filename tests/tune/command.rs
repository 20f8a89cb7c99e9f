//! The command, as users give it.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use autotune::database::{Access, Database, Outcome, Place, Trial};
use serde_json::{Value, json as object};
use tilewright::runtime::{Artifact, WeightChecks, measure::bundle::Bundle};

use crate::{PROGRAM, folder, model};

fn tune(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command
        .current_dir(folder)
        .args(["tune", "m.graph", "--target", "cpu", "--threads", "2"]);
    command.args(arguments).output().unwrap()
}

fn json(output: &Output) -> Value {
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// All trials of the model in a database.
fn trials(folder: &Path) -> Vec<Trial> {
    let database = Database::open(&folder.join("t.db"), Access::Read, "another").unwrap();
    let place = Place::of(&tilewright::target("cpu").unwrap());
    let kernel = crate::product(48, 96, 160);
    let workload = autotune::database::Workload::of(&kernel).unwrap();
    database.trials(&workload.meaning, &place).unwrap()
}

fn searched(all: &[Trial]) -> usize {
    all.iter().filter(|t| t.more["stage"] == "search").count()
}

#[test]
fn a_model_is_tuned_and_goes_on_where_it_was() {
    let folder = folder("command");
    std::fs::write(folder.join("m.graph"), model(48, 96, 160)).unwrap();
    let report = json(&tune(
        &folder,
        &["--db", "t.db", "--trials", "8", "--seed", "2", "--json"],
    ));
    assert_eq!(report["trials"], 8);
    let kernel = &report["kernels"][0];
    assert!(kernel["space"].as_u64().unwrap() > 100, "{kernel}");
    assert!(kernel["default_s"].as_f64().unwrap() > 0.0, "{kernel}");
    let all = trials(&folder);
    assert_eq!(searched(&all), 8);
    for trial in &all {
        assert_eq!(trial.outcome, Outcome::Ok, "{:?}", trial.reason);
        assert_eq!((trial.threads, trial.seed), (2, 2));
        assert_eq!(trial.samples_s.len(), trial.baseline_s.len());
    }
    let report = json(&tune(
        &folder,
        &["--db", "t.db", "--trials", "12", "--seed", "2", "--json"],
    ));
    assert_eq!(report["trials"], 12);
    assert_eq!(searched(&trials(&folder)), 12);
    let text = tune(&folder, &["--db", "t.db", "--trials", "12", "--seed", "2"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.starts_with("12 trials for cpu:"), "{text}");
}

#[test]
fn what_was_kept_survives_a_kill() {
    let folder = folder("kill");
    std::fs::write(folder.join("m.graph"), model(48, 96, 160)).unwrap();
    let mut before = 0;
    for round in 0..3 {
        let mut child = Command::new(PROGRAM)
            .current_dir(&folder)
            .args([
                "tune",
                "m.graph",
                "--target",
                "cpu",
                "--threads",
                "2",
                "--db",
                "t.db",
            ])
            .args(["--trials", "400"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Until it has kept something new; then at once, whatever it does.
        let start = Instant::now();
        let kept = || match Database::open(&folder.join("t.db"), Access::Read, "another") {
            Ok(_) => trials(&folder).len(),
            Err(_) => 0,
        };
        while kept() <= before {
            assert!(
                start.elapsed() < Duration::from_secs(120),
                "round {round}: nothing was kept"
            );
            assert!(
                child.try_wait().unwrap().is_none(),
                "round {round}: it ended by itself"
            );
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let now = trials(&folder).len();
        assert!(now > before);
        before = now;
        Database::open(&folder.join("t.db"), Access::Read, "another")
            .unwrap()
            .check()
            .unwrap();
    }
}

#[test]
fn what_cannot_be_is_said() {
    let folder = folder("refused");
    std::fs::write(folder.join("m.graph"), model(8, 8, 8)).unwrap();
    std::fs::write(
        folder.join("not.db"),
        "no database, and longer than a header",
    )
    .unwrap();
    let error = |arguments: &[&str], code: i32, words: &[&str]| {
        let output = tune(&folder, arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(
            words.iter().all(|w| said.contains(w)),
            "{arguments:?}: {said}"
        );
    };
    error(&[], 2, &["--db"]);
    error(&["--db", "t.db", "--trials", "0"], 2, &["--trials"]);
    error(
        &["--db", "t.db", "--time-limit", "nan"],
        2,
        &["wanted seconds above 0"],
    );
    error(
        &["--db", "t.db", "--least-gain", "2"],
        2,
        &["wanted a number from 0 to 1"],
    );
    error(&["--db", "not.db"], 1, &["not.db"]);
    error(&["--db", "nowhere/t.db"], 1, &["nowhere/t.db"]);
    error(&["--db", "t.db", "--shape", "batch=3"], 1, &["batch"]);
    error(
        &["--db", "t.db", "--device", "opencl:77"],
        1,
        &["opencl:77"],
    );
}

#[test]
fn the_kernels_of_equal_graphs_are_tuned_together() {
    let folder = folder("graphs");
    std::fs::write(folder.join("m.graph"), model(24, 32, 64)).unwrap();
    let report = json(&tune(
        &folder,
        &["--db", "t.db", "--trials", "6", "--graph", "--json"],
    ));
    let graphs = &report["graphs"];
    assert!(graphs["kernels"].as_u64().unwrap() >= 1, "{graphs}");
    let after = &graphs["after"][0];
    let of = after["graphs"].as_array().unwrap();
    assert!(of[0]["measured"].as_u64().unwrap() >= 1, "{after}");
    assert!((after["chosen"].as_u64().unwrap() as usize) < of.len());
    assert_eq!(
        graphs["before"][0]["graphs"].as_array().unwrap().len(),
        of.len()
    );
    assert_eq!(report["trials"], 6);
}

#[test]
fn candidates_for_a_device_elsewhere_come_back_as_claims() {
    let folder = folder("prepare");
    std::fs::write(folder.join("m.graph"), model(24, 32, 64)).unwrap();
    let prepared = json(&tune(
        &folder,
        &["--prepare", "b.twb", "--trials", "6", "--json"],
    ));
    let candidates = prepared["candidates"].as_u64().unwrap();
    assert!((3..=6).contains(&candidates), "{prepared}");
    let bundle = Bundle::open(&folder.join("b.twb")).unwrap();
    assert_eq!(bundle.index().tasks.len(), 1);
    let task = &bundle.index().tasks[0];
    for stored in task.candidates.iter().chain([&task.baseline]) {
        bundle.take(stored, &folder.join("one.tw")).unwrap();
        let artifact = Artifact::open(&folder.join("one.tw"), WeightChecks::BeforeUse).unwrap();
        assert_eq!(artifact.manifest().targets[0].kernels.len(), 1);
    }
    // As `tilewright-run measure` writes them.
    let mut lines = vec![r#"{"record":"tilewright-database","version":1}"#.to_owned()];
    let mut workload = task.workload.clone();
    workload.insert("record".into(), "workload".into());
    lines.push(Value::from(workload).to_string());
    for stored in &task.candidates {
        let mut trial = task.trial.clone();
        let measured = object!({
            "record": "trial", "schedule": stored.schedule, "outcome": "ok", "samples_s": vec![1e-6; 50],
            "baseline_s": vec![2e-6; 50], "error": 0.0, "threads": 2, "device": "elsewhere", "unix_time": 1,
        });
        trial.extend(measured.as_object().unwrap().clone());
        lines.push(Value::from(trial).to_string());
    }
    std::fs::write(folder.join("r.jsonl"), lines.join("\n")).unwrap();
    let call = |arguments: &[&str]| {
        let output = Command::new(PROGRAM)
            .current_dir(&folder)
            .args(arguments)
            .output()
            .unwrap();
        json(&output)
    };
    let import = call(&["db", "import", "r.jsonl", "--db", "t.db", "--json"]);
    assert_eq!(import["added"], candidates, "{import}");
    let compile = [
        "compile",
        "m.graph",
        "--target",
        "cpu",
        "--db",
        "t.db",
        "--threads",
        "2",
        "-o",
        "m.tw",
        "--json",
    ];
    assert_eq!(call(&compile)["schedules"][0]["source"], "default");
    call(&["db", "verify", "--db", "t.db", "--json"]);
    assert_eq!(call(&compile)["schedules"][0]["source"], "tuned");
}
