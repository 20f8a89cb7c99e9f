//! Trigonometric and hyperbolic functions, from those that every backend has.

use ir::{BinaryFn, UnaryFn, ValueId};

use super::call::{Call, One};

pub(super) fn tan(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let (sin, cos) = (c.unary(UnaryFn::Sin, x)?, c.unary(UnaryFn::Cos, x)?);
    c.div(sin, cos)
}

pub(super) fn cosh(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let minus = c.unary(UnaryFn::Neg, x)?;
    let (up, down) = (c.unary(UnaryFn::Exp, x)?, c.unary(UnaryFn::Exp, minus)?);
    let sum = c.add(up, down)?;
    c.with(BinaryFn::Mul, sum, 0.5)
}

/// `x (1 + c_1 x^2 + c_2 x^4 + ..)`: an odd function near 0, where its formula would cancel.
fn odd_series(c: &mut Call<'_>, x: ValueId, coefficients: &[f64]) -> One {
    let square = c.mul(x, x)?;
    let mut sum = c.scalar(x, 0.0)?;
    for factor in coefficients.iter().rev() {
        let more = c.with(BinaryFn::Add, sum, *factor)?;
        sum = c.mul(more, square)?;
    }
    let sum = c.with(BinaryFn::Add, sum, 1.0)?;
    c.mul(x, sum)
}

/// `near` where `|x| < limit`, else `far`.
fn near_zero(c: &mut Call<'_>, x: ValueId, limit: f64, near: ValueId, far: ValueId) -> One {
    let size = c.unary(UnaryFn::Abs, x)?;
    let test = c.with(BinaryFn::Lt, size, limit)?;
    c.select(test, near, far)
}

pub(super) fn sinh(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    c.require_float(x, 0)?;
    let minus = c.unary(UnaryFn::Neg, x)?;
    let (up, down) = (c.unary(UnaryFn::Exp, x)?, c.unary(UnaryFn::Exp, minus)?);
    let difference = c.sub(up, down)?;
    let far = c.with(BinaryFn::Mul, difference, 0.5)?;
    let near = odd_series(
        c,
        x,
        &[1.0 / 6.0, 1.0 / 120.0, 1.0 / 5040.0, 1.0 / 362_880.0],
    )?;
    near_zero(c, x, 1.0, near, far)
}

/// `sign(x) log(|x| + sqrt(x^2 + 1))`
pub(super) fn asinh(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    c.require_float(x, 0)?;
    let size = c.unary(UnaryFn::Abs, x)?;
    let square = c.mul(x, x)?;
    let inner = c.with(BinaryFn::Add, square, 1.0)?;
    let root = c.unary(UnaryFn::Sqrt, inner)?;
    let sum = c.add(size, root)?;
    let log = c.unary(UnaryFn::Log, sum)?;
    let minus = c.unary(UnaryFn::Neg, log)?;
    let below = c.with(BinaryFn::Lt, x, 0.0)?;
    let far = c.select(below, minus, log)?;
    let series = [
        -1.0 / 6.0,
        3.0 / 40.0,
        -15.0 / 336.0,
        105.0 / 3456.0,
        -945.0 / 42_240.0,
    ];
    let near = odd_series(c, x, &series)?;
    near_zero(c, x, 0.25, near, far)
}

/// `log(x + sqrt((x - 1) (x + 1)))`
pub(super) fn acosh(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let (down, up) = (
        c.with(BinaryFn::Sub, x, 1.0)?,
        c.with(BinaryFn::Add, x, 1.0)?,
    );
    let inner = c.mul(down, up)?;
    let root = c.unary(UnaryFn::Sqrt, inner)?;
    let sum = c.add(x, root)?;
    c.unary(UnaryFn::Log, sum)
}

/// `log((1 + x) / (1 - x)) / 2`
pub(super) fn atanh(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    c.require_float(x, 0)?;
    let minus = c.unary(UnaryFn::Neg, x)?;
    let (up, down) = (
        c.with(BinaryFn::Add, x, 1.0)?,
        c.with(BinaryFn::Add, minus, 1.0)?,
    );
    let ratio = c.div(up, down)?;
    let log = c.unary(UnaryFn::Log, ratio)?;
    let far = c.with(BinaryFn::Mul, log, 0.5)?;
    let series = [1.0 / 3.0, 1.0 / 5.0, 1.0 / 7.0, 1.0 / 9.0, 1.0 / 11.0];
    let near = odd_series(c, x, &series)?;
    near_zero(c, x, 0.25, near, far)
}

/// The arc tangent; Cephes, `atanf`: reduced to `|x| <= tan(pi / 8)`.
fn arc_tangent(c: &mut Call<'_>, x: ValueId) -> One {
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_4};
    let size = c.unary(UnaryFn::Abs, x)?;
    let inverse = c.unary(UnaryFn::Recip, size)?;
    let inverse = c.unary(UnaryFn::Neg, inverse)?;
    let (down, up) = (
        c.with(BinaryFn::Sub, size, 1.0)?,
        c.with(BinaryFn::Add, size, 1.0)?,
    );
    let middle = c.div(down, up)?;
    let far = c.with(BinaryFn::Gt, size, 2.414_213_562_373_095)?;
    let some = c.with(BinaryFn::Gt, size, 0.414_213_562_373_095)?;
    let reduced = c.select(some, middle, size)?;
    let reduced = c.select(far, inverse, reduced)?;
    let numbers = [0.0, FRAC_PI_4, FRAC_PI_2].map(|n| c.scalar(x, n));
    let [zero, quarter, half] = numbers;
    let start = c.select(some, quarter?, zero?)?;
    let start = c.select(far, half?, start)?;
    let series = [
        -3.333_294_915_39e-1,
        1.997_771_064_78e-1,
        -1.387_768_560_32e-1,
        8.053_744_495_38e-2,
    ];
    let rest = odd_series(c, reduced, &series)?;
    let y = c.add(start, rest)?;
    let minus = c.unary(UnaryFn::Neg, y)?;
    let below = c.with(BinaryFn::Lt, x, 0.0)?;
    c.select(below, minus, y)
}

pub(super) fn atan(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    c.require_float(x, 0)?;
    arc_tangent(c, x)
}

/// `atan(x / sqrt((1 - x) (1 + x)))`
pub(super) fn asin(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    c.require_float(x, 0)?;
    let minus = c.unary(UnaryFn::Neg, x)?;
    let (down, up) = (
        c.with(BinaryFn::Add, minus, 1.0)?,
        c.with(BinaryFn::Add, x, 1.0)?,
    );
    let inner = c.mul(down, up)?;
    let root = c.unary(UnaryFn::Sqrt, inner)?;
    let ratio = c.div(x, root)?;
    arc_tangent(c, ratio)
}

/// `2 atan(sqrt((1 - x) / (1 + x)))`
pub(super) fn acos(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    c.require_float(x, 0)?;
    let minus = c.unary(UnaryFn::Neg, x)?;
    let (down, up) = (
        c.with(BinaryFn::Add, minus, 1.0)?,
        c.with(BinaryFn::Add, x, 1.0)?,
    );
    let ratio = c.div(down, up)?;
    let root = c.unary(UnaryFn::Sqrt, ratio)?;
    let half = arc_tangent(c, root)?;
    c.with(BinaryFn::Mul, half, 2.0)
}
