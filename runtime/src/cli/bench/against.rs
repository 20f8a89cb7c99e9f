//! `bench --against`: two artifacts of one model, run in turn on the same inputs.

use std::{collections::BTreeMap, path::Path, time::Instant};

use serde_json::{Value, json};

use super::{
    super::{CliError, Report, load, on, open, sample::Random, sample::sample},
    BenchOptions, SETS, WARM_UP,
};
use crate::{
    Array, Device, Executor, Model, Options,
    measure::{self, Contention},
};

/// Rounds that others disturbed are repeated, this many for each that counts.
const REDONE: u32 = 3;

/// Times of one side: of each run, and in it of all calls of each kernel, by what it computes.
#[derive(Default)]
struct Times {
    runs: Vec<f64>,
    kernels: BTreeMap<String, Vec<f64>>,
}

/// One run: its time, and in it that of each kernel.
#[derive(Default)]
struct Run {
    seconds: f64,
    kernels: BTreeMap<String, f64>,
}

/// One artifact, ready to run.
struct Side {
    model: Model,
    executor: Executor,
    program: usize,
    times: Times,
}

/// Runs `artifact` and the one at `other` in turn, and compares their times and their outputs.
pub(super) fn against(
    model: Model,
    other: &Path,
    options: &BenchOptions,
) -> Result<Report, CliError> {
    let other = load(open(other, &options.device)?, &options.device)?;
    let mut sides = [side(model, options)?, side(other, options)?];
    let ports: Vec<_> = sides[0].executor.inputs().cloned().collect();
    let mut random = Random(1);
    let sets: Vec<Vec<Option<Array>>> = (0..SETS)
        .map(|_| ports.iter().map(|p| sample(p, &mut random)).collect())
        .collect();
    let contention = (*sides[0].model.device() == Device::Cpu).then(Contention::new);
    let (mut difference, mut redone): (f64, u32) = (0.0, 0);
    let mut round = 0;
    while round < WARM_UP + options.runs.get() {
        let set = &sets[round as usize % sets.len()];
        let (before, start) = (contention.as_ref().map(Contention::mark), Instant::now());
        let mut seen = [Run::default(), Run::default()];
        // Neither is always the one that finds the caches as the other left them.
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        for at in order {
            let side = &mut sides[at];
            for (port, value) in ports.iter().zip(set) {
                if let Some(value) = value {
                    side.executor.set_input(&port.name, value.view())?;
                }
            }
            seen[at] = side.run()?;
        }
        let after = contention.as_ref().map(Contention::mark);
        let disturbed = before.zip(after);
        let disturbed = disturbed.is_some_and(|(b, a)| b.is_disturbed(&a, start.elapsed()));
        // On a machine that is never quiet, disturbed rounds are better than none.
        if disturbed && redone < REDONE * options.runs.get() {
            redone += 1;
            continue;
        }
        if round < SETS as u32 {
            difference = difference.max(compare(&sides[0].executor, &sides[1].executor));
        }
        if round >= WARM_UP {
            for (side, seen) in sides.iter_mut().zip(seen) {
                side.times.push(seen);
            }
        }
        round += 1;
    }
    Ok(report(&sides, difference, redone, options.kernels))
}

fn side(model: Model, options: &BenchOptions) -> Result<Side, CliError> {
    let settings = Options {
        threads: options.device.threads,
        profile: options.kernels,
    };
    let (program, executor) = super::executor(&model, options.shape.as_ref(), &settings)?;
    Ok(Side {
        executor,
        model,
        program,
        times: Times::default(),
    })
}

impl Side {
    fn run(&mut self) -> Result<Run, CliError> {
        let before = self.executor.stats();
        let start = Instant::now();
        self.executor.run()?;
        let seconds = start.elapsed().as_secs_f64();
        let mut kernels: BTreeMap<String, f64> = BTreeMap::new();
        for (after, before) in self.executor.stats().iter().zip(before) {
            let kernel = &self.model.target().kernels[after.kernel.0 as usize];
            let sum = kernels.entry(kernel.meaning.clone()).or_default();
            *sum += (after.time - before.time).as_secs_f64();
        }
        Ok(Run { seconds, kernels })
    }
}

impl Times {
    fn push(&mut self, run: Run) {
        self.runs.push(run.seconds);
        for (meaning, seconds) in run.kernels {
            self.kernels.entry(meaning).or_default().push(seconds);
        }
    }
}

/// The largest difference of outputs, relative to the largest value.
fn compare(a: &Executor, b: &Executor) -> f64 {
    let mut worst: f64 = 0.0;
    for (at, port) in a.outputs().enumerate() {
        let (Some(x), Some(y)) = (a.output_at(at), b.output(&port.name)) else {
            continue;
        };
        let (x, y) = (x.values(), y.values());
        let largest = y.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        let far = x.iter().zip(&y).map(|(x, y)| (x - y).abs());
        worst = worst.max(far.fold(0.0, f64::max) / largest.max(f64::MIN_POSITIVE));
    }
    worst
}

fn report(sides: &[Side; 2], difference: f64, redone: u32, profiled: bool) -> Report {
    let [ours, theirs] = sides;
    let words = match measure::ratio(&ours.times.runs, &theirs.times.runs) {
        Some(r) => format!(
            "{:.3} of its time, 95 % interval {:.3} to {:.3}",
            r.value, r.low, r.high
        ),
        None => "too few runs for an interval".into(),
    };
    let middle = |times: &[f64]| {
        let mut sorted = times.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    };
    let text = format!(
        "{:.3} ms median, {:.3} ms median of the other, {} runs of each in turn on {}\n{words}\n\
         outputs differ by {difference:.1e} of the largest value\n",
        middle(&ours.times.runs) * 1e3,
        middle(&theirs.times.runs) * 1e3,
        ours.times.runs.len(),
        on(&ours.model, &ours.executor),
    );
    let kernels = ours.times.kernels.iter().filter_map(|(meaning, samples)| {
        let baseline = theirs.times.kernels.get(meaning)?;
        Some((
            meaning.clone(),
            json!({ "samples_s": samples, "baseline_s": baseline }),
        ))
    });
    let kernels: serde_json::Map<String, Value> = match profiled {
        true => kernels.collect(),
        false => serde_json::Map::new(),
    };
    let ratio = measure::ratio(&ours.times.runs, &theirs.times.runs);
    Report {
        text,
        json: json!({
            "model": ours.model.artifact().manifest().model,
            "target": ours.model.target().target,
            "device": ours.model.device().to_string(),
            "device_name": ours.model.runs_on(),
            "sizes": ours.model.programs()[ours.program].sizes,
            "threads": ours.executor.threads(),
            "samples_s": ours.times.runs,
            "baseline_s": theirs.times.runs,
            "ratio": ratio.map(|r| json!({ "value": r.value, "low": r.low, "high": r.high })),
            "difference": difference,
            "redone": redone,
            "kernels": kernels,
        }),
        passed: true,
    }
}
