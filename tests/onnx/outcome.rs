//! One node case: imported, compiled for this CPU, run, and compared.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use ir::{DType, Tensor};
use serde::Deserialize;
use tilewright::{
    CompileError, CompileOptions,
    import::{self, ImportError, NodeProblem, OnnxError},
    runtime::{self, TensorView},
};

/// A row of `cases.json`.
#[derive(Clone, Deserialize)]
pub struct Case {
    pub name: String,
    pub operator: String,
    rtol: f64,
    atol: f64,
    /// Nothing where the case takes or gives what the compiler has no type for.
    inputs: Option<Vec<Place>>,
    outputs: Option<Vec<Place>>,
}

/// A tensor in the file of values.
#[derive(Clone, Deserialize)]
struct Place {
    name: String,
    dtype: String,
    shape: Vec<i64>,
    at: usize,
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It gives what it must.
    Pass,
    /// The same, with its small operands held as initializers, as exporters write them.
    PassHeld,
    /// A typed error says which node, and why.
    Unsupported(String),
    /// Other values than it must give, or an error that blames a model which is right.
    Wrong(String),
}

impl Place {
    fn tensor(&self, values: &[u8]) -> Tensor {
        let dtype: DType = self.dtype.parse().expect("the script writes types of ours");
        let bytes = self.shape.iter().product::<i64>() as usize * dtype.size();
        let bytes = values[self.at..self.at + bytes].to_vec();
        Tensor::from_bytes(dtype, &self.shape, bytes).unwrap()
    }

    /// What exporters write as an initializer: a number, or a short list of whole ones.
    fn is_small(&self) -> bool {
        self.shape.is_empty() || self.shape.len() == 1 && matches!(&*self.dtype, "i64" | "i32")
    }
}

impl Case {
    /// Runs the case, whose model is in `folder`.
    pub fn outcome(&self, folder: &Path, values: &[u8]) -> Outcome {
        let file = folder.join(format!("{}.onnx", self.name));
        match self.attempt(&file, values, &|_| false) {
            Outcome::Unsupported(first) => self
                .held(&file, values)
                .unwrap_or(Outcome::Unsupported(first)),
            other => other,
        }
    }

    /// The outcome with small operands as initializers; nothing where it has none.
    fn held(&self, file: &Path, values: &[u8]) -> Option<Outcome> {
        let small: Vec<_> = (self.inputs.as_ref()?.iter())
            .filter(|place| place.is_small())
            .collect();
        if small.is_empty() {
            return None;
        }
        let mut model = fs::read(file).unwrap();
        for place in &small {
            model.extend(initializer(&place.name, &place.tensor(values)));
        }
        let held = file.with_extension("held.onnx");
        fs::write(&held, model).unwrap();
        match self.attempt(&held, values, &|name| small.iter().any(|p| p.name == name)) {
            Outcome::Pass => Some(Outcome::PassHeld),
            other => Some(other),
        }
    }

    fn attempt(&self, file: &Path, values: &[u8], held: &dyn Fn(&str) -> bool) -> Outcome {
        let model = match import::load(file) {
            Ok(model) => model,
            Err(e) => return refused(&e),
        };
        let (Some(inputs), Some(outputs)) = (&self.inputs, &self.outputs) else {
            return Outcome::Wrong("types that the compiler does not have were imported".into());
        };
        let inputs: BTreeMap<_, _> = (inputs.iter())
            .filter(|place| !held(&place.name))
            .map(|place| (place.name.as_str(), place.tensor(values)))
            .collect();
        let options = CompileOptions::new(tilewright::target("cpu").unwrap());
        let made =
            tilewright::compile_in_memory(&model.graph, &model.weights, &options, &mut |_| ());
        let artifact = match made {
            Ok((artifact, _)) => artifact,
            Err(e @ CompileError::Empty { .. }) => return Outcome::Unsupported(e.to_string()),
            Err(e) => return Outcome::Wrong(e.to_string()),
        };
        let loaded = runtime::Model::load(Arc::new(artifact)).unwrap();
        let mut executor = loaded.executor(0, &runtime::Options::default()).unwrap();
        let taken: Vec<_> = executor.inputs().map(|p| p.name.clone()).collect();
        for name in taken {
            let Some(x) = inputs.get(name.as_str()) else {
                return Outcome::Wrong(format!("input {name} is none of the case"));
            };
            let shape: Vec<_> = x.shape().iter().map(|n| *n as usize).collect();
            let (dtype, bytes) = (x.dtype(), &x.bytes());
            let view = TensorView {
                dtype,
                shape: &shape,
                bytes,
            };
            if let Err(e) = executor.set_input(&name, view) {
                return Outcome::Wrong(e.to_string());
            }
        }
        if let Err(e) = executor.run() {
            return Outcome::Wrong(e.to_string());
        }
        let differences = outputs.iter().filter_map(|place| {
            let view = executor.output(&place.name).unwrap();
            let shape: Vec<_> = view.shape.iter().map(|n| *n as i64).collect();
            let found = Tensor::from_bytes(view.dtype, &shape, view.bytes.to_vec()).unwrap();
            let difference = self.difference(&place.tensor(values), &found)?;
            Some(format!("output {}: {difference}", place.name))
        });
        differences
            .map(Outcome::Wrong)
            .next()
            .unwrap_or(Outcome::Pass)
    }

