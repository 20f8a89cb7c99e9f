//! `verify`: every kernel, executed here, against its tile program in f64.

use std::time::SystemTime;

use clap::Args;
use ir::{
    DType,
    tile::{Arithmetic, Program, evaluate},
};
use serde_json::json;

use super::{
    CliError, DeviceOptions, Report, device_words, load, processor,
    run::numbers,
    sample::{Random, sample},
};
use crate::{
    Artifact, Device, Executor, Model, Options,
    evidence::{Level, Record, kernel_hash, merge},
    manifest::{Kernel, KernelId},
};

/// How `verify` works.
#[derive(Args, Clone, Debug)]
pub struct VerifyOptions {
    /// Do not write what was seen into the artifact.
    #[arg(long)]
    pub no_record: bool,
    /// Where it runs.
    #[command(flatten)]
    pub device: DeviceOptions,
}

/// What was seen of a kernel.
struct Seen {
    kernel: KernelId,
    error: f64,
    bound: f64,
}

/// Runs every kernel of the target that fits this processor, on what a run of the model gives it, and compares.
/// `progress` is told each kernel's name before it is evaluated.
pub fn verify(
    artifact: Artifact,
    options: &VerifyOptions,
    mut progress: impl FnMut(&str),
) -> Result<Report, CliError> {
    let model = load(artifact, &options.device)?;
    let mut seen = Vec::new();
    for program in 0..model.programs().len() {
        let settings = Options {
            threads: options.device.threads,
            profile: false,
        };
        let mut executor = model.executor(program, &settings)?;
        let mut random = Random(7);
        let ports: Vec<_> = executor.inputs().cloned().collect();
        for port in ports {
            if let Some(value) = sample(&port, &mut random) {
                executor.set_input(&port.name, value.view())?;
            }
        }
        for (step, call) in model.programs()[program].steps.iter().enumerate() {
            if seen.iter().any(|s: &Seen| s.kernel == call.kernel) {
                executor.run_step(step)?;
                continue;
            }
            let kernel = &model.target().kernels[call.kernel.0 as usize];
            progress(&kernel.name);
            let (error, bound) = compare(&model, &mut executor, step, kernel)?;
            seen.push(Seen {
                kernel: call.kernel,
                error,
                bound,
            });
        }
    }
    if !options.no_record {
        let differs = |r: &&Record| {
            let failed = seen.iter().filter(|s| s.error > s.bound);
            let mut hashes =
                failed.map(|s| kernel_hash(model.artifact(), model.target(), s.kernel));
            hashes.any(|h| h == r.kernel)
        };
        let old: Vec<_> = model
            .artifact()
            .evidence()
            .iter()
            .filter(|r| !differs(r))
            .cloned()
            .collect();
        let records = merge(&old, &records(&model, &seen));
        model.artifact().rewrite_evidence(&records)?;
    }
    Ok(report(&model, &seen))
}

/// Runs a step and its tile program on the same arrays: the error relative to the largest value, and its bound.
fn compare(
    model: &Model,
    executor: &mut Executor,
    step: usize,
    kernel: &Kernel,
) -> Result<(f64, f64), CliError> {
    let fail = |reason: String| CliError::Reference {
        kernel: kernel.name.clone(),
        reason,
    };
    let tile = kernel
        .tile
        .ok_or_else(|| fail("the artifact has no tile program for it".into()))?;
    let tile: Program = serde_json::from_str(model.artifact().text(tile)?)
        .map_err(|e| fail(format!("its tile program cannot be read: {e}")))?;
    let arrays = |executor: &mut Executor| -> Result<Vec<Vec<f64>>, CliError> {
        let params = kernel.params.iter().enumerate();
        params
            .map(|(i, p)| Ok(numbers(p.dtype, &executor.argument(step, i)?)))
            .collect()
    };
    let mut wanted = arrays(executor)?;
    executor.run_step(step)?;
    let found = arrays(executor)?;
    evaluate(&tile, &mut wanted, Arithmetic::Exact).map_err(|e| fail(e.to_string()))?;
    let written = kernel
        .params
        .iter()
        .zip(wanted.iter().zip(&found))
        .filter(|(p, _)| p.written);
    Ok(written.fold(
        (0.0, 0.0),
        |(error, bound): (f64, f64), (param, (wanted, found))| {
            let own =
                rounding(param.dtype) * (8.0 + kernel.flops.0 as f64 / param.len.max(1) as f64);
            (error.max(relative_error(wanted, found)), bound.max(own))
        },
    ))
}

/// `max |a - b| / max |b|`; infinite where one is not a number and the other is.
fn relative_error(wanted: &[f64], found: &[f64]) -> f64 {
    let largest = wanted
        .iter()
        .filter(|v| v.is_finite())
        .fold(0.0, |m: f64, v| m.max(v.abs()));
    let scale = if largest > 0.0 { largest } else { 1.0 };
    let errors =
        wanted
            .iter()
            .zip(found)
            .map(|(w, f)| match w == f || (w.is_nan() && f.is_nan()) {
                true => 0.0,
                false => (w - f).abs() / scale,
            });
    errors.fold(
        0.0,
        |m, e| if e.is_nan() { f64::INFINITY } else { m.max(e) },
    )
}

/// Half a unit in the last place, relative. A kernel's bound is this times the operations behind each element: every
/// one of them may round.
fn rounding(dtype: DType) -> f64 {
    match dtype {
        DType::F32 => 2f64.powi(-24),
        DType::F16 => 2f64.powi(-11),
        DType::Bf16 => 2f64.powi(-8),
        _ => 0.0,
    }
}

fn records(model: &Model, seen: &[Seen]) -> Vec<Record> {
    let unix_time = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |d| d.as_secs());
    let passed = seen.iter().filter(|s| s.error <= s.bound);
    passed
        .map(|s| Record {
            kernel: kernel_hash(model.artifact(), model.target(), s.kernel),
            level: match model.device() {
                Device::Emulator(_) => Level::Emulated,
                _ => Level::Executed,
            },
            tool: format!("tilewright {}", env!("CARGO_PKG_VERSION")),
            device: device_words(model),
            unix_time,
            max_error: Some(s.error),
            times: None,
        })
        .collect()
}

fn report(model: &Model, seen: &[Seen]) -> Report {
    let failed = seen.iter().filter(|s| s.error > s.bound).count();
    let mut text = String::new();
    let mut kernels = Vec::new();
    for s in seen {
        let kernel = &model.target().kernels[s.kernel.0 as usize];
        let ok = s.error <= s.bound;
        let verdict = if ok { "ok" } else { "DIFFERS" };
        text += &format!(
            "{verdict:7}  {:40}  error {:.1e}, bound {:.1e}\n",
            kernel.name, s.error, s.bound
        );
        kernels.push(json!({
            "name": kernel.name, "symbol": kernel.symbol, "max_error": s.error, "bound": s.bound, "ok": ok,
        }));
    }
    let target = &model.target().target;
    text += &format!(
        "{} kernels of {target} executed, {failed} differ\n",
        seen.len()
    );
    Report {
        text,
        json: json!({
            "target": target, "device": model.device().to_string(), "device_name": device_words(model), "processor": processor(),
            "failed": failed, "kernels": kernels,
        }),
        passed: failed == 0,
    }
}
