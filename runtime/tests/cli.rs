//! The program `tilewright-run`.

mod support;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use ir::DType;
use serde_json::{Value, json as object};
use support::*;
use tempfile::{TempDir, tempdir};
use tilewright_runtime::{Npz, TensorView, Writer, write_npz};

fn call(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tilewright-run"))
        .args(args)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The message of a command that fails as it should: exit code 1, nothing on standard output.
fn error(args: &[&str]) -> String {
    let output = call(args);
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    assert_eq!(stdout(&output), "");
    String::from_utf8(output.stderr).unwrap()
}

fn json(args: &[&str]) -> Value {
    let output = call(args);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_str(&stdout(&output)).unwrap()
}

fn inputs(folder: &TempDir, arrays: &[(&str, TensorView<'_>)]) -> String {
    let path = folder.path().join("in.npz");
    write_npz(&path, arrays).unwrap();
    path.to_str().unwrap().into()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn arrays_go_in_and_come_out() {
    let folder = tempdir().unwrap();
    let path = artifact(folder.path(), &[2, 3]);
    let ids = i64s(&[4, 5, 6]);
    let ids = TensorView {
        dtype: DType::I64,
        shape: &[1, 3],
        bytes: &ids,
    };
    let input = inputs(&folder, &[("ids", ids)]);
    let out = folder.path().join("out.npz");
    let args = [
        "run",
        text(&path),
        "--inputs",
        &input,
        "--output",
        text(&out),
        "--threads",
        "2",
    ];
    assert!(stdout(&call(&args)).contains("z  f32[3,16]"));
    let z = Npz::open(&out).unwrap().read("z").unwrap().unwrap();
    assert_eq!(f32s(&z.bytes), expected(&[4, 5, 6], &[1, 1, 1]));

    let report = json(&[&args[..], &["--json"]].concat());
    assert_eq!(
        (&report["dispatches"], &report["threads"]),
        (&2.into(), &2.into())
    );
    assert_eq!(report["kernels"][0]["name"], "tiny.embed");
    assert_eq!(report["outputs"][0]["shape"], serde_json::json!([3, 16]));
}

#[test]
fn what_goes_wrong_is_said() {
    let folder = tempdir().unwrap();
    let path = artifact(folder.path(), &[3]);
    let artifact = text(&path);
    let bytes = i64s(&[4, 5, 60]);
    let view = |shape| TensorView {
        dtype: DType::I64,
        shape,
        bytes: &bytes,
    };
    let run = |arrays: &[(&str, TensorView<'_>)]| {
        error(&["run", artifact, "--inputs", &inputs(&folder, arrays)])
    };
    let value = run(&[("ids", view(&[1, 3]))]);
    assert!(
        value.contains("error: input `ids`: the value at [0, 2] is 60; wanted 0 to 49"),
        "{value}"
    );
    let shape = run(&[("ids", view(&[3, 1]))]);
    assert!(shape.contains("wanted i64[1,3], found i64[3,1]"), "{shape}");
    let unknown = run(&[("idz", view(&[1, 3]))]);
    assert!(
        unknown.contains("in.npz: array `idz` is no input of the model; its inputs are ids, mask")
    );
    assert!(error(&["run", artifact]).contains("input `ids`: not given; wanted i64[1,3]"));
    let nowhere = folder.path().join("none/out.npz");
    let good = i64s(&[4, 5, 6]);
    let good = TensorView {
        dtype: DType::I64,
        shape: &[1, 3],
        bytes: &good,
    };
    let input = inputs(&folder, &[("ids", good)]);
    let message = error(&[
        "run",
        artifact,
        "--inputs",
        &input,
        "--output",
        text(&nowhere),
    ]);
    assert!(
        message.contains("out.npz: cannot be created in its folder"),
        "{message}"
    );

    let mut bytes = fs::read(&path).unwrap();
    bytes[200] ^= 1;
    fs::write(&path, bytes).unwrap();
    for command in ["run", "bench", "verify", "inspect"] {
        assert!(error(&[command, artifact]).contains("tiny.tw: damaged: the checksum of"));
    }
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let cases: [&[&str]; 6] = [
        &[],
        &["run"],
        &["frobnicate"],
        &["run", "x.tw", "--threads", "0"],
        &["run", "x.tw", "--device", "toaster:0"],
        &["bench", "x.tw", "--shape", "batch"],
    ];
    for args in cases {
        assert_eq!(call(args).status.code(), Some(2), "{args:?}");
    }
    assert_eq!(call(&["--help"]).status.code(), Some(0));
}

#[test]
fn bench_measures_the_program_that_is_named() {
    let folder = tempdir().unwrap();
    let path = artifact(folder.path(), &[2, 300]);
    let args = [
        "bench",
        text(&path),
        "--runs",
        "7",
        "--threads",
        "1",
        "--shape",
        "rows=300",
        "--json",
    ];
    let report = json(&args);
    assert_eq!(
        (&report["runs"], &report["threads"]),
        (&7.into(), &1.into())
    );
    assert_eq!(report["sizes"]["rows"], 300);
    assert!(report["min_s"].as_f64().unwrap() <= report["median_s"].as_f64().unwrap());
    let report = json(&[&args[..], &["--kernels"]].concat());
    let times = report["kernel_times"].as_array().unwrap();
    assert!(times.len() == 2 && times.iter().all(|t| t["calls"] == 7 + 5));
    let message = error(&["bench", text(&path), "--shape", "rows=4"]);
    assert!(
        message.contains("no program for rows=4; it has rows=2; rows=300"),
        "{message}"
    );
}

#[test]
fn bench_runs_two_artifacts_in_turn() {
    let folder = tempdir().unwrap();
    let path = artifact(folder.path(), &[2, 300]);
    let other = folder.path().join("other.tw");
    fs::copy(&path, &other).unwrap();
    let args = [
        "bench",
        text(&path),
        "--against",
        text(&other),
        "--runs",
        "9",
        "--json",
    ];
    let report = json(&args);
    let count = |of: &Value| of.as_array().unwrap().len();
    assert_eq!(
        [count(&report["samples_s"]), count(&report["baseline_s"])],
        [9, 9]
    );
    assert_eq!(report["difference"], 0.0);
    assert_eq!(report["kernels"], object!({}));
    let ratio = |end: &str| report["ratio"][end].as_f64().unwrap();
    assert!(
        0.0 < ratio("low") && ratio("low") <= ratio("value") && ratio("value") <= ratio("high")
    );
    let report = json(&[&args[..], &["--kernels"]].concat());
    let kernels = report["kernels"].as_object().unwrap();
    assert!(!kernels.is_empty());
    for times in kernels.values() {
        assert_eq!(
            [count(&times["samples_s"]), count(&times["baseline_s"])],
            [9, 9]
        );
    }
    let message = error(&["bench", text(&path), "--against", "nowhere.tw"]);
    assert!(message.contains("nowhere.tw"), "{message}");
}

#[test]
fn verify_executes_every_kernel_and_records_it() {
    let folder = tempdir().unwrap();
    let path = artifact(folder.path(), &[2, 3]);
    let before = json(&["inspect", text(&path), "--json"]);
    assert_eq!(before["targets"][0]["kernels"][0]["evidence"], Value::Null);
    let report = json(&["verify", text(&path), "--json"]);
    assert_eq!(
        (
            &report["failed"],
            report["kernels"].as_array().unwrap().len()
        ),
        (&0.into(), 4)
    );
    let after = json(&["inspect", text(&path), "--json"]);
    assert_eq!(after["identity"], before["identity"]);
    for kernel in after["targets"][0]["kernels"].as_array().unwrap() {
        assert_eq!(kernel["evidence"]["level"], "E3");
    }
    let shown = stdout(&call(&["inspect", text(&path), "--rules"]));
    for wanted in [
        "target cpu:baseline",
        "E3 executed by tilewright",
        "by gather-scale",
        "rows=3",
    ] {
        assert!(shown.contains(wanted), "{shown}");
    }
}

#[test]
fn verify_finds_a_kernel_that_differs() {
    let folder = tempdir().unwrap();
    // Off by a thousandth in one column.
    let path = artifact_with(folder.path(), &[3], |m| {
        m.targets[0].kernels[0].symbol = "embed_wrongly".into();
    });
    let output = call(&["verify", text(&path)]);
    assert_eq!(output.status.code(), Some(1));
    let shown = stdout(&output);
    assert!(shown.contains("DIFFERS  tiny.embed"), "{shown}");
    assert!(shown.contains("ok       tiny.add_mask"), "{shown}");
    let after = json(&["inspect", text(&path), "--json"]);
    assert_eq!(after["targets"][0]["kernels"][0]["evidence"], Value::Null);
}

#[test]
fn a_run_holds_little_more_than_its_weights() {
    const WEIGHTS: u64 = 100 << 20;
    let folder = tempdir().unwrap();
    let path = folder.path().join("heavy.tw");
    let mut writer = Writer::create(&path).unwrap();
    let object = shared_object(folder.path());
    let manifest = sections_with(&mut writer, &object, &[3], WEIGHTS as usize);
    writer.finish(manifest).unwrap();
    let ids = i64s(&[4, 5, 6]);
    let ids = TensorView {
        dtype: DType::I64,
        shape: &[1, 3],
        bytes: &ids,
    };
    let input = inputs(&folder, &[("ids", ids)]);
    let report = json(&["run", text(&path), "--inputs", &input, "--json"]);
    let [peak, reserved] = ["peak_bytes", "reserved_bytes"].map(|k| report[k].as_u64().unwrap());
    // The weights were read, for their checksum.
    assert!(peak > WEIGHTS);
    assert!(
        peak < (WEIGHTS + reserved) * 13 / 10 + 30_000_000,
        "{peak} bytes"
    );
}

#[test]
fn devices_are_listed() {
    let report = json(&["devices", "--json"]);
    assert_eq!(report["devices"][0]["device"], "cpu");
}
