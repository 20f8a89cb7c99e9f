//! `compile`: a model into an artifact.

use std::{fs, path::PathBuf, time::Duration};

use clap::Args;
use serde_json::{Map, Value, json};
use tilewright::{Report as Compiled, import, runtime::cli::Report};

use crate::{
    failure::Failure,
    model::{self, Precision, Progress},
    shape::{Shape, spell},
};

#[derive(Args)]
#[command(after_help = "\
Examples:
  tilewright compile all-MiniLM-L6-v2 --target cpu --shape batch=1,seq=128 -o m.tw
  tilewright compile all-MiniLM-L6-v2 --target cpu:znver4 --target cpu:x86-64-v3 -o both.tw
  tilewright compile all-MiniLM-L6-v2 --target cpu --shape batch=1,seq=16 --shape batch=8,seq=128 -o m.tw
  tilewright compile all-MiniLM-L6-v2 --target cpu --dtype f16 -o half.tw")]
pub struct Arguments {
    /// A Hugging Face directory or a .graph text.
    model: PathBuf,
    /// What to compile for, the preferred first; `tilewright targets` lists them, `cpu` is this machine.
    #[arg(long = "target", value_name = "T", required = true)]
    targets: Vec<String>,
    /// Sizes of one program; repeat for more. Without: batch 1, and seq 128 or the most the model takes.
    #[arg(long = "shape", value_name = "NAME=SIZE,...")]
    shapes: Vec<Shape>,
    #[command(flatten)]
    precision: Precision,
    /// The artifact; it appears when it is complete.
    #[arg(short, long, value_name = "OUT.tw")]
    output: PathBuf,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

pub fn compile(arguments: &Arguments) -> Result<Report, Failure> {
    let options = model::options(&arguments.targets, &arguments.shapes, arguments.precision)?;
    let mut progress = Progress::new();
    progress.show("import ...");
    let model = import::load(&arguments.model)?;
    let compiled = tilewright::compile_to(
        &model.graph,
        &model.weights,
        &options,
        &arguments.output,
        &mut |s| progress.stage(s),
    );
    drop(progress);
    Ok(report(arguments, &model.summary, &compiled?))
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
        let sizes: Map<String, Value> = p
            .sizes
            .iter()
            .map(|(s, n)| (s.name().into(), json!(n)))
            .collect();
        programs.push(json!({
            "target": p.target, "sizes": sizes, "launches": p.launches, "arena_bytes": p.arena_bytes,
        }));
    }
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
    Report {
        text,
        json: json!({
            "model": model.model_type, "output": arguments.output, "bytes": bytes,
            "programs": programs, "kernels": compiled.kernels,
            "stages_s": stages, "compile_s": total.as_secs_f64(),
        }),
        passed: true,
    }
}
