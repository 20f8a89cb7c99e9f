//! Compiled models against what `transformers` computes: every folder of `tests/models`.

#[path = "../support/mod.rs"]
mod support;

use std::{collections::BTreeMap, sync::Arc};

use ir::{DType, Tensor};
use support::{Case, check_stored_models, largest_error, minilm, models};
use tilewright::{
    CompileOptions, Storage,
    import::Model,
    runtime::{self, TensorView},
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

/// Values that a stored model of at most three layers stores one after the other: eight in each layer, and the first and
/// the last. In the worst case each rounding adds up.
const STORED: f64 = 26.0;

/// The root of the number of values that MiniLM stores one after the other, and of the matrices that they meet: in
/// six layers of hundreds of columns, roundings add up as if by chance.
const OF_MINILM: f64 = 10.0;

/// Compiles for this CPU at the sizes of the case, and runs.
fn run(model: &Model, case: &Case, storage: Storage) -> BTreeMap<String, Tensor> {
    let [batch, seq] = case.sizes();
    let mut options = CompileOptions::new(tilewright::target("cpu").unwrap())
        .with_sizes([("batch", batch), ("seq", seq)]);
    options.storage = storage;
    let compiled =
        tilewright::compile_in_memory(&model.graph, &model.weights, &options, &mut |_| ());
    let (artifact, report) = compiled.unwrap_or_else(|e| panic!("{e}"));
    let loaded = runtime::Model::load(Arc::new(artifact)).unwrap();
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
