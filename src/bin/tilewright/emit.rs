//! `emit`: the kernels of an artifact as files, for who builds and launches them by other means.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use tilewright::{
    Emitted, Language,
    runtime::{
        Artifact, WeightChecks,
        cli::{self, CliError, EmitOptions, Report},
        manifest::{BufferRef, SectionKind, TargetCode},
    },
};

use crate::{failure::Failure, model};

#[derive(Args)]
#[command(after_help = "\
Examples:
  tilewright emit m.tw --target ascend:910B3 -o m.ascend
  tilewright emit m.tw --target opencl:gfx936 --as hip -o kernels
  tilewright emit m.tw --target opencl --as spirv -o modules

Without --as, DIR gets the texts that the artifact holds: PTX, OpenCL C, or what CANN compiles. With it, kernels are printed
anew, and beside them stands launches.json: how each is launched, and the order of a run.")]
pub struct Arguments {
    /// The artifact, a .tw file.
    artifact: PathBuf,
    #[command(flatten)]
    options: EmitOptions,
    /// What to print kernels of many lanes in.
    #[arg(long = "as", value_enum)]
    language: Option<Form>,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// What to write kernels in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// OpenCL C 1.2.
    Opencl,
    /// HIP source, for hipcc.
    Hip,
    /// SPIR-V, for clCreateProgramWithIL.
    Spirv,
}

pub fn emit(a: &Arguments) -> Result<Report, Failure> {
    let artifact = Artifact::open(&a.artifact, WeightChecks::Skip).map_err(CliError::from)?;
    match a.language {
        None => Ok(cli::emit(&artifact, &a.options)?),
        Some(form) => print(&artifact, &a.options, form),
    }
}

/// Prints kernels anew.
fn print(artifact: &Artifact, a: &EmitOptions, form: Form) -> Result<Report, Failure> {
    let language = match form {
        Form::Opencl => Language::OpenClC,
        Form::Hip => Language::Hip,
        Form::Spirv => Language::SpirV,
    };
    if a.output.exists() {
        return Err(CliError::FolderExists {
            path: a.output.clone(),
        }
        .into());
    }
    let all = tilewright::emit(artifact, &a.target, language, &model::workers())?;
    let targets = &artifact.manifest().targets;
    let code = targets.iter().find(|t| t.target == a.target);
    let code = code.expect("its kernels were written");
    let launches = launches(artifact, code, &all, language);
    write(&a.output, code, &all, language, &launches).map_err(|error| Failure::File {
        path: a.output.clone(),
        error,
    })?;
    let (count, folder) = (all.len(), a.output.display());
    Ok(Report {
        text: format!(
            "{folder}: {count} kernels for {} in {}, and launches.json\n",
            a.target,
            language.name()
        ),
        json: json!({
            "output": a.output, "target": a.target, "language": language.name(), "kernels": count,
        }),
        passed: true,
    })
}

fn file(symbol: &str, language: Language) -> String {
    format!("{symbol}.{}", language.extension())
}

/// Writes beside the folder's place, then moves there.
fn write(
    folder: &Path,
    code: &TargetCode,
    all: &[Emitted],
    language: Language,
    launches: &Value,
) -> io::Result<()> {
    let mut partial = folder.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let write = || {
        fs::create_dir_all(&partial)?;
        for (kernel, emitted) in code.kernels.iter().zip(all) {
            let path = partial.join(file(&kernel.symbol, language));
            fs::write(path, &emitted.code)?;
        }
        let text = format!("{launches:#}\n");
        fs::write(partial.join("launches.json"), text)?;
        fs::rename(&partial, folder)
    };
    write().inspect_err(|_| {
        // What cannot be removed is what the error is about.
        drop(fs::remove_dir_all(&partial));
    })
}

/// All that a host program needs: see `docs/opencl.md`.
fn launches(artifact: &Artifact, code: &TargetCode, all: &[Emitted], language: Language) -> Value {
    let manifest = artifact.manifest();
    let kernels = code.kernels.iter().zip(all).map(|(kernel, emitted)| {
        let threads = kernel.launch.as_ref().map_or(0, |l| l.threads);
        let params = kernel.params.iter().map(|p| {
            json!({
                "dtype": p.dtype, "elements": p.len, "bytes": p.len * p.dtype.size() as u64, "written": p.written,
            })
        });
        json!({
            "symbol": kernel.symbol, "name": kernel.name, "file": file(&kernel.symbol, language),
            "options": emitted.options, "blocks": kernel.blocks, "threads": threads,
            "params": params.collect::<Vec<_>>(),
        })
    });
    let programs = code.programs.iter().map(|program| {
        let steps = program.steps.iter().map(|step| {
            let args: Vec<Value> = step.args.iter().map(buffer).collect();
            let symbol = &code.kernels[step.kernel.0 as usize].symbol;
            json!({ "kernel": symbol, "args": args })
        });
        json!({
            "sizes": program.sizes, "input_shapes": program.input_shapes, "output_shapes": program.output_shapes,
            "arena_bytes": program.arena.0, "steps": steps.collect::<Vec<_>>(),
        })
    });
    let sections = artifact.sections().iter().enumerate();
    let weights = sections.filter(|(_, s)| s.kind == SectionKind::Weights);
    let weights =
        weights.map(|(i, s)| json!({ "section": i, "file_offset": s.offset, "bytes": s.len }));
    json!({
        "model": manifest.model, "target": code.target, "language": language.name(),
        "artifact": artifact.path(), "inputs": manifest.inputs,
        "outputs": manifest.outputs,
        "weights": weights.collect::<Vec<_>>(),
        "kernels": kernels.collect::<Vec<_>>(), "programs": programs.collect::<Vec<_>>(),
    })
}

fn buffer(buffer: &BufferRef) -> Value {
    match buffer {
        BufferRef::Weight {
            section,
            offset,
            len,
        } => json!({ "weight": section.0, "offset": offset, "bytes": len }),
        BufferRef::Arena { offset, len } => json!({ "arena": offset, "bytes": len }),
        BufferRef::Input(at) => json!({ "input": at }),
        BufferRef::Output(at) => json!({ "output": at }),
    }
}
