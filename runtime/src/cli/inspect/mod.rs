//! `inspect`: what an artifact holds.

mod kernels;

use std::fmt::Write;

use clap::Args;
use ir::DeviceModel;
use serde_json::{Value, json};

use super::{Report, megabytes};
use crate::{
    Artifact,
    manifest::{Code, Image, Program, SectionKind},
    tensor::type_text,
};

/// What `inspect` shows.
#[derive(Args, Clone, Debug, Default)]
pub struct InspectOptions {
    /// Show each kernel's rules too.
    #[arg(long)]
    pub rules: bool,
}

/// Describes an artifact. `devices` gives the devices that the code of a target is held against.
pub fn inspect(
    artifact: &Artifact,
    options: &InspectOptions,
    devices: &dyn Fn(&str) -> Vec<DeviceModel>,
) -> Report {
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
        let accepted = target.accepted_by.iter();
        let made: Vec<_> = [&target.toolchain].into_iter().chain(accepted).collect();
        let made = made
            .iter()
            .map(|t| t.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        line(&mut out, format_args!("  made by {made}"));
        let devices = devices(&target.target);
        let kernels = kernels::look_up(artifact, target, &devices);
        let mut programs = Vec::new();
        for program in &target.programs {
            describe_program(&mut out, artifact, program);
            let floors = kernels::floors(program, &kernels, devices.len()).unwrap_or_default();
            if !floors.is_empty() {
                let words = floors.iter().zip(&devices);
                let words: Vec<_> = words.map(|(s, d)| kernels::on(*s, d)).collect();
                let words = words.join(", ");
                line(&mut out, format_args!("    {words}, without launches"));
            }
            programs.push(json!({
                "sizes": program.sizes, "steps": program.steps.len(), "arena_bytes": program.arena.0,
                "floors_s": floors,
            }));
        }
        let (evidence, least) = kernels::summary(&kernels);
        line(
            &mut out,
            format_args!("  {} kernels: {evidence}", kernels.len()),
        );
        for kernel in &kernels {
            kernel.describe(&mut out, target, &devices, options);
        }
        let kernels: Vec<_> = kernels.iter().map(|k| k.json(&devices)).collect();
        targets.push(json!({
            "target": target.target, "toolchain": target.toolchain, "accepted_by": target.accepted_by,
            "programs": programs, "kernels": kernels, "least_level": least, "devices": devices,
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

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("strings grow");
}
