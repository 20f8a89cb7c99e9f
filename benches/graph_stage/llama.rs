//! The text of a flat LLaMA graph, as an exporter writes it: small ops, no layer marks, no telling names.

use ir::{
    BinaryFn, Bounds, Build, DType, Dim, F64, Graph, TensorType, UnaryFn, ValueId,
    ops::{self, Absent},
};

/// Sizes of a decoder.
pub struct Sizes {
    pub layers: usize,
    pub hidden: i64,
    pub heads: i64,
    pub keys: i64,
    pub head: i64,
    pub inner: i64,
    pub vocabulary: i64,
}

struct Writer<'a> {
    b: Build<'a>,
    sizes: &'a Sizes,
    count: usize,
}

fn rows() -> [Dim; 2] {
    [Dim::symbol("batch"), Dim::symbol("seq")]
}

impl Writer<'_> {
    fn weight(&mut self, shape: &[i64]) -> ValueId {
        self.count += 1;
        let (name, ty) = (
            format!("t{}", self.count),
            TensorType::fixed(DType::Bf16, shape),
        );
        let stored = self.b.op(ops::Weight { name, ty }, &[]);
        self.b.cast(DType::F32, stored)
    }

    fn input(&mut self, name: &str, dtype: DType, shape: Vec<Dim>) -> ValueId {
        let (name, ty) = (name.into(), TensorType::new(dtype, shape));
        self.b.op(
            ops::Input {
                name,
                ty,
                absent: Absent::Required,
                below: 0,
            },
            &[],
        )
    }

    fn linear(&mut self, from: i64, to: i64, x: ValueId) -> ValueId {
        let w = self.weight(&[to, from]);
        let w = self.b.op(ops::Permute { axes: vec![1, 0] }, &[w]);
        self.b.matmul(x, w)
    }

    fn norm(&mut self, x: ValueId) -> ValueId {
        let g = self.weight(&[self.sizes.hidden]);
        let two = self.b.scalar(x, F64::new(2.0));
        let square = self.b.binary(BinaryFn::Pow, x, two);
        let mean = self.b.mean_last(square);
        let shifted = self.b.add_scalar(mean, F64::new(1e-5));
        let root = self.b.unary(UnaryFn::Sqrt, shifted);
        let unit = self.b.binary(BinaryFn::Div, x, root);
        self.b.mul(g, unit)
    }

    fn split(&mut self, heads: i64, x: ValueId) -> ValueId {
        let [batch, seq] = rows();
        let shape = vec![batch, seq, heads.into(), self.sizes.head.into()];
        let split = self.b.op(ops::Reshape { shape }, &[x]);
        self.b.op(
            ops::Permute {
                axes: vec![0, 2, 1, 3],
            },
            &[split],
        )
    }

    /// `x cos + rotate_half(x) sin`
    fn turn(&mut self, [cos, sin]: [ValueId; 2], x: ValueId) -> ValueId {
        let half = self.sizes.head / 2;
        let [first, second] = [0, half].map(|start| {
            let slice = ops::Slice {
                axis: 3,
                start: start.into(),
                size: half.into(),
                step: 1,
            };
            self.b.op(slice, &[x])
        });
        let second = self.b.unary(UnaryFn::Neg, second);
        let turned = self.b.op(ops::Concat { axis: 3 }, &[second, first]);
        let (own, other) = (self.b.mul(x, cos), self.b.mul(turned, sin));
        self.b.add(own, other)
    }

    fn repeat(&mut self, x: ValueId) -> ValueId {
        let Sizes {
            heads, keys, head, ..
        } = *self.sizes;
        let [batch, seq] = rows();
        let shape = vec![
            batch.clone(),
            keys.into(),
            1.into(),
            seq.clone(),
            head.into(),
        ];
        let split = self.b.op(ops::Reshape { shape }, &[x]);
        let shape = vec![
            batch.clone(),
            keys.into(),
            (heads / keys).into(),
            seq.clone(),
            head.into(),
        ];
        let wide = self.b.op(ops::Broadcast { shape }, &[split]);
        self.b.op(
            ops::Reshape {
                shape: vec![batch, heads.into(), seq, head.into()],
            },
            &[wide],
        )
    }

    fn layer(&mut self, mask: ValueId, tables: [ValueId; 2], x: ValueId) -> ValueId {
        let Sizes {
            hidden,
            heads,
            keys,
            head,
            inner,
            ..
        } = *self.sizes;
        let y = self.norm(x);
        let [q, k, v] = [heads, keys, keys].map(|n| {
            let columns = self.linear(hidden, n * head, y);
            self.split(n, columns)
        });
        let (q, k) = (self.turn(tables, q), self.turn(tables, k));
        let (k, v) = (self.repeat(k), self.repeat(v));
        let k = self.b.op(
            ops::Permute {
                axes: vec![0, 1, 3, 2],
            },
            &[k],
        );
        let scores = self.b.matmul(q, k);
        let root = self.b.scalar(scores, F64::new((head as f64).sqrt()));
        let scores = self.b.binary(BinaryFn::Div, scores, root);
        let scores = self.b.add(scores, mask);
        let weights = self.b.op(ops::Softmax { axis: 3 }, &[scores]);
        let mixed = self.b.matmul(weights, v);
        let mixed = self.b.op(
            ops::Permute {
                axes: vec![0, 2, 1, 3],
            },
            &[mixed],
        );
        let [batch, seq] = rows();
        let merged = self.b.op(
            ops::Reshape {
                shape: vec![batch, seq, hidden.into()],
            },
            &[mixed],
        );
        let attended = self.linear(hidden, hidden, merged);
        let x = self.b.add(x, attended);
        let y = self.norm(x);
        let gate = self.linear(hidden, inner, y);
        let sigmoid = self.b.unary(UnaryFn::Sigmoid, gate);
        let gate = self.b.mul(gate, sigmoid);
        let up = self.linear(hidden, inner, y);
        let both = self.b.mul(gate, up);
        let down = self.linear(inner, hidden, both);
        self.b.add(x, down)
    }
}

