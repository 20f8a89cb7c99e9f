//! One artifact for ranges of sizes: every model at sizes below those of its programs.

#[path = "../support/mod.rs"]
mod support;

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use ir::{Bounds, Graph, Sizes, Symbol, Tensor};
use support::{Case, Numbers, models};
use tilewright::{
    CompileError, CompileOptions,
    import::{self, Model},
    runtime::{self, DeviceError, Executor, Options, RunError, TensorView},
};

/// Largest relative error: sums of at most 1536 products in f32, each rounded to 2^-24, in a dozen layers.
const BOUND: f64 = 2e-5;

fn compiled(
    model: &Model,
    ranges: BTreeMap<Symbol, Bounds>,
    sizes: Sizes,
) -> Result<runtime::Model, CompileError> {
    let mut options = CompileOptions::new(tilewright::target("cpu").unwrap());
    options.ranges = ranges;
    options.sizes = vec![sizes];
    let made = tilewright::compile_in_memory(&model.graph, &model.weights, &options, &mut |_| ())?;
    Ok(runtime::Model::load(Arc::new(made.0)).unwrap())
}

/// Runs the smallest program that has room for a case.
fn run(model: &runtime::Model, case: &Case) -> BTreeMap<String, Tensor> {
    let shape = |name: &str| {
        let given = case.inputs.get(name)?;
        Some(given.shape.iter().map(|n| *n as usize).collect())
    };
    let (program, sizes) = model.fit(shape).unwrap_or_else(|e| panic!("{e}"));
    let mut executor = model.executor(program, &Options::default()).unwrap();
    executor.set_sizes(&sizes).unwrap();
    set(&mut executor, case);
    executor.run().unwrap();
    outputs(&executor)
}

fn set(executor: &mut Executor, case: &Case) {
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
}

fn outputs(executor: &Executor) -> BTreeMap<String, Tensor> {
    let names: Vec<String> = executor.outputs().map(|p| p.name.clone()).collect();
    let tensor = |name: String| {
        let view = executor.output(&name).unwrap();
        let shape: Vec<i64> = view.shape.iter().map(|n| *n as i64).collect();
        let tensor = Tensor::from_bytes(view.dtype, &shape, view.bytes.to_vec()).unwrap();
        (name, tensor)
    };
    names.into_iter().map(tensor).collect()
}

/// Room for more than the sizes of a case, as far as the model goes.
fn wider(graph: &Graph, sizes: &Sizes) -> BTreeMap<Symbol, Bounds> {
    let one = |(symbol, n): (&Symbol, &i64)| {
        let most = graph.symbols()[symbol].max;
        let max = (2 * n - 1).max(n + 1).min(most);
        (symbol.clone(), Bounds { min: *n, max })
    };
    sizes.iter().map(one).collect()
}

/// One of each kind: all of them are padded, and these are compiled.
const COMPILED: &[&str] = &[
    "bart", "bert", "bloom", "clip", "gemma2", "glm", "mistral", "mixtral", "roberta", "sentence",
    "t5", "whisper",
];

#[test]
fn every_model_serves_sizes_below_those_of_its_programs() {
    let (mut served, mut refused) = (0, Vec::new());
    let folders = fs::read_dir(models()).unwrap().map(|e| e.unwrap().path());
    let stored = |p: &PathBuf| {
        ["config.json", "cases.json"]
            .iter()
            .all(|f| p.join(f).is_file())
    };
    let mut folders: Vec<_> = folders.filter(stored).collect();
    folders.sort();
    for folder in folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if !COMPILED.contains(&name.as_str()) {
            let graph = import::graph_only(&folder).unwrap_or_else(|e| panic!("{e}"));
            let symbols: Vec<_> = graph.symbols().keys().cloned().collect();
            refused.extend(
                passes::pad(&graph, &symbols)
                    .err()
                    .map(|e| format!("{name}: {e}")),
            );
            continue;
        }
        let model = import::load(&folder).unwrap_or_else(|e| panic!("{e}"));
        let case = &support::cases(&folder)[0];
        let sizes = case.sizes(&model.graph);
        match compiled(&model, wider(&model.graph, &sizes), Sizes::new()) {
            Ok(runtime) => {
                let error = case.error(&run(&runtime, case));
                assert!(error < BOUND, "{name} at {sizes:?}: {error:.1e}");
                served += 1;
            }
            Err(error) => refused.push(format!("{name}: {error}")),
        }
    }
    assert_eq!(served, COMPILED.len());
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

