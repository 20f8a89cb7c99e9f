//! A padded graph at larger sizes gives what the graph gives at the sizes of a run.

use std::collections::BTreeMap;

use ir::{DType, Graph, Op, Sizes, Symbol, Tensor, WeightMap, eval, text};
use passes::{PadReason, pad, size_input};
use proptest::prelude::*;

const GRAPHS: usize = 5;

fn graphs() -> Vec<Graph> {
    let all = include_str!("pad/graphs.txt").split("\n----\n");
    all.map(|t| text::parse(t).unwrap_or_else(|e| panic!("{e:?}\n{t}")))
        .collect()
}

fn symbols(graph: &Graph) -> Vec<Symbol> {
    graph.symbols().keys().cloned().collect()
}

/// Numbers that look random, for each input of a bound graph.
fn inputs(graph: &Graph, seed: u64) -> BTreeMap<String, Tensor> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut number = |dtype: DType, below: i64| match dtype {
        DType::Bool => (next() % 2) as f64,
        d if d.is_float() => (next() % 2001) as f64 / 1000.0 - 1.0,
        _ => (next() % below.max(1).unsigned_abs()) as f64,
    };
    let mut all = BTreeMap::new();
    for node in graph.nodes() {
        if let Op::Input(input) = &node.op {
            let shape = input.ty.known_shape().unwrap();
            let len = shape.iter().product::<i64>();
            let values = (0..len).map(|_| number(input.ty.dtype, input.below));
            let tensor = Tensor::from_f64(input.ty.dtype, &shape, values.collect()).unwrap();
            all.insert(input.name.clone(), tensor);
        }
    }
    all
}

/// The flat position in `from` of each element of `to`, the last coordinate standing for those beyond.
fn nearest(from: &[i64], to: &[i64]) -> Vec<usize> {
    let place = |mut at: i64| {
        let (mut offset, mut stride) = (0, 1);
        for (n, wide) in from.iter().zip(to).rev() {
            offset += (at % wide).min(n - 1) * stride;
            stride *= n;
            at /= wide;
        }
        offset as usize
    };
    (0..to.iter().product()).map(place).collect()
}

fn taken(x: &Tensor, shape: &[i64]) -> Tensor {
    let values = x.values();
    let at = nearest(x.shape(), shape);
    Tensor::from_f64(
        x.dtype(),
        shape,
        at.into_iter().map(|i| values[i]).collect(),
    )
    .unwrap()
}

/// Compares a graph at `sizes` with what it gives as a part of larger ones.
fn check(graph: &Graph, sizes: &Sizes, room: &Sizes, seed: u64) {
    let exact = graph.bind(sizes).unwrap();
    let given = inputs(&exact, seed);
    let wanted = eval::evaluate(&exact, &given, &WeightMap::default()).unwrap();

    let padded = pad(graph, &symbols(graph)).unwrap_or_else(|e| panic!("{e}\n{graph}"));
    let padded = padded.bind(room).unwrap();
    let mut wide = BTreeMap::new();
    for node in padded.nodes() {
        let Op::Input(input) = &node.op else { continue };
        let size = sizes.iter().find(|(s, _)| size_input(s) == input.name);
        let tensor = match size {
            Some((_, n)) => Tensor::from_f64(DType::I64, &[], vec![*n as f64]).unwrap(),
            None => taken(&given[&input.name], &input.ty.known_shape().unwrap()),
        };
        wide.insert(input.name.clone(), tensor);
    }
    let found = eval::evaluate(&padded, &wide, &WeightMap::default()).unwrap();
    for (name, wanted) in &wanted {
        let places = within(wanted.shape(), found[name].shape());
        let values = found[name].values();
        for (i, b) in places.into_iter().zip(wanted.values().iter()) {
            let a = values[i];
            let near = (a - b).abs() <= 1e-12 * b.abs().max(1.0) || a == *b;
            assert!(
                near,
                "{name}[{i}] of {}: {a}, not {b}, at {sizes:?} in {room:?}",
                graph.name()
            );
        }
    }
}

/// The flat positions in `wide` of the elements of `shape`.
fn within(shape: &[i64], wide: &[i64]) -> Vec<usize> {
    let place = |mut at: i64| {
        let (mut offset, mut stride) = (0, 1);
        for (n, w) in shape.iter().zip(wide).rev() {
            offset += at % n * stride;
            stride *= w;
            at /= n;
        }
        offset as usize
    };
    (0..shape.iter().product()).map(place).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_lies_beyond_reaches_no_result(
        which in 0..GRAPHS, b in 1..4_i64, s in 2..9_i64, more in (0..3_i64, 0..6_i64), seed in any::<u64>()
    ) {
        let graph = &graphs()[which];
        let at = |b, s| Sizes::from([(Symbol::new("b"), b), (Symbol::new("s"), s)]);
        check(graph, &at(b, s), &at(b + more.0, s + more.1), seed);
    }
}

/// What is refused, and the words of its reason.
const REFUSED: &[(&str, &str)] = &[
    (
        "%y = slice(%x) {axis = 1, size = [s], start = [s+-1], step = -1} : f32[b,s]",
        "computes with the size",
    ),
    (
        "%y = slice(%x) {axis = 1, size = [1], start = [s+-1], step = 1} : f32[b,1]",
        "computes with the size",
    ),
    (
        "%y = slice(%x) {axis = 1, size = [3], start = [0], step = 1} : f32[b,3]",
        "moves elements",
    ),
    ("%y = concat(%x, %x) {axis = 1} : f32[b,2*s]", "size"),
    (
        "%y = pad(%x) {hi = [0,0], lo = [0,1], value = 0.0} : f32[b,1+s]",
        "moves elements",
    ),
    (
        "%r = reshape(%x) {shape = [b*s]} : f32[b*s]\n%y = sum(%r) {axes = (0), keep = false} : f32[]",
        "of which those that are given",
    ),
    (
        "%y = reshape(%x) {shape = [s,b]} : f32[s,b]",
        "computes with the size",
    ),
    (
        "%y = reshape(%x) {shape = [b*s]} : f32[b*s]",
        "has an axis of size",
    ),
    (
        "%y = top_k(%x) {axis = 1, k = 1, largest = true} : i64[b,1]",
        "moves elements",
    ),
    (
        "%y = cum_sum(%x) {axis = 1, exclusive = false, reverse = true} : f32[b,s]",
        "moves elements",
    ),
    (
        "%p = permute(%x) {axes = (1,0)} : f32[s,b]\n%y = reshape(%p) {shape = [b,s]} : f32[b,s]",
        "computes with the size",
    ),
];

#[test]
fn what_moves_along_such_an_axis_is_refused() {
    for (op, reason) in REFUSED {
        let text = format!(
            "graph \"g\" (b in 1..8, s in 2..64) {{\n%x = input {{name = \"x\", ty = f32[b,s], absent = required, below = 0}} : f32[b,s]\n{op}\nreturn y = %y\n}}"
        );
        let graph = text::parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let error = match pad(&graph, &symbols(&graph)) {
            Err(e) => e,
            Ok(padded) => panic!("{op} was taken: {padded}"),
        };
        assert!(error.to_string().contains(reason), "{op}: {error}");
        assert!(!matches!(error.reason, PadReason::Graph(_)), "{error}");
    }
}
