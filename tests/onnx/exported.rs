//! Models as exporters write them (`make.py`), compiled and run, against what torch computes.

use std::{collections::BTreeMap, fs, io::Read, path::Path, sync::Arc};

use ir::Tensor;
use tilewright::{
    CompileOptions, import,
    runtime::{self, TensorView},
};
use zip::ZipArchive;

use crate::{folder::Folder, support::Case};

/// Largest error relative to the largest element of an output.
const BOUND: f64 = 1e-4;

/// The names of all stored models.
fn names() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx/models");
    let files = fs::read_dir(folder).unwrap().map(|f| f.unwrap().path());
    let mut names: Vec<_> = files
        .map(|f| f.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// The bytes of a file in a `.zip` beside this file.
pub fn bytes_in(packed: &str, inner: &str) -> Vec<u8> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/onnx")
        .join(packed);
    let mut packed = ZipArchive::new(fs::File::open(file).unwrap()).unwrap();
    let mut bytes = Vec::new();
    packed
        .by_name(inner)
        .unwrap()
        .read_to_end(&mut bytes)
        .unwrap();
    bytes
}

/// The bytes of a stored model's file, and its cases.
pub fn unpack(name: &str) -> (Vec<u8>, Vec<Case>) {
    let packed = format!("models/{name}.zip");
    let cases = serde_json::from_slice(&bytes_in(&packed, "cases.json")).unwrap();
    (bytes_in(&packed, "model.onnx"), cases)
}

/// What the model gives for a case, compiled at its sizes.
fn run(model: &import::Model, case: &Case) -> BTreeMap<String, Tensor> {
    let mut options = CompileOptions::new(tilewright::target("cpu").unwrap());
    options.sizes = vec![case.sizes(&model.graph)];
    let made = tilewright::compile_in_memory(&model.graph, &model.weights, &options, &mut |_| ());
    let (artifact, _) = made.unwrap_or_else(|e| panic!("{e}"));
    let loaded = runtime::Model::load(Arc::new(artifact)).unwrap();
    let mut executor = loaded.executor(0, &runtime::Options::default()).unwrap();
    let taken: Vec<_> = executor.inputs().map(|p| p.name.clone()).collect();
    for name in &taken {
        let x = &case.inputs[name];
        let shape: Vec<_> = x.shape.iter().map(|n| *n as usize).collect();
        let view = TensorView {
            dtype: x.dtype(),
            shape: &shape,
            bytes: &x.bytes(),
        };
        executor.set_input(name, view).unwrap();
    }
    executor.run().unwrap();
    let output = |name: &String| {
        let view = executor.output(name).unwrap();
        let shape: Vec<_> = view.shape.iter().map(|n| *n as i64).collect();
        let y = Tensor::from_bytes(view.dtype, &shape, view.bytes.to_vec()).unwrap();
        (name.clone(), y)
    };
    case.outputs.keys().map(output).collect()
}

#[test]
fn exported_models_agree_with_torch() {
    let names = names();
    assert_eq!(names.len(), 14, "{names:?}");
    let mut wrong = Vec::new();
    let folder = Folder::empty("exported");
    for name in names {
        let (bytes, cases) = unpack(&name);
        let file = folder.0.join(format!("{name}.onnx"));
        fs::write(&file, bytes).unwrap();
        let model = match import::load(&file) {
            Ok(model) => model,
            Err(e) => {
                wrong.push(format!("{name}: {e}"));
                continue;
            }
        };
        for case in &cases {
            let error = case.largest(&run(&model, case));
            println!("{name}: {error:.1e}");
            if error.is_nan() || error > BOUND {
                wrong.push(format!(
                    "{name}: wanted an error of at most {BOUND}, found {error}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
