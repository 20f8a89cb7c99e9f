//! Graphs for tests, as importers and exporters write them, and how rules and cases are checked.

#![allow(dead_code, reason = "each test file takes what it needs")]

pub mod cases;
pub mod field;
pub mod random;
pub mod sample;
pub mod verdict;

use ir::{
    BinaryFn, Bounds, Build, DType, Dim, F64, Graph, Roofline, TensorType, UnaryFn, ValueId,
    ops::{self, Absent},
};
use passes::RewriteOptions;

/// Sizes of an encoder.
pub struct Encoder {
    pub layers: usize,
    pub width: i64,
    pub heads: i64,
    pub inner: i64,
}

fn weight(b: &mut Build<'_>, name: String, shape: &[i64]) -> ValueId {
    b.op(
        ops::Weight {
            name,
            ty: TensorType::fixed(DType::F32, shape),
        },
        &[],
    )
}

/// An encoder of the BERT family, with attention and gelu in small ops.
pub fn encoder(sizes: &Encoder) -> Graph {
    let mut graph = Graph::new("encoder");
    graph.declare("batch", Bounds { min: 1, max: 64 });
    graph.declare("seq", Bounds { min: 1, max: 512 });
    let (batch, seq) = (Dim::symbol("batch"), Dim::symbol("seq"));
    let width = sizes.width;
    let mut build = Build::new(&mut graph);
    let b = &mut build;
    let input = |b: &mut Build<'_>, name: &str, dtype, shape: [Dim; 2]| {
        let ty = TensorType::new(dtype, shape);
        b.op(
            ops::Input {
                name: name.into(),
                ty,
                absent: Absent::Required,
                below: 0,
            },
            &[],
        )
    };
    let ids = input(b, "ids", DType::I64, [batch.clone(), seq.clone()]);
    let mask = input(b, "mask", DType::F32, [batch.clone(), seq.clone()]);
    let one = b.scalar(mask, F64::new(1.0));
    let padding = b.sub(one, mask);
    let low = b.mul_scalar(padding, F64::new(f64::from(f32::MIN)));
    let mask = b.op(
        ops::Reshape {
            shape: vec![batch.clone(), 1.into(), 1.into(), seq.clone()],
        },
        &[low],
    );
    let table = weight(b, "table".into(), &[100, width]);
    let mut x = b.op(ops::Embedding {}, &[table, ids]);
    for layer in 0..sizes.layers {
        let linear = |b: &mut Build<'_>, name: &str, from: i64, to: i64, x: ValueId| {
            let w = weight(b, format!("{layer}.{name}.weight"), &[to, from]);
            let bias = weight(b, format!("{layer}.{name}.bias"), &[to]);
            let y = b.op(
                ops::MatMul {
                    ta: false,
                    tb: true,
                },
                &[x, w],
            );
            b.add(y, bias)
        };
        let norm = |b: &mut Build<'_>, name: &str, x: ValueId| {
            let g = weight(b, format!("{layer}.{name}.gain"), &[width]);
            let bias = weight(b, format!("{layer}.{name}.bias"), &[width]);
            b.op(
                ops::LayerNorm {
                    eps: F64::new(1e-12),
                },
                &[x, g, bias],
            )
        };
        let [q, k, v] = ["query", "key", "value"].map(|name| {
            let y = linear(b, name, width, width, x);
            let shape = vec![
                batch.clone(),
                seq.clone(),
                sizes.heads.into(),
                (width / sizes.heads).into(),
            ];
            let split = b.op(ops::Reshape { shape }, &[y]);
            b.op(
                ops::Permute {
                    axes: vec![0, 2, 1, 3],
                },
                &[split],
            )
        });
        let k = b.op(
            ops::Permute {
                axes: vec![0, 1, 3, 2],
            },
            &[k],
        );
        let scores = b.matmul(q, k);
        let root = b.scalar(scores, F64::new(((width / sizes.heads) as f64).sqrt()));
        let scores = b.binary(BinaryFn::Div, scores, root);
        let scores = b.add(scores, mask);
        let weights = b.op(ops::Softmax { axis: 3 }, &[scores]);
        let heads = b.matmul(weights, v);
        let heads = b.op(
            ops::Permute {
                axes: vec![0, 2, 1, 3],
            },
            &[heads],
        );
        let shape = vec![batch.clone(), seq.clone(), width.into()];
        let merged = b.op(ops::Reshape { shape }, &[heads]);
        let attended = linear(b, "out", width, width, merged);
        let sum = b.add(attended, x);
        let middle = norm(b, "norm1", sum);
        let inner = linear(b, "inner", width, sizes.inner, middle);
        let active = b.unary(UnaryFn::Gelu, inner);
        let outer = linear(b, "outer", sizes.inner, width, active);
        let sum = b.add(outer, middle);
        x = norm(b, "norm2", sum);
    }
    graph.output("last_hidden_state", x);
    graph
}

/// Limits for tests: a roofline near that of one core.
pub fn options() -> RewriteOptions {
    RewriteOptions::new(Roofline {
        flops_per_second: 1e11,
        bytes_per_second: 2e10,
        dispatch_seconds: 1e-6,
    })
}
