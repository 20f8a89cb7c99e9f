//! Lock files.

use std::fs;

use autotune::database::{Access, Database};
use serde_json::Value;

use crate::{
    folder::Folder,
    program::{command, done, folder, json, texts},
    tuned::{kernels, trial, verification},
};

const LINE: &str = "compile bert --target cpu --shape batch=1,seq=4 -o";

/// A folder with an artifact `a.tw` that was compiled with a database, and its lock file `l.lock`.
fn locked(name: &str) -> Folder {
    let folder = folder(name);
    let target = tilewright::target("cpu").unwrap();
    let host = tilewright::host();
    let mut db = Database::open(&folder.0.join("t.db"), Access::Write, &host).unwrap();
    for kernel in kernels(&folder, &target, 4) {
        let (workload, trial) = trial(&kernel, &target, 2);
        db.add_verified(
            &workload,
            std::slice::from_ref(&trial),
            &[verification(&trial)],
        )
        .unwrap();
    }
    done(
        &folder,
        &format!("{LINE} a.tw --db t.db --threads 2 --lock l.lock"),
    );
    folder
}

fn read(folder: &Folder, name: &str) -> Vec<u8> {
    fs::read(folder.0.join(name)).unwrap()
}

#[track_caller]
fn error(folder: &Folder, line: &str) -> String {
    let output = command(&folder.0, line).output().unwrap();
    let [_, stderr] = texts(&output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(!folder.0.join("o.tw").exists());
    stderr
}

#[test]
fn a_lock_file_makes_the_same_artifact_elsewhere() {
    let here = locked("lock-here");
    let there = folder("lock-there");
    fs::copy(here.0.join("l.lock"), there.0.join("m.lock")).unwrap();
    let report = json(&there, &format!("{LINE} b.tw --locked m.lock"));
    let schedules = report["schedules"].as_array().unwrap();
    assert!(schedules.iter().all(|s| s["source"] == "locked"));
    assert!(read(&here, "a.tw") == read(&there, "b.tw"));
    // Not what is compiled without.
    done(&there, &format!("{LINE} c.tw"));
    assert!(read(&here, "a.tw") != read(&there, "c.tw"));
    // The same decisions are the same bytes.
    done(
        &here,
        &format!("{LINE} a2.tw --db t.db --threads 2 --lock l2.lock"),
    );
    assert_eq!(read(&here, "l.lock"), read(&here, "l2.lock"));
    assert!(read(&here, "a.tw") == read(&here, "a2.tw"));
}

#[test]
fn several_targets_and_programs_are_locked() {
    let folder = folder("lock-many");
    let line = "compile bert --target cpu:x86-64-v3 --target opencl --target cuda:sm_90a --target ascend:910B3 \
                --shape batch=1,seq=4 --shape batch=2,seq=8 --dtype f16 -o";
    done(&folder, &format!("{line} a.tw --lock l.lock"));
    done(&folder, &format!("{line} b.tw --locked l.lock"));
    assert!(read(&folder, "a.tw") == read(&folder, "b.tw"));
    // `cpu` is the file's, whatever processor this is.
    let cpu = "compile bert --target cpu --shape batch=1,seq=4 --dtype f16 -o c.tw --locked l.lock --json";
    let report: Value = serde_json::from_str(&done(&folder, cpu)).unwrap();
    assert_eq!(report["programs"][0]["target"], "cpu:x86-64-v3");
    let other = "compile bert --target rocm:gfx942 --shape batch=1,seq=4 --dtype f16 -o o.tw --locked l.lock";
    let message = error(&folder, other);
    assert!(
        message.contains("l.lock: target rocm:gfx942: the lock file has cpu:x86-64-v3, opencl, cuda:sm_90a, ascend:910B3"),
        "{message}"
    );
}

#[test]
fn what_a_lock_file_does_not_say_is_an_error() {
    let folder = locked("lock-misses");
    let line = format!("{LINE} o.tw --locked l.lock");
    let text = read(&folder, "l.lock");
    let mut whole: Value = serde_json::from_slice(&text).unwrap();
    let target = tilewright::target("cpu").unwrap().name;
    let message = error(
        &folder,
        "compile bert --target cpu --shape batch=1,seq=5 -o o.tw --locked l.lock",
    );
    assert!(message.contains("l.lock: kernel `"), "{message}");
    assert!(message.contains("not in the lock file"), "{message}");
    assert!(message.contains("write a new one with --lock"), "{message}");

    let of_target = |words: &str| format!("l.lock: kernel `%, target {target}: {words}");
    let kernels = whole["targets"][0]["kernels"].as_object().unwrap().clone();
    let first = kernels.keys().next().unwrap().clone();
    type Edit<'a> = Box<dyn Fn(&mut Value) + 'a>;
    let faults: Vec<(Edit, String)> = vec![
        (
            Box::new(|v| {
                v["targets"][0]["kernels"]
                    .as_object_mut()
                    .unwrap()
                    .remove(&first);
            }),
            of_target("not in the lock file"),
        ),
        (
            Box::new(|v| v["targets"][0]["fingerprint"] = "0".repeat(64).into()),
            of_target("the lock file has the fingerprint 0000"),
        ),
        (
            Box::new(|v| v["targets"][0]["toolchain"] = "tilewright 0.0.1".into()),
            of_target("the lock file has the toolchain tilewright 0.0.1, this program tilewright"),
        ),
        (
            Box::new(|v| v["targets"][0]["graphs"] = serde_json::json!([])),
            format!("target {target}: none of its forms is in the lock file"),
        ),
        (
            Box::new(|v| {
                v["targets"][0]["kernels"][&first]["schedule"] = serde_json::json!({"contract": {"rows": 0, "lanes": 0, "unroll": 0, "block_rows": 0, "block_columns": 0}});
            }),
            of_target("its schedule in the lock file gives no program"),
        ),
        (
            Box::new(|v| v["tilewright-lock"] = 9.into()),
            "l.lock: wanted a lock file of version 1, found 9".into(),
        ),
        (
            Box::new(|v| v["model"] = "gpt".into()),
            "l.lock: model: the lock file is for gpt, this compile for ".into(),
        ),
        (
            Box::new(|v| v["dtype"] = "f16".into()),
            "l.lock: dtype: the lock file is for f16, this compile for f32".into(),
        ),
        (
            Box::new(|v| v["targets"] = 3.into()),
            "l.lock: wanted a lock file that `compile --lock` wrote, found another file".into(),
        ),
    ];
    for (edit, words) in faults {
        let mut v = whole.take();
        let before = v.clone();
        edit(&mut v);
        fs::write(folder.0.join("l.lock"), v.to_string()).unwrap();
        let message = error(&folder, &line);
        for part in words.split('%') {
            assert!(message.contains(part), "wanted {words}\n{message}");
        }
        whole = before;
    }
}
