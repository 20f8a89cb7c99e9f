//! `cargo xtask ci`: every check there is; the same here and at home.

use std::time::{Duration, Instant};

use crate::{error::Error, process, root::Root, setup, test, tidy};

/// What a step came to.
enum Outcome {
    Passed,
    Skipped(String),
    Failed(Error),
}

impl From<Result<(), Error>> for Outcome {
    fn from(result: Result<(), Error>) -> Outcome {
        result.map_or_else(Outcome::Failed, |()| Outcome::Passed)
    }
}

type Step = (&'static str, fn(&Root) -> Outcome);

/// Name and what to do. All run, whatever the others said, so that one run shows everything.
const STEPS: &[Step] = &[
    ("set-up", |root| setup::run(root).into()),
    ("fmt", |root| {
        process::run(root.cargo().args(["fmt", "--all", "--check"])).into()
    }),
    ("tidy", |root| tidy::run(root).into()),
    ("clippy", clippy),
    ("test", |root| test::run(root, &[]).into()),
    ("docs", docs),
    ("deny", deny),
];

/// cargo-deny's pinned version.
const DENY: &str = "0.20.2";

/// Runs the steps and prints a table of what each came to.
pub fn run(root: &Root) -> Result<(), Error> {
    let mut results: Vec<(&str, Outcome, Duration)> = Vec::new();
    for (name, step) in STEPS {
        println!("\n== {name}");
        let start = Instant::now();
        let outcome = step(root);
        if let Outcome::Failed(error) = &outcome {
            eprintln!("{name}: {error}");
        }
        results.push((name, outcome, start.elapsed()));
    }
    println!();
    let mut failed = Vec::new();
    for (name, outcome, time) in &results {
        let word = match outcome {
            Outcome::Passed => "passed".into(),
            Outcome::Skipped(reason) => format!("SKIPPED: {reason}"),
            Outcome::Failed(_) => {
                failed.push(*name);
                "FAILED".into()
            }
        };
        println!("{name:<8} {:>6.1} s  {word}", time.as_secs_f64());
    }
    let skipped = results
        .iter()
        .filter(|(_, o, _)| matches!(o, Outcome::Skipped(_)))
        .count();
    println!(
        "{} steps, {} failed, {skipped} skipped",
        results.len(),
        failed.len()
    );
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Error::CiFailed {
            steps: failed.join(", "),
        })
    }
}

fn clippy(root: &Root) -> Outcome {
    let mut command = root.cargo();
    command.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]);
    process::run(&mut command).into()
}

fn docs(root: &Root) -> Outcome {
    let mut command = root.cargo();
    command
        .args(["doc", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings");
    process::run(&mut command).into()
}

/// Licences, bans and sources; advisories need a host that may be out of reach.
fn deny(root: &Root) -> Outcome {
    let folder = root.toolchain("cargo-deny");
    let program = folder.join("bin/cargo-deny");
    let version = process::output(root.command(&program).arg("--version"));
    if !version.is_ok_and(|text| text.trim().ends_with(DENY)) {
        println!("building cargo-deny {DENY}");
        let mut command = root.cargo();
        command
            .args([
                "install",
                "--quiet",
                "--debug",
                "--locked",
                "--no-default-features",
            ])
            .args(["cargo-deny", "--version", DENY, "--root"])
            .arg(&folder)
            .env("CARGO_TARGET_DIR", root.toolchain("cache/cargo-deny"));
        if let Err(error) = process::output(&mut command) {
            return Outcome::Skipped(format!("cargo-deny {DENY} could not be built: {error}"));
        }
    }
    let mut command = root.command(&program);
    command.args(["--offline", "check", "licenses", "bans", "sources"]);
    process::run(&mut command).into()
}
