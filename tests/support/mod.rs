//! References that `transformers` computed, stored by `tests/models/make.py`.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use ir::{DType, Graph, Op, Sizes, Tensor};
use serde::Deserialize;
use tilewright::import;

/// Inputs and what `transformers` gives for them.
#[derive(Deserialize)]
pub struct Case {
    pub inputs: BTreeMap<String, Numbers>,
    pub outputs: BTreeMap<String, Numbers>,
}

/// A tensor.
#[derive(Deserialize)]
pub struct Numbers {
    pub shape: Vec<i64>,
    pub values: Vec<f64>,
}

impl Numbers {
    /// Tokens and masks have two axes, images and sounds more.
    pub fn dtype(&self) -> DType {
        match self.shape.len() {
            2 => DType::I64,
            _ => DType::F32,
        }
    }

    /// The bytes of the values.
    pub fn bytes(&self) -> Vec<u8> {
        let tensor = Tensor::from_f64(self.dtype(), &self.shape, self.values.clone());
        tensor.unwrap().bytes().to_vec()
    }
}

impl Case {
    /// The sizes of a run of `graph`, by the shapes of what is given.
    pub fn sizes(&self, graph: &Graph) -> Sizes {
        let mut sizes = Sizes::new();
        for node in graph.nodes() {
            let Op::Input(input) = &node.op else { continue };
            let Some(given) = self.inputs.get(&input.name) else {
                continue;
            };
            for (dim, n) in input.ty.shape.iter().zip(&given.shape) {
                sizes.extend(dim.symbols().map(|s| (s.clone(), *n)));
            }
        }
        sizes
    }

    /// Largest relative error of `found` over positions that are not masked.
    pub fn error(&self, found: &BTreeMap<String, Tensor>) -> f64 {
        let mask = |name: &str| self.inputs.get(name);
        let masks = ["attention_mask", "decoder_attention_mask"].map(mask);
        let errors = self.outputs.iter().map(|(name, wanted)| {
            let found = found
                .get(name)
                .unwrap_or_else(|| panic!("output {name} is missing"));
            assert_eq!(found.shape(), wanted.shape, "{name}");
            // Two lengths of a case differ, so that a shape tells whose tokens it has.
            let by_token = |m: &&&Numbers| wanted.shape.starts_with(&m.shape);
            let mask = masks.iter().flatten().find(by_token);
            let counts = |i: usize| {
                mask.is_none_or(|m| m.values[i / (wanted.values.len() / m.values.len())] != 0.0)
            };
            let values = found.values();
            let kept = (0..wanted.values.len()).filter(|i| counts(*i));
            let (error, scale) = kept.fold((0.0, 0.0), |(e, s), i| {
                let difference = (values[i] - wanted.values[i]).abs();
                // `max` would hide a NaN.
                let worst = if difference > e || difference.is_nan() {
                    difference
                } else {
                    e
                };
                (worst, f64::max(s, wanted.values[i].abs()))
            });
            assert!(scale > 1e-3, "{name}: a reference of zeros tells nothing");
            error / scale
        });
        errors.fold(0.0, |a, b| if b > a || b.is_nan() { b } else { a })
    }
}

impl Case {
    /// Largest error of `found`, relative to the largest element of each output.
    pub fn largest(&self, found: &BTreeMap<String, Tensor>) -> f64 {
        let errors = self.outputs.iter().map(|(name, wanted)| {
            let values = found[name].values();
            let pairs = values.iter().zip(&wanted.values);
            let (error, scale) = pairs.fold((0.0, 0.0), |(e, s): (f64, f64), (a, b)| {
                (e.max((a - b).abs()), s.max(b.abs()))
            });
            error / scale
        });
        errors.fold(0.0, f64::max)
    }
}

/// Inputs for the graph of `experts.graph`, what it gives by its definition, and the operations of the experts' products
/// that its tokens choose.
pub fn mixture(graph: &ir::Graph) -> (Case, u64) {
    let mut state = 1u64;
    let mut number = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / f64::from(1 << 23) - 1.0
    };
    let mut inputs = BTreeMap::new();
    for node in graph.nodes() {
        if let ir::Op::Input(input) = &node.op {
            let shape = input.ty.known_shape().unwrap();
            let values = (0..shape.iter().product())
                .map(|_| ir::round_to(DType::F32, number()))
                .collect();
            inputs.insert(input.name.clone(), Numbers { shape, values });
        }
    }
    let given = inputs.iter().map(|(name, x)| {
        let tensor = Tensor::from_f64(DType::F32, &x.shape, x.values.clone()).unwrap();
        (name.clone(), tensor)
    });
    let made = ir::eval::evaluate(graph, &given.collect(), &ir::WeightMap::default()).unwrap();
    let outputs = made.into_iter().map(|(name, y)| {
        let (shape, values) = (y.shape().to_vec(), y.values().into_owned());
        (name, Numbers { shape, values })
    });
    let outputs = outputs.collect();
    // Tokens, experts of each, products, their sides; an addition for each multiplication.
    (Case { inputs, outputs }, 2 * 2 * 3 * 1024 * 512 * 2)
}

/// Where the stored models are.
pub fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models")
}

/// Where the model is that set-up unpacks.
pub fn minilm_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".toolchain/models/all-MiniLM-L6-v2")
}

/// The model that set-up unpacks.
pub fn minilm() -> import::Model {
    import::load(&minilm_folder()).unwrap_or_else(|e| panic!("{e}"))
}

/// What the model gives by the definitions of its ops, in f64.
pub fn evaluate(model: &import::Model, case: &Case) -> BTreeMap<String, Tensor> {
    let graph = model.graph.bind(&case.sizes(&model.graph)).unwrap();
    let inputs = case.inputs.iter().map(|(name, x)| {
        let tensor = Tensor::from_f64(x.dtype(), &x.shape, x.values.clone()).unwrap();
        (name.clone(), tensor)
    });
    ir::eval::evaluate(&graph, &inputs.collect(), &model.weights).unwrap()
}

/// The cases of a stored model.
pub fn cases(folder: &Path) -> Vec<Case> {
    let cases = fs::read_to_string(folder.join("cases.json")).unwrap();
    serde_json::from_str(&cases).unwrap()
}

/// Runs every case in `folder` and gives the largest relative error.
pub fn largest_error(folder: &Path, run: impl Fn(&Case) -> BTreeMap<String, Tensor>) -> f64 {
    let cases = cases(folder);
    assert!(!cases.is_empty());
    let errors = cases.iter().map(|case| case.error(&run(case)));
    errors.fold(0.0, |a, b| if b > a || b.is_nan() { b } else { a })
}

/// Runs every stored model's cases and fails where an error is above `bound`.
pub fn check_stored_models(
    bound: f64,
    run: impl Fn(&import::Model, &Case) -> BTreeMap<String, Tensor>,
) {
    let mut folders: Vec<_> = fs::read_dir(models())
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    folders.retain(|f| f.join("config.json").is_file() && f.join("cases.json").is_file());
    folders.sort();
    assert!(folders.len() > 10);
    let mut wrong = Vec::new();
    for folder in &folders {
        let model = import::load(folder).unwrap_or_else(|e| panic!("{e}"));
        let error = largest_error(folder, |case| run(&model, case));
        println!("{error:.1e}  {}", folder.file_name().unwrap().display());
        if error.is_nan() || error > bound {
            wrong.push(folder);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
