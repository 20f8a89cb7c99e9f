//! The strip evaluator against the definition, point by point, on random meanings.

use proptest::prelude::{Strategy, prop, prop_oneof, proptest};

use super::{
    compute::{Fault, evaluate, evaluate_points, unravel},
    point::{Operand, at_point},
    values::Values,
};
use crate::{BinaryFn, Compute, DType, Dim, Expr, Monoid, UnaryFn, tensor::encode};

/// Shapes of the operands: two of floats, one of ids.
const SHAPES: [&[i64]; 3] = [&[5, 6], &[40], &[7]];

/// Integer expressions over axes, some of which leave any axis.
fn index(axes: usize) -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        (0..axes).prop_map(Expr::Axis),
        (-2i64..6).prop_map(Expr::int)
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        let by = (1i64..9).prop_map(Expr::int);
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a + b),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a - b),
            (inner.clone(), by.clone()).prop_map(|(a, b)| a * b),
            (inner.clone(), by.clone()).prop_map(|(a, b)| a.with(BinaryFn::FloorDiv, b)),
            (inner.clone(), by.clone()).prop_map(|(a, b)| a.with(BinaryFn::Mod, b)),
            (inner, by).prop_map(|(a, b)| {
                let rest = a.clone().with(BinaryFn::Mod, b.clone());
                a.with(BinaryFn::FloorDiv, b.clone()) * b + rest
            }),
        ]
    })
}

/// A load of any operand; `wraps` keeps every index inside its axis.
fn load(axes: usize, wraps: bool) -> impl Strategy<Value = Expr> {
    let inside = move |e: Expr, size: i64| {
        if wraps {
            e.with(BinaryFn::Mod, Expr::int(size))
        } else {
            e
        }
    };
    let by_axes = (0..3usize, index(axes), index(axes)).prop_map(move |(operand, i, j)| {
        let sizes = SHAPES[operand];
        Expr::load(
            operand,
            sizes.iter().zip([i, j]).map(|(n, e)| inside(e, *n)),
        )
    });
    let by_data = index(axes).prop_map(move |i| {
        let id = Expr::load(2, [inside(i, SHAPES[2][0])]);
        Expr::load(1, [id])
    });
    prop_oneof![4 => by_axes, 1 => by_data]
}

fn body(axes: usize) -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        6 => load(axes, true),
        1 => load(axes, false),
        1 => index(axes),
        1 => (-3.0..3.0).prop_map(Expr::num),
    ];
    leaf.prop_recursive(3, 10, 3, move |inner| {
        let unary = prop::sample::select(UnaryFn::ALL);
        let binary = prop::sample::select(BinaryFn::ALL);
        let dtype = prop::sample::select(DType::ALL.to_vec());
        prop_oneof![
            (unary, inner.clone()).prop_map(|(f, x)| x.apply(f)),
            (binary, inner.clone(), inner.clone()).prop_map(|(f, a, b)| a.with(f, b)),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a * b),
            (dtype, inner.clone()).prop_map(|(d, x)| Expr::Cast(d, x.into())),
            (index(axes), inner.clone(), inner.clone())
                .prop_map(|(c, a, b)| { c.with(BinaryFn::Lt, Expr::int(3)).select(a, b) }),
            // A guarded load, as of borders.
            (0..axes, 0i64..4, inner).prop_map(|(a, lo, other)| {
                let at = Expr::Axis(a) - Expr::int(lo);
                let low = at.clone().with(BinaryFn::Ge, Expr::int(0));
                let high = at.clone().with(BinaryFn::Lt, Expr::int(40));
                low.with(BinaryFn::And, high)
                    .select(Expr::load(1, [at]), other)
            }),
        ]
    })
}

fn meaning() -> impl Strategy<Value = Compute> {
    // Strips are long only where the last axis is.
    let sizes = || {
        let last = prop_oneof![1i64..6, 40i64..43];
        (prop::collection::vec(1i64..6, 0..3), last).prop_map(|(mut sizes, last)| {
            sizes.push(last);
            sizes
        })
    };
    let folded = prop::option::of((prop::sample::select(Monoid::ALL.to_vec()), sizes()));
    (sizes(), folded).prop_flat_map(|(axes, reduce)| {
        let rank = axes.len() + reduce.as_ref().map_or(0, |(_, sizes)| sizes.len());
        let dims = |sizes: &[i64]| sizes.iter().map(|n| Dim::from(*n)).collect::<Vec<_>>();
        let axes = dims(&axes);
        let reduce = reduce.map(|(monoid, sizes)| (monoid, dims(&sizes)));
        body(rank).prop_map(move |body| Compute {
            axes: axes.clone(),
            reduce: reduce.clone(),
            body,
        })
    })
}

