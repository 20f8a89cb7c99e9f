//! Commands on artifacts, and on models compiled for the moment.

use std::path::{Path, PathBuf};

use clap::Args;
use ir::{DeviceModel, Symbol};
use tilewright::runtime::{
    Artifact, Device, WeightChecks,
    cli::{
        self, BenchOptions, DeviceOptions, InspectOptions, ProfileOptions, Report, RunOptions,
        VerifyOptions,
    },
    release_code,
};

use crate::{
    failure::Failure,
    model::{self, Precision, Progress},
    shape::Shape,
    text,
};

#[derive(Args)]
#[command(after_help = "\
Examples:
  tilewright run m.tw --inputs in.npz --output out.npz
  tilewright run all-MiniLM-L6-v2 --inputs in.npz --threads 2 --json
  tilewright run gen.tw --prompt \"Once upon a time\" --max-tokens 50 --temperature 0.8 --top-p 0.95 --seed 1

in.npz is what numpy.savez(\"in.npz\", input_ids=..., attention_mask=...) writes, as int64.")]
pub struct Run {
    /// A .tw file, or a model, which is compiled in memory.
    artifact: PathBuf,
    /// Sizes that a model is compiled for; otherwise those of the arrays given.
    #[arg(long, value_name = "NAME=SIZE,...")]
    shape: Option<Shape>,
    #[command(flatten)]
    precision: Precision,
    #[command(flatten)]
    options: RunOptions,
    /// Continue this text, by a decoder that was compiled with `--task generate`, or a model's directory.
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["inputs", "prompt_ids"])]
    prompt: Option<String>,
    /// The tokenizer.json of the model; without, that of its directory, or the artifact's.
    #[arg(long, value_name = "FILE", requires = "prompt")]
    tokenizer: Option<PathBuf>,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  tilewright bench m.tw --threads 2 --json
  tilewright bench all-MiniLM-L6-v2 --shape batch=8,seq=128 --runs 100")]
