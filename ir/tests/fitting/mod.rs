//! Every op with operands that it takes.

use ir::{BinaryFn, DType, Dim, Domain, Monoid, Op, TensorType, UnaryFn, ops};
use proptest::{collection::vec, prelude::*, sample::select};

/// Eight sizes: 1, primes, or known only later.
pub fn sizes() -> impl Strategy<Value = Vec<Dim>> {
    let known = select(vec![1_i64, 2, 3, 5, 7, 13]).prop_map(Dim::from);
    let symbol = select(vec!["batch", "seq"]).prop_map(Dim::symbol);
    vec(prop_oneof![3 => known, 1 => symbol], 8)
}

fn f32s(shape: &[&Dim]) -> TensorType {
    TensorType::new(DType::F32, shape.iter().map(|d| (*d).clone()))
}

fn i64s(shape: &[&Dim]) -> TensorType {
    f32s(shape).with_dtype(DType::I64)
}

fn taken(domain: Domain) -> DType {
    DType::ALL
        .into_iter()
        .find(|d| domain.contains(*d))
        .unwrap()
}

/// Every op at least once, with fitting operands made of these sizes.
pub fn fitting(sizes: &[Dim]) -> Vec<(Op, Vec<TensorType>)> {
    let [a, b, c, d, e, f, g, h] = sizes else {
        panic!("wanted 8 sizes")
    };
    let one = &Dim::from(1);
    let cube = || vec![f32s(&[a, b, c])];
    let shape = || vec![a.clone(), b.clone()];
    let ty = f32s(&[a, b]);
    let mut out: Vec<(Op, Vec<TensorType>)> = vec![
        (
            ops::Input {
                name: "x".into(),
                ty: ty.clone(),
                absent: ops::Absent::Ones,
                below: 0,
            }
            .into(),
            vec![],
        ),
        (
            ops::Weight {
                name: "w".into(),
                ty: ty.clone(),
            }
            .into(),
            vec![],
        ),
        (
            ops::Constant {
                value: 0.5.into(),
                ty: ty.clone(),
            }
            .into(),
            vec![],
        ),
        (
            ops::Extent {
                size: shape(),
                dtype: DType::F32,
            }
            .into(),
            vec![],
        ),
        (
            ops::Iota {
                axis: 1,
                ty: i64s(&[a, b]),
            }
            .into(),
            vec![],
        ),
        (
            ops::Distance {
                rows: a.clone(),
                columns: b.clone(),
                dtype: DType::F32,
            }
            .into(),
            vec![],
        ),
        (
            ops::Mean {
                axes: vec![0, 2],
                keep: false,
            }
            .into(),
            cube(),
        ),
        (ops::Softmax { axis: 1 }.into(), cube()),
        (
            ops::Select {}.into(),
            vec![
                f32s(&[b, c]).with_dtype(DType::Bool),
                f32s(&[a, b, one]),
                f32s(&[]),
            ],
        ),
        (
            ops::Reshape {
                shape: vec![a.clone() * b.clone(), c.clone()],
            }
            .into(),
            cube(),
        ),
        (
            ops::Reshape {
                shape: vec![c.clone(), one.clone(), a.clone() * b.clone()],
            }
            .into(),
            vec![f32s(&[c, a, b])],
        ),
        (
            ops::Broadcast {
                shape: vec![a.clone(), b.clone(), c.clone()],
            }
            .into(),
            vec![f32s(&[b, one])],
        ),
        (
            ops::Permute {
                axes: vec![2, 0, 1],
            }
            .into(),
            cube(),
        ),
        (
            ops::Slice {
                axis: 1,
                start: 0.into(),
                size: b.clone(),
                step: 1,
            }
            .into(),
            cube(),
        ),
        (
            ops::Slice {
                axis: 1,
                start: b.clone() + (-1).into(),
                size: b.clone(),
                step: -1,
            }
            .into(),
            cube(),
        ),
        (
            ops::Concat { axis: 1 }.into(),
            vec![f32s(&[a, b]), f32s(&[a, c]), f32s(&[a, d])],
        ),
        (
            ops::Pad {
                lo: shape(),
                hi: shape(),
                value: 0.0.into(),
            }
            .into(),
            vec![ty.clone()],
        ),
        (
            ops::Gather { axis: 1 }.into(),
            vec![f32s(&[a, b, c]), i64s(&[d, e])],
        ),
        (
            ops::Windows {
                axes: vec![1],
                sizes: vec![2],
                strides: vec![1],
                dilations: vec![2],
                before: vec![1],
                after: vec![1],
                value: 0.0.into(),
            }
            .into(),
            cube(),
        ),
        (
            ops::TakeAlong { axis: 1 }.into(),
            vec![f32s(&[a, b, c]), i64s(&[a, d, c])],
        ),
        (
            ops::TopK {
                axis: 1,
                k: 1,
                largest: true,
            }
            .into(),
            cube(),
        ),
        (
            ops::CumSum {
                axis: 1,
                exclusive: true,
                reverse: false,
            }
            .into(),
            cube(),
        ),
        (
            ops::ExpertLinear {}.into(),
            vec![f32s(&[a, one, b]), f32s(&[e, b, c]), i64s(&[a, d])],
        ),
        (ops::Embedding {}.into(), vec![f32s(&[a, b]), i64s(&[d, e])]),
        (
            ops::Gated { act: UnaryFn::Silu }.into(),
            vec![ty.clone(), ty.clone()],
        ),
        (
            ops::LayerNorm { eps: 1e-5.into() }.into(),
            vec![f32s(&[a, b]), f32s(&[b]), f32s(&[b])],
        ),
        (
            ops::RmsNorm { eps: 1e-5.into() }.into(),
            vec![f32s(&[a, b]), f32s(&[b])],
        ),
        (
            ops::AddLayerNorm { eps: 1e-5.into() }.into(),
            vec![f32s(&[a, b]), f32s(&[a, b]), f32s(&[b]), f32s(&[b])],
        ),
        (
            ops::AddRmsNorm { eps: 1e-5.into() }.into(),
            vec![f32s(&[a, b]), f32s(&[a, b]), f32s(&[b])],
        ),
        (ops::Hold {}.into(), cube()),
        (ops::L2Normalize { eps: 1e-12.into() }.into(), cube()),
    ];
    for combine in [None, Some(Monoid::Sum)] {
        out.push((
            ops::Scatter { axis: 1, combine }.into(),
            vec![f32s(&[a, b, c]), i64s(&[d, e]), f32s(&[a, d, e, c])],
        ));
        out.push((
            ops::ScatterAlong { axis: 1, combine }.into(),
            vec![f32s(&[a, b, c]), i64s(&[a, d, c]), f32s(&[a, d, c])],
        ));
        out.push((
            ops::ScatterPoints { combine }.into(),
            vec![f32s(&[a, b, c]), i64s(&[d, &2.into()]), f32s(&[d, c])],
        ));
    }
    for f in UnaryFn::ALL {
        out.push((
            ops::Unary { f: *f }.into(),
            vec![f32s(&[a, b]).with_dtype(taken(f.domain()))],
        ));
    }
    for f in BinaryFn::ALL {
        let dtype = taken(f.domain());
        let types = [f32s(&[a, one, c]), f32s(&[b, c])];
        out.push((
            ops::Binary { f: *f }.into(),
            types.map(|t| t.with_dtype(dtype)).to_vec(),
        ));
    }
    for dtype in DType::ALL {
        out.push((ops::Cast { dtype }.into(), cube()));
    }
    for monoid in Monoid::ALL {
        out.push((
            ops::Reduce {
                monoid,
                axes: vec![1],
                keep: true,
            }
            .into(),
            cube(),
        ));
        out.push((
            ops::Reduce {
                monoid,
                axes: vec![0, 1, 2],
                keep: false,
            }
            .into(),
            cube(),
        ));
        out.push((ops::AllReduce { monoid, ranks: 2 }.into(), cube()));
        let wide = f32s(&[a, &(b.clone() * 3.into())]);
        out.push((
            ops::ReduceScatter {
                monoid,
                axis: 1,
                ranks: 3,
            }
            .into(),
            vec![wide.clone()],
        ));
        out.push((
            ops::AllGather { axis: 0, ranks: 3 }.into(),
            vec![wide.clone()],
        ));
        out.push((
            ops::AllToAll {
                split: 1,
                concat: 0,
                ranks: 3,
            }
            .into(),
            vec![wide],
        ));
    }
    for (ta, tb) in [(false, false), (true, false), (false, true), (true, true)] {
        let left = if ta {
            f32s(&[d, b, a])
        } else {
            f32s(&[d, a, b])
        };
        let right = if tb {
            f32s(&[e, one, c, b])
        } else {
            f32s(&[e, one, b, c])
        };
        out.push((ops::MatMul { ta, tb }.into(), vec![left, right]));
    }
    for (bias, tb) in [(false, false), (true, false), (false, true), (true, true)] {
        let w = if tb { f32s(&[c, b]) } else { f32s(&[b, c]) };
        let mut types = vec![f32s(&[d, a, b]), w.clone()];
        out.push((
            ops::GatedLinear {
                act: UnaryFn::Gelu,
                tb,
            }
            .into(),
            [types.clone(), vec![w]].concat(),
        ));
        types.extend(bias.then(|| f32s(&[c])));
        types.extend(tb.then(|| f32s(&[d, a, c])));
        out.push((
            ops::Linear {
                act: bias.then_some(UnaryFn::Tanh),
                bias,
                residual: tb,
                tb,
            }
            .into(),
            types,
        ));
    }
    let (half, whole) = (d, d.clone() * 2.into() + e.clone());
    for interleaved in [false, true] {
        let table = f32s(&[one, c, half]);
        out.push((
            ops::Rope { interleaved }.into(),
            vec![f32s(&[a, b, c, &whole]), table.clone(), table],
        ));
    }
    for scaling in ops::RopeScaling::ALL {
        let op = ops::RopeFrequencies {
            dims: 6,
            theta: 1e4.into(),
            scaling,
            factor: 8.0.into(),
            low: 1.0.into(),
            high: 4.0.into(),
            context: 64.0.into(),
            dtype: DType::F32,
        };
        out.push((op.into(), vec![]));
    }
    let heads = g.clone() * h.clone();
    for options in 0..16 {
        let set = |bit: u32| options >> bit & 1 == 1;
        let op = ops::Attention {
            scale: 0.5.into(),
            causal: set(0),
            window: i64::from(set(1)) * 3,
            softcap: f64::from(u8::from(set(1))).into(),
            mask: set(2),
            alibi: set(3),
        };
        let mut types = vec![
            f32s(&[a, &heads, b, c]),
            f32s(&[a, g, d, c]),
            f32s(&[a, g, d, f]),
        ];
        types.extend(set(2).then(|| f32s(&[one, b, d])));
        types.extend(set(3).then(|| f32s(&[&heads])));
        if set(0) {
            let cached = ops::CachedAttention {
                scale: op.scale,
                window: op.window,
                softcap: op.softcap,
                mask: op.mask,
                alibi: op.alibi,
            };
            let past = i64s(&[one]);
            out.push((cached.into(), [types.clone(), vec![past]].concat()));
        }
        out.push((op.into(), types));
    }
    out
}
