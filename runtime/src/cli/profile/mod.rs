//! `profile`: where the time of a run goes, how near each kernel is to its least time, and what would help.

mod advice;
mod trace;

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use ir::{DeviceModel, Floor, Source};
use serde_json::json;

use super::{
    CliError, DeviceOptions, Report, Sizes,
    bench::{executor, rounds},
    load, on, work,
};
use crate::{
    Artifact, Device, KernelStats, Model, Options,
    manifest::{Kernel, KernelId},
};
use advice::Advice;

/// How `profile` measures.
#[derive(Args, Clone, Debug)]
pub struct ProfileOptions {
    /// Runs that count.
    #[arg(long, default_value = "50", value_name = "N")]
    pub runs: NonZeroU32,
    /// Sizes of the program to measure, such as batch=1,seq=128; otherwise the artifact's first.
    #[arg(long, value_name = "NAME=SIZE,...")]
    pub shape: Option<Sizes>,
    /// Write the run in the middle as a trace for chrome://tracing or Perfetto.
    #[arg(long, value_name = "OUT.json")]
    pub trace: Option<PathBuf>,
    /// Where it runs.
    #[command(flatten)]
    pub device: DeviceOptions,
}

/// One run: how long it took, and how long each step.
struct Run {
    time: Duration,
    steps: Vec<Duration>,
}

/// A kernel over all its calls in a run.
struct Line<'a> {
    kernel: &'a Kernel,
    /// Calls in a run.
    calls: u64,
    /// Seconds of a call, the mean over all.
    seconds: f64,
    /// The least time, by the device.
    floor: Option<Floor>,
}

/// Measures runs of an artifact on random inputs, kernel by kernel. `devices` gives what a target is held against.
///
/// # Errors
/// The artifact does not run here, or the trace cannot be written.
pub fn profile(
    artifact: Artifact,
    options: &ProfileOptions,
    devices: &dyn Fn(&str) -> Vec<DeviceModel>,
) -> Result<Report, CliError> {
    if let Device::Emulator(_) = options.device.device {
        return Err(CliError::Option {
            option: "--device",
            device: options.device.device.clone(),
            why: "knows no time; wanted a device",
        });
    }
    let model = load(artifact, &options.device)?;
    let settings = Options {
        threads: options.device.threads,
        profile: true,
    };
    let (program, mut executor) = executor(&model, options.shape.as_ref(), &settings)?;
    let mut runs: Vec<Run> = Vec::new();
    let mut before: Option<Vec<KernelStats>> = None;
    // One more, after which the times of steps are those of the runs that follow.
    let count = options.runs.get().saturating_add(1);
    rounds(&mut executor, count, |executor, time| {
        let stats = executor.stats();
        if let Some(before) = &before {
            let steps = stats.iter().zip(before).map(|(a, b)| a.time - b.time);
            let steps = steps.collect();
            runs.push(Run { time, steps });
        }
        before = Some(stats);
    })?;
    runs.sort_by_key(|r| r.time);
    let middle = &runs[runs.len() / 2];
    if let Some(path) = &options.trace {
        write_trace(path, &model, program, middle)?;
    }
    let target = &model.target().target;
    let device = devices(target).into_iter().next();
    if device.is_none() {
        let target = target.clone();
        return Err(CliError::Roofline { target });
    }
    let lines = lines(&model, program, &runs, executor.threads(), device.as_ref());
    let place = on(&model, &executor);
    Ok(report(
        &model,
        program,
        &runs,
        &lines,
        &place,
        executor.threads(),
        device.as_ref(),
    ))
}

/// Kernels by what they take of a run, the most first.
fn lines<'a>(
    model: &'a Model,
    program: usize,
    runs: &[Run],
    threads: usize,
    device: Option<&DeviceModel>,
) -> Vec<Line<'a>> {
    let steps = &model.programs()[program].steps;
    let mut sums: BTreeMap<KernelId, (u64, f64)> = BTreeMap::new();
    for run in runs {
        for (step, time) in steps.iter().zip(&run.steps) {
            let sum = sums.entry(step.kernel).or_default();
            *sum = (sum.0 + 1, sum.1 + time.as_secs_f64());
        }
    }
    // Models of processors are of one core.
    let cores = match model.device() {
        Device::Cpu => threads as f64,
        _ => 1.0,
    };
    let mut all: Vec<Line<'a>> = sums
        .into_iter()
        .map(|(id, (calls, seconds))| {
            let kernel = &model.target().kernels[id.0 as usize];
            let floor = device.zip(work(model.artifact(), kernel));
            let floor = floor.map(|(device, work)| {
                let floor = device.floor(&work);
                Floor {
                    seconds: floor.seconds / cores,
                    ..floor
                }
            });
            Line {
                kernel,
                calls: calls / runs.len() as u64,
                seconds: seconds / calls as f64,
                floor,
            }
        })
        .collect();
    all.sort_by(|a, b| b.in_run().total_cmp(&a.in_run()));
    all
}

