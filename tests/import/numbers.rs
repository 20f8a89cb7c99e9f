//! Imported models against what `transformers` computes: every folder of `tests/models` (see `make.py` there).

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use ir::{DType, Sizes, Symbol, Tensor};
use serde::Deserialize;
use tilewright::import::{self, Model};

/// Largest relative error: references are stored with 7 digits, and their angles are f32.
const BOUND: f64 = 1e-5;

#[derive(Deserialize)]
struct Case {
    inputs: BTreeMap<String, Numbers>,
    outputs: BTreeMap<String, Numbers>,
}

#[derive(Deserialize)]
struct Numbers {
    shape: Vec<i64>,
    values: Vec<f64>,
}

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models")
}

/// Evaluates every case of `cases.json` in `folder` and gives the largest relative error.
fn largest_error(folder: &Path, model: &Model) -> f64 {
    let cases = fs::read_to_string(folder.join("cases.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&cases).unwrap();
    assert!(!cases.is_empty());
    cases
        .iter()
        .map(|case| case_error(model, case))
        .fold(0.0, f64::max)
}

fn case_error(model: &Model, case: &Case) -> f64 {
    let [batch, seq] = case.inputs["input_ids"].shape[..] else {
        panic!("ids have two axes")
    };
    let sizes = Sizes::from([(Symbol::new("batch"), batch), (Symbol::new("seq"), seq)]);
    let graph = model.graph.bind(&sizes).unwrap();
    let inputs = case.inputs.iter().map(|(name, x)| {
        let values = x.values.clone();
        (
            name.clone(),
            Tensor::from_f64(DType::I64, &x.shape, values).unwrap(),
        )
    });
    let found = ir::eval::evaluate(&graph, &inputs.collect(), &model.weights).unwrap();
    let names: Vec<_> = found.keys().collect();
    for name in case.outputs.keys() {
        assert!(
            names.contains(&name),
            "output {name} is missing among {names:?}"
        );
    }
    let mask = case.inputs.get("attention_mask").map(|m| &m.values);
    let errors = case.outputs.iter().map(|(name, wanted)| {
        let found = &found[name];
        assert_eq!(found.shape(), wanted.shape, "{name}");
        let by_token = wanted.shape.starts_with(&[batch, seq]);
        let width = wanted.values.len() / (batch * seq) as usize;
        let counts = |i: usize| !by_token || mask.is_none_or(|m| m[i / width] != 0.0);
        let pairs = found
            .values()
            .into_owned()
            .into_iter()
            .zip(&wanted.values)
            .enumerate();
        let kept = pairs
            .filter(|(i, _)| counts(*i))
            .map(|(_, (a, b))| ((a - b).abs(), b.abs()));
        let (error, scale) = kept.fold((0.0, 0.0), |(e, s), (error, scale)| {
            (f64::max(e, error), f64::max(s, scale))
        });
        assert!(scale > 1e-3, "{name}: a reference of zeros tells nothing");
        error / scale
    });
    errors.fold(0.0, f64::max)
}

#[test]
fn stored_models_agree_with_transformers() {
    let mut folders: Vec<_> = fs::read_dir(models())
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    folders.retain(|f| f.join("config.json").is_file());
    folders.sort();
    assert!(folders.len() > 10);
    let mut wrong = Vec::new();
    for folder in &folders {
        let model = import::load(folder).unwrap_or_else(|e| panic!("{e}"));
        let error = largest_error(folder, &model);
        println!("{error:.1e}  {}", folder.file_name().unwrap().display());
        if error.is_nan() || error > BOUND {
            wrong.push(folder);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn minilm_agrees_with_transformers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = root.join(".toolchain/models/all-MiniLM-L6-v2");
    let model = import::load(&dir).unwrap_or_else(|e| panic!("{e}"));
    let error = largest_error(&models().join("minilm"), &model);
    assert!(error <= BOUND, "{error}");
}

#[test]
fn a_graph_needs_no_weights_and_reads_back() {
    for name in ["bert", "glm4", "gpt2", "llama", "qwen2", "sentence"] {
        let folder = models().join(name);
        let bare = import::graph_only(&folder.join("config.json")).unwrap();
        assert!(bare == import::load(&folder).unwrap().graph, "{name}");
        assert!(
            ir::text::parse(&bare.to_string()).unwrap() == bare,
            "{name}"
        );
    }
}
