//! `tune`: schedules of a model's kernels, by trials on a device.

use std::{
    ffi::OsString,
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use autotune::{
    database::{Access, Database},
    tune::Settings,
};
use clap::Args;
use serde_json::{Value, json};
use tilewright::{
    GraphChoice, GraphsReport, Measuring, Prepared, TuneOptions, TuneReport, import,
    runtime::{self, Device, cli::Report, measure::Limits},
};

use crate::{
    failure::Failure,
    model::{self, Precision},
    progress::Progress,
    shape::{Shape, spell},
};

/// The command that makes this program measure candidates for another run of it.
pub const WORKER: &str = "measure-worker";

/// Candidates that are built at once: LLVM takes longer for one than measuring does, and a search that is told in batches
/// of this size is hardly worse.
const BATCH: usize = 8;
/// Schedules of a kernel that are measured again.
const FINALISTS: usize = 3;

#[derive(Args)]
#[command(after_help = "\
Examples:
  tilewright tune all-MiniLM-L6-v2 --target cpu --trials 200 --db tuned.db --report report.html
  tilewright compile all-MiniLM-L6-v2 --target cpu --db tuned.db -o tuned.tw
  tilewright tune all-MiniLM-L6-v2 --target cuda:sm_90a --trials 500 --prepare bundle.twb
  tilewright-run measure bundle.twb -o results.jsonl      on the machine with the device
  tilewright db import results.jsonl --db tuned.db

Trials are kept as they are made: the same command after an interruption goes on.")]
pub struct Arguments {
    /// A Hugging Face directory or a .graph text.
    model: PathBuf,
    /// What to tune for; `tilewright targets` lists them, `cpu` is this machine.
    #[arg(long, value_name = "T")]
    target: String,
    /// Sizes of one program; repeat for more. Without: batch 1, and seq 128 or the most the model takes.
    #[arg(long = "shape", value_name = "NAME=SIZE,...")]
    shapes: Vec<Shape>,
    #[command(flatten)]
    precision: Precision,
    /// The tuning database; made if there is none.
    #[arg(long = "db", value_name = "F", required_unless_present = "prepare")]
    database: Option<PathBuf>,
    /// Trials in all, those included that this seed has in the database.
    #[arg(long, default_value = "200", value_name = "N")]
    trials: NonZeroUsize,
    /// Begin no more trials after so many seconds.
    #[arg(long, value_name = "S", value_parser = seconds)]
    time_limit: Option<Duration>,
    /// Stop when the search promises less than this part of the model's time, such as 0.002.
    #[arg(long, default_value = "0", value_name = "PART", value_parser = part)]
    least_gain: f64,
    /// Of the search, and of the values that kernels are tried on.
    #[arg(long, default_value = "1", value_name = "N")]
    seed: u64,
    /// Threads that run kernels; otherwise as many as this process may use at once. On processors only.
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// The device; otherwise the first that runs code for the target.
    #[arg(long, value_name = "cpu|cuda:N|rocm:N|opencl:N")]
    device: Option<Device>,
    /// Tune the kernels of all graphs that rewriting finds equal, then choose the graph again by what was measured.
    #[arg(long, conflicts_with = "prepare")]
    graph: bool,
    /// Seconds that building or measuring one candidate may take.
    #[arg(long, default_value = "60", value_name = "S", value_parser = seconds)]
    candidate_limit: Duration,
    /// Megabytes that the process may take which runs a candidate.
    #[arg(long, default_value = "16384", value_name = "MB")]
    memory_limit: u64,
    /// Write candidates to a bundle for a device that is elsewhere, instead of measuring them here.
    #[arg(long, value_name = "OUT.twb", conflicts_with_all = ["report", "device", "time_limit"])]
    prepare: Option<PathBuf>,
    /// Write a page that shows what was tried and what came of it.
    #[arg(long, value_name = "OUT.html")]
    report: Option<PathBuf>,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Seconds above 0, as a time.
fn seconds(text: &str) -> Result<Duration, String> {
    let wanted = || format!("wanted seconds above 0, such as 600, found `{text}`");
    let number: f64 = text.parse().map_err(|_| wanted())?;
    match Duration::try_from_secs_f64(number) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err(wanted()),
    }
}

/// A number from 0 to 1.
fn part(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(part) if (0.0..=1.0).contains(&part) => Ok(part),
        _ => Err(format!(
            "wanted a number from 0 to 1, such as 0.002, found `{text}`"
        )),
    }
}

