//! The kernels of an encoder layer.

use ir::{
    AttentionSchedule, BinaryFn, Build, Bytes, ContractSchedule, DType, Dim, Form, Graph, Kernel,
    MapSchedule, Roofline, RowsSchedule, Schedule, Simd, Target, TensorType, UnaryFn, ValueId,
    ops::{self, Absent},
    tile::Arithmetic,
};
use passes::KernelFamily;

fn dims(sizes: &[i64]) -> Vec<Dim> {
    sizes.iter().map(|n| (*n).into()).collect()
}

fn weight(b: &mut Build<'_>, name: &str, shape: &[i64]) -> ValueId {
    b.op(
        ops::Weight {
            name: name.into(),
            ty: TensorType::fixed(DType::F32, shape),
        },
        &[],
    )
}

fn linear(
    b: &mut Build<'_>,
    name: &str,
    x: ValueId,
    sizes: [i64; 2],
    act: Option<UnaryFn>,
    residual: Option<ValueId>,
) -> ValueId {
    let w = weight(b, &format!("{name}.w"), &[sizes[1], sizes[0]]);
    let bias = weight(b, &format!("{name}.b"), &[sizes[1]]);
    let op = ops::Linear {
        act,
        bias: true,
        residual: residual.is_some(),
        tb: true,
    };
    let operands: Vec<_> = [x, w, bias].into_iter().chain(residual).collect();
    b.op(op, &operands)
}

fn norm(b: &mut Build<'_>, name: &str, x: ValueId, d: i64) -> ValueId {
    let g = weight(b, &format!("{name}.g"), &[d]);
    let shift = weight(b, &format!("{name}.b"), &[d]);
    b.op(ops::LayerNorm { eps: 1e-12.into() }, &[x, g, shift])
}

/// A layer as it looks after rewriting, on `[batch, seq, d]` with heads of 32.
fn layer(graph: &mut Graph, batch: i64, seq: i64, d: i64) {
    let input = |name: &str, dtype, shape: &[i64]| ops::Input {
        name: name.into(),
        ty: TensorType::fixed(dtype, shape),
        absent: Absent::Required,
        below: 0,
    };
    let x = graph
        .push(input("x", DType::F32, &[batch, seq, d]), &[])
        .unwrap();
    let mask = graph
        .push(input("mask", DType::I64, &[batch, seq]), &[])
        .unwrap();
    let b = &mut Build::new(graph);
    let heads = d / 32;
    let mask = b.op(
        ops::Reshape {
            shape: dims(&[batch, 1, 1, seq]),
        },
        &[mask],
    );
    let mask = b.cast(DType::F32, mask);
    let one = b.scalar(mask, 1.0.into());
    let hidden = b.binary(BinaryFn::Sub, one, mask);
    let mask = b.mul_scalar(hidden, f64::from(f32::MIN).into());
    let qkv = linear(b, "qkv", x, [d, 3 * d], None, None);
    let parts: Vec<_> = (0..3)
        .map(|i| {
            let part = b.op(
                ops::Slice {
                    axis: 2,
                    start: (i * d).into(),
                    size: d.into(),
                    step: 1,
                },
                &[qkv],
            );
            let split = b.op(
                ops::Reshape {
                    shape: dims(&[batch, seq, heads, 32]),
                },
                &[part],
            );
            b.op(
                ops::Permute {
                    axes: vec![0, 2, 1, 3],
                },
                &[split],
            )
        })
        .collect();
    let attention = ops::Attention {
        scale: 32f64.sqrt().recip().into(),
        causal: false,
        window: 0,
        softcap: 0.0.into(),
        mask: true,
        alibi: false,
    };
    let y = b.op(attention, &[parts[0], parts[1], parts[2], mask]);
    let y = b.op(
        ops::Permute {
            axes: vec![0, 2, 1, 3],
        },
        &[y],
    );
    let y = b.op(
        ops::Reshape {
            shape: dims(&[batch, seq, d]),
        },
        &[y],
    );
    let y = linear(b, "out", y, [d, d], None, Some(x));
    let y = norm(b, "norm1", y, d);
    let z = linear(b, "up", y, [d, 4 * d], Some(UnaryFn::Gelu), None);
    let z = linear(b, "down", z, [4 * d, d], None, Some(y));
    let z = norm(b, "norm2", z, d);
    graph.output("y", z);
}

#[test]
fn a_layer_is_seven_kernels() {
    let mut graph = Graph::new("layer");
    layer(&mut graph, 2, 7, 64);
    let groups = passes::group(&graph, &[]).unwrap();
    let names: Vec<_> = groups
        .launches
        .iter()
        .map(|l| groups.kernels[l.kernel].name.as_str())
        .collect();
    assert_eq!(names.len(), 7, "{names:?}");
    for k in &groups.kernels {
        println!("{} {:?}", k.name, passes::family(k).unwrap());
    }
}

fn target() -> Target {
    let simd = Simd {
        triple: "x86_64-unknown-linux-gnu".into(),
        processor: "x86-64-v4".into(),
        requires: vec![],
        vector: Bytes(64),
        registers: 32,
        l1: Bytes(32 << 10),
        l2: Bytes(1 << 20),
    };
    let roofline = Roofline {
        flops_per_second: 1e11,
        bytes_per_second: 2e10,
        dispatch_seconds: 1e-6,
    };
    Target {
        name: "test".into(),
        roofline,
        form: Form::Simd(simd),
    }
}

/// Small tiles, so that every loop has whole and ragged rounds.
fn schedule(kernel: &Kernel) -> Schedule {
    match passes::family(kernel).unwrap() {
        KernelFamily::Map { .. } | KernelFamily::Fold { .. } | KernelFamily::Scatter { .. } => {
            Schedule::Map(MapSchedule {
                lanes: 16,
                block: 64,
            })
        }
        KernelFamily::Rows { .. } => Schedule::Rows(RowsSchedule {
            lanes: 48,
            block: 3,
        }),
        KernelFamily::Contract { .. } => Schedule::Contract(ContractSchedule {
            rows: 4,
            lanes: 48,
            unroll: 2,
            block_rows: 8,
            block_columns: 96,
            left: ir::Left::InPlace,
        }),
        KernelFamily::Attention { .. } => Schedule::Attention(AttentionSchedule {
            rows: 3,
            lanes: 4,
            unroll: 2,
            block_queries: 6,
        }),
    }
}

#[test]
fn every_kernel_runs_within_its_arrays() {
    let mut graph = Graph::new("layer");
    layer(&mut graph, 2, 7, 64);
    let choose = |k: &Kernel| Ok(schedule(k));
    let plan = passes::plan(&graph, &[], &target(), &choose).unwrap();
    for k in &plan.kernels {
        let len = |i: &ir::tile::Array| usize::try_from(i.len).unwrap();
        let mut params: Vec<Vec<f64>> =
            k.program.params.iter().map(|p| vec![0.5; len(p)]).collect();
        ir::tile::evaluate(&k.program, &mut params, Arithmetic::Exact)
            .unwrap_or_else(|e| panic!("{e}"));
    }
}
