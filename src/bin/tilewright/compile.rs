//! `compile`: a model into an artifact.

use std::{collections::BTreeMap, fs, num::NonZeroUsize, path::PathBuf, time::Duration};

use autotune::database::{Access, Database};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};
use tilewright::{
    Decide, Defaults, FromDatabase, KernelReport, Lock, LockWriter, Report as Compiled, Source,
    import,
    runtime::{cli::Report, measure::Ratio},
};

use crate::{
    failure::Failure,
    model::{self, Kv, Precision, Progress},
    shape::{Shape, spell},
};

#[derive(Args)]
#[command(after_help = "\
Examples:
  tilewright compile all-MiniLM-L6-v2 --target cpu --shape batch=1,seq=128 -o m.tw
  tilewright compile all-MiniLM-L6-v2 --target cpu:znver4 --target cpu:x86-64-v3 -o both.tw
  tilewright compile all-MiniLM-L6-v2 --target cpu --shape batch=1,seq=16 --shape batch=8,seq=128 -o m.tw
  tilewright compile all-MiniLM-L6-v2 --target cpu --shape batch=1..8,seq=1..512 -o any.tw
  tilewright compile all-MiniLM-L6-v2 --target cpu --dtype f16 -o half.tw
  tilewright compile Llama-3.2-1B --target cpu --task generate --shape prompt=128,context=4096 -o gen.tw
  tilewright compile all-MiniLM-L6-v2 --target cpu --db tuned.db --threads 2 --lock m.lock -o m.tw
  tilewright compile all-MiniLM-L6-v2 --target cpu --locked m.lock -o same.tw")]
pub struct Arguments {
    /// A Hugging Face directory or a .graph text.
    model: PathBuf,
    /// What to compile for, the preferred first; `tilewright targets` lists them, `cpu` is this machine.
    #[arg(long = "target", value_name = "T", required = true)]
    targets: Vec<String>,
    /// What the artifact is for: `run` takes all inputs in each run; `generate` continues texts, and remembers their tokens.
    #[arg(long, value_enum, default_value_t = For::Run)]
    task: For,
    /// Sizes of one program; repeat for more. Without: batch 1, and seq 128 or the most the model takes. To generate:
    /// batch, prompt (tokens of a run that reads) and context (tokens in all); without: 1, 128 and 2048, or the most. Of a
    /// range, NAME=MIN..MAX, each run chooses its size: there are programs for the largest size and its halves, and the
    /// smallest that has room runs.
    #[arg(long = "shape", value_name = "NAME=SIZE,...")]
    shapes: Vec<Shape>,
    /// How keys and values are kept, to generate: `contiguous`, or `paged:N`, in pages of N tokens that texts share; then
    /// --shape takes `pages`, how many there are in all.
    #[arg(
        long,
        value_name = "contiguous|paged:N",
        default_value = "contiguous",
        hide_default_value = true
    )]
    kv: Kv,
    #[command(flatten)]
    precision: Precision,
    /// Take schedules that were measured to be better than the defaults from this tuning database.
    #[arg(long = "db", value_name = "F")]
    database: Option<PathBuf>,
    /// Threads that will run it, on a processor: those of the trials that count. Without: as many as this process may use.
    #[arg(long, value_name = "N", requires = "database")]
    threads: Option<NonZeroUsize>,
    /// Write all decisions to a lock file.
    #[arg(long, value_name = "F", conflicts_with = "locked")]
    lock: Option<PathBuf>,
    /// Decide as this lock file says, and nothing else; `--target cpu` is its processor.
    #[arg(long, value_name = "F", conflicts_with = "database")]
    locked: Option<PathBuf>,
    /// The artifact; it appears when it is complete.
    #[arg(short, long, value_name = "OUT.tw")]
    output: PathBuf,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// What an artifact is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum For {
    Run,
    Generate,
}

pub fn compile(arguments: &Arguments) -> Result<Report, Failure> {
    // What decides is looked into before anything takes long.
    let lock = match &arguments.locked {
        Some(path) => Some((Lock::read(path)?, path)),
        None => None,
    };
    let lock_writer = match &arguments.lock {
        Some(path) => Some(LockWriter::create(path)?),
        None => None,
    };
    let locked = lock.as_ref().map(|(lock, path)| lock.decide(path));
    let database = match &arguments.database {
        Some(path) => Some(Database::open(path, Access::Read, &tilewright::host())?),
        None => None,
    };
    let from_database = database.as_ref().map(|database| FromDatabase {
        database,
        threads: model::threads(arguments.threads),
    });
    let decide: &dyn Decide = match (&locked, &from_database) {
        (Some(locked), _) => locked,
        (None, Some(from_database)) => from_database,
        (None, None) => &Defaults,
    };
    let targets: Vec<String> = match &locked {
        Some(locked) => {
            let names = arguments.targets.iter().map(|name| locked.target(name));
            names
                .map(|name| name.map(String::from))
                .collect::<Result<_, _>>()?
        }
        None => arguments.targets.clone(),
    };
    let mut options = model::options(&targets, &arguments.shapes, arguments.precision)?;
    let mut progress = Progress::new();
    progress.show("import ...");
    let model = match arguments.task {
        For::Run if arguments.kv != Kv::Contiguous => return Err(Failure::PagesOfRun),
        For::Run => import::load(&arguments.model)?,
        For::Generate => {
            let model = import::load_for(&arguments.model, arguments.kv.task())?;
            model::generating(
                &mut options,
                &arguments.model,
                (&model.graph, arguments.kv),
                &arguments.shapes,
            )?;
            model
        }
    };
    if let Some(locked) = &locked {
        locked.require(model.graph.name(), options.storage)?;
    }
    let compiled = tilewright::compile_by(
        &model.graph,
        &model.weights,
        &options,
        decide,
        &arguments.output,
        &mut |s| progress.stage(s),
    );
    drop(progress);
    let compiled = compiled?;
    if let Some(writer) = lock_writer {
        writer.finish(&Lock::of(model.graph.name(), &options, &compiled))?;
    }
    Ok(report(arguments, &model.summary, &compiled))
}