pub fn tune(arguments: &Arguments) -> Result<Report, Failure> {
    model::require_sizes(&arguments.shapes, "kernels are tuned at one size: give it")?;
    let mut compile = model::options(
        std::slice::from_ref(&arguments.target),
        &arguments.shapes,
        arguments.precision,
    )?;
    model::limit(&mut compile.workers, arguments.candidate_limit);
    let target = compile.targets[0].clone();
    let named = arguments.device.clone();
    let device = named.unwrap_or_else(|| Device::of_target(&target.name));
    let threads = match device {
        Device::Cpu => model::threads(arguments.threads),
        _ => 0,
    };
    let (program, worker) = measuring_program()?;
    let options = TuneOptions {
        compile,
        settings: Settings {
            trials: arguments.trials.get(),
            time_limit: arguments.time_limit,
            least_gain: arguments.least_gain,
            seed: arguments.seed,
            batch: BATCH,
            finalists: FINALISTS,
            threads,
            by: concat!("tilewright ", env!("CARGO_PKG_VERSION")).into(),
        },
        measuring: Measuring {
            program,
            arguments: worker,
            limits: Limits {
                time: arguments.candidate_limit,
                memory: ir::Bytes(arguments.memory_limit << 20),
            },
            device,
            threads: NonZeroUsize::new(threads as usize),
        },
        graphs: arguments.graph,
    };
    let mut bar = Progress::new();
    bar.show("import ...");
    let model = import::load(&arguments.model)?;
    let host = tilewright::host();
    if let Some(path) = &arguments.prepare {
        let known = arguments.database.as_ref();
        let known = known.map(|f| Database::open(f, Access::Read, &host));
        let prepared =
            tilewright::prepare(&model.graph, &options, known.transpose()?.as_ref(), path)?;
        drop(bar);
        return Ok(prepared_report(path, &prepared));
    }
    let path = arguments.database.as_ref().expect("clap requires it");
    let mut database = Database::open(path, Access::Write, &host)?;
    let report = tilewright::tune(
        &model.graph,
        &model.weights,
        &options,
        &mut database,
        &mut |standing| bar.update(standing),
    )?;
    drop(bar);
    if let Some(page) = &arguments.report {
        let data = report.page(&called(&arguments.model), &options, &database)?;
        fs::write(page, autotune::report::page(&data)).map_err(|error| Failure::File {
            path: page.clone(),
            error,
        })?;
    }
    Ok(tuned_report(arguments, &report))
}

/// What a model is called: its folder or file.
fn called(model: &Path) -> String {
    let name = model.canonicalize().ok();
    let name = name.as_deref().and_then(Path::file_stem);
    name.map_or_else(
        || model.display().to_string(),
        |n| n.to_string_lossy().into_owned(),
    )
}

/// This program, and what makes it measure candidates.
pub fn measuring_program() -> Result<(PathBuf, Vec<OsString>), Failure> {
    let program = std::env::current_exe().map_err(|error| Failure::File {
        path: "/proc/self/exe".into(),
        error,
    })?;
    Ok((program, vec![WORKER.into()]))
}

fn prepared_report(path: &Path, prepared: &Prepared) -> Report {
    let Prepared {
        tasks,
        candidates,
        failed,
        bytes,
    } = prepared;
    Report {
        text: format!(
            "{}: {candidates} candidates for {tasks} kernels, {:.1} MB; {failed} schedules have no code\n\
             help: `tilewright-run measure {} -o results.jsonl` measures them, where the device is\n",
            path.display(),
            *bytes as f64 / 1e6,
            path.display()
        ),
        json: json!({
            "output": path, "kernels": tasks, "candidates": candidates, "failed": failed, "bytes": bytes,
        }),
        passed: true,
    }
}

/// `1.26 times as fast: 0.794 of the time, 95 % interval 0.780 to 0.801`
fn gain(ratio: &runtime::measure::Ratio) -> String {
    format!(
        "{:.2} times as fast: {:.3} of the time, 95 % interval {:.3} to {:.3}",
        1.0 / ratio.value,
        ratio.value,
        ratio.low,
        ratio.high
    )
}

