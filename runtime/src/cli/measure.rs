//! `measure`: the candidates of a bundle, on a machine without a compiler.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use clap::Args;
use ir::Bytes;
use serde_json::{Map, Value, json};

use super::{CliError, Report};
use crate::{
    Device,
    measure::{
        Candidate, Job, Limits, Outcome, Runner,
        bundle::{Bundle, Stored, Task},
    },
};

/// The first line of what is written: that of the tuning database's text (`docs/database.md`).
const FIRST: &str = r#"{"record":"tilewright-database","version":1}"#;

/// How `measure` measures.
#[derive(Args, Clone, Debug)]
pub struct MeasureOptions {
    /// Results, line by line; what is there already is not measured again.
    #[arg(short, long, value_name = "OUT.jsonl")]
    pub output: PathBuf,
    /// The device; otherwise the first that runs code for the bundle's target.
    #[arg(long, value_name = "cpu|cuda:N|rocm:N|opencl:N")]
    pub device: Option<Device>,
    /// Threads, on a processor; otherwise as many as this process may use at once.
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Begin no more candidates after so many seconds.
    #[arg(long, value_name = "S")]
    pub time_limit: Option<u64>,
    /// Seconds that loading and checking one candidate may take.
    #[arg(long, default_value = "60", value_name = "S", value_parser = clap::value_parser!(u64).range(1..))]
    pub candidate_limit: u64,
    /// Megabytes that the process may take which runs a candidate.
    #[arg(long, default_value = "16384", value_name = "MB", value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    pub memory_limit: u64,
}

/// Lines that are kept as they are made.
struct Results {
    path: PathBuf,
    file: File,
    /// Workloads and trials that are there, by what they are of.
    known: BTreeSet<String>,
}

/// Measures the candidates of the bundle at `path` in child processes: runs of this program with `worker`. `progress` is told
/// how many are done, of how many.
///
/// # Errors
/// The bundle or the results cannot be used, or nothing can be measured.
pub fn measure(
    path: &Path,
    options: &MeasureOptions,
    worker: &str,
    mut progress: impl FnMut(usize, usize),
) -> Result<Report, CliError> {
    let bundle = Bundle::open(path)?;
    let index = bundle.index();
    let device = options
        .device
        .clone()
        .unwrap_or_else(|| device_for(&index.target));
    let program = std::env::current_exe().map_err(file_error(path))?;
    let limits = Limits {
        time: Duration::from_secs(options.candidate_limit),
        memory: Bytes(options.memory_limit << 20),
    };
    let mut runner = Runner::new(program, [OsString::from(worker)], limits);
    let mut results = Results::open(&options.output)?;
    let begun = Instant::now();
    let of: usize = index.tasks.iter().map(|t| t.candidates.len()).sum();
    let (mut done, mut fresh) = (0, 0);
    let mut outcomes: BTreeMap<&'static str, u64> = BTreeMap::new();
    // Beside the results, where there is room for them.
    let scratch = |what: &str| options.output.with_added_extension(what);
    let (baseline, candidate) = (scratch("baseline.tw"), scratch("candidate.tw"));
    let mut work = || -> Result<(), CliError> {
        for task in &index.tasks {
            results.add("workload", &task.workload)?;
            let mut baseline_is_there = false;
            for stored in &task.candidates {
                let late = options
                    .time_limit
                    .is_some_and(|l| begun.elapsed().as_secs() >= l);
                let mut record = trial(task, stored);
                if results.known.contains(&key("trial", &record)) || late {
                    done += usize::from(!late);
                    continue;
                }
                if !baseline_is_there {
                    bundle.take(&task.baseline, &baseline)?;
                    baseline_is_there = true;
                }
                bundle.take(stored, &candidate)?;
                let side = |path: &Path, stored: &Stored| Candidate {
                    artifact: path.into(),
                    layouts: stored.layouts.clone(),
                };
                let job = Job {
                    graph: task.graph.clone(),
                    candidate: side(&candidate, stored),
                    baseline: side(&baseline, &task.baseline),
                    seed: task.seed,
                    device: device.to_string(),
                    threads: options.threads,
                    policy: task.policy,
                };
                let outcome = runner.measure(&job)?;
                if let Outcome::Refused { reason } = &outcome
                    && fresh == 0
                {
                    // Then all would be, each for a reason that is not its own.
                    return Err(CliError::NotMeasured {
                        device: device.clone(),
                        reason: reason.clone(),
                    });
                }
                *outcomes.entry(fill(&mut record, &outcome)).or_default() += 1;
                results.add("trial", &record)?;
                fresh += 1;
                done += 1;
                progress(done, of);
            }
        }
        Ok(())
    };
    let worked = work();
    for path in [baseline, candidate] {
        // What is not there need not go.
        let _ = std::fs::remove_file(path);
    }
    worked?;
    let mut text = format!(
        "{}: {done} of {of} candidates on {device}, {fresh} of them now\n",
        options.output.display()
    );
    for (outcome, n) in &outcomes {
        text += &format!("  {n:>8} {outcome}\n");
    }
    text += &format!(
        "help: `tilewright db import {} --db F` takes them in\n",
        options.output.display()
    );
    Ok(Report {
        text,
        json: json!({
            "output": options.output, "device": device.to_string(), "target": index.target,
            "candidates": of, "done": done, "measured": fresh, "outcomes": outcomes,
        }),
        passed: done == of || options.time_limit.is_some(),
    })
}

