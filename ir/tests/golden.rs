//! Every op against an independent source: NumPy, PyTorch or transformers.
//!
//! `golden/vectors.py` says how cases are written down and how far results may differ.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use ir::{Op, Tensor, TensorType, WeightMap, eval, text};
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
struct File {
    command: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    about: String,
    op: String,
    attrs: String,
    ulps: u32,
    reach: f64,
    ranks: Vec<Rank>,
}

#[derive(Deserialize)]
struct Rank {
    inputs: Vec<Stored>,
    output: Stored,
}

#[derive(Deserialize)]
struct Stored {
    #[serde(rename = "type")]
    ty: String,
    #[serde(deserialize_with = "numbers")]
    values: Vec<f64>,
}

/// Numbers, or the words `inf`, `-inf` and `nan`.
fn numbers<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Value(f64),
        Word(String),
    }
    let numbers = Vec::<Number>::deserialize(from)?
        .into_iter()
        .map(|n| match n {
            Number::Value(x) => Ok(x),
            Number::Word(word) => word.parse().map_err(serde::de::Error::custom),
        });
    numbers.collect()
}

impl Stored {
    fn ty(&self) -> TensorType {
        text::parse_type(&self.ty).unwrap()
    }

    fn tensor(&self) -> Tensor {
        let ty = self.ty();
        let tensor = Tensor::from_f64(ty.dtype, &ty.known_shape().unwrap(), self.values.clone());
        let tensor = tensor.unwrap();
        let held = tensor.clone().rounded();
        let same = held
            .values()
            .iter()
            .zip(self.values.iter())
            .all(|(a, b)| differ(*a, *b) == 0.0);
        assert!(
            same,
            "{}: the element type does not hold these numbers",
            self.ty
        );
        tensor
    }
}

/// How far apart two numbers are; 0 for the same infinity, or for two NaNs.
fn differ(a: f64, b: f64) -> f64 {
    if a == b || (a.is_nan() && b.is_nan()) {
        0.0
    } else {
        (a - b).abs()
    }
}

impl Case {
    fn graph(&self) -> ir::Graph {
        let mut lines = String::new();
        let mut operands = Vec::new();
        for (i, x) in self.ranks[0].inputs.iter().enumerate() {
            let ty = &x.ty;
            lines += &format!(
                "%x{i} = input {{name = \"x{i}\", ty = {ty}, absent = required, below = 0}} : {ty}\n"
            );
            operands.push(format!("%x{i}"));
        }
        let (op, attrs, ty) = (&self.op, &self.attrs, &self.ranks[0].output.ty);
        let operands = operands.join(", ");
        let text = format!(
            "graph \"case\" {{\n{lines}%y = {op}({operands}) {{{attrs}}} : {ty}\nreturn y = %y\n}}"
        );
        text::parse(&text).unwrap_or_else(|e| panic!("{}: {e}\n{text}", self.about))
    }

    /// The largest difference beyond what is allowed, as a message.
    fn check(&self) -> Result<(), String> {
        let graph = self.graph();
        let weights = WeightMap::default();
        let inputs: Vec<BTreeMap<_, _>> = self
            .ranks
            .iter()
            .map(|rank| {
                let named = rank.inputs.iter().enumerate();
                named.map(|(i, x)| (format!("x{i}"), x.tensor())).collect()
            })
            .collect();
        let ranks = inputs.iter().map(|inputs| eval::Rank {
            inputs,
            weights: &weights,
        });
        let found = eval::evaluate_ranks(&graph, &ranks.collect::<Vec<_>>());
        let found = found.map_err(|e| e.to_string())?;
        for (rank, (found, wanted)) in found.iter().zip(&self.ranks).enumerate() {
            let (found, wanted) = (found["y"].values(), &wanted.output.values);
            assert_eq!(found.len(), wanted.len(), "{}", self.about);
            for (i, (a, b)) in found.iter().zip(wanted).enumerate() {
                let size = if b.is_finite() {
                    b.abs() + self.reach
                } else {
                    0.0
                };
                let bound = f64::from(self.ulps) * size * f64::EPSILON / 2.0;
                let by = differ(*a, *b);
                // Not `by > bound`: a NaN on one side is a difference.
                if by.is_nan() || by > bound {
                    return Err(format!(
                        "rank {rank}, number {i}: wanted {b:e} within {bound:e}, found {a:e}"
                    ));
                }
            }
        }
        Ok(())
    }
}

fn files() -> Vec<File> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let paths = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    };
    paths.iter().map(read).collect()
}

#[test]
fn ops_agree_with_their_sources() {
    let mut wrong = Vec::new();
    for file in files() {
        for case in &file.cases {
            if let Err(e) = case.check() {
                let Case {
                    op, attrs, about, ..
                } = case;
                wrong.push(format!(
                    "{op} {{{attrs}}}, {about}: {e}\n  from: {}",
                    file.command
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} cases differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_op_has_a_vector() {
    let cases: Vec<_> = files().into_iter().flat_map(|file| file.cases).collect();
    let found: BTreeSet<_> = cases.iter().map(|case| case.op.as_str()).collect();
    // Leaves compute nothing.
    let missing: Vec<_> = Op::names()
        .into_iter()
        .filter(|n| !found.contains(n))
        .collect();
    assert_eq!(missing, ["input", "weight"]);
}
