//! `run`: arrays in, arrays out.

use std::{collections::BTreeMap, fmt::Write, path::PathBuf, time::Instant};

use clap::Args;
use ir::{DType, Tensor};
use serde_json::json;

use super::{CliError, DeviceOptions, GenerateOptions, Report, generate, load, on, print};
use crate::{Array, Artifact, Executor, Model, Npz, Options, TensorView, write_npz};

/// What `run` reads and writes.
#[derive(Args, Clone, Debug)]
pub struct RunOptions {
    /// Inputs by name, as `numpy.savez` writes them.
    #[arg(long, value_name = "IN.npz")]
    pub inputs: Option<PathBuf>,
    /// Where outputs go, as `numpy.load` reads them.
    #[arg(long, value_name = "OUT.npz")]
    pub output: Option<PathBuf>,
    /// Where it runs.
    #[command(flatten)]
    pub device: DeviceOptions,
    /// How a text is continued.
    #[command(flatten)]
    pub generate: GenerateOptions,
}

/// Runs an artifact once, or as often as it takes to continue a text of tokens, which are printed as they come unless the
/// report is for programs.
pub fn run(artifact: Artifact, options: &RunOptions, json: bool) -> Result<Report, CliError> {
    if let Some(prompt) = &options.generate.prompt_ids {
        let mut separator = "";
        let mut told = |token: i64| {
            if !json {
                print(&format!("{separator}{token}"));
                separator = ",";
            }
        };
        let mut report = generate(
            artifact,
            &options.device,
            &options.generate,
            prompt,
            &mut told,
        )?;
        report.text = "\n".into();
        return Ok(report);
    }
    let model = load(artifact, &options.device)?;
    let mut npz = options.inputs.as_deref().map(Npz::open).transpose()?;
    if let (Some(npz), Some(path)) = (&npz, &options.inputs) {
        let known: Vec<_> = model
            .artifact()
            .manifest()
            .inputs
            .iter()
            .filter(|i| i.symbol().is_none())
            .map(|i| i.name.clone())
            .collect();
        if let Some(array) = npz.names().find(|n| !known.iter().any(|k| k == n)) {
            return Err(CliError::Array {
                path: path.clone(),
                array: array.into(),
                known,
            });
        }
    }
    let chosen = model.artifact().manifest().ranges.is_some();
    let (program, sizes) = match (&npz, model.programs().len()) {
        // The only program: a shape that does not fit is reported for the input that has it.
        (_, 1) if !chosen => (0, BTreeMap::new()),
        (None, _) => (0, BTreeMap::new()),
        (Some(npz), _) => model.fit(|name| Some(npz.ty(name)?.1.to_vec()))?,
    };
    let settings = Options {
        threads: options.device.threads,
        profile: false,
    };
    let mut executor = model.executor(program, &settings)?;
    if chosen {
        executor.set_sizes(&sizes)?;
    }
    if let Some(npz) = &mut npz {
        set_inputs(&mut executor, npz)?;
    }
    let start = Instant::now();
    executor.run()?;
    let seconds = start.elapsed().as_secs_f64();
    let outputs: Vec<_> = executor
        .outputs()
        .map(|p| {
            (
                p.name.as_str(),
                executor.output(&p.name).expect("the executor names it"),
            )
        })
        .collect();
    if let Some(path) = &options.output {
        write_npz(path, &outputs)?;
    }
    Ok(report(&model, &executor, &outputs, seconds))
}

/// Reads the arrays that are inputs. The type is held against the input's before the elements are read.
fn set_inputs(executor: &mut Executor, npz: &mut Npz) -> Result<(), CliError> {
    let ports: Vec<_> = executor
        .inputs()
        .filter(|p| p.is_given())
        .cloned()
        .collect();
    for port in ports {
        let Some((dtype, shape)) = npz.ty(&port.name) else {
            continue;
        };
        // NumPy has no bf16: as outputs are widened to f32, inputs are rounded from it.
        let widened = port.dtype == DType::Bf16 && dtype == DType::F32;
        port.check_type(if widened { port.dtype } else { dtype }, shape)?;
        let mut array = npz.read(&port.name)?.expect("its type is known");
        if widened {
            array = rounded(&array);
        }
        executor.set_input(&port.name, array.view())?;
    }
    Ok(())
}

/// An array of f32 as bf16, to nearest.
fn rounded(array: &Array) -> Array {
    let (numbers, _) = array.bytes.as_chunks();
    let numbers = numbers.iter().map(|n| f32::from_le_bytes(*n));
    Array {
        dtype: DType::Bf16,
        shape: array.shape.clone(),
        bytes: numbers
            .flat_map(|n| half::bf16::from_f32(n).to_le_bytes())
            .collect(),
    }
}

fn report(
    model: &Model,
    executor: &Executor,
    outputs: &[(&str, TensorView<'_>)],
    seconds: f64,
) -> Report {
    let stats = executor.stats();
    let dispatches: u64 = stats.iter().map(|s| s.dispatches).sum();
    let mut text = String::new();
    for (name, value) in outputs {
        let values = leading(value, 4)
            .map(|v| format!("{v:.6}"))
            .collect::<Vec<_>>()
            .join(" ");
        writeln!(text, "{name}  {}  {values} ...", value.type_text()).expect("strings grow");
    }
    writeln!(
        text,
        "{dispatches} kernels in {:.3} ms on {}",
        seconds * 1e3,
        on(model, executor)
    )
    .expect("strings grow");
    let kernels: Vec<_> = stats
        .iter()
        .map(|s| {
            let kernel = &model.target().kernels[s.kernel.0 as usize];
            json!({ "name": kernel.name, "family": kernel.family, "dispatches": s.dispatches })
        })
        .collect();
    let outputs: Vec<_> = outputs
        .iter()
        .map(|(name, v)| {
            json!({ "name": name, "dtype": v.dtype.name(), "shape": v.shape, "bytes": v.bytes.len() })
        })
        .collect();
    Report {
        text,
        json: json!({
            "model": model.artifact().manifest().model,
            "target": model.target().target,
            "device": model.device().to_string(),
            "threads": executor.threads(),
            "seconds": seconds,
            "dispatches": dispatches,
            "kernels": kernels,
            "outputs": outputs,
            "reserved_bytes": executor.reserved_bytes(),
            "peak_bytes": peak_bytes(),
        }),
        passed: true,
    }
}

/// The most memory that this process has held so far, if the system says.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// The first values, as far as there are any.
fn leading(value: &TensorView<'_>, count: usize) -> impl Iterator<Item = f64> {
    let size = value.dtype.size();
    let n = count.min(value.bytes.len() / size);
    numbers(value.dtype, &value.bytes[..n * size]).into_iter()
}

/// Elements as numbers.
pub(super) fn numbers(dtype: DType, bytes: &[u8]) -> Vec<f64> {
    let count = (bytes.len() / dtype.size()) as i64;
    Tensor::from_bytes(dtype, &[count], bytes.to_vec())
        .expect("whole elements")
        .into_values()
}