pub struct Bench {
    /// A .tw file, or a model, which is compiled in memory.
    artifact: PathBuf,
    #[command(flatten)]
    precision: Precision,
    #[command(flatten)]
    options: BenchOptions,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  tilewright profile m.tw --threads 2
  tilewright profile m.tw --trace run.json")]
pub struct Profile {
    /// The artifact, a .tw file.
    artifact: PathBuf,
    #[command(flatten)]
    options: ProfileOptions,
    /// Hold kernels against this device, such as cuda:h200; otherwise against that which schedules are chosen for.
    #[arg(long, value_name = "DEVICE")]
    roofline: Option<String>,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  tilewright verify m.tw
  tilewright verify m.tw --no-record --json")]
pub struct Verify {
    /// The artifact, a .tw file.
    artifact: PathBuf,
    #[command(flatten)]
    options: VerifyOptions,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  tilewright inspect m.tw
  tilewright inspect m.tw --rules
  tilewright inspect m.tw --roofline cuda:h200")]
pub struct Inspect {
    /// The artifact, a .tw file.
    artifact: PathBuf,
    #[command(flatten)]
    options: InspectOptions,
    /// Hold the code of its target against this device, such as cuda:h200; otherwise against all that are known.
    #[arg(long = "roofline", value_name = "DEVICE")]
    rooflines: Vec<String>,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

pub fn run(a: &Run) -> Result<Report, Failure> {
    let continues = a.prompt.is_some() || a.options.generate.prompt_ids.is_some();
    let artifact = match (model::is_model(&a.artifact), &a.shape) {
        (true, shape) if continues => {
            let device = &a.options.device.device;
            model::compile_to_generate(device, &a.artifact, shape.as_ref(), a.precision)?
        }
        (true, shape) => {
            let device = &a.options.device.device;
            model::compile_for(
                device,
                &a.artifact,
                shape.as_ref(),
                a.options.inputs.as_deref(),
                a.precision,
            )?
        }
        (false, None) if a.precision.is_given() => return Err(dtype_of(&a.artifact)),
        (false, None) => open(&a.artifact, &a.options.device)?,
        (false, Some(_)) => {
            return Err(Failure::ShapeOfArtifact {
                path: a.artifact.clone(),
            });
        }
    };
    match &a.prompt {
        Some(prompt) => text::go_on(artifact, &a.options, prompt, a.tokenizer.as_deref(), a.json),
        None => Ok(cli::run(artifact, &a.options, a.json)?),
    }
}

pub fn bench(a: &Bench) -> Result<Report, Failure> {
    if !model::is_model(&a.artifact) {
        if a.precision.is_given() {
            return Err(dtype_of(&a.artifact));
        }
        return Ok(cli::bench(
            open(&a.artifact, &a.options.device)?,
            &a.options,
        )?);
    }
    let shape = a.options.shape.as_ref().map(|s| {
        // More than an i64 holds is more than any model allows, as is the largest i64.
        let each =
            s.0.iter()
                .map(|(name, n)| (Symbol::new(name), i64::try_from(*n).unwrap_or(i64::MAX)));
        Shape {
            sizes: each.collect(),
            ..Shape::default()
        }
    });
    let device = &a.options.device.device;
    let artifact = model::compile_for(device, &a.artifact, shape.as_ref(), None, a.precision)?;
    Ok(cli::bench(artifact, &a.options)?)
}

pub fn verify(a: &Verify) -> Result<Report, Failure> {
    let artifact = open(&a.artifact, &a.options.device)?;
    let mut progress = Progress::new();
    let report = cli::verify(artifact, &a.options, |kernel| {
        progress.show(&format!("checking {kernel}"));
    });
    drop(progress);
    Ok(report?)
}

pub fn profile(a: &Profile) -> Result<Report, Failure> {
    let artifact = open(&a.artifact, &a.options.device)?;
    let asked = asked(&a.artifact, &artifact, a.roofline.as_slice())?;
    let devices = |target: &str| match a.roofline {
        Some(_) => asked
            .iter()
            .filter(|d| d.target == target)
            .cloned()
            .collect(),
        None => tilewright::devices_of(target),
    };
    Ok(cli::profile(artifact, &a.options, &devices)?)
}

pub fn inspect(a: &Inspect) -> Result<Report, Failure> {
    let artifact = Artifact::open(&a.artifact, WeightChecks::Skip).map_err(cli::CliError::from)?;
    let asked = asked(&a.artifact, &artifact, &a.rooflines)?;
    let devices = |target: &str| held_against(&asked, target);
    Ok(cli::inspect(&artifact, &a.options, &devices))
}

/// The devices of these names, each of which has code in the artifact.
fn asked(path: &Path, artifact: &Artifact, names: &[String]) -> Result<Vec<DeviceModel>, Failure> {
    let one = |name: &String| {
        let device = tilewright::device(name)?;
        let targets = artifact.manifest().targets.iter();
        let targets: Vec<_> = targets.map(|t| t.target.clone()).collect();
        if targets.contains(&device.target) {
            return Ok(device);
        }
        Err(Failure::NoCodeForRoofline {
            path: path.into(),
            device: device.into(),
            targets,
        })
    };
    names.iter().map(one).collect()
}

/// The devices that were asked for and run a target's code; if none, all that do.
fn held_against(asked: &[DeviceModel], target: &str) -> Vec<DeviceModel> {
    let own: Vec<_> = asked
        .iter()
        .filter(|d| d.target == target)
        .cloned()
        .collect();
    if own.is_empty() {
        tilewright::devices_of(target)
    } else {
        own
    }
}

/// The refusal of an element type for an artifact.
fn dtype_of(path: &Path) -> Failure {
    Failure::DTypeOfArtifact { path: path.into() }
}

fn open(path: &Path, options: &DeviceOptions) -> Result<Artifact, Failure> {
    // Memory that is read from now on is the artifact's.
    release_code();
    let artifact = cli::open(path, options)?;
    if let Device::Emulator(name) = &options.device
        && artifact
            .manifest()
            .targets
            .iter()
            .all(|t| t.target != *name)
    {
        // A name that is no target's is answered with those that it resembles.
        tilewright::target(name)?;
    }
    Ok(artifact)
}
