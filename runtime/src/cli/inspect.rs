//! `inspect`: what an artifact holds.

use std::fmt::Write;

use clap::Args;
use serde_json::{Value, json};

use super::{Report, megabytes};
use crate::{
    Artifact,
    evidence::{best, kernel_hash},
    manifest::{Code, Image, KernelId, Launch, Program, SectionKind, TargetCode},
    tensor::type_text,
};

/// What `inspect` shows.
#[derive(Args, Clone, Debug, Default)]
pub struct InspectOptions {
    /// Show each kernel's rules too.
    #[arg(long)]
    pub rules: bool,
}

/// Describes an artifact.
pub fn inspect(artifact: &Artifact, options: &InspectOptions) -> Report {
    let m = artifact.manifest();
    let weights = artifact
        .sections()
        .iter()
        .filter(|s| s.kind == SectionKind::Weights);
    let weights: u64 = weights.map(|s| s.len).sum();
    let mut out = String::new();
    let mut targets = Vec::new();
    line(
        &mut out,
        format_args!("{}, written by {}", m.model, m.producer),
    );
    line(
        &mut out,
        format_args!(
            "{} in all, {} of weights; identity {}",
            megabytes(artifact.len()),
            megabytes(weights),
            artifact.identity()
        ),
    );
    for target in &m.targets {
        let (code, code_json) = describe_code(&target.code);
        line(&mut out, format_args!("\ntarget {} {code}", target.target));
        line(&mut out, format_args!("  made by {}", target.toolchain));
        for program in &target.programs {
            describe_program(&mut out, artifact, program);
        }
        let kernels = describe_kernels(&mut out, artifact, target, options);
        let programs: Vec<_> = target
            .programs
            .iter()
            .map(|p| json!({ "sizes": p.sizes, "steps": p.steps.len(), "arena_bytes": p.arena.0 }))
            .collect();
        targets.push(json!({
            "target": target.target, "toolchain": target.toolchain,
            "programs": programs, "kernels": kernels,
        }));
        merge(&mut targets, code_json);
    }
    let json = json!({
        "model": m.model, "producer": m.producer, "identity": artifact.identity(),
        "bytes": artifact.len(), "weight_bytes": weights,
        "inputs": m.inputs, "outputs": m.outputs, "targets": targets,
    });
    Report {
        text: out,
        json,
        passed: true,
    }
}

/// What the code is and needs, for people and for programs.
fn describe_code(code: &Code) -> (String, Value) {
    match code {
        Code::Elf(elf) => {
            let needs = match elf.requires.is_empty() {
                true => "nothing".into(),
                false => elf.requires.join(", "),
            };
            let json = json!({
                "code": "elf", "arch": elf.arch, "requires": elf.requires, "vector_bytes": elf.vector.0,
            });
            (format!("({}), needs {needs}", elf.arch), json)
        }
        Code::Source(source) => {
            let (language, lanes) = (source.language, source.lanes);
            let json = json!({ "code": language, "arch": source.arch, "lanes": lanes });
            let device = match source.arch.as_str() {
                "" => "any device",
                arch => arch,
            };
            let name = language.name();
            if !language.has_lanes() {
                return (format!("({name}), for {device}"), json);
            }
            (format!("({name}, warps of {lanes}), for {device}"), json)
        }
        Code::Image(Image { arch, lanes }) => {
            let json = json!({ "code": "image", "arch": arch, "lanes": lanes });
            (
                format!("(machine code, warps of {lanes}), for {arch}"),
                json,
            )
        }
    }
}

/// Adds the fields of an object to the last of a list.
fn merge(all: &mut [Value], more: Value) {
    if let (Some(Value::Object(last)), Value::Object(more)) = (all.last_mut(), more) {
        last.extend(more);
    }
}

