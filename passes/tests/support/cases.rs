//! The graphs of case files, and numbers for them.

use std::{collections::BTreeMap, fs, path::PathBuf};

use ir::{DType, Graph, Sizes, Tensor, TensorType, WeightMap, eval, ops::Leaf, text};

use super::random::Random;

/// The case files of `pass`, in the order of their names.
pub fn files(pass: &str) -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(pass);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "test"));
    files.sort();
    files
}

/// The input graph of a case.
pub fn read(file: &PathBuf) -> Graph {
    let text = fs::read_to_string(file).unwrap();
    let input = text.split("----\n").next().unwrap();
    text::parse(input).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

/// Numbers for a leaf of this type: floats in `low..high`, integers below `below`.
pub fn tensor(ty: &TensorType, below: i64, low: f64, high: f64, random: &mut Random) -> Tensor {
    let shape = ty.known_shape().unwrap();
    let count: i64 = shape.iter().product();
    let below = if ty.dtype == DType::Bool {
        2
    } else {
        below.max(1)
    };
    let values = (0..count).map(|_| {
        if ty.dtype.is_float() {
            random.between(low, high)
        } else {
            random.below(usize::try_from(below).unwrap()) as f64
        }
    });
    Tensor::from_f64(ty.dtype, &shape, values.collect()).unwrap()
}

/// Sizes for all symbols of `graph`, small enough to evaluate it.
pub fn small_sizes(graph: &Graph, random: &mut Random) -> Sizes {
    let symbols = graph.symbols().iter();
    symbols
        .map(|(s, b)| {
            (
                s.clone(),
                (b.min + random.below(4) as i64).clamp(b.min, b.max),
            )
        })
        .collect()
}

/// `max |a - b| / max |b|`; what is not a number, or not finite, must be so in both.
pub fn relative_error(a: &[f64], b: &[f64]) -> f64 {
    if a.len() != b.len() {
        return f64::INFINITY;
    }
    let (mut far, mut large) = (0.0_f64, 0.0_f64);
    for (a, b) in a.iter().zip(b) {
        if b.is_finite() && a.is_finite() {
            far = far.max((a - b).abs());
            large = large.max(b.abs());
        } else if !(a == b || a.is_nan() && b.is_nan()) {
            return f64::INFINITY;
        }
    }
    if far == 0.0 {
        0.0
    } else {
        far / large.max(f64::MIN_POSITIVE)
    }
}

/// The outputs of a bound graph on random inputs and weights; the same for graphs with the same leaves.
pub fn outputs(graph: &Graph) -> BTreeMap<String, Tensor> {
    let (mut inputs, mut weights) = (BTreeMap::new(), WeightMap::default());
    for node in graph.nodes() {
        match node.op.leaf() {
            Some(Leaf::Input(i)) => {
                let t = tensor(
                    &node.ty,
                    i.below.max(2),
                    -1.0,
                    1.0,
                    &mut Random::of(&i.name),
                );
                inputs.insert(i.name.clone(), t);
            }
            Some(Leaf::Weight(w)) => {
                weights.insert(
                    &w.name,
                    tensor(&node.ty, 2, -1.0, 1.0, &mut Random::of(&w.name)),
                );
            }
            None => {}
        }
    }
    eval::evaluate(graph, &inputs, &weights).unwrap()
}
