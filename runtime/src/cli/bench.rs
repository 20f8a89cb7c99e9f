//! `bench`: how long a run takes.

mod against;

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::Args;
use serde_json::json;

use super::{
    CliError, DeviceOptions, Report, Sizes, load, on,
    sample::{Random, sample},
};
use crate::{
    Artifact, Executor, KernelStats, Model, Options,
    manifest::{KernelId, TargetCode},
};

/// Runs whose time does not count.
const WARM_UP: u32 = 5;
/// Sets of inputs that take turns.
const SETS: u64 = 4;

/// How `bench` measures.
#[derive(Args, Clone, Debug)]
pub struct BenchOptions {
    /// Runs that count.
    #[arg(long, default_value = "50", value_name = "N")]
    pub runs: NonZeroU32,
    /// Sizes of the program to measure, such as batch=1,seq=128; otherwise the artifact's first.
    #[arg(long, value_name = "NAME=SIZE,...")]
    pub shape: Option<Sizes>,
    /// Show where the time goes, kernel by kernel, in as many runs again.
    #[arg(long)]
    pub kernels: bool,
    /// Another artifact of the model: both are run in turn, and their times compared.
    #[arg(long, value_name = "OTHER.tw")]
    pub against: Option<PathBuf>,
    /// Where it runs.
    #[command(flatten)]
    pub device: DeviceOptions,
}

/// Measures runs of an artifact on random inputs.
pub fn bench(artifact: Artifact, options: &BenchOptions) -> Result<Report, CliError> {
    let model = load(artifact, &options.device)?;
    if let Some(other) = &options.against {
        return against::against(model, other, options);
    }
    let settings = Options {
        threads: options.device.threads,
        profile: false,
    };
    let (program, mut first) = executor(&model, options.shape.as_ref(), &settings)?;
    let times = measure(&mut first, options.runs.get())?;
    let (min, median) = (times[0], times[times.len() / 2]);
    let on_device = first.time_on_device(options.runs.get())?;
    let target = model.target();
    let mut report = Report {
        text: format!(
            "{:.3} ms median, {:.3} ms min of {} runs on {}\n",
            median * 1e3,
            min * 1e3,
            times.len(),
            on(&model, &first)
        ),
        json: json!({
            "model": model.artifact().manifest().model,
            "target": target.target,
            "device": model.device().to_string(),
            "device_name": model.runs_on(),
            "sizes": model.programs()[program].sizes,
            "threads": first.threads(),
            "runs": times.len(),
            "median_s": median,
            "min_s": min,
            "kernels": model.programs()[program].steps.len(),
        }),
        passed: true,
    };
    if let Some(times) = on_device {
        describe_device(&mut report, times);
    }
    if options.kernels {
        let settings = Options {
            profile: true,
            ..settings
        };
        let (_, mut executor) = executor(&model, options.shape.as_ref(), &settings)?;
        measure(&mut executor, options.runs.get())?;
        describe_kernels(&mut report, target, &executor.stats());
    }
    Ok(report)
}

/// The program of these sizes, the first without any, and an executor of it.
pub(super) fn executor(
    model: &Model,
    shape: Option<&Sizes>,
    settings: &Options,
) -> Result<(usize, Executor), CliError> {
    Ok(match shape {
        Some(shape) => model.executor_at(&shape.0, settings)?,
        None => (0, model.executor(0, settings)?),
    })
}

/// Sorted times in seconds of `runs` runs, after the warm-up.
fn measure(executor: &mut Executor, runs: u32) -> Result<Vec<f64>, CliError> {
    let mut times = Vec::new();
    rounds(executor, runs, |_, time| times.push(time.as_secs_f64()))?;
    times.sort_by(f64::total_cmp);
    Ok(times)
}

/// Runs a program on inputs that take turns, first some times that do not count; `each` is told how long a run took.
pub(super) fn rounds(
    executor: &mut Executor,
    runs: u32,
    mut each: impl FnMut(&Executor, Duration),
) -> Result<(), CliError> {
    let ports: Vec<_> = executor.inputs().cloned().collect();
    let mut random = Random(1);
    let sets: Vec<Vec<_>> = (0..SETS)
        .map(|_| ports.iter().map(|p| sample(p, &mut random)).collect())
        .collect();
    for i in 0..WARM_UP + runs {
        for (port, value) in ports.iter().zip(&sets[i as usize % sets.len()]) {
            if let Some(value) = value {
                executor.set_input(&port.name, value.view())?;
            }
        }
        let start = Instant::now();
        executor.run()?;
        if i >= WARM_UP {
            each(executor, start.elapsed());
        }
    }
    Ok(())
}

/// Adds the times by the device's own clock, which leave out the way of inputs and outputs.
fn describe_device(report: &mut Report, times: Vec<Duration>) {
    let mut times: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
    times.sort_by(f64::total_cmp);
    let (min, median) = (times[0], times[times.len() / 2]);
    report.text += &format!(
        "{:.3} ms median, {:.3} ms min by the device's clock, each after its caches were emptied\n",
        median * 1e3,
        min * 1e3,
    );
    report.json["device_median_s"] = json!(median);
    report.json["device_min_s"] = json!(min);
}

/// Adds the mean time of each kernel over all its calls, the slowest in sum first.
fn describe_kernels(report: &mut Report, target: &TargetCode, stats: &[KernelStats]) {
    let mut sums: BTreeMap<KernelId, (u64, f64)> = BTreeMap::new();
    for s in stats {
        let sum = sums.entry(s.kernel).or_default();
        *sum = (sum.0 + s.dispatches, sum.1 + s.time.as_secs_f64());
    }
    let all: f64 = sums.values().map(|(_, seconds)| seconds).sum();
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by(|(_, (_, a)), (_, (_, b))| b.total_cmp(a));
    let mut kernels = Vec::new();
    for (id, (calls, seconds)) in sums {
        let kernel = &target.kernels[id.0 as usize];
        let mean = seconds / calls.max(1) as f64;
        let (share, rate) = (100.0 * seconds / all, kernel.flops.0 as f64 / mean / 1e9);
        report.text += &format!(
            "{share:5.1} %  {:9.3} ms a call  {rate:8.2} GFLOP/s  {}\n",
            mean * 1e3,
            kernel.name
        );
        kernels.push(json!({
            "name": kernel.name, "calls": calls, "mean_s": mean, "flops": kernel.flops.0, "bytes": kernel.bytes.0,
        }));
    }
    report.json["kernel_times"] = kernels.into();
}
