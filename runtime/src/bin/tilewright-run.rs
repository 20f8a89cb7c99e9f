//! Runs, measures, checks and describes artifacts, on machines without a compiler.

use std::{io::IsTerminal, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use tilewright_runtime::{
    Artifact, WeightChecks,
    cli::{
        BenchOptions, CliError, EmitOptions, InspectOptions, MEASURE_WORKER, MeasureOptions,
        Report, RunOptions, VerifyOptions, bench, devices, drivers, emit, inspect, open, run,
        verify,
    },
    measure,
};

/// Runs artifacts that `tilewright compile` has made.
#[derive(Parser)]
#[command(name = "tilewright-run", version, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 the work failed, 2 wrong usage.\n\n\
    Examples:\n  \
    tilewright-run run model.tw --inputs in.npz --output out.npz\n  \
    tilewright-run bench model.tw --threads 2 --json\n  \
    tilewright-run verify model.tw"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run an artifact once: arrays in, arrays out.
    Run(On<RunOptions>),
    /// Measure how long a run takes.
    Bench(On<BenchOptions>),
    /// Run every kernel against its tile program in f64, and record what was seen.
    Verify(On<VerifyOptions>),
    /// Show targets, kernels, memory and evidence.
    Inspect(On<InspectOptions>),
    /// Write the texts of a target's kernels to files, for other compilers.
    Emit(On<EmitOptions>),
    /// Measure the candidates of a bundle that `tilewright tune --prepare` made.
    Measure {
        /// The bundle, a `.twb` file.
        bundle: PathBuf,
        #[command(flatten)]
        options: MeasureOptions,
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
    /// Measure what standard input asks for, for another process.
    #[command(name = MEASURE_WORKER, hide = true)]
    Worker,
}

/// A command on an artifact.
#[derive(Args)]
struct On<T: Args> {
    /// The artifact, a `.tw` file.
    artifact: PathBuf,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    options: T,
}

fn main() -> ExitCode {
    let (report, json) = match Cli::parse().command {
        Command::Run(c) => (
            open(&c.artifact, &c.options.device).and_then(|a| run(a, &c.options, c.json)),
            c.json,
        ),
        Command::Bench(c) => (
            open(&c.artifact, &c.options.device).and_then(|a| bench(a, &c.options)),
            c.json,
        ),
        Command::Verify(c) => {
            let terminal = std::io::stderr().is_terminal();
            let progress = |kernel: &str| {
                if terminal {
                    eprintln!("checking {kernel}");
                }
            };
            let artifact = open(&c.artifact, &c.options.device);
            (
                artifact.and_then(|a| verify(a, &c.options, progress)),
                c.json,
            )
        }
        Command::Inspect(c) => {
            let artifact = Artifact::open(&c.artifact, WeightChecks::Skip).map_err(CliError::from);
            // Devices and their rates are known to the compiler only.
            let devices = |_: &str| vec![];
            (artifact.map(|a| inspect(&a, &c.options, &devices)), c.json)
        }
        Command::Emit(c) => {
            let artifact = Artifact::open(&c.artifact, WeightChecks::Skip).map_err(CliError::from);
            (artifact.and_then(|a| emit(&a, &c.options)), c.json)
        }
        Command::Measure {
            bundle,
            options,
            json,
        } => {
            let terminal = std::io::stderr().is_terminal();
            let progress = |done: usize, of: usize| {
                if terminal {
                    eprintln!("{done} of {of}");
                }
            };
            let report =
                tilewright_runtime::cli::measure(&bundle, &options, MEASURE_WORKER, progress);
            (report, json)
        }
        Command::Devices { json } => (Ok(devices()), json),
        Command::Worker => return worker(),
    };
    finish(report, json)
}

fn worker() -> ExitCode {
    match measure::serve(&drivers()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

fn finish(report: Result<Report, CliError>, json: bool) -> ExitCode {
    let report = match report {
        Ok(report) => report,
        Err(e) => {
            eprintln!("error: {e}");
            return ExitCode::FAILURE;
        }
    };
    match report.print(json) {
        Ok(()) if report.passed => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("error: standard output: {e}");
            ExitCode::FAILURE
        }
    }
}
