//! `explain`: what a run consists of, and why it equals the model.

use std::path::PathBuf;

use clap::Args;
use passes::prove::{self, Proof, ProofError};
use serde_json::{Map, Value, json};
use tilewright::{Explained, import, runtime::cli::Report};

use crate::{
    failure::Failure,
    model::{self, Precision},
    shape::{Shape, spell},
};

#[derive(Args)]
#[command(after_help = "\
Examples:
  tilewright explain all-MiniLM-L6-v2
  tilewright explain config.json --target cpu:znver4 --shape batch=8,seq=128
  tilewright explain all-MiniLM-L6-v2 --check --proofs")]
pub struct Arguments {
    /// A Hugging Face directory, its config.json alone, or a .graph text; weights are not read.
    model: PathBuf,
    /// What it would be compiled for.
    #[arg(long = "target", value_name = "T", default_value = "cpu")]
    targets: Vec<String>,
    /// Sizes of one program; repeat for more. Without: batch 1, and seq 128 or the most the model takes.
    #[arg(long = "shape", value_name = "NAME=SIZE,...")]
    shapes: Vec<Shape>,
    #[command(flatten)]
    precision: Precision,
    /// Replay every proof with the independent checker.
    #[arg(long)]
    check: bool,
    /// Show the proofs whole.
    #[arg(long)]
    proofs: bool,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

pub fn explain(arguments: &Arguments) -> Result<Report, Failure> {
    model::require_sizes(
        &arguments.shapes,
        "kernels are explained at one size: give it",
    )?;
    let options = model::options(&arguments.targets, &arguments.shapes, arguments.precision)?;
    let graph = import::graph_only(&arguments.model)?;
    let mut text = String::new();
    let mut programs = Vec::new();
    let mut passed = true;
    for explained in tilewright::explain(&graph, &options)? {
        let checks: Vec<_> = match arguments.check {
            true => explained.proofs.iter().map(prove::check).collect(),
            false => vec![],
        };
        passed &= checks.iter().all(Result::is_ok);
        describe_kernels(&mut text, &explained);
        describe_proofs(&mut text, &explained.proofs, &checks, arguments.proofs);
        programs.push(as_json(&explained, &checks, arguments));
    }
    Ok(Report {
        text,
        json: json!({
            "model": graph.name(), "passed": passed, "checked": arguments.check, "programs": programs,
        }),
        passed,
    })
}

fn describe_kernels(text: &mut String, e: &Explained) {
    *text += &format!(
        "{} at {}: {} kernels a run, {} distinct\n",
        e.target,
        spell(&e.sizes),
        e.launches.len(),
        e.kernels
    );
    for l in &e.layers {
        *text += &format!("  found {} repeated layers of {} nodes\n", l.times, l.nodes);
    }
    for (i, l) in e.launches.iter().enumerate() {
        *text += &format!("{:4}  {:40}  {}\n", i + 1, l.kernel, l.family);
        if !l.rules.is_empty() {
            *text += &format!("        by {}\n", l.rules.join(", "));
        }
    }
}

fn describe_proofs(
    text: &mut String,
    proofs: &[Proof],
    checks: &[Result<(), ProofError>],
    whole: bool,
) {
    for (i, proof) in proofs.iter().enumerate() {
        let verdict = match checks.get(i) {
            None => String::new(),
            Some(Ok(())) => ", holds".into(),
            Some(Err(e)) => format!(", DOES NOT HOLD: {e}"),
        };
        *text += &format!(
            "  proof about {}: {} steps, {} bytes{verdict}\n",
            proof.about,
            proof.steps.len(),
            bytes(proof)
        );
        if whole {
            *text += &format!("{proof}");
        }
    }
    let count = proofs.len();
    let total: usize = proofs.iter().map(bytes).sum();
    *text += &match checks.iter().filter(|c| c.is_err()).count() {
        _ if checks.is_empty() => format!("{count} proofs, {total} bytes; --check replays them\n"),
        0 => format!("{count} proofs, {total} bytes: the independent checker replayed all\n"),
        wrong => format!("{count} proofs, {total} bytes: {wrong} do not hold\n"),
    };
}

/// The size of a proof as JSON.
fn bytes(proof: &Proof) -> usize {
    serde_json::to_string(proof)
        .expect("plain data becomes JSON")
        .len()
}

fn as_json(e: &Explained, checks: &[Result<(), ProofError>], arguments: &Arguments) -> Value {
    let sizes: Map<String, Value> = e
        .sizes
        .iter()
        .map(|(s, n)| (s.name().into(), json!(n)))
        .collect();
    let layers: Vec<_> = e
        .layers
        .iter()
        .map(|l| json!({ "times": l.times, "nodes": l.nodes }))
        .collect();
    let launches: Vec<_> = e
        .launches
        .iter()
        .map(|l| {
            json!({ "kernel": l.kernel, "family": l.family, "blocks": l.blocks, "rules": l.rules })
        })
        .collect();
    let proofs: Vec<_> = e
        .proofs
        .iter()
        .enumerate()
        .map(|(i, p)| {
            json!({
                "about": p.about, "steps": p.steps.len(), "bytes": bytes(p),
                "holds": checks.get(i).map(Result::is_ok),
                "proof": arguments.proofs.then_some(p),
            })
        })
        .collect();
    json!({
        "target": e.target, "sizes": sizes, "layers": layers, "launches": launches,
        "kernels": e.kernels, "proofs": proofs,
        "proof_bytes": e.proofs.iter().map(bytes).sum::<usize>(),
    })
}