/// A model with sizes `batch=1..4,seq=1..12`, and a run of it.
fn bert() -> (Model, runtime::Model) {
    let model = import::load(&models().join("bert")).unwrap();
    let bounds = |max| Bounds { min: 1, max };
    let ranges = [("batch", 4), ("seq", 12)].map(|(s, max)| (Symbol::new(s), bounds(max)));
    let runtime = compiled(&model, ranges.into(), Sizes::new()).unwrap();
    (model, runtime)
}

fn tokens(batch: i64, seq: i64) -> Case {
    let values = (0..batch * seq).map(|i| (i * 7 % 23) as f64).collect();
    let shape = vec![batch, seq];
    let ids = Numbers { shape, values };
    Case {
        inputs: BTreeMap::from([("input_ids".into(), ids)]),
        outputs: BTreeMap::new(),
    }
}

/// Programs of 1, 3, 6 and 12 positions: one executor runs all sizes that it has room for, one after the other.
#[test]
fn one_executor_runs_one_size_after_the_other() {
    let (model, runtime) = bert();
    let (program, _) = runtime.fit(|_| Some(vec![4, 12])).unwrap();
    let mut executor = runtime.executor(program, &Options::default()).unwrap();
    for (batch, seq) in [(4, 12), (1, 1), (3, 7), (1, 12), (4, 2)] {
        let case = tokens(batch, seq);
        let sizes = [("batch", batch), ("seq", seq)];
        let named = sizes.map(|(s, n)| (s.to_owned(), n.unsigned_abs()));
        executor.set_sizes(&named.into()).unwrap();
        set(&mut executor, &case);
        executor.run().unwrap();
        let sizes = sizes.map(|(s, n)| (Symbol::new(s), n));
        let exact = compiled(&model, BTreeMap::new(), sizes.into()).unwrap();
        let wanted = run(&exact, &case);
        let found = outputs(&executor);
        assert_eq!(found.len(), wanted.len());
        for (name, wanted) in &wanted {
            assert_eq!(found[name].shape(), wanted.shape(), "{name}");
            let scale = wanted.values().iter().fold(0.0, |s: f64, x| s.max(x.abs()));
            for (a, b) in found[name].values().iter().zip(wanted.values().iter()) {
                let near = (a - b).abs() <= BOUND * scale;
                assert!(near, "{name} at {batch} x {seq}: {a}, not {b}");
            }
        }
    }
}

#[test]
fn sizes_without_room_are_refused() {
    let (_, runtime) = bert();
    let fit = |shape: &[usize]| runtime.fit(|_| Some(shape.to_vec()));
    let Err(DeviceError::Size {
        symbol,
        min,
        max,
        found,
        ..
    }) = fit(&[1, 13])
    else {
        panic!("13 positions")
    };
    assert_eq!((symbol.as_str(), min, max, found), ("seq", 1, 12, 13));
    assert!(matches!(fit(&[0, 4]), Err(DeviceError::Size { .. })));
    let different = |name: &str| Some(vec![1, if name == "input_ids" { 4 } else { 5 }]);
    assert!(matches!(
        runtime.fit(different),
        Err(DeviceError::Sizes { .. })
    ));

    let (program, _) = fit(&[1, 3]).unwrap();
    let mut executor = runtime.executor(program, &Options::default()).unwrap();
    let sizes = |seq| BTreeMap::from([("seq".to_owned(), seq)]);
    for wrong in [
        sizes(0),
        sizes(4),
        BTreeMap::from([("depth".to_owned(), 1)]),
    ] {
        assert!(matches!(
            executor.set_sizes(&wrong),
            Err(RunError::Room { .. })
        ));
    }
    executor.set_sizes(&sizes(2)).unwrap();
    let bytes = [0; 8];
    let size = TensorView {
        dtype: ir::DType::I64,
        shape: &[],
        bytes: &bytes,
    };
    assert!(matches!(
        executor.set_input("size.seq", size),
        Err(RunError::Size { .. })
    ));
    let three = TensorView {
        dtype: ir::DType::I64,
        shape: &[1, 3],
        bytes: &[0; 24],
    };
    assert!(matches!(
        executor.set_input("input_ids", three),
        Err(RunError::Type { .. })
    ));
}
