//! Kernels on the device itself, one after the other, on what a run of the model gives them.

use std::time::Instant;

use super::{
    super::{CliError, run::numbers, sample::Random, sample::sample},
    Outcome, Seen, VerifyOptions,
    compare::{compare, reference, tile_program},
};
use crate::{
    Executor, Model, Options,
    evidence::Times,
    manifest::{Kernel, KernelId},
};

/// Runs every kernel once against its reference, and as often as asked for its times.
pub(super) fn run(
    model: &Model,
    options: &VerifyOptions,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<Seen>, CliError> {
    let mut seen: Vec<Seen> = Vec::new();
    for (at, program) in model.programs().iter().enumerate() {
        let settings = Options {
            threads: options.device.threads,
            profile: false,
        };
        let mut executor = model.executor(at, &settings)?;
        let mut random = Random(7);
        let ports: Vec<_> = executor.inputs().cloned().collect();
        for port in ports {
            if let Some(value) = sample(&port, &mut random) {
                executor.set_input(&port.name, value.view())?;
            }
        }
        for (step, call) in program.steps.iter().enumerate() {
            if seen.iter().any(|s| s.kernel == call.kernel) {
                executor.run_step(step)?;
                continue;
            }
            let kernel = &model.target().kernels[call.kernel.0 as usize];
            progress(&kernel.name);
            seen.push(check(
                model,
                &mut executor,
                step,
                call.kernel,
                kernel,
                options,
            )?);
        }
    }
    Ok(seen)
}

/// Runs a step and its tile program on the same arrays.
fn check(
    model: &Model,
    executor: &mut Executor,
    step: usize,
    id: KernelId,
    kernel: &Kernel,
    options: &VerifyOptions,
) -> Result<Seen, CliError> {
    let tile = tile_program(model.artifact(), kernel)?;
    let arrays = |executor: &mut Executor| -> Result<Vec<Vec<f64>>, CliError> {
        let params = kernel.params.iter().enumerate();
        params
            .map(|(i, p)| Ok(numbers(p.dtype, &executor.argument(step, i)?)))
            .collect()
    };
    let given = arrays(executor)?;
    executor.run_step(step)?;
    let found = arrays(executor)?;
    let wanted = reference(kernel, &tile, given)?;
    let error = compare(kernel, &wanted, &found, |_, _| true);
    let times = match (options.time, error.is_within()) {
        (Some(runs), true) => Some(time(executor, step, runs.get())?),
        _ => None,
    };
    Ok(Seen {
        kernel: id,
        outcome: Outcome::Compared(error),
        blocks: None,
        times,
    })
}

/// The time of calls, each from its start until its result is there, after one that is not counted.
fn time(executor: &mut Executor, step: usize, runs: u64) -> Result<Times, CliError> {
    executor.run_step(step)?;
    let mut all = Vec::new();
    for _ in 0..runs {
        let start = Instant::now();
        executor.run_step(step)?;
        all.push(start.elapsed().as_secs_f64());
    }
    all.sort_by(f64::total_cmp);
    Ok(Times {
        runs,
        min_s: all[0],
        median_s: all[all.len() / 2],
    })
}
