//! Reports of real trials: a small model is tuned, and a browser opens the pages that come of it.

#[path = "../../autotune/tests/report/browser.rs"]
mod browser;
#[path = "../../autotune/tests/report/picture.rs"]
mod picture;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use browser::{View, folder, open};
use serde_json::Value;

const MODEL: &str = r#"graph "<i>block</i>" {
  %x = input {name = "x", ty = f32[48,96], absent = required, below = 0} : f32[48,96]
  %w = input {name = "w", ty = f32[96,160], absent = required, below = 0} : f32[96,160]
  %y = matmul(%x, %w) {ta = false, tb = false} : f32[48,160]
  return y = %y
}
"#;

const VIEW: View = View {
    width: 1280,
    height: 2200,
    is_dark: false,
};

fn tilewright(folder: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tilewright"));
    command.args(line.split_whitespace()).current_dir(folder);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "", "{line}");
    assert!(output.status.success(), "{line}");
    output
}

fn json(folder: &Path, line: &str) -> Value {
    serde_json::from_slice(&tilewright(folder, &format!("{line} --json")).stdout).unwrap()
}

#[test]
fn pages_of_real_trials() {
    let folder = folder("real");
    // The file's name is the model's on the page.
    fs::write(folder.join("a&b.graph"), MODEL).unwrap();
    let tuned = json(
        &folder,
        "tune a&b.graph --target cpu --threads 2 --trials 12 --db t.db --report t.html",
    );
    let made = json(&folder, "db report --db t.db --target cpu -o db.html");
    assert_eq!(made["kernels"], 1);
    let again = json(&folder, "db report --db t.db --target cpu -o again.html");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(made["bytes"], again["bytes"]);
    assert_eq!(read("db.html"), read("again.html"));

    for (name, trials) in [("t", &tuned["trials"]), ("db", &made["trials"])] {
        let page = read(&format!("{name}.html"));
        let Some(shown) = open(&folder, &format!("{name}-shown"), &page, VIEW) else {
            return;
        };
        assert!(shown.console.is_empty(), "{:?}", shown.console);
        // One of each in the legend.
        let points = shown.count("<circle class=\"ok\"") + shown.count("<path class=\"bad\"") - 2;
        assert_eq!(points as u64, trials.as_u64().unwrap(), "{name}");
        assert_eq!(shown.count("<g class=\"point\""), 1, "{name}");
        let drawn = shown.picture.drawn([0, 0, 1280, 1200]);
        assert!(drawn > 0.01, "{name} is blank: {drawn}");
    }
    assert!(read("t.html").contains("<h1>a&amp;b <span>on cpu:"));
}

#[test]
fn a_target_without_trials_is_named() {
    let folder = folder("none");
    fs::write(folder.join("m.graph"), MODEL).unwrap();
    tilewright(
        &folder,
        "tune m.graph --target cpu --threads 1 --trials 2 --db t.db",
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_tilewright"));
    let line = "db report --db t.db --target cuda:sm_90a -o x.html";
    let output = command
        .args(line.split(' '))
        .current_dir(&folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.starts_with(
            "error: t.db: wanted trials for cuda:sm_90a by this toolchain; it has some for cpu"
        ),
        "{said}"
    );
    assert!(!folder.join("x.html").exists());
}
