//! Functions of one number against f64, over all magnitudes.

mod support;

use ir::{
    BinaryFn, DType, UnaryDef, UnaryFn,
    tile::{Counter, Index, Memory, Program, Shape, Stmt, Value, Var},
};
use support::{access, array, run};

const LANES: u32 = 32;

/// Tiles of one row, one for each block.
fn map(name: &str, len: i64, inputs: u32, value: impl Fn(&[Var]) -> Value) -> Program {
    let at = || Index::from(Counter(0)) * i64::from(LANES) + Index::Lane;
    let shape = Shape::new(1, LANES);
    let load = |i| Value::Load {
        from: access(Memory::Param(i), at()),
        shape,
        other: 0.0.into(),
    };
    let vars: Vec<Var> = (0..inputs).map(Var).collect();
    let mut body: Vec<Stmt> = vars.iter().map(|v| Stmt::Let(*v, load(v.0))).collect();
    body.push(Stmt::Let(Var(inputs), value(&vars)));
    body.push(Stmt::Store {
        to: access(Memory::Param(inputs), at()),
        value: Var(inputs),
    });
    let mut params: Vec<_> = (0..inputs)
        .map(|i| array(&format!("in{i}"), DType::F32, len, false))
        .collect();
    params.push(array("out", DType::F32, len, true));
    Program {
        name: name.into(),
        params,
        locals: vec![],
        grid: vec![len / i64::from(LANES)],
        body,
    }
}

/// How many steps of f32 lie between a result and the nearest number to the true one.
fn distance(got: f32, wanted: f64) -> f64 {
    let nearest = wanted as f32;
    if got.is_nan() || nearest.is_nan() {
        return if got.is_nan() == nearest.is_nan() {
            0.0
        } else {
            f64::INFINITY
        };
    }
    if got == nearest {
        return 0.0;
    }
    if got.is_infinite() || nearest.is_infinite() {
        return f64::INFINITY;
    }
    let step = f64::from(nearest.abs().next_up()) - f64::from(nearest.abs());
    (f64::from(got) - wanted).abs() / step
}

/// Every 2^13th number of either sign, and what is special; more than half a million.
fn samples() -> Vec<f32> {
    let mut numbers: Vec<f32> = (0..=u32::MAX >> 13)
        .map(|i| f32::from_bits(i << 13 | i & 0x1FFF))
        .collect();
    numbers.extend([
        0.0,
        -0.0,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        f32::MIN_POSITIVE,
    ]);
    numbers.extend([
        88.72283, 88.7229, -87.33655, -103.97, -103.98, 1.0, -1.0, 0.625, 0.9277, 4.0,
    ]);
    while !numbers.len().is_multiple_of(LANES as usize) {
        numbers.push(0.5);
    }
    numbers
}

fn worst(f: UnaryFn, target: &str, numbers: &[f32]) -> Option<(f64, f32, f32)> {
    let program = map(f.name(), numbers.len() as i64, 1, |x| Value::Unary(f, x[0]));
    let results = run(&program, target, &[numbers.to_vec().into()])?[0].f32();
    let measured = numbers
        .iter()
        .zip(results)
        .map(|(x, y)| (distance(y, f.eval(f64::from(*x))), *x, y));
    measured.max_by(|a, b| a.0.total_cmp(&b.0))
}

#[test]
fn primitive_functions_are_within_four_units_in_the_last_place() {
    let numbers = samples();
    for f in UnaryFn::ALL {
        let UnaryDef::Primitive(_) = f.def() else {
            continue;
        };
        // Whole turns are taken off in f64, which has room for this many.
        let bound = if matches!(f, UnaryFn::Sin | UnaryFn::Cos) {
            1e9
        } else {
            f32::INFINITY
        };
        let kept: Vec<f32> = numbers
            .iter()
            .map(|x| {
                if x.is_finite() && x.abs() > bound {
                    0.25
                } else {
                    *x
                }
            })
            .collect();
        for target in ["cpu:x86-64-v3", "cpu:x86-64-v4"] {
            let Some((ulp, x, y)) = worst(*f, target, &kept) else {
                continue;
            };
            println!("{} on {target}: at most {ulp:.2} ulp, at {x:e}", f.name());
            assert!(
                ulp <= 4.0,
                "{} on {target}: {ulp} ulp at {x:e}: {y:e}",
                f.name()
            );
        }
    }
}

#[test]
fn powers_are_within_one_unit_and_have_the_results_of_c_at_the_edges() {
    let edges = [
        0.0f32,
        -0.0,
        1.0,
        -1.0,
        0.5,
        2.0,
        -2.0,
        3.0,
        -3.0,
        2.5,
        -2.5,
        1e30,
        1e-30,
        -1e30,
        100.0,
        -7.0,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        1e-40,
        0.999,
        1.001,
        88.0,
        126.0,
        -126.0,
        4.0,
    ];
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for x in edges {
        for y in edges {
            a.push(x);
            b.push(y);
        }
    }
    while !a.len().is_multiple_of(LANES as usize) {
        a.push(1.5);
        b.push(1.5);
    }
    let program = map("pow", a.len() as i64, 2, |v| {
        Value::Binary(BinaryFn::Pow, v[0], v[1])
    });
    for target in ["cpu:x86-64-v3", "cpu:x86-64-v4"] {
        let Some(results) = run(&program, target, &[a.clone().into(), b.clone().into()]) else {
            continue;
        };
        for (i, got) in results[0].f32().into_iter().enumerate() {
            let wanted = BinaryFn::Pow.eval(a[i].into(), b[i].into());
            assert!(
                distance(got, wanted) <= 1.0,
                "{}^{}: {got:e}, not {wanted:e}",
                a[i],
                b[i]
            );
        }
    }
}

/// Pairs of all magnitudes, so that quotients have up to 277 bits, and of all special numbers.
#[test]
fn remainders_are_those_of_exact_arithmetic() {
    let numbers = samples();
    let places = 0..numbers.len();
    let mut a = numbers.clone();
    let mut b: Vec<f32> = places.map(|i| numbers[i * 7919 % numbers.len()]).collect();
    let edges = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.3,
        -7.0,
        16_777_217.0,
        1e30,
        -1e30,
        1e-40,
        f32::from_bits(1),
        f32::MAX,
        f32::MIN_POSITIVE,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
    ];
    for x in edges {
        a.extend([x; 16]);
        b.extend(edges);
    }
    assert!(a.len().is_multiple_of(LANES as usize));
    let program = map("mod", a.len() as i64, 2, |v| {
        Value::Binary(BinaryFn::Mod, v[0], v[1])
    });
    for target in ["cpu:x86-64-v3", "cpu:x86-64-v4"] {
        let Some(results) = run(&program, target, &[a.clone().into(), b.clone().into()]) else {
            continue;
        };
        for (i, got) in results[0].f32().into_iter().enumerate() {
            let wanted = BinaryFn::Mod.eval(a[i].into(), b[i].into());
            let off = distance(got, wanted);
            assert!(
                off <= 0.5,
                "{target}: {:e} mod {:e}: {got:e}, not {wanted:e}",
                a[i],
                b[i]
            );
        }
    }
}
