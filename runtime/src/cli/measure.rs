//! `measure`: the candidates of a bundle, on a machine without a compiler.

use std::{
    collections::BTreeMap,
    ffi::OsString,
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
        Candidate, Job, Limits, Outcome, Results, Runner,
        bundle::{Bundle, Stored, Task},
    },
};

/// If so many are refused before any was measured, all would be, for a reason that is not theirs.
const HOPELESS: usize = 3;

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
        .unwrap_or_else(|| Device::of_target(&index.target));
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
    // What says nothing about its candidate is no fact, and not recorded.
    let mut refused: Vec<String> = vec![];
    let mut device_words = device.to_string();
    // Beside the results, where there is room for them.
    let scratch = |what: &str| options.output.with_added_extension(what);
    let (baseline, candidate) = (scratch("baseline.tw"), scratch("candidate.tw"));
    let mut work = || -> Result<(), CliError> {
        for task in &index.tasks {
            results.add_workload(&task.workload)?;
            let mut baseline_is_there = false;
            for stored in &task.candidates {
                let late = options
                    .time_limit
                    .is_some_and(|l| begun.elapsed().as_secs() >= l);
                let mut record = trial(task, stored);
                if results.has_trial(&record) || late {
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
                if let Outcome::Refused { reason } = &outcome {
                    refused.push(reason.clone());
                    if fresh == 0 && refused.len() >= HOPELESS {
                        return Ok(());
                    }
                    continue;
                }
                if let Some(words) = outcome.device() {
                    words.clone_into(&mut device_words);
                }
                let word = fill(&mut record, &outcome, &device_words);
                *outcomes.entry(word).or_default() += 1;
                results.add_trial(&record)?;
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
    if let (0, 0, Some(reason)) = (done, fresh, refused.first()) {
        return Err(CliError::NotMeasured {
            device,
            reason: reason.clone(),
        });
    }
    let mut text = format!(
        "{}: {done} of {of} candidates on {device}, {fresh} of them now\n",
        options.output.display()
    );
    for (outcome, n) in &outcomes {
        text += &format!("  {n:>8} {outcome}\n");
    }
    if let Some(reason) = refused.first() {
        text += &format!("  {:>8} refused, the first: {reason}\n", refused.len());
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
            "refused": refused,
        }),
        passed: refused.is_empty() && (done == of || options.time_limit.is_some()),
    })
}

/// The record of a candidate, so far as it is known before.
fn trial(task: &Task, stored: &Stored) -> Map<String, Value> {
    let mut record = task.trial.clone();
    record.insert("schedule".into(), stored.schedule.clone());
    record
}

/// Says in a record what came of its candidate; gives the word for it.
fn fill(record: &mut Map<String, Value>, outcome: &Outcome, device: &str) -> &'static str {
    let word = match outcome {
        Outcome::Ok(_) | Outcome::Checked(_) => "ok",
        Outcome::WrongResult(_) => "wrong-result",
        Outcome::Timeout { .. } => "timeout",
        Outcome::Crash { .. } => "crash",
        Outcome::Refused { .. } => unreachable!("what was refused is not recorded"),
    };
    let mut set = |name: &str, value: Value| record.insert(name.into(), value);
    set("outcome", word.into());
    if let Some(reason) = outcome.reason() {
        set("reason", reason.into());
    }
    let threads = match outcome {
        Outcome::Ok(m) => {
            set("samples_s", json!(m.samples_s));
            set("baseline_s", json!(m.baseline_s));
            set("error", json!(m.error));
            m.threads
        }
        Outcome::WrongResult(wrong) => {
            set(
                "error",
                json!(wrong.error.is_finite().then_some(wrong.error)),
            );
            wrong.threads
        }
        _ => 0,
    };
    set("device", device.into());
    set("threads", threads.into());
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    set("unix_time", now.map_or(0, |d| d.as_secs()).into());
    word
}

fn file_error(path: &Path) -> impl Fn(std::io::Error) -> CliError + '_ {
    |source| CliError::File {
        path: path.into(),
        source,
    }
}