/// The first device that runs code for a target.
fn device_for(target: &str) -> Device {
    match target.split(':').next().unwrap_or_default() {
        "cuda" => Device::Cuda(0),
        "rocm" => Device::Rocm(0),
        "opencl" => Device::OpenCl(0),
        "ascend" => Device::Ascend(0),
        _ => Device::Cpu,
    }
}

/// The record of a candidate, so far as it is known before.
fn trial(task: &Task, stored: &Stored) -> Map<String, Value> {
    let mut record = task.trial.clone();
    record.insert("schedule".into(), stored.schedule.clone());
    record
}

/// Says in a record what came of its candidate; gives the word for it.
fn fill(record: &mut Map<String, Value>, outcome: &Outcome) -> &'static str {
    let word = match outcome {
        Outcome::Ok(_) | Outcome::Checked(_) => "ok",
        Outcome::WrongResult(_) => "wrong-result",
        Outcome::Timeout { .. } => "timeout",
        Outcome::Crash { .. } => "crash",
        Outcome::Refused { .. } => "build-error",
    };
    let mut set = |name: &str, value: Value| record.insert(name.into(), value);
    set("outcome", word.into());
    if let Some(reason) = outcome.reason() {
        set("reason", reason.into());
    }
    let (device, threads) = match outcome {
        Outcome::Ok(m) => {
            set("samples_s", json!(m.samples_s));
            set("baseline_s", json!(m.baseline_s));
            set("error", json!(m.error));
            (m.device.as_str(), m.threads)
        }
        Outcome::WrongResult(wrong) => (wrong.device.as_str(), wrong.threads),
        _ => ("none", 0),
    };
    set("device", device.into());
    set("threads", threads.into());
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    set("unix_time", now.map_or(0, |d| d.as_secs()).into());
    word
}

/// What tells a record from others: a workload by what it computes, a trial by its schedule too.
fn key(kind: &str, record: &Map<String, Value>) -> String {
    match kind {
        "workload" => json!([kind, record.get("meaning")]).to_string(),
        _ => json!([kind, record.get("workload"), record.get("schedule")]).to_string(),
    }
}

fn file_error(path: &Path) -> impl Fn(std::io::Error) -> CliError + '_ {
    |source| CliError::File {
        path: path.into(),
        source,
    }
}

impl Results {
    /// Opens what an earlier run has written, or begins. A last line without an end is what a run was writing when it was
    /// ended, and goes.
    fn open(path: &Path) -> Result<Self, CliError> {
        let failed = file_error(path);
        let mut file = OpenOptions::new();
        let file = file.read(true).write(true).create(true).truncate(false);
        let mut file = file.open(path).map_err(&failed)?;
        let mut bytes = vec![];
        file.read_to_end(&mut bytes).map_err(&failed)?;
        let end = bytes
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |at| at + 1);
        let text = String::from_utf8_lossy(&bytes[..end]);
        let mut lines = text.lines();
        let first = lines.next();
        let torn = first.is_none() && FIRST.as_bytes().starts_with(&bytes);
        if first.is_some_and(|line| line != FIRST) || (first.is_none() && !torn) {
            return Err(CliError::Results { path: path.into() });
        }
        let mut known = BTreeSet::new();
        for line in lines {
            if let Ok(Value::Object(record)) = serde_json::from_str(line) {
                let kind = record
                    .get("record")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                known.insert(key(kind, &record));
            }
        }
        file.set_len(end as u64).map_err(&failed)?;
        file.seek(SeekFrom::End(0)).map_err(&failed)?;
        let mut results = Self {
            path: path.into(),
            file,
            known,
        };
        if end == 0 {
            results.line(FIRST)?;
        }
        Ok(results)
    }

    /// Adds a record that is not there.
    fn add(&mut self, kind: &str, record: &Map<String, Value>) -> Result<(), CliError> {
        if !self.known.insert(key(kind, record)) {
            return Ok(());
        }
        let mut record = record.clone();
        record.insert("record".into(), kind.into());
        self.line(&Value::Object(record).to_string())
    }

    /// A line, on the disk when this returns.
    fn line(&mut self, text: &str) -> Result<(), CliError> {
        let whole = format!("{text}\n");
        let written = self.file.write_all(whole.as_bytes());
        let kept = written.and_then(|()| self.file.sync_data());
        kept.map_err(file_error(&self.path))
    }
}
