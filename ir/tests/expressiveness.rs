//! What one meaning per op must be able to say, before the list of ops grows: one test each.

use std::collections::BTreeMap;

use ir::{
    BinaryFn, Compute, DType, Dim, Expr, Monoid, Primitive, Scatter, Tensor, TopK, WeightMap,
    eval::{EvalError, Rank, evaluate_ranks},
    text,
};

fn dims<const N: usize>(sizes: [i64; N]) -> Vec<Dim> {
    sizes.map(Dim::from).to_vec()
}

fn map<const N: usize>(axes: [i64; N], body: Expr) -> Compute {
    Compute {
        axes: dims(axes),
        reduce: None,
        body,
    }
}

fn axis(a: usize) -> Expr {
    Expr::Axis(a)
}

fn counting(shape: &[i64]) -> Tensor {
    let n = shape.iter().product::<i64>();
    Tensor::f32(shape, &(0..n).map(|i| i as f32).collect::<Vec<_>>())
}

/// `y[i, j] = x[ids[i], j]`: an index that is a loaded value.
#[test]
fn gather() {
    let y = map([3, 2], Expr::load(0, [Expr::load(1, [axis(0)]), axis(1)]));
    let (x, ids) = (counting(&[4, 2]), |ids: &[i64; 3]| Tensor::i64(&[3], ids));
    let found = y
        .evaluate(&[x.clone(), ids(&[2, 0, 3])], DType::F32)
        .unwrap();
    assert_eq!(*found.values(), [4.0, 5.0, 0.0, 1.0, 6.0, 7.0]);
    let outside = y.evaluate(&[x, ids(&[2, 4, 3])], DType::F32).unwrap_err();
    assert_eq!(
        outside.to_string(),
        "at [1, 0]: operand 0, axis 0: wanted an index in 0..4, found 4"
    );
}

/// `y = x; y[ids[i], j] = v[i, j]`, and the adjoint of a gather, which adds.
#[test]
fn scatter() {
    let scatter = |start, combine| {
        Primitive::Scatter(Scatter {
            shape: dims([4, 2]),
            start,
            points: dims([3, 2]),
            when: None,
            index: vec![Expr::load(1, [axis(0)]), axis(1)],
            value: Expr::load(2, [axis(0), axis(1)]),
            combine,
        })
    };
    let x = counting(&[4, 2]);
    let operands = [
        x,
        Tensor::i64(&[3], &[2, 0, 2]),
        Tensor::f32(&[3, 2], &[10., 20., 30., 40., 50., 60.]),
    ];
    let values = |p: Primitive| p.evaluate(&operands, DType::F32).unwrap().into_values();
    assert_eq!(
        values(scatter(Some(0), None)),
        [30., 40., 2., 3., 50., 60., 6., 7.]
    );
    let sums = values(scatter(None, Some(Monoid::Sum)));
    assert_eq!(sums, [30., 40., 0., 0., 60., 80., 0., 0.]);
}

/// Positions of the largest; their values are a gather.
#[test]
fn top_k() {
    let top = Primitive::TopK(TopK {
        axis: 1,
        k: 2.into(),
        largest: true,
    });
    let x = Tensor::f32(&[2, 4], &[1., 7., 3., 7., -1., f32::NAN, 0., -2.]);
    let at = top.evaluate(std::slice::from_ref(&x), DType::I64).unwrap();
    assert_eq!(at.shape(), [2, 2]);
    assert_eq!(*at.values(), [1., 3., 1., 2.]);
    let largest = map(
        [2, 2],
        Expr::load(0, [axis(0), Expr::load(1, [axis(0), axis(1)])]),
    );
    let values = largest
        .evaluate(&[x, at.rounded()], DType::F32)
        .unwrap()
        .into_values();
    assert_eq!((&values[..2], values[3]), ([7., 7.].as_slice(), 0.0));
    assert!(values[2].is_nan());
}

/// `y[t, j] = new[t - at, j]` where `at <= t < at + n`, else `cache[t, j]`; the unchosen side is not read.
#[test]
fn kv_append() {
    let at = || Expr::load(2, []);
    let from = axis(0).with(BinaryFn::Ge, at());
    let to = axis(0).with(BinaryFn::Lt, at() + Expr::int(2));
    let new = Expr::load(1, [axis(0) - at(), axis(1)]);
    let old = Expr::load(0, [axis(0), axis(1)]);
    let append = map([5, 2], from.with(BinaryFn::And, to).select(new, old));
    let new = Tensor::f32(&[2, 2], &[-1., -2., -3., -4.]);
    for at in 0..4 {
        let operands = [counting(&[5, 2]), new.clone(), Tensor::i64(&[], &[at])];
        let mut wanted: Vec<f64> = (0..10).map(f64::from).collect();
        let first = 2 * at as usize;
        wanted[first..first + 4].copy_from_slice(&[-1., -2., -3., -4.]);
        assert_eq!(
            *append.evaluate(&operands, DType::F32).unwrap().values(),
            wanted
        );
    }
}

