//! `bench`: how long a run takes.

use std::{num::NonZeroU32, sync::Arc, time::Instant};

use clap::Args;
use serde_json::json;

use super::{
    CliError, DeviceOptions, Report, Sizes,
    sample::{Random, sample},
};
use crate::{Artifact, Model, Options};

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
    /// Where it runs.
    #[command(flatten)]
    pub device: DeviceOptions,
}

/// Measures runs of an artifact on random inputs.
pub fn bench(artifact: Artifact, options: &BenchOptions) -> Result<Report, CliError> {
    let model = Model::load(Arc::new(artifact))?;
    let program = options
        .shape
        .as_ref()
        .map_or(Ok(0), |s| model.program_of(&s.0))?;
    let settings = Options {
        threads: options.device.threads,
        profile: false,
    };
    let mut executor = model.executor(program, &settings)?;
    let ports: Vec<_> = executor.inputs().cloned().collect();
    let mut random = Random(1);
    let sets: Vec<Vec<_>> = (0..SETS)
        .map(|_| ports.iter().map(|p| sample(p, &mut random)).collect())
        .collect();
    let mut times = Vec::new();
    for i in 0..WARM_UP + options.runs.get() {
        for (port, value) in ports.iter().zip(&sets[i as usize % sets.len()]) {
            if let Some(value) = value {
                executor.set_input(&port.name, value.view())?;
            }
        }
        let start = Instant::now();
        executor.run()?;
        if i >= WARM_UP {
            times.push(start.elapsed().as_secs_f64());
        }
    }
    times.sort_by(f64::total_cmp);
    let (min, median) = (times[0], times[times.len() / 2]);
    let target = model.target();
    let program = &model.programs()[program];
    Ok(Report {
        text: format!(
            "{:.3} ms median, {:.3} ms min of {} runs on {} with {} threads\n",
            median * 1e3,
            min * 1e3,
            times.len(),
            target.target,
            executor.threads()
        ),
        json: json!({
            "model": model.artifact().manifest().model,
            "target": target.target,
            "device": "cpu",
            "sizes": program.sizes,
            "threads": executor.threads(),
            "runs": times.len(),
            "median_s": median,
            "min_s": min,
            "kernels": program.steps.len(),
        }),
        passed: true,
    })
}
