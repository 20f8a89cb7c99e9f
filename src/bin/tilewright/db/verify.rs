//! `db verify`: claims become facts of this machine, or are found to be wrong.

use std::{num::NonZeroUsize, time::Duration};

use autotune::database::Access;
use clap::Args;
use serde_json::{Value, json};
use tilewright::{
    Claim, ClaimOptions, ClaimReport, Verdict,
    runtime::{self, Device, cli::Report, measure::Limits},
};

use super::Db;
use crate::{failure::Failure, model, tune};

/// Time to build or run one kernel; the emulator is slow.
const CANDIDATE: Duration = Duration::from_secs(120);
/// Memory of the process that runs it.
const MEMORY: u64 = 16 << 30;

#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    db: Db,
    /// Claims for this target only.
    #[arg(long, value_name = "T")]
    target: Option<String>,
    /// The most schedules, the best of each kernel first.
    #[arg(long, default_value = "100", value_name = "N")]
    limit: NonZeroUsize,
    /// What runs them; otherwise the first device that can, else the emulator.
    #[arg(long, value_name = "cpu|cuda:N|rocm:N|opencl:N|ascend:N|emulator:T")]
    device: Option<Device>,
}

pub fn verify(arguments: &Arguments) -> Result<Report, Failure> {
    let target = arguments.target.as_deref().map(tilewright::target);
    let mut workers = model::workers();
    model::limit(&mut workers, CANDIDATE);
    let options = ClaimOptions {
        target: target.transpose()?,
        device: arguments.device.clone(),
        limit: arguments.limit.get(),
        measure: tune::measuring_program()?,
        limits: Limits {
            time: CANDIDATE,
            memory: ir::Bytes(MEMORY),
        },
        drivers: runtime::cli::drivers(),
        workers,
        by: concat!("tilewright ", env!("CARGO_PKG_VERSION"), " db verify").into(),
    };
    // Only what is there has claims.
    drop(arguments.db.open(Access::Read)?);
    let mut database = arguments.db.open(Access::Write)?;
    let mut progress = model::Progress::new();
    let report = tilewright::verify_claims(&mut database, &options, &mut |i, n| {
        progress.show(&format!("{i} of {n} ..."));
    });
    drop(progress);
    Ok(told(&report?))
}

fn told(report: &ClaimReport) -> Report {
    let count = |of: fn(&Verdict) -> bool| report.claims.iter().filter(|c| of(&c.verdict)).count();
    let right = count(|v| matches!(v, Verdict::Right { .. }));
    let wrong = count(|v| matches!(v, Verdict::Wrong { .. }));
    let unknown = report.claims.len() - right - wrong;
    let mut text = format!(
        "{right} schedules verified, {wrong} wrong, {unknown} not known; {} not looked at\n",
        report.left
    );
    for claim in &report.claims {
        let (word, reason) = match &claim.verdict {
            Verdict::Right { .. } => continue,
            Verdict::Wrong { reason } => ("wrong", reason),
            Verdict::Unknown { reason } => ("not known", reason),
        };
        let workload = claim.workload.get(..12).unwrap_or(&claim.workload);
        text += &format!("  {word}: {} of {workload}: {reason}\n", claim.target);
    }
    for (target, reason) in &report.elsewhere {
        text += &format!("  left: {target}: {reason}\n");
    }
    let elsewhere: Vec<Value> = (report.elsewhere.iter())
        .map(|(target, reason)| json!({ "target": target, "reason": reason }))
        .collect();
    Report {
        text,
        json: json!({
            "verified": right, "wrong": wrong, "unknown": unknown, "left": report.left,
            "claims": report.claims.iter().map(claim).collect::<Vec<_>>(), "elsewhere": elsewhere,
        }),
        passed: wrong + unknown == 0,
    }
}

fn claim(claim: &Claim) -> Value {
    let (verdict, more) = match &claim.verdict {
        Verdict::Right { device, error } => {
            ("verified", json!({ "device": device, "error": error }))
        }
        Verdict::Wrong { reason } => ("wrong", json!({ "reason": reason })),
        Verdict::Unknown { reason } => ("unknown", json!({ "reason": reason })),
    };
    json!({
        "target": claim.target, "workload": claim.workload, "trials": claim.trials,
        "verdict": verdict, "of": more,
    })
}
