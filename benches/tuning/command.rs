//! The program as users run it.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// Why the benchmark stopped.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Threads of all runs.
const THREADS: &str = "2";
const SHAPE: &str = "batch=1,seq=128";

fn program() -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(root.join("target/release/tilewright"));
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    command
}

fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".toolchain/models/all-MiniLM-L6-v2")
}

/// A tuning.
pub fn tune(database: &Path, trials: u32, seed: u64) -> Command {
    let mut command = program();
    command.arg("tune").arg(model()).args([
        "--target",
        "cpu",
        "--shape",
        SHAPE,
        "--threads",
        THREADS,
    ]);
    command.arg("--db").arg(database).args([
        "--trials",
        &trials.to_string(),
        "--seed",
        &seed.to_string(),
    ]);
    command.stdout(Stdio::null());
    command
}

/// Compiles the model, with a database's schedules; gives how many kernels have one.
pub fn compile(database: Option<&Path>, artifact: &Path) -> Result<usize> {
    let mut command = program();
    command
        .arg("compile")
        .arg(model())
        .args(["--target", "cpu", "--shape", SHAPE, "--json", "-o"]);
    command.arg(artifact);
    if let Some(database) = database {
        command
            .arg("--db")
            .arg(database)
            .args(["--threads", THREADS]);
    }
    let done = command.output()?;
    require(&done)?;
    let report: Value = serde_json::from_slice(&done.stdout)?;
    let kernels = report["schedules"].as_array().map_or(0, |all| {
        all.iter().filter(|k| k["source"] == "tuned").count()
    });
    Ok(kernels)
}

/// Time of one artifact over that of another, with its 95 % interval.
pub fn ratio(artifact: &Path, other: &Path, runs: u32) -> Result<[f64; 3]> {
    let mut command = program();
    command
        .arg("bench")
        .arg(artifact)
        .arg("--against")
        .arg(other);
    command.args(["--runs", &runs.to_string(), "--threads", THREADS, "--json"]);
    let done = command.output()?;
    require(&done)?;
    let report: Value = serde_json::from_slice(&done.stdout)?;
    let end = |name: &str| {
        report["ratio"][name]
            .as_f64()
            .ok_or("too few runs for an interval")
    };
    Ok([end("value")?, end("low")?, end("high")?])
}

/// Fails unless the program did its work.
pub fn require(done: &Output) -> Result<()> {
    match done.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&done.stderr).trim().into()),
    }
}