/// `y[t, j] = pool[table[floor(t / 4)], t mod 4, j]`: a cache in pages.
#[test]
fn paged_cache() {
    let page = Expr::load(1, [axis(0).with(BinaryFn::FloorDiv, Expr::int(4))]);
    let row = axis(0).with(BinaryFn::Mod, Expr::int(4));
    let read = map([8, 2], Expr::load(0, [page, row, axis(1)]));
    let operands = [counting(&[3, 4, 2]), Tensor::i64(&[2], &[2, 0])];
    let wanted: Vec<f64> = (16..24).chain(0..8).map(f64::from).collect();
    assert_eq!(
        *read.evaluate(&operands, DType::F32).unwrap().values(),
        wanted
    );
}

/// `y[m, n] = sum_k x[m, k] (w[k, n] s[floor(k / 4), n])`: 8-bit weights with a scale per group of 4.
#[test]
fn quantised_load() {
    let group = axis(2).with(BinaryFn::FloorDiv, Expr::int(4));
    let weight = Expr::Cast(DType::F32, Expr::load(1, [axis(2), axis(1)]).into());
    let body = Expr::load(0, [axis(0), axis(2)]) * (weight * Expr::load(2, [group, axis(1)]));
    let product = Compute {
        axes: dims([9, 10]),
        reduce: Some((Monoid::Sum, dims([8]))),
        body,
    };
    let w: Vec<i8> = (0..80).map(|i| (i * 7 % 19) as i8 - 9).collect();
    let s: Vec<f32> = (0..20).map(|i| 0.25 * (i % 5) as f32).collect();
    let operands = [
        counting(&[9, 8]),
        Tensor::i8(&[8, 10], &w),
        Tensor::f32(&[2, 10], &s),
    ];
    let found = product.evaluate(&operands, DType::F32).unwrap();
    for (i, y) in found.values().iter().enumerate() {
        let (m, n) = (i / 10, i % 10);
        // Every term is a multiple of 1/4, so that sums are exact in any order.
        let term = |k: usize| (m * 8 + k) as f64 * f64::from(w[k * 10 + n]);
        let scaled = |k: usize| term(k) * f64::from(s[k / 4 * 10 + n]);
        assert_eq!(*y, (0..8).map(scaled).sum::<f64>());
    }
}

/// The outputs `y` of `body` on two ranks, each with its part of `x`.
fn on_two_ranks(body: &str, parts: [Tensor; 2]) -> Result<Vec<Vec<f64>>, EvalError> {
    let ty = parts[0].ty();
    let x = format!("%x = input {{name = \"x\", ty = {ty}, absent = required, below = 0}} : {ty}");
    let graph = text::parse(&format!("graph \"g\" {{ {x} {body} return y = %y }}")).unwrap();
    let inputs = parts.map(|part| BTreeMap::from([("x".to_owned(), part)]));
    let weights = WeightMap::default();
    let ranks: Vec<_> = inputs
        .iter()
        .map(|inputs| Rank {
            inputs,
            weights: &weights,
        })
        .collect();
    let outputs = evaluate_ranks(&graph, &ranks)?;
    Ok(outputs
        .iter()
        .map(|o| o["y"].values().into_owned())
        .collect())
}

#[test]
fn collectives() {
    let parts = || {
        [
            Tensor::f32(&[2, 2], &[1., 2., 3., 4.]),
            Tensor::f32(&[2, 2], &[5., 6., 7., 8.]),
        ]
    };
    let check = |body: &str, wanted: [&[f64]; 2]| {
        assert_eq!(on_two_ranks(body, parts()).unwrap(), wanted, "{body}");
    };
    check(
        "%y = all_reduce(%x) {monoid = sum, ranks = 2} : f32[2,2]",
        [&[6., 8., 10., 12.]; 2],
    );
    check(
        "%y = all_gather(%x) {axis = 1, ranks = 2} : f32[2,4]",
        [&[1., 2., 5., 6., 3., 4., 7., 8.]; 2],
    );
    check(
        "%y = reduce_scatter(%x) {monoid = max, axis = 0, ranks = 2} : f32[1,2]",
        [&[5., 6.], &[7., 8.]],
    );
    check(
        "%y = all_to_all(%x) {split = 1, concat = 0, ranks = 2} : f32[4,1]",
        [&[1., 3., 5., 7.], &[2., 4., 6., 8.]],
    );
    let other = on_two_ranks(
        "%y = all_reduce(%x) {monoid = sum, ranks = 3} : f32[2,2]",
        parts(),
    );
    assert_eq!(
        other.unwrap_err().to_string(),
        "%1: all_reduce: its sizes do not fit 2 ranks"
    );
}