impl Line<'_> {
    /// Seconds of a run.
    fn in_run(&self) -> f64 {
        self.seconds * self.calls as f64
    }

    /// The least time over the time that it takes.
    fn fraction(&self) -> Option<f64> {
        self.floor.map(|f| f.seconds / self.seconds)
    }
}

fn report(
    model: &Model,
    program: usize,
    runs: &[Run],
    lines: &[Line<'_>],
    place: &str,
    threads: usize,
    device: Option<&DeviceModel>,
) -> Report {
    let whole: f64 = runs.iter().map(|r| r.time.as_secs_f64()).sum::<f64>() / runs.len() as f64;
    let kernels: f64 = lines.iter().map(Line::in_run).sum();
    let median = runs[runs.len() / 2].time.as_secs_f64();
    let mut text = format!(
        "{:.3} ms mean, {:.3} ms median of {} runs on {place}\n",
        whole * 1e3,
        median * 1e3,
        runs.len()
    );
    if let Some(device) = device {
        let how = match device.source {
            Source::DataSheet(_) => "its data sheet",
            Source::Assumed => "assumed rates; in caches it can be faster",
        };
        // Models of processors are of one core.
        let units = match (model.device(), threads) {
            (Device::Cpu, 2..) => format!("{threads} times "),
            _ => String::new(),
        };
        text += &format!("least times of {units}{} by {how}\n", device.words);
    }
    text += " of a run  calls    one call   least of it  kernel\n";
    let mut all = Vec::new();
    for line in lines {
        let fraction = line
            .fraction()
            .map_or("      -".into(), |f| format!("{:5.1} %", 100.0 * f));
        text += &format!(
            "  {:5.1} %  {:5}  {:8.1} us       {fraction}  {} ({})\n",
            100.0 * line.in_run() / whole,
            line.calls,
            line.seconds * 1e6,
            line.kernel.name,
            line.kernel.family
        );
        all.push(json!({
            "name": line.kernel.name, "family": line.kernel.family, "calls": line.calls, "mean_s": line.seconds,
            "share": line.in_run() / whole, "floor_s": line.floor.map(|f| f.seconds),
            "bound": line.floor.map(|f| f.bound), "fraction": line.fraction(),
            "flops": line.kernel.flops.0, "bytes": line.kernel.bytes.0,
        }));
    }
    text += &format!(
        "  {:5.1} %                                     between kernels\n\
         kernels add up to {:.3} ms of {:.3} ms\n",
        100.0 * (1.0 - kernels / whole),
        kernels * 1e3,
        whole * 1e3
    );
    let advice = Advice::of(lines, whole);
    if !advice.is_empty() {
        text += "\nwhat is inefficient, by what could be won of a run at most\n";
    }
    for (i, a) in advice.iter().enumerate() {
        text += &format!(
            "  {:>2}. {:8.3} ms {:5.1} %  {}: {}; {}\n",
            i + 1,
            a.gain * 1e3,
            100.0 * a.gain / whole,
            a.kernel,
            a.why(),
            a.what()
        );
    }
    if advice.iter().any(Advice::is_tune) {
        text += &tune(model, program);
    }
    let advice: Vec<_> = advice.iter().map(Advice::json).collect();
    Report {
        text,
        json: json!({
            "model": model.artifact().manifest().model, "target": model.target().target,
            "device": model.device().to_string(), "runs": runs.len(), "mean_s": whole, "median_s": median,
            "kernels_s": kernels, "kernels": all, "advice": advice,
        }),
        passed: true,
    }
}

/// The command that looks for other schedules.
fn tune(model: &Model, program: usize) -> String {
    let sizes = &model.programs()[program].sizes;
    let shape: Vec<String> = sizes.iter().map(|(s, n)| format!("{s}={n}")).collect();
    let shape = match shape.is_empty() {
        true => String::new(),
        false => format!(" --shape {}", shape.join(",")),
    };
    let target = &model.target().target;
    format!(
        "help: `tilewright tune MODEL --target {target}{shape} --db tuned.db` measures other schedules, \
         `tilewright compile ... --db tuned.db` uses them\n"
    )
}

fn write_trace(path: &Path, model: &Model, program: usize, run: &Run) -> Result<(), CliError> {
    let text = trace::events(model, program, run).to_string();
    std::fs::write(path, text).map_err(|source| CliError::File {
        path: path.into(),
        source,
    })
}