fn tuned_report(arguments: &Arguments, report: &TuneReport) -> Report {
    let tuned = &report.tuned;
    let ratio = tuned
        .context
        .as_ref()
        .and_then(|c| runtime::measure::ratio(&c.samples_s, &c.baseline_s));
    let mut text = format!(
        "{} trials for {}\n    space  tried  calls     default  kernel\n",
        tuned.trials, report.place.target
    );
    let mut kernels = Vec::new();
    for (task, t) in report.tasks.iter().zip(&tuned.tasks) {
        let words = match (&t.ratio, t.is_tuned) {
            (Some(r), true) => format!("{:.3} of it ({:.3} to {:.3})", r.value, r.low, r.high),
            _ => "stays".into(),
        };
        let default = t
            .default_s
            .map_or("-".into(), |s| format!("{:.1} us", s * 1e6));
        text += &format!(
            "  {:>7}  {:>5}  {:>5}  {default:>10}  {} ({}): {words}\n",
            t.space, t.tried, task.calls, task.kernel.name, task.workload.family
        );
        kernels.push(json!({
            "kernel": task.kernel.name, "family": task.workload.family, "sizes": task.workload.sizes,
            "workload": task.workload.meaning, "calls": task.calls, "space": t.space, "tried": t.tried,
            "default_s": t.default_s, "tuned": t.is_tuned, "schedule": t.schedule,
            "ratio": t.ratio.as_ref().map(interval),
        }));
    }
    for note in &report.notes {
        text += &format!("note: {note}\n");
    }
    if let Some(graphs) = &report.graphs {
        text += &graphs_text(graphs);
    }
    text += &match (&ratio, tuned.tasks.iter().any(|t| t.is_tuned)) {
        (Some(r), true) => format!("the model is {}\n", gain(r)),
        (_, false) => "the defaults stay: nothing was faster by more than the noise\n".into(),
        (None, true) => "the device tells no times of a whole run\n".into(),
    };
    if let Some(database) = &arguments.database {
        text += &format!(
            "help: `tilewright compile {} --target {} --db {} -o OUT.tw` uses them\n",
            arguments.model.display(),
            arguments.target,
            database.display()
        );
    }
    Report {
        text,
        json: json!({
            "target": report.place.target, "trials": tuned.trials, "seed": arguments.seed,
            "kernels": kernels, "ratio": ratio.as_ref().map(interval),
            "notes": report.notes,
            "graphs": report.graphs.as_ref().map(graphs_json),
        }),
        passed: true,
    }
}

/// What was chosen of several graphs, a line for each program.
fn graphs_text(graphs: &GraphsReport) -> String {
    let mut text = format!("{} distinct kernels of all equal graphs\n", graphs.kernels);
    for (before, after) in graphs.before.iter().zip(&graphs.after) {
        let sizes = spell(&after.sizes);
        let launches = |choice: &GraphChoice| choice.graphs[choice.chosen].launches;
        text += &match after.chosen == before.chosen {
            true => format!(
                "  {sizes}: of {} graphs the same one stays, {} launches\n",
                after.graphs.len(),
                launches(after)
            ),
            false => format!(
                "  {sizes}: another of {} graphs, {} launches instead of {}, {:.1} % less time by the sum of its kernels\n",
                after.graphs.len(),
                launches(after),
                launches(before),
                100.0 * after.gain()
            ),
        };
    }
    text
}

fn graphs_json(graphs: &GraphsReport) -> Value {
    let one = |choice: &GraphChoice| {
        let times = choice.graphs.iter().map(|g| {
            json!({
                "launches": g.launches, "kernels": g.kernels, "measured": g.measured, "seconds": g.seconds,
            })
        });
        json!({ "chosen": choice.chosen, "gain": choice.gain(), "graphs": times.collect::<Vec<_>>() })
    };
    let all = |choices: &[GraphChoice]| choices.iter().map(one).collect::<Vec<_>>();
    json!({ "kernels": graphs.kernels, "before": all(&graphs.before), "after": all(&graphs.after) })
}

fn interval(ratio: &runtime::measure::Ratio) -> Value {
    json!({ "value": ratio.value, "low": ratio.low, "high": ratio.high })
}
