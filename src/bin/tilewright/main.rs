//! Compiles models, and runs, measures, checks and explains what was compiled.
//!
//! Commands that need no compiler are those of `tilewright-run` (see `runtime::cli`); this program lets them take
//! a model too, which is compiled in memory first.

mod compile;
mod db;
mod emit;
mod explain;
mod failure;
mod model;
mod on_artifact;
mod progress;
mod shape;
mod targets;
mod text;
mod tune;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use tilewright::runtime::cli::{self, Report};

use failure::Failure;

/// Compiles transformer models for many kinds of hardware, and runs what it compiled.
#[derive(Parser)]
#[command(name = "tilewright", version, arg_required_else_help = true)]
#[command(after_help = "\
MODEL is a Hugging Face directory (config.json and safetensors) or a .graph text.

Examples:
  tilewright compile all-MiniLM-L6-v2 --target cpu --shape batch=1,seq=128 -o m.tw
  tilewright run m.tw --inputs in.npz --output out.npz
  tilewright explain all-MiniLM-L6-v2 --check

Exit codes: 0 done, 1 the work failed, 2 wrong usage.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compile a model into an artifact.
    Compile(compile::Arguments),
    /// Write an artifact's kernels as files, in OpenCL C, HIP or SPIR-V.
    Emit(emit::Arguments),
    /// Run an artifact or a model once: arrays in, arrays out.
    Run(on_artifact::Run),
    /// Measure how long a run takes.
    Bench(on_artifact::Bench),
    /// Run every kernel against its tile program in f64, and record what was seen.
    Verify(on_artifact::Verify),
    /// Show where the time of a run goes, and what would make it faster.
    Profile(on_artifact::Profile),
    /// Show which kernels a run has, which rules made them, and the proofs.
    Explain(explain::Arguments),
    /// Show an artifact's targets, kernels, memory and evidence.
    Inspect(on_artifact::Inspect),
    /// Find faster schedules for a model's kernels, by trials on a device.
    Tune(tune::Arguments),
    /// Look into a tuning database, share it, tidy it.
    Db(db::Arguments),
    /// List what models can be compiled for.
    Targets {
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
    /// List what artifacts can run on here.
    Devices {
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Generate code as standard input asks, for another process.
    #[command(name = model::WORKER, hide = true)]
    Worker,
    /// Measure candidates as standard input asks, for another process.
    #[command(name = tune::WORKER, hide = true)]
    MeasureWorker,
}

fn main() -> ExitCode {
    let (report, json) = match Cli::parse().command {
        Command::Compile(a) => (compile::compile(&a), a.json),
        Command::Emit(a) => (emit::emit(&a), a.json),
        Command::Run(a) => (on_artifact::run(&a), a.json),
        Command::Bench(a) => (on_artifact::bench(&a), a.json),
        Command::Verify(a) => (on_artifact::verify(&a), a.json),
        Command::Profile(a) => (on_artifact::profile(&a), a.json),
        Command::Explain(a) => (explain::explain(&a), a.json),
        Command::Inspect(a) => (on_artifact::inspect(&a), a.json),
        Command::Tune(a) => (tune::tune(&a), a.json),
        Command::Db(a) => (db::db(&a), a.json),
        Command::Targets { json } => (Ok(targets::targets()), json),
        Command::Devices { json } => (Ok(cli::devices()), json),
        Command::Worker => return worker(),
        Command::MeasureWorker => return measure_worker(),
    };
    finish(report, json)
}

fn worker() -> ExitCode {
    match backends::cpu::serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn measure_worker() -> ExitCode {
    match tilewright::runtime::measure::serve(&cli::drivers()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn finish(report: Result<Report, Failure>, json: bool) -> ExitCode {
    let (message, code) = match report {
        Ok(report) => match report.print(json) {
            Ok(()) if report.passed => return ExitCode::SUCCESS,
            Ok(()) => return ExitCode::FAILURE,
            Err(e) => (format!("standard output: {e}"), ExitCode::FAILURE),
        },
        Err(e) => (e.to_string(), e.exit_code()),
    };
    // With standard error closed there is nobody left to tell.
    let _ = writeln!(io::stderr(), "error: {message}");
    code
}
