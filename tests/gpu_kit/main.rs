//! The script of the GPU kit without a GPU: its arguments, the form of its result, and values in the emulator.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};
use tilewright::{CompileOptions, import};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("gpu-kit-{name}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The script, by the Python that set-up makes; none, and a word about it, without that.
fn script() -> Option<Command> {
    let python = Path::new(ROOT).join(".toolchain/venv/bin/python");
    if !python.exists() {
        println!("skipped: no Python with PyTorch; `cargo xtask setup` makes one");
        return None;
    }
    let mut command = Command::new(python);
    command.arg(Path::new(ROOT).join("benches/gpu_kit/check.py"));
    Some(command)
}

fn text(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

#[track_caller]
fn ends(mut command: Command, code: i32, words: &str) -> String {
    let output = command.output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(words), "wanted {words}\n{said}");
    said
}

#[test]
fn wrong_usage_is_told() {
    let cases: [(&[&str], &str); 4] = [
        (&["--rounds", "0"], "wanted a number above 0, found 0"),
        (&["--runs", "many"], "--runs"),
        (&["--devise", "cuda:0"], "unrecognized arguments: --devise"),
        (&["--kit", "/nowhere"], "help: --kit names the folder"),
    ];
    for (words, wanted) in cases {
        let Some(mut command) = script() else { return };
        command.args(words);
        ends(command, 2, wanted);
    }
}

#[test]
fn results_of_another_form_are_told() {
    let folder = Folder::new("form");
    let times = json!({ "min_s": 1e-5, "median_s": 2e-5, "rounds": 5, "runs": 20 });
    let line = json!({ "name": "k", "ok": true, "error": 0.0, "bound": 1e-3, "times": { "cublas": times } });
    let good = json!({
        "schema": 1, "kit": "0.1.0", "device": {}, "versions": {}, "unix_time": 0, "kernels": [line], "models": [],
    });
    type Change = fn(&mut Value);
    let changes: [(Change, i32, &str); 5] = [
        (|_| (), 0, "the form is right"),
        (|r| r["schema"] = json!(9), 1, "schema: wanted 1, found 9"),
        (|r| r["device"] = json!("cuda:0"), 1, "device: wanted dict"),
        (
            |r| r["kernels"][0]["error"] = json!(null),
            1,
            "k: wanted error and bound",
        ),
        (
            |r| r["kernels"][0]["times"]["cublas"]["min_s"] = json!(3e-5),
            1,
            "k: times of cublas",
        ),
    ];
    for (change, code, words) in changes {
        let mut result = good.clone();
        change(&mut result);
        let path = folder.write("result.json", &result.to_string());
        let Some(mut command) = script() else { return };
        command.arg("--validate").arg(path);
        ends(command, code, words);
    }
}

const GRAPH: &str = "graph \"g\" () {
  %x = input {name = \"x\", ty = bf16[9,40], absent = required, below = 0} : bf16[9,40]
  %w = input {name = \"w\", ty = bf16[40,16], absent = required, below = 0} : bf16[40,16]
  %y = matmul(%x,%w) {ta = false, tb = false} : bf16[9,16]
  return y = %y
}
";

/// A kit of one product, of which `change` says something else.
fn kit(folder: &Folder, change: fn(&mut Value)) {
    let graph = folder.write("g.graph", GRAPH);
    let model = import::load(&graph).unwrap();
    let options = CompileOptions::new(tilewright::target("opencl").unwrap());
    let artifact = folder.0.join("g.tw");
    let progress = &mut |_| ();
    tilewright::compile_to(&model.graph, &model.weights, &options, &artifact, progress).unwrap();
    let port = |name: &str, shape: [u64; 2]| json!({ "name": name, "dtype": "bf16", "shape": shape, "factor": 1.0 });
    let mut case = json!({
        "name": "product", "artifact": "g.tw", "family": "contraction", "op": "matmul", "dtype": "bf16",
        "inputs": [port("x", [9, 40]), port("w", [40, 16])], "attributes": {}, "roundings": 1, "terms": 40,
        "flops": 2 * 9 * 40 * 16, "bytes": 0, "small": true,
    });
    change(&mut case);
    let kit = json!({ "kit": "test", "cases": [case], "models": [] });
    folder.write("kit.json", &kit.to_string());
    // It has the commands that the kit's program has.
    let program = folder.0.join("tilewright-run");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tilewright"), program).unwrap();
}

#[test]
fn values_are_compared_in_the_emulator() {
    // Right; with a bound of nothing; of another op, and of another shape, than is told.
    let changes: [(&str, fn(&mut Value), i32, &str); 4] = [
        ("right", |_| (), 0, "1 cases, 0 failed"),
        (
            "bound",
            |c| (c["roundings"], c["terms"]) = (json!(0), json!(-8)),
            1,
            "DIFFERS",
        ),
        (
            "op",
            |c| c["op"] = json!("softmax"),
            1,
            "FAILED   product: wanted [9, 40], found [9, 16]",
        ),
        (
            "shape",
            |c| c["inputs"][0]["shape"] = json!([9, 41]),
            1,
            "FAILED   product: error: input `x`: wanted bf16[9,40]",
        ),
    ];
    for (name, change, code, words) in changes {
        let folder = Folder::new(name);
        let Some(mut command) = script() else { return };
        kit(&folder, change);
        let result = folder.0.join("result.json");
        command.args(["--device", "emulator:opencl", "--small", "--output"]);
        command.arg(&result).arg("--kit").arg(&folder.0);
        ends(command, code, words);
        let written: Value = serde_json::from_str(&fs::read_to_string(&result).unwrap()).unwrap();
        assert_eq!(written["failed"], i32::from(code == 1));
        assert_eq!(written["device"]["device"], "emulator:opencl");
    }
}