    /// How `found` is not what was wanted: whole numbers are equal, others within the case's tolerance.
    fn difference(&self, wanted: &Tensor, found: &Tensor) -> Option<String> {
        if (wanted.dtype(), wanted.shape()) != (found.dtype(), found.shape()) {
            return Some(format!("wanted {}, found {}", wanted.ty(), found.ty()));
        }
        if !wanted.dtype().is_float() {
            let (a, b) = (wanted.bytes(), found.bytes());
            let size = wanted.dtype().size();
            let mut pairs = a.chunks(size).zip(b.chunks(size)).enumerate();
            let (i, _) = pairs.find(|(_, (a, b))| a != b)?;
            let (a, b) = (wanted.values()[i], found.values()[i]);
            return Some(format!("element {i}: wanted {a}, found {b}"));
        }
        // The package's own runner allows two units in the last place of bf16, since a reference rounds between its
        // steps and a kernel does not; the same for f16.
        let rtol = match wanted.dtype() {
            DType::Bf16 => 2.0 / f64::from(1 << 7),
            DType::F16 => 2.0 / f64::from(1 << 10),
            _ => 0.0,
        };
        let rtol = self.rtol.max(rtol);
        let (a, b) = (wanted.values(), found.values());
        let equal = |a: f64, b: f64| {
            a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= self.atol + rtol * a.abs()
        };
        let i = (0..a.len()).find(|i| !equal(a[*i], b[*i]))?;
        Some(format!("element {i}: wanted {}, found {}", a[i], b[i]))
    }
}

/// Whether an error says what is unsupported; the first such node's reason.
fn refused(e: &ImportError) -> Outcome {
    let ImportError::Onnx { source, .. } = e else {
        return Outcome::Wrong(e.to_string());
    };
    match source.as_ref() {
        OnnxError::Nodes(nodes) => {
            let wrong = nodes.iter().find(|n| !n.problem.is_unsupported());
            match wrong {
                Some(node) => Outcome::Wrong(node.to_string()),
                None => Outcome::Unsupported(reason(&nodes[0].problem)),
            }
        }
        e @ (OnnxError::Opset { .. } | OnnxError::Input { .. } | OnnxError::Output { .. }) => {
            Outcome::Unsupported(e.to_string())
        }
        e => Outcome::Wrong(e.to_string()),
    }
}

fn reason(problem: &NodeProblem) -> String {
    let text = problem.to_string();
    text.strip_prefix("unsupported: ").unwrap_or(&text).into()
}

/// The bytes that add an initializer to a model: messages that follow one another are merged, and an input that is an
/// initializer too has a value.
fn initializer(name: &str, tensor: &Tensor) -> Vec<u8> {
    let code = match tensor.dtype() {
        DType::F32 => 1,
        DType::U8 => 2,
        DType::I8 => 3,
        DType::I32 => 6,
        DType::I64 => 7,
        DType::Bool => 9,
        DType::F16 => 10,
        DType::Bf16 => 16,
    };
    let mut message = Vec::new();
    for size in tensor.shape() {
        message.push(1 << 3);
        message.extend(varint(*size as u64));
    }
    message.push(2 << 3);
    message.push(code);
    message.extend(field(8, name.as_bytes()));
    message.extend(field(9, &tensor.bytes()));
    // Field 5 of the graph, which is field 7 of the model.
    field(7, &field(5, &message))
}

fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    let length = varint(bytes.len() as u64);
    [tag << 3 | 2]
        .into_iter()
        .chain(length)
        .chain(bytes.iter().copied())
        .collect()
}

fn varint(mut n: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while n > 127 {
        bytes.push(n as u8 | 128);
        n >>= 7;
    }
    bytes.push(n as u8);
    bytes
}
