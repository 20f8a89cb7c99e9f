//! `verify`: every kernel, executed here, against its tile program in f64.

mod compare;
mod device;
mod emulated;

use std::{
    num::{NonZeroU64, NonZeroUsize},
    time::SystemTime,
};

use clap::Args;
use serde_json::{Value, json};

use super::{CliError, DeviceOptions, Report, load};
use crate::{
    Artifact, Device, Model, cpu,
    evidence::{Blocks, Level, Record, Times, kernel_hash, merge},
    manifest::KernelId,
};
use compare::Error;

/// How `verify` works.
#[derive(Args, Clone, Debug)]
pub struct VerifyOptions {
    /// Do not write what was seen into the artifact.
    #[arg(long)]
    pub no_record: bool,
    /// Blocks of each kernel that the emulator runs; otherwise as many as some seconds allow, and four at least.
    #[arg(long, value_name = "N")]
    pub blocks: Option<NonZeroUsize>,
    /// Time each kernel that is right, so many times, where it runs on a device.
    #[arg(long, value_name = "RUNS")]
    pub time: Option<NonZeroU64>,
    /// Where it runs.
    #[command(flatten)]
    pub device: DeviceOptions,
}

/// What was seen of a kernel.
struct Seen {
    kernel: KernelId,
    outcome: Outcome,
    /// How much of it was emulated.
    blocks: Option<Blocks>,
    times: Option<Times>,
}

/// How a kernel did.
enum Outcome {
    /// It ran to its end.
    Compared(Error),
    /// It took a step that no device may take.
    Fault(String),
}

impl Seen {
    /// The error, if it is no more than rounding.
    fn passed(&self) -> Option<Error> {
        match self.outcome {
            Outcome::Compared(error) if error.is_within() => Some(error),
            _ => None,
        }
    }
}

/// Runs every kernel of the target that fits the device, on what a run of the model gives it, and compares.
/// `progress` is told each kernel's name before it is evaluated.
pub fn verify(
    artifact: Artifact,
    options: &VerifyOptions,
    mut progress: impl FnMut(&str),
) -> Result<Report, CliError> {
    let emulates = matches!(options.device.device, Device::Emulator(_));
    let useless = match (emulates, options.time, options.blocks) {
        (true, Some(_), _) => Some(("--time", "knows no time")),
        (false, _, Some(_)) => Some(("--blocks", "runs all blocks; only the emulator runs some")),
        _ => None,
    };
    if let Some((option, why)) = useless {
        let device = options.device.device.clone();
        return Err(CliError::Option {
            option,
            device,
            why,
        });
    }
    let model = load(artifact, &options.device)?;
    let seen = match model.device() {
        Device::Emulator(_) => emulated::run(&model, options, &mut progress)?,
        _ => device::run(&model, options, &mut progress)?,
    };
    let mut report = report(&model, &seen);
    if !options.no_record
        && let Err(error) = record(&model, &seen)
    {
        // What was seen is told all the same.
        report.text += &format!("not recorded: {error}; help: --no-record\n");
        report.json["not_recorded"] = error.to_string().into();
        report.passed = false;
    }
    Ok(report)
}

/// Adds what was seen to the artifact, and drops what it said of kernels that differ.
fn record(model: &Model, seen: &[Seen]) -> Result<(), CliError> {
    let artifact = model.artifact();
    let hash = |s: &Seen| kernel_hash(artifact, model.target(), s.kernel);
    let differ: Vec<_> = seen
        .iter()
        .filter(|s| s.passed().is_none())
        .map(hash)
        .collect();
    let old: Vec<_> = artifact
        .evidence()
        .iter()
        .filter(|r| !differ.contains(&r.kernel))
        .cloned()
        .collect();
    let new: Vec<_> = seen.iter().flat_map(|s| records(model, s)).collect();
    artifact.rewrite_evidence(&merge(&old, &new))?;
    Ok(())
}

/// What a kernel was seen to do, lowest level first.
fn records(model: &Model, seen: &Seen) -> Vec<Record> {
    let unix_time = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |d| d.as_secs());
    let tool = concat!("tilewright ", env!("CARGO_PKG_VERSION"));
    let device = match model.device() {
        emulator @ Device::Emulator(_) => emulator.to_string(),
        _ => model.runs_on(),
    };
    let one = |level, tool: &str| Record {
        kernel: kernel_hash(model.artifact(), model.target(), seen.kernel),
        level,
        tool: tool.into(),
        device: device.clone(),
        unix_time,
        max_error: None,
        bound: None,
        blocks: None,
        times: None,
    };
    let mut all = Vec::new();
    // That it ran, be it wrongly, says that the driver took it.
    if !matches!(model.device(), Device::Cpu | Device::Emulator(_)) {
        all.push(one(Level::Built, &device));
    }
    let Some(error) = seen.passed() else {
        return all;
    };
    let passed = |level| Record {
        max_error: Some(error.found),
        bound: Some(error.bound),
        blocks: seen.blocks,
        ..one(level, tool)
    };
    all.push(match model.device() {
        Device::Emulator(_) => passed(Level::Emulated),
        _ => passed(Level::Executed),
    });
    if let Some(times) = seen.times {
        let threads = match model.device() {
            Device::Cpu => ", 1 thread",
            _ => "",
        };
        all.push(Record {
            times: Some(times),
            device: device.clone() + threads,
            ..passed(Level::Timed)
        });
    }
    all
}

fn report(model: &Model, seen: &[Seen]) -> Report {
    let failed = seen.iter().filter(|s| s.passed().is_none()).count();
    let mut text = String::new();
    let mut kernels = Vec::new();
    for s in seen {
        let (line, fields) = describe(model, s);
        text += &line;
        kernels.push(fields);
    }
    let target = &model.target().target;
    let did = match model.device() {
        Device::Emulator(_) => "emulated in two orders",
        _ => "executed",
    };
    text += &format!(
        "{} kernels of {target} {did}, {failed} differ\n",
        seen.len()
    );
    Report {
        text,
        json: json!({
            "target": target, "device": model.device().to_string(), "device_name": model.runs_on(), "processor": cpu::processor(),
            "failed": failed, "kernels": kernels,
        }),
        passed: failed == 0,
    }
}

/// One kernel, for people and for programs.
fn describe(model: &Model, s: &Seen) -> (String, Value) {
    let kernel = &model.target().kernels[s.kernel.0 as usize];
    let verdict = match &s.outcome {
        Outcome::Compared(error) if error.is_within() => "ok",
        Outcome::Compared(_) => "DIFFERS",
        Outcome::Fault(_) => "FAULT",
    };
    let mut line = format!("{verdict:7}  {:40}", kernel.name);
    let (mut found, mut bound, mut fault) = (None, None, None);
    match &s.outcome {
        Outcome::Compared(error) => {
            line += &format!("  error {:.1e}, bound {:.1e}", error.found, error.bound);
            (found, bound) = (Some(error.found), Some(error.bound));
        }
        Outcome::Fault(words) => {
            line += &format!("  {words}");
            fault = Some(words);
        }
    }
    if let Some(Blocks { run, of }) = s.blocks {
        line += &format!("; {run} of {of} blocks");
    }
    if let Some(times) = s.times {
        line += &format!(
            "; {:.1} us median, {:.1} us least of {}",
            times.median_s * 1e6,
            times.min_s * 1e6,
            times.runs
        );
    }
    let fields = json!({
        "name": kernel.name, "symbol": kernel.symbol, "max_error": found, "bound": bound, "fault": fault,
        "ok": s.passed().is_some(), "blocks": s.blocks, "times": s.times,
    });
    (line + "\n", fields)
}
