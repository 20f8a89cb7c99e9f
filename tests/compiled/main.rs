//! Compiled models against what `transformers` computes: every folder of `tests/models`.

#[path = "../support/mod.rs"]
mod support;

use std::{collections::BTreeMap, sync::Arc};

use ir::{DType, Tensor};
use support::{Case, check_stored_models, largest_error, minilm, models};
use tilewright::{
    CompileOptions,
    import::Model,
    runtime::{self, Device, DeviceError, Drivers, OpenClError, TensorView},
};

/// Largest relative error: sums of at most 1536 products in f32, each rounded to 2^-24, in a dozen layers.
const BOUND: f64 = 2e-5;

/// Compiles for this CPU at the sizes of the case, and runs.
fn run(model: &Model, case: &Case) -> BTreeMap<String, Tensor> {
    run_on("cpu", &Device::Cpu, model, case)
}

fn run_on(target: &str, device: &Device, model: &Model, case: &Case) -> BTreeMap<String, Tensor> {
    let [batch, seq] = case.sizes();
    let options = CompileOptions::new(tilewright::target(target).unwrap())
        .with_sizes([("batch", batch), ("seq", seq)]);
    let compiled =
        tilewright::compile_in_memory(&model.graph, &model.weights, &options, &mut |_| ());
    let (artifact, report) = compiled.unwrap_or_else(|e| panic!("{e}"));
    let loaded = runtime::Model::load_on(Arc::new(artifact), device, &drivers());
    let loaded = loaded.unwrap_or_else(|e| panic!("{e}"));
    let mut executor = loaded.executor(0, &runtime::Options::default()).unwrap();
    for (name, x) in &case.inputs {
        let shape: Vec<usize> = x.shape.iter().map(|n| *n as usize).collect();
        let bytes: Vec<u8> = x
            .values
            .iter()
            .flat_map(|v| (*v as i64).to_le_bytes())
            .collect();
        let view = TensorView {
            dtype: DType::I64,
            shape: &shape,
            bytes: &bytes,
        };
        executor.set_input(name, view).unwrap();
    }
    executor.run().unwrap();
    let dispatched: u64 = executor.stats().iter().map(|s| s.dispatches).sum();
    assert_eq!(dispatched, report.programs[0].launches as u64);
    let names: Vec<String> = executor.outputs().map(|p| p.name.clone()).collect();
    let tensor = |name: String| {
        let view = executor.output(&name).unwrap();
        let shape: Vec<i64> = view.shape.iter().map(|n| *n as i64).collect();
        let tensor = Tensor::from_bytes(view.dtype, &shape, view.bytes.to_vec()).unwrap();
        (name, tensor)
    };
    names.into_iter().map(tensor).collect()
}

fn drivers() -> Drivers {
    Drivers {
        opencl: std::env::var_os("TILEWRIGHT_OPENCL").map(Into::into),
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
        let run = |case: &Case| run_on("opencl", &Device::OpenCl(0), &model, case);
        let error = largest_error(&folder, run);
        println!("{error:.1e}  {name}");
        assert!(error <= BOUND, "{name}: {error}");
    }
}

/// The text for a device with matrix instructions and warps of 64, by their reference bodies on the device that is here.
#[test]
fn minilm_agrees_with_transformers_by_text_for_dcu() {
    if has_opencl() {
        let (model, device) = (minilm(), Device::OpenCl(0));
        let run = |case: &Case| run_on("opencl:gfx936", &device, &model, case);
        let error = largest_error(&models().join("minilm"), run);
        println!("{error:.1e}  all-MiniLM-L6-v2");
        assert!(error <= BOUND, "{error}");
    }
}

#[test]
fn stored_models_agree_with_transformers() {
    check_stored_models(BOUND, run);
}

#[test]
fn minilm_agrees_with_transformers() {
    let model = minilm();
    let error = largest_error(&models().join("minilm"), |case| run(&model, case));
    println!("{error:.1e}  all-MiniLM-L6-v2");
    assert!(error <= BOUND, "{error}");
}
