//! Compiled models against what `transformers` computes: every folder of `tests/models`.

mod blocks;
mod experts;
#[path = "../support/folder.rs"]
mod folder;
mod golden;
mod quantized;
#[path = "../support/mod.rs"]
mod support;

use std::{collections::BTreeMap, sync::Arc};

use ir::Tensor;
use support::{Case, check_stored_models, largest_error, minilm, models};
use tilewright::{
    CompileOptions, Storage,
    import::Model,
    runtime::{self, Device, DeviceError, Drivers, OpenClError, TensorView},
};

/// Largest relative error: sums of at most 1536 products in f32, each rounded to 2^-24, in a dozen layers.
const BOUND: f64 = 2e-5;

/// Half a unit in the last place of what is stored, relative.
const fn rounding(storage: Storage) -> f64 {
    match storage {
        Storage::F32 => 1.0 / (1 << 24) as f64,
        Storage::F16 => 1.0 / (1 << 11) as f64,
        Storage::Bf16 => 1.0 / (1 << 8) as f64,
    }
}

/// Values that a stored model of at most two layers stores one after the other: eight in each layer, and the first and
/// the last. In the worst case each rounding adds up.
const STORED: f64 = 18.0;

/// The root of the number of values that MiniLM stores one after the other, and of the matrices that they meet: in
/// six layers of hundreds of columns, roundings add up as if by chance.
const OF_MINILM: f64 = 10.0;

/// Compiles for this CPU at the sizes of the case, and runs.
fn run(model: &Model, case: &Case, storage: Storage) -> BTreeMap<String, Tensor> {
    run_on("cpu", &Device::Cpu, storage, model, case)
}

/// As [`run`], for another target, on another device.
fn run_on(
    target: &str,
    device: &Device,
    storage: Storage,
    model: &Model,
    case: &Case,
) -> BTreeMap<String, Tensor> {
    let mut options = CompileOptions::new(tilewright::target(target).unwrap());
    options.sizes = vec![case.sizes(&model.graph)];
    options.storage = storage;
    let compiled =
        tilewright::compile_in_memory(&model.graph, &model.weights, &options, &mut |_| ());
    let (artifact, report) = compiled.unwrap_or_else(|e| panic!("{e}"));
    let loaded = runtime::Model::load_on(Arc::new(artifact), device, &drivers());
    let loaded = loaded.unwrap_or_else(|e| panic!("{e}"));
    let (outputs, work) = execute(&loaded, case);
    assert_eq!(work.launches, report.programs[0].launches as u64);
    outputs
}

/// What a run took, by the executor's counters.
struct Work {
    /// Kernels that were started.
    launches: u64,
    /// Floating-point operations of them all.
    flops: u64,
}

/// Runs the first program on a case: outputs by name, and what that took.
fn execute(model: &runtime::Model, case: &Case) -> (BTreeMap<String, Tensor>, Work) {
    let mut executor = model.executor(0, &runtime::Options::default()).unwrap();
    for (name, x) in &case.inputs {
        let shape: Vec<usize> = x.shape.iter().map(|n| *n as usize).collect();
        let bytes = x.bytes();
        let view = TensorView {
            dtype: x.dtype(),
            shape: &shape,
            bytes: &bytes,
        };
        executor.set_input(name, view).unwrap();
    }
    executor.run().unwrap();
    let mut work = Work {
        launches: 0,
        flops: 0,
    };
    for s in executor.stats() {
        work.launches += s.dispatches;
        work.flops += s.dispatches * model.target().kernels[s.kernel.0 as usize].flops.0;
    }
    let names: Vec<String> = executor.outputs().map(|p| p.name.clone()).collect();
    let tensor = |name: String| {
        let view = executor.output(&name).unwrap();
        let shape: Vec<i64> = view.shape.iter().map(|n| *n as i64).collect();
        let tensor = Tensor::from_bytes(view.dtype, &shape, view.bytes.to_vec()).unwrap();
        (name, tensor)
    };
    (names.into_iter().map(tensor).collect(), work)
}

fn drivers() -> Drivers {
    Drivers {
        opencl: std::env::var_os("TILEWRIGHT_OPENCL").map(Into::into),
        ..Drivers::default()
    }
}

/// Whether there is an OpenCL device; says so where there is none.
fn has_opencl() -> bool {
    match runtime::Card::open(0, drivers().opencl.as_deref()) {
        Ok(card) => println!("on {}", card.describe()),
        Err(e @ (OpenClError::NoLibrary { .. } | OpenClError::NoDevice { .. })) => {
            println!("skipped: {e}");
            return false;
        }
        Err(e) => panic!("{}", DeviceError::from(e)),
    }
    true
}

/// Some of the stored models, since drivers take seconds to compile one.
#[test]
fn stored_models_agree_with_transformers_on_opencl() {
    if !has_opencl() {
        return;
    }
    for name in ["bert_masked", "gpt2", "llama_yarn"] {
        let folder = models().join(name);
        let model = tilewright::import::load(&folder).unwrap_or_else(|e| panic!("{e}"));
        let run = |case: &Case| run_on("opencl", &Device::OpenCl(0), Storage::F32, &model, case);
        let error = largest_error(&folder, run);
        println!("{error:.1e}  {name}");
        assert!(error <= BOUND, "{name}: {error}");
    }
}

/// The text for a device with matrix instructions and warps of 64, by their reference bodies on the device that is here.
#[test]
fn minilm_agrees_with_transformers_by_text_for_dcu() {
    if !has_opencl() {
        return;
    }
    let (model, device) = (minilm(), Device::OpenCl(0));
    for storage in [Storage::F32, Storage::F16] {
        let run = |case: &Case| run_on("opencl:gfx936", &device, storage, &model, case);
        let error = largest_error(&models().join("minilm"), run);
        println!("{error:.1e}  all-MiniLM-L6-v2 in {}", storage.dtype());
        let bound = f64::max(BOUND, OF_MINILM * rounding(storage));
        assert!(error <= bound, "{error}");
    }
}

#[test]
fn stored_models_agree_with_transformers() {
    check_stored_models(BOUND, |m, c| run(m, c, Storage::F32));
}

#[test]
fn stored_models_in_f16_agree_with_transformers() {
    check_stored_models(STORED * rounding(Storage::F16), |m, c| {
        run(m, c, Storage::F16)
    });
}

#[test]
fn stored_models_in_bf16_agree_with_transformers() {
    check_stored_models(STORED * rounding(Storage::Bf16), |m, c| {
        run(m, c, Storage::Bf16)
    });
}

#[test]
fn minilm_agrees_with_transformers() {
    let model = minilm();
    for storage in [Storage::F32, Storage::F16, Storage::Bf16] {
        let folder = models().join("minilm");
        let error = largest_error(&folder, |case| run(&model, case, storage));
        println!("{error:.1e}  all-MiniLM-L6-v2 in {}", storage.dtype());
        let bound = f64::max(BOUND, OF_MINILM * rounding(storage));
        assert!(error <= bound, "{error}");
    }
}