fn graph(sizes: &Sizes) -> Graph {
    let mut graph = Graph::new("llama");
    graph.declare("batch", Bounds { min: 1, max: 64 });
    graph.declare("seq", Bounds { min: 1, max: 4096 });
    let mut w = Writer {
        b: Build::new(&mut graph),
        sizes,
        count: 0,
    };
    let [batch, seq] = rows();
    let ids = w.input("input_ids", DType::I64, vec![batch.clone(), seq.clone()]);
    let mask = w.input(
        "mask",
        DType::F32,
        vec![batch, 1.into(), seq.clone(), seq.clone()],
    );
    let half: Dim = (sizes.head / 2).into();
    let angles = w.input("angles", DType::F32, vec![1.into(), 1.into(), seq, half]);
    let angles = w.b.op(ops::Concat { axis: 3 }, &[angles, angles]);
    let tables = [UnaryFn::Cos, UnaryFn::Sin].map(|f| w.b.unary(f, angles));
    let table = w.weight(&[sizes.vocabulary, sizes.hidden]);
    let mut x = w.b.op(ops::Embedding {}, &[table, ids]);
    for _ in 0..sizes.layers {
        x = w.layer(mask, tables, x);
    }
    let y = w.norm(x);
    let logits = w.linear(sizes.hidden, sizes.vocabulary, y);
    graph.output("logits", logits);
    graph
}

/// The graph as text, its values under shuffled names.
pub fn text(sizes: &Sizes) -> String {
    let graph = graph(sizes);
    let count = graph.nodes().len();
    // A walk through all numbers below a prime: no two values share a name, and names tell no order.
    let prime = (count.max(2)..).find(|p| (2..).take_while(|d| d * d <= *p).all(|d| p % d != 0));
    let prime = prime.expect("there is a prime above any number");
    let name = |i: usize| (i * 7919 + 31) % prime;
    let mut out = String::new();
    let mut parts = graph
        .to_string()
        .split('%')
        .map(str::to_owned)
        .collect::<Vec<_>>()
        .into_iter();
    out += &parts.next().unwrap_or_default();
    for part in parts {
        let end = part
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(part.len());
        let (number, rest) = part.split_at(end);
        let number: usize = number.parse().expect("printed values are numbers");
        out += &format!("%n{}{rest}", name(number));
    }
    out
}