/// The matrices that are stored in few bits, in words and each by itself.
fn quantized(compiled: &Compiled) -> (String, Vec<Value>) {
    let all = &compiled.quantized;
    let each = all.iter().map(
        |m| json!({ "weight": m.name, "error": m.error, "bytes": m.bytes, "elements": m.elements }),
    );
    let Some(worst) = all.iter().max_by(|a, b| a.error.total_cmp(&b.error)) else {
        return (String::new(), vec![]);
    };
    let bytes: usize = all.iter().map(|m| m.bytes).sum();
    let elements: usize = all.iter().map(|m| m.elements).sum();
    let text = format!(
        "  {} matrices in {:.2} MB, {:.3} of bf16; products are off by {:.4} at most (`{}`), relative to f32, root mean square\n",
        all.len(),
        bytes as f64 / 1e6,
        bytes as f64 / (2 * elements) as f64,
        worst.error,
        worst.name
    );
    (text, each.collect())
}

fn report(arguments: &Arguments, model: &import::Summary, compiled: &Compiled) -> Report {
    let bytes = fs::metadata(&arguments.output).map_or(0, |m| m.len());
    let total: Duration = compiled.stages.iter().map(|(_, t)| *t).sum();
    let mut text = format!(
        "{}: {}, {:.1} MB\n",
        arguments.output.display(),
        model.model_type,
        bytes as f64 / 1e6
    );
    let mut programs = Vec::new();
    for p in &compiled.programs {
        text += &format!(
            "  {} at {}: {} kernels a run, {:.2} MB of activations\n",
            p.target,
            spell(&p.sizes),
            p.launches,
            p.arena_bytes as f64 / 1e6
        );
        if p.other_graph {
            text += "    another of the equal graphs than the roofline's is taken\n";
        }
        let sizes: Map<String, Value> = p
            .sizes
            .iter()
            .map(|(s, n)| (s.name().into(), json!(n)))
            .collect();
        programs.push(json!({
            "target": p.target, "sizes": sizes, "launches": p.launches, "arena_bytes": p.arena_bytes,
            "graph": p.graph, "other_graph": p.other_graph,
        }));
    }
    let (quantized, matrices) = quantized(compiled);
    text += &quantized;
    let stages = compiled
        .stages
        .iter()
        .map(|(s, t)| format!("{} {:.2} s", s.name(), t.as_secs_f64()));
    text += &format!(
        "  {} distinct kernels; {:.2} s: {}\n",
        compiled.kernels,
        total.as_secs_f64(),
        stages.collect::<Vec<_>>().join(", ")
    );
    let stages: Map<String, Value> = compiled
        .stages
        .iter()
        .map(|(s, t)| (s.name().into(), json!(t.as_secs_f64())))
        .collect();
    let schedules: Vec<Value> = compiled.decisions.iter().map(schedule).collect();
    if arguments.database.is_some() || arguments.locked.is_some() {
        text += &sources(&compiled.decisions);
    }
    Report {
        text,
        json: json!({
            "model": model.model_type, "output": arguments.output, "bytes": bytes,
            "programs": programs, "quantized": matrices, "kernels": compiled.kernels, "schedules": schedules,
            "stages_s": stages, "compile_s": total.as_secs_f64(),
        }),
        passed: true,
    }
}

/// How many schedules come from where, and where each comes from.
fn sources(all: &[KernelReport]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for d in all {
        *counts.entry(d.decision.source.name()).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(s, n)| format!("{n} {s}")).collect();
    let mut text = format!("  schedules: {}\n", counts.join(", "));
    for d in all {
        let of_default = |ratio: &Ratio, trial: &str| {
            format!(
                ": {:.3} of the default's time ({:.3} to {:.3}), trial {}",
                ratio.value,
                ratio.low,
                ratio.high,
                short(trial)
            )
        };
        let words = match &d.decision.source {
            Source::Tuned {
                trial,
                verified_by,
                ratio,
            } => of_default(ratio, trial) + &format!(", verified on {verified_by}"),
            Source::Predicted { trial, of, ratio } => {
                of_default(ratio, trial) + &format!(" of workload {}", short(of))
            }
            Source::Default | Source::Given | Source::Locked => String::new(),
        };
        let (name, source) = (&d.kernel, d.decision.source.name());
        text += &format!("    {} {name}: {source}{words}\n", d.target);
    }
    text
}

/// The beginning of a hash.
fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

fn schedule(d: &KernelReport) -> Value {
    let mut value = json!({
        "target": d.target, "kernel": d.kernel, "workload": d.meaning,
        "source": d.decision.source.name(), "schedule": d.decision.schedule,
    });
    let interval = |r: &Ratio| json!({ "value": r.value, "low": r.low, "high": r.high });
    match &d.decision.source {
        Source::Tuned {
            trial,
            verified_by,
            ratio,
        } => {
            value["trial"] = json!(trial);
            value["verified_by"] = json!(verified_by);
            value["ratio"] = interval(ratio);
        }
        Source::Predicted { trial, of, ratio } => {
            value["trial"] = json!(trial);
            value["of"] = json!(of);
            value["ratio"] = interval(ratio);
        }
        Source::Default | Source::Given | Source::Locked => {}
    }
    value
}
