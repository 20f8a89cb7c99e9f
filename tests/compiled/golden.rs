//! Ops by themselves, compiled for this CPU, against NumPy and PyTorch: integers over the whole range of their types,
//! and the golden vectors of ops that have templates of their own.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use ir::{DType, Tensor, TensorType, WeightMap, text};
use serde_json::Value;
use tilewright::{
    CompileOptions,
    runtime::{self, Device, TensorView},
};

use crate::{BOUND, drivers, support::mixture};

/// A graph of one op over inputs of these types.
fn graph(op: &str, attrs: &str, inputs: &[TensorType], output: &str) -> ir::Graph {
    let mut lines = String::new();
    for (i, ty) in inputs.iter().enumerate() {
        lines += &format!(
            "%x{i} = input {{name = \"x{i}\", ty = {ty}, absent = required, below = 0}} : {ty}\n"
        );
    }
    let operands: Vec<_> = (0..inputs.len()).map(|i| format!("%x{i}")).collect();
    let operands = operands.join(", ");
    let text = format!(
        "graph \"case\" {{\n{lines}%y = {op}({operands}) {{{attrs}}} : {output}\nreturn y = %y\n}}"
    );
    text::parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// The bytes of `y` for these inputs, and the operations of the kernels that ran.
fn run(graph: &ir::Graph, inputs: &[(String, Tensor)]) -> (Vec<u8>, u64) {
    let options = CompileOptions::new(tilewright::target("cpu").unwrap());
    let (artifact, _) =
        tilewright::compile_in_memory(graph, &WeightMap::default(), &options, &mut |_| ())
            .unwrap_or_else(|e| panic!("{e}\n{graph}"));
    let model = runtime::Model::load_on(Arc::new(artifact), &Device::Cpu, &drivers()).unwrap();
    let mut executor = model.executor(0, &runtime::Options::default()).unwrap();
    for (name, x) in inputs {
        let shape: Vec<usize> = x.shape().iter().map(|n| *n as usize).collect();
        let bytes = x.bytes();
        let view = TensorView {
            dtype: x.dtype(),
            shape: &shape,
            bytes: &bytes,
        };
        executor.set_input(name, view).unwrap();
    }
    executor.run().unwrap();
    let kernels = &model.target().kernels;
    let flops = executor.stats().into_iter().map(|s| {
        let kernel = &kernels[s.kernel.0 as usize];
        kernel.flops.0 * s.dispatches
    });
    (executor.output("y").unwrap().bytes.to_vec(), flops.sum())
}

/// Each input under the name that [`graph`] gives it.
fn named(inputs: &[Tensor]) -> Vec<(String, Tensor)> {
    let inputs = inputs.iter().enumerate();
    inputs.map(|(i, x)| (format!("x{i}"), x.clone())).collect()
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// A tensor of whole numbers, each as text, in the bytes of its type.
fn whole(stored: &Value) -> Tensor {
    let ty = text::parse_type(stored["type"].as_str().unwrap()).unwrap();
    let values = stored["values"].as_array().unwrap().iter();
    let bytes = values.flat_map(|v| {
        let n: i64 = v.as_str().unwrap().parse().unwrap();
        n.to_le_bytes()[..ty.dtype.size()].to_vec()
    });
    Tensor::from_bytes(ty.dtype, &ty.known_shape().unwrap(), bytes.collect()).unwrap()
}

#[test]
fn integers_are_exact_and_wrap() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compiled/integers.json");
    let (mut cases, mut wrong) = (0, Vec::new());
    for case in read(&path).as_array().unwrap() {
        let inputs: Vec<_> = case["inputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(whole)
            .collect();
        let types: Vec<_> = inputs.iter().map(Tensor::ty).collect();
        let [op, attrs, ty] =
            [&case["op"], &case["attrs"], &case["output"]["type"]].map(|v| v.as_str().unwrap());
        let (found, _) = run(&graph(op, attrs, &types, ty), &named(&inputs));
        cases += 1;
        if found != *whole(&case["output"]).bytes() {
            wrong.push(format!("{op} {{{attrs}}} of {}", types[0]));
        }
    }
    println!("{cases} cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Numbers of a golden vector, or the words `inf`, `-inf` and `nan`.
fn golden(stored: &Value) -> Tensor {
    let ty = text::parse_type(stored["type"].as_str().unwrap()).unwrap();
    let values = stored["values"].as_array().unwrap().iter();
    let number = |v: &Value| match v.as_f64() {
        Some(x) => x,
        None => v.as_str().unwrap().parse().unwrap(),
    };
    Tensor::from_f64(
        ty.dtype,
        &ty.known_shape().unwrap(),
        values.map(number).collect(),
    )
    .unwrap()
}

const OPS: &[&str] = &[
    "windows",
    "take_along",
    "top_k",
    "cum_sum",
    "scatter",
    "scatter_along",
    "scatter_points",
    "expert_linear",
];

/// Their sums are of numbers with so few bits that f32 holds them all; products of up to eight round.
#[test]
fn primitives_windows_and_experts_agree_with_golden_vectors() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ir/tests/golden");
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for op in OPS {
        for case in read(&folder.join(format!("{op}.json")))["cases"]
            .as_array()
            .unwrap()
        {
            let rank = &case["ranks"][0];
            let inputs: Vec<_> = rank["inputs"]
                .as_array()
                .unwrap()
                .iter()
                .map(golden)
                .collect();
            let wanted = golden(&rank["output"]);
            // Tensors without elements have no kernels.
            if inputs.iter().chain([&wanted]).any(|x| x.elements() == 0) {
                continue;
            }
            let types: Vec<_> = inputs.iter().map(Tensor::ty).collect();
            let attrs = case["attrs"].as_str().unwrap();
            let graph = graph(op, attrs, &types, &wanted.ty().to_string());
            let (bytes, _) = run(&graph, &named(&inputs));
            let made = Tensor::from_bytes(wanted.dtype(), wanted.shape(), bytes).unwrap();
            let roundings = if attrs.contains("prod") { 8.0 } else { 0.0 };
            for (a, b) in made.values().iter().zip(wanted.values().iter()) {
                let near = (a - b).abs() <= roundings * f64::from(f32::EPSILON) / 2.0 * b.abs();
                assert!(
                    a == b || near || a.is_nan() && b.is_nan(),
                    "{op} {{{attrs}}}: {a}, not {b}"
                );
            }
            *found.entry(*op).or_default() += 1;
        }
    }
    println!("{found:?}");
    assert!(found.values().all(|n| *n > 2), "{found:?}");
}

/// A mixture of experts does the work of those that tokens choose: of two in eight, here.
#[test]
fn only_chosen_experts_work() {
    let graph = text::parse(include_str!("../support/experts.graph")).unwrap();
    let (case, share) = mixture(&graph);
    let inputs = case.inputs.iter().map(|(name, x)| {
        let tensor = Tensor::from_f64(DType::F32, &x.shape, x.values.clone()).unwrap();
        (name.clone(), tensor)
    });
    let (bytes, flops) = run(&graph, &inputs.collect::<Vec<_>>());
    let y = Tensor::from_bytes(DType::F32, &case.outputs["y"].shape, bytes).unwrap();
    let error = case.largest(&BTreeMap::from([("y".into(), y)]));
    println!("{flops} operations, {share} of the chosen experts; {error:.1e}");
    assert!(error < BOUND, "{error}");
    assert!(flops.abs_diff(share) <= share / 10, "{flops}, not {share}");
}
