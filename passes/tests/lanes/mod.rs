//! Kernels on devices of many lanes: tile program and lane program against the meaning of the graph.

pub mod targets;

use std::collections::BTreeMap;

use ir::{
    DType, Graph, Kernel, Op, Schedule, Target, Tensor, WeightMap, eval,
    lane::emulate_all,
    tile::{self, Arithmetic},
};
use passes::LowerError;

/// Numbers that look random and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn tensor(&mut self, dtype: DType, shape: &[i64]) -> Tensor {
        let len = shape.iter().product::<i64>();
        let number = |n: u64| {
            if dtype.is_float() {
                ir::round_to(dtype, (n % 2001) as f64 / 1000.0 - 1.0)
            } else {
                (n % 2) as f64
            }
        };
        let values = (0..len).map(|_| number(self.next())).collect();
        Tensor::from_f64(dtype, shape, values).unwrap()
    }
}

/// The graphs of a file, separated by lines of dashes.
pub fn graphs(text: &str) -> Vec<Graph> {
    let all = text.split("\n----\n");
    all.map(|t| ir::text::parse(t).unwrap_or_else(|e| panic!("{e:?}\n{t}")))
        .collect()
}

/// A graph at sizes that are given to its symbols in order, the last one to the rest.
pub fn bind(graph: &Graph, sizes: &[i64]) -> Graph {
    let symbols = graph.symbols().iter().enumerate();
    let sizes = symbols
        .map(|(i, (symbol, _))| (symbol.clone(), *sizes.get(i).or(sizes.last()).unwrap()))
        .collect();
    graph.bind(&sizes).unwrap()
}

/// The distinct kernels of a graph at these sizes.
pub fn kernels(graph: &Graph, sizes: &[i64]) -> Vec<Kernel> {
    passes::group(&bind(graph, sizes), &[]).unwrap().kernels
}

/// How far results in rounded arithmetic may lie from exact ones, relative to the largest: each node rounds sums of
/// at most the longest axis of any operand; narrow numbers are rounded where they are stored, and where weights of
/// attention are.
pub fn tolerance(graph: &Graph) -> f64 {
    let shapes = graph.nodes().iter().map(|n| n.ty.known_shape().unwrap());
    let longest = shapes.flatten().max().unwrap_or(1).max(4);
    let narrow = graph.nodes().iter().map(|n| match n.ty.dtype {
        DType::F16 => 2f64.powi(-11),
        DType::Bf16 => 2f64.powi(-8),
        _ => 0.0,
    });
    let f32 = 2f64.powi(-24) * longest as f64 * 4.0 * graph.nodes().len() as f64;
    f32 + 4.0 * narrow.fold(0.0, f64::max)
}

fn compare(what: &str, kernel: &Kernel, found: &[f64], wanted: &[f64], tolerance: f64) {
    let finite = wanted.iter().filter(|w| w.is_finite());
    let scale = finite.fold(0.0, |s: f64, w| s.max(w.abs()));
    for (at, (f, w)) in found.iter().zip(wanted).enumerate() {
        let same = f == w || f.is_nan() && w.is_nan() || (f - w).abs() <= tolerance * scale;
        assert!(
            same,
            "{what} of `{}`: element {at} is {f}, not {w} (of at most {scale})",
            kernel.name
        );
    }
}

/// Numbers for the inputs of a kernel, and what its graph gives for them.
pub fn run(kernel: &Kernel) -> (Vec<Vec<f64>>, Vec<f64>) {
    let mut numbers = Numbers(7);
    let mut inputs = BTreeMap::new();
    let mut params = vec![];
    for node in kernel.graph.nodes() {
        if let Op::Input(input) = &node.op {
            let shape = input.ty.known_shape().unwrap();
            let tensor = numbers.tensor(input.ty.dtype, &shape);
            params.push(tensor.values().into_owned());
            inputs.insert(input.name.clone(), tensor);
        }
    }
    let outputs = eval::evaluate(&kernel.graph, &inputs, &WeightMap::default()).unwrap();
    (params, outputs.into_values().next().unwrap().into_values())
}

/// Fails unless both programs of a kernel give what its graph means; none if the schedule does not fit.
pub fn check(kernel: &Kernel, schedule: &Schedule, target: &Target) -> Option<ir::lane::Counts> {
    let lowered = match passes::lower(kernel, schedule, target) {
        Err(LowerError::DoesNotFit { .. }) => return None,
        other => other.unwrap_or_else(|e| panic!("{}: {schedule:?}: {e}", target.name)),
    };
    let (mut params, wanted) = run(kernel);
    params.push(vec![f64::NAN; wanted.len()]);
    let program = &lowered.program;
    tile::verify(program).unwrap_or_else(|e| panic!("{e}\n{program}"));
    let mut exact = params.clone();
    tile::evaluate(program, &mut exact, Arithmetic::Exact)
        .unwrap_or_else(|e| panic!("{e}\n{program}"));
    compare("tile program", kernel, exact.last().unwrap(), &wanted, 1e-9);
    let lane = lowered.lane.expect("the target has lanes");
    let counts = emulate_all(&lane, &mut params, None)
        .unwrap_or_else(|e| panic!("{}: {schedule:?}\n{e}\n{program}\n{lane}", target.name));
    let what = format!("{}: {schedule:?}\nlane program", target.name);
    compare(
        &what,
        kernel,
        params.last().unwrap(),
        &wanted,
        tolerance(&kernel.graph),
    );
    Some(counts)
}