fn by_definition(compute: &Compute, operands: &[Operand<'_>]) -> Result<Vec<f64>, Fault> {
    let sizes = |dims: &[Dim]| dims.iter().map(|d| d.known().unwrap()).collect::<Vec<_>>();
    let (out, reduce) = (sizes(&compute.axes), &compute.reduce);
    let folded = reduce.as_ref().map_or(vec![], |(_, d)| sizes(d));
    let (elements, points) = (out.iter().product::<i64>(), folded.iter().product::<i64>());
    let element = |i: i64| {
        let mut total = None;
        for p in 0..points {
            let coordinates = [unravel(i as usize, &out), unravel(p as usize, &folded)].concat();
            let x = at_point(&compute.body, operands, &coordinates).map_err(|outside| Fault {
                coordinates,
                outside,
            })?;
            total = Some(match (total, reduce) {
                (Some(t), Some((monoid, _))) => monoid.function().eval(t, x),
                _ => x,
            });
        }
        Ok(total.expect("sizes are above 0"))
    };
    (0..elements).map(element).collect()
}

/// Equal up to the order in which a sum of `terms` numbers is taken.
fn close(a: f64, b: f64, scale: f64, terms: usize) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= scale * terms as f64 * f64::EPSILON
}

/// A sum of products of two operands: for each output axis its size and which operands have it; sizes of the
/// folded axes; how far each operand's axes are rotated.
type Product = (Vec<(i64, bool, bool)>, Vec<i64>, [usize; 2]);

fn product() -> impl Strategy<Value = Product> {
    let sides = prop::sample::select(vec![(true, false), (false, true), (true, true)]);
    let axis = (1i64..14, sides).prop_map(|(size, (left, right))| (size, left, right));
    let axes = prop::collection::vec(axis, 1..5);
    (
        axes,
        prop::collection::vec(1i64..20, 1..3),
        [0usize..4, 0usize..4],
    )
}

fn check_product((out, folded, turns): Product) {
    let sizes: Vec<i64> = out
        .iter()
        .map(|(n, ..)| *n)
        .chain(folded.iter().copied())
        .collect();
    let (mut operands, mut factors) = (Vec::new(), Vec::new());
    for (operand, turn) in turns.into_iter().enumerate() {
        let has = |a: &usize| {
            out.get(*a)
                .is_none_or(|(_, left, right)| [*left, *right][operand])
        };
        let mut axes: Vec<usize> = (0..sizes.len()).filter(has).collect();
        let turn = turn % axes.len();
        axes.rotate_left(turn);
        let shape: Vec<i64> = axes.iter().map(|a| sizes[*a]).collect();
        let n = shape.iter().product::<i64>();
        // Integers, so that sums are exact in any order.
        let values: Vec<f64> = (0..n).map(|i| ((i * 29 + 5) % 23 - 11) as f64).collect();
        operands.push((Values::Exact(values.into()), shape));
        factors.push(Expr::load(operand, axes.into_iter().map(Expr::Axis)));
    }
    let dims = |sizes: &[i64]| sizes.iter().map(|n| Dim::from(*n)).collect::<Vec<_>>();
    let body = factors
        .into_iter()
        .reduce(|a, b| a * b)
        .expect("there are two");
    let axes = dims(&sizes[..out.len()]);
    let product = Compute {
        axes,
        reduce: Some((Monoid::Sum, dims(&folded))),
        body,
    };
    let operands: Vec<Operand<'_>> = operands.iter().map(|(v, s)| (v, s.as_slice())).collect();
    assert_eq!(
        evaluate(&product, &operands),
        evaluate_points(&product, &operands)
    );
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    #[test]
    fn products_by_blocks_give_what_strips_do(product in product()) {
        check_product(product);
    }
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

    #[test]
    fn strips_give_what_the_definition_says(meaning in meaning()) {
        let floats = |n: usize| -> Vec<f64> {
            (0..n).map(|i| ((i * 29 + 5) % 23) as f64 / 8.0 - 1.0).collect()
        };
        let stored = Values::Stored(DType::F16, encode(DType::F16, &floats(40)).into());
        let ids = Values::Exact((0..7).map(|i| f64::from(i * 6)).collect::<Vec<_>>().into());
        let exact = Values::Exact(floats(30).into());
        let values = [&exact, &stored, &ids];
        let operands: Vec<Operand<'_>> = values.into_iter().zip(SHAPES).collect();
        let (found, wanted) = (evaluate(&meaning, &operands), by_definition(&meaning, &operands));
        let terms = meaning.reduce.as_ref().map_or(1, |(_, d)| {
            d.iter().map(|d| d.known().unwrap()).product::<i64>()
        });
        match (found, wanted) {
            (Ok(found), Ok(wanted)) => {
                // A term may be larger than the sum; products of many terms grow with each.
                let finite = |x: &&f64| x.is_finite();
                let scale = wanted.iter().filter(finite).fold(1e6, |m: f64, x| m.max(x.abs()));
                for (i, (a, b)) in found.iter().zip(&wanted).enumerate() {
                    assert!(close(*a, *b, scale, terms as usize), "element {i}: {a} != {b}");
                }
            }
            // Which of several points without a value is named, is free.
            (Err(fault), Err(_)) => {
                let at_fault = at_point(&meaning.body, &operands, &fault.coordinates);
                assert_eq!(at_fault, Err(fault.outside));
            }
            (found, wanted) => panic!("{found:?} != {wanted:?}"),
        }
    }
}