fn describe_program(out: &mut String, artifact: &Artifact, program: &Program) {
    let m = artifact.manifest();
    let sizes: Vec<_> = program
        .sizes
        .iter()
        .map(|(n, s)| format!("{n}={s}"))
        .collect();
    line(
        out,
        format_args!(
            "  program {}: {} kernels, {} of activations",
            sizes.join(","),
            program.steps.len(),
            megabytes(program.arena.0)
        ),
    );
    let ports = |names: Vec<_>, shapes: &[Vec<u64>]| -> String {
        let each = names.into_iter().zip(shapes).map(|((name, dtype), shape)| {
            let shape: Vec<_> = shape.iter().map(|n| *n as usize).collect();
            format!("{name} {}", type_text(dtype, &shape))
        });
        each.collect::<Vec<_>>().join(", ")
    };
    let inputs = m.inputs.iter().map(|i| (&i.name, i.dtype)).collect();
    let outputs = m.outputs.iter().map(|o| (&o.name, o.dtype)).collect();
    line(
        out,
        format_args!("    from {}", ports(inputs, &program.input_shapes)),
    );
    line(
        out,
        format_args!("    to   {}", ports(outputs, &program.output_shapes)),
    );
}

fn describe_kernels(
    out: &mut String,
    artifact: &Artifact,
    target: &TargetCode,
    options: &InspectOptions,
) -> Vec<Value> {
    let mut all = Vec::new();
    for (i, kernel) in (0..).zip(&target.kernels) {
        let hash = kernel_hash(artifact, target, KernelId(i));
        let record = best(artifact.evidence(), &hash);
        let evidence = record.map_or("no evidence: see `tilewright verify`".into(), |r| {
            let error = r
                .max_error
                .map(|e| format!(", max error {e:.1e}"))
                .unwrap_or_default();
            format!("{} by {} on {}{error}", r.level.name(), r.tool, r.device)
        });
        line(
            out,
            format_args!(
                "  kernel {:40} {:12} {:>6} blocks, {:.3} GFLOP, {}",
                kernel.name,
                kernel.family,
                kernel.blocks,
                kernel.flops.0 as f64 / 1e9,
                megabytes(kernel.bytes.0)
            ),
        );
        if let Some(launch) = &kernel.launch {
            let (threads, shared) = (launch.threads, launch.shared.0);
            let takes = launch.takes.map_or_else(String::new, |t| {
                format!(", {} registers, {} spilled", t.registers, t.spills)
            });
            match launch.lane {
                Some(_) => line(
                    out,
                    format_args!(
                        "    {threads} lanes a block, {shared} bytes of shared memory{takes}"
                    ),
                ),
                // The text says for what it is, and what it takes.
                None => head(artifact, launch)
                    .iter()
                    .for_each(|text| line(out, format_args!("    {text}"))),
            }
        }
        line(out, format_args!("    {evidence}"));
        if options.rules && !kernel.rules.is_empty() {
            line(out, format_args!("    by {}", kernel.rules.join(", ")));
        }
        all.push(json!({
            "name": kernel.name, "symbol": kernel.symbol, "family": kernel.family,
            "blocks": kernel.blocks, "scratch_bytes": kernel.scratch.0, "flops": kernel.flops.0,
            "bytes": kernel.bytes.0, "rules": kernel.rules, "meaning": kernel.meaning, "evidence": record,
            "threads": kernel.launch.as_ref().map(|l| l.threads),
            "shared_bytes": kernel.launch.as_ref().map(|l| l.shared.0),
            "takes": kernel.launch.as_ref().and_then(|l| l.takes),
            "head": kernel.launch.as_ref().filter(|l| l.lane.is_none()).map(|l| head(artifact, l)),
        }));
    }
    all
}

/// The comments that a text begins with.
fn head(artifact: &Artifact, launch: &Launch) -> Vec<String> {
    let text = String::from_utf8_lossy(artifact.kernel_code(launch));
    let lines = text.lines().map_while(|l| l.strip_prefix("//"));
    lines.map(|l| l.trim_start().to_owned()).collect()
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("strings grow");
}
