//! Operators that compute each element by itself.

use ir::{BinaryFn, DType, TensorType, UnaryFn, ValueId};

use super::{
    call::{Call, Many, One, unsupported},
    error::NodeProblem,
    tensor::Elem,
    value::Value,
    walk::shared,
};

/// `f` of all operands, one after the other.
pub(super) fn variadic(c: &mut Call<'_>, f: BinaryFn) -> One {
    let all = c.all()?;
    let (first, rest) = all.split_first().expect("there is at least one");
    rest.iter().try_fold(*first, |sum, x| c.binary(f, sum, *x))
}

pub(super) fn mean(c: &mut Call<'_>) -> One {
    let n = c.inputs.len();
    let sum = variadic(c, BinaryFn::Add)?;
    c.with(BinaryFn::Mul, sum, 1.0 / n as f64)
}

/// Division; of whole numbers towards zero.
pub(super) fn div(c: &mut Call<'_>) -> One {
    let (x, y) = (c.x(0)?, c.x(1)?);
    if c.dtype(x).is_float() {
        return c.div(x, y);
    }
    let down = c.binary(BinaryFn::FloorDiv, x, y)?;
    if c.dtype(x) == DType::U8 {
        return Ok(down);
    }
    // One more where the quotient is below 0 and not whole.
    let rest = c.binary(BinaryFn::Mod, x, y)?;
    let zero = c.scalar(x, 0.0)?;
    let uneven = c.binary(BinaryFn::Ne, rest, zero)?;
    let signs = [x, y].map(|v| c.binary(BinaryFn::Lt, v, zero));
    let [a, b] = signs;
    let differ = c.binary(BinaryFn::Ne, a?, b?)?;
    let up = c.binary(BinaryFn::And, uneven, differ)?;
    let next = c.with(BinaryFn::Add, down, 1.0)?;
    c.select(up, next, down)
}

pub(super) fn modulo(c: &mut Call<'_>) -> One {
    let (x, y) = (c.x(0)?, c.x(1)?);
    if !c.flag("fmod", false)? {
        let rest = c.binary(BinaryFn::Mod, x, y)?;
        return if c.dtype(x).is_float() {
            modulo_infinity(c, x, y, rest)
        } else {
            Ok(rest)
        };
    }
    // The sign of the first.
    let (a, b) = if c.dtype(x) == DType::U8 {
        (x, y)
    } else {
        (c.unary(UnaryFn::Abs, x)?, c.unary(UnaryFn::Abs, y)?)
    };
    let rest = c.binary(BinaryFn::Mod, a, b)?;
    if c.dtype(x) == DType::U8 {
        return Ok(rest);
    }
    let zero = c.scalar(x, 0.0)?;
    let below = c.binary(BinaryFn::Lt, x, zero)?;
    let minus = c.unary(UnaryFn::Neg, rest)?;
    c.select(below, minus, rest)
}

/// `rest`, the remainder of `x` by `y`, corrected where `y` is infinite: a finite `x` leaves itself, or `y` where the signs
/// differ.
fn modulo_infinity(c: &mut Call<'_>, x: ValueId, y: ValueId, rest: ValueId) -> One {
    let [wide, far] = [x, y].map(|v| c.unary(UnaryFn::Abs, v));
    let far = c.with(BinaryFn::Eq, far?, f64::INFINITY)?;
    let near = c.with(BinaryFn::Lt, wide?, f64::INFINITY)?;
    let applies = c.binary(BinaryFn::And, far, near)?;
    let [low, negative] = [x, y].map(|v| c.with(BinaryFn::Lt, v, 0.0));
    let same = c.binary(BinaryFn::Eq, low?, negative?)?;
    let none = c.with(BinaryFn::Eq, x, 0.0)?;
    let stays = c.binary(BinaryFn::Or, same, none)?;
    let own = c.select(stays, x, y)?;
    c.select(applies, own, rest)
}

pub(super) fn pow(c: &mut Call<'_>) -> One {
    let (x, y) = (c.x(0)?, c.x(1)?);
    let dtype = c.dtype(x);
    match c.b.number(y) {
        // As norms are defined.
        Some(2.0) if c.rank(y) <= c.rank(x) => c.mul(x, x),
        Some(3.0) if c.rank(y) <= c.rank(x) => {
            let square = c.mul(x, x)?;
            c.mul(square, x)
        }
        _ if !dtype.is_float() => unsupported("powers of whole numbers but squares and cubes"),
        Some(0.5) if c.rank(y) <= c.rank(x) => c.unary(UnaryFn::Sqrt, x),
        _ => {
            let y = c.cast(dtype, y)?;
            c.binary(BinaryFn::Pow, x, y)
        }
    }
}

pub(super) fn xor(c: &mut Call<'_>) -> One {
    let (x, y) = (c.x(0)?, c.x(1)?);
    c.binary(BinaryFn::Ne, x, y)
}

/// The cast to the element type of number `code`.
fn cast_to(c: &mut Call<'_>, code: i64) -> Many {
    let elem = i32::try_from(code).ok().and_then(Elem::of_code);
    let Some(elem) = elem else {
        return c.wrong("to", "an element type", code);
    };
    let Some(dtype) = elem.dtype else {
        return unsupported(format!("a cast to {}", elem.name));
    };
    if let Value::Constant(constant) = c.value(0)
        && constant.len() <= super::value::SIZES_LIMIT
    {
        return Ok(vec![shared(constant.cast(dtype))]);
    }
    let x = c.x(0)?;
    if dtype == DType::Bool {
        let zero = c.scalar(x, 0.0)?;
        let truth = if c.dtype(x) == DType::Bool {
            x
        } else {
            c.binary(BinaryFn::Ne, x, zero)?
        };
        return Ok(vec![Value::Graph(truth)]);
    }
    Ok(vec![Value::Graph(c.cast(dtype, x)?)])
}

pub(super) fn cast(c: &mut Call<'_>) -> Many {
    match c.int("to")? {
        Some(code) => cast_to(c, code),
        None => c.wrong("to", "an element type", "none"),
    }
}

pub(super) fn cast_like(c: &mut Call<'_>) -> Many {
    let code = match c.value(1) {
        Value::Foreign(found) => {
            return Err(NodeProblem::Elem {
                operand: 1,
                found: found.to_string(),
            });
        }
        Value::Constant(constant) => constant.elem.code,
        other => match c.b.dtype(&other) {
            Some(dtype) => Elem::of(dtype).code,
            None => return c.misfit(1, "a tensor", "none"),
        },
    };
    cast_to(c, code.into())
}

pub(super) fn select(c: &mut Call<'_>) -> One {
    let (condition, x, y) = (c.x(0)?, c.x(1)?, c.x(2)?);
    c.select(condition, x, y)
}

pub(super) fn clip(c: &mut Call<'_>) -> One {
    let mut x = c.x(0)?;
    for (i, name, f) in [(1, "min", BinaryFn::Max), (2, "max", BinaryFn::Min)] {
        if let Some(bound) = c.maybe(i)? {
            x = c.binary(f, x, bound)?;
        } else if let Some(bound) = c.float(name)? {
            x = c.with(f, x, bound)?;
        }
    }
    Ok(x)
}

pub(super) fn is_nan(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    c.require_float(x, 0)?;
    c.binary(BinaryFn::Ne, x, x)
}

pub(super) fn is_inf(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    c.require_float(x, 0)?;
    let (below, above) = (
        c.flag("detect_negative", true)?,
        c.flag("detect_positive", true)?,
    );
    match (below, above) {
        (true, true) => {
            let size = c.unary(UnaryFn::Abs, x)?;
            c.with(BinaryFn::Eq, size, f64::INFINITY)
        }
        (false, true) => c.with(BinaryFn::Eq, x, f64::INFINITY),
        (true, false) => c.with(BinaryFn::Eq, x, f64::NEG_INFINITY),
        (false, false) => {
            let ty = TensorType {
                dtype: DType::Bool,
                shape: c.shape(x),
            };
            c.b.constant(0.0, ty)
        }
    }
}

/// `x` where it is above `n`, else `other`.
fn above(c: &mut Call<'_>, x: ValueId, n: f64, other: ValueId) -> One {
    let test = c.with(BinaryFn::Gt, x, n)?;
    c.select(test, x, other)
}

/// `a (e^(x / s) - 1)` where `x` is not above 0.
fn exponential(c: &mut Call<'_>, x: ValueId, a: f64, s: f64) -> One {
    let low = c.with(BinaryFn::Min, x, 0.0)?;
    let low = if s == 1.0 {
        low
    } else {
        c.with(BinaryFn::Mul, low, 1.0 / s)?
    };
    let e = c.unary(UnaryFn::Exp, low)?;
    let e = c.with(BinaryFn::Sub, e, 1.0)?;
    let e = c.with(BinaryFn::Mul, e, a)?;
    above(c, x, 0.0, e)
}

pub(super) fn elu(c: &mut Call<'_>) -> One {
    let (x, alpha) = (c.x(0)?, c.float("alpha")?.unwrap_or(1.0));
    exponential(c, x, alpha, 1.0)
}

pub(super) fn celu(c: &mut Call<'_>) -> One {
    let (x, alpha) = (c.x(0)?, c.float("alpha")?.unwrap_or(1.0));
    exponential(c, x, alpha, alpha)
}

pub(super) fn selu(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let alpha = c.float("alpha")?.unwrap_or(1.673_263_192_176_818_8);
    let gamma = c.float("gamma")?.unwrap_or(1.050_701_022_148_132_3);
    let y = exponential(c, x, alpha, 1.0)?;
    c.with(BinaryFn::Mul, y, gamma)
}

pub(super) fn leaky_relu(c: &mut Call<'_>) -> One {
    let (x, alpha) = (c.x(0)?, c.float("alpha")?.unwrap_or(0.01));
    let low = c.with(BinaryFn::Mul, x, alpha)?;
    above(c, x, 0.0, low)
}

pub(super) fn prelu(c: &mut Call<'_>) -> One {
    let (x, slope) = (c.x(0)?, c.x(1)?);
    let low = c.mul(x, slope)?;
    above(c, x, 0.0, low)
}

pub(super) fn thresholded_relu(c: &mut Call<'_>) -> One {
    let (x, alpha) = (c.x(0)?, c.float("alpha")?.unwrap_or(1.0));
    let zero = c.scalar(x, 0.0)?;
    above(c, x, alpha, zero)
}

/// `max(0, min(1, alpha x + beta))`
fn hard(c: &mut Call<'_>, x: ValueId, alpha: f64, beta: f64) -> One {
    let y = c.with(BinaryFn::Mul, x, alpha)?;
    let y = c.with(BinaryFn::Add, y, beta)?;
    let y = c.with(BinaryFn::Min, y, 1.0)?;
    c.with(BinaryFn::Max, y, 0.0)
}

pub(super) fn hard_sigmoid(c: &mut Call<'_>) -> One {
    let (x, alpha, beta) = (c.x(0)?, c.float("alpha")?, c.float("beta")?);
    hard(c, x, alpha.unwrap_or(0.2), beta.unwrap_or(0.5))
}

pub(super) fn hard_swish(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let gate = hard(c, x, 1.0 / 6.0, 0.5)?;
    c.mul(x, gate)
}

pub(super) fn gelu(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    match c.text("approximate")?.as_deref().unwrap_or("none") {
        "none" => c.unary(UnaryFn::Gelu, x),
        "tanh" => c.unary(UnaryFn::GeluTanh, x),
        other => c.wrong("approximate", "none or tanh", other),
    }
}

/// `x sigmoid(alpha x)`
pub(super) fn swish(c: &mut Call<'_>) -> One {
    let (x, alpha) = (c.x(0)?, c.float("alpha")?.unwrap_or(1.0));
    if alpha == 1.0 {
        return c.unary(UnaryFn::Silu, x);
    }
    let scaled = c.with(BinaryFn::Mul, x, alpha)?;
    let gate = c.unary(UnaryFn::Sigmoid, scaled)?;
    c.mul(x, gate)
}

/// The logarithm of `1 + e^x`, without overflow.
fn log_one_plus_exp(c: &mut Call<'_>, x: ValueId) -> One {
    let size = c.unary(UnaryFn::Abs, x)?;
    let minus = c.unary(UnaryFn::Neg, size)?;
    let e = c.unary(UnaryFn::Exp, minus)?;
    let sum = c.with(BinaryFn::Add, e, 1.0)?;
    let rest = c.unary(UnaryFn::Log, sum)?;
    let high = c.unary(UnaryFn::Relu, x)?;
    c.add(high, rest)
}

pub(super) fn softplus(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    log_one_plus_exp(c, x)
}

pub(super) fn mish(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let soft = log_one_plus_exp(c, x)?;
    let gate = c.unary(UnaryFn::Tanh, soft)?;
    c.mul(x, gate)
}

pub(super) fn softsign(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let size = c.unary(UnaryFn::Abs, x)?;
    let below = c.with(BinaryFn::Add, size, 1.0)?;
    c.div(x, below)
}

pub(super) fn shrink(c: &mut Call<'_>) -> One {
    let (x, bias, lambd) = (
        c.x(0)?,
        c.float("bias")?.unwrap_or(0.0),
        c.float("lambd")?.unwrap_or(0.5),
    );
    let zero = c.scalar(x, 0.0)?;
    let (low, high) = (
        c.with(BinaryFn::Add, x, bias)?,
        c.with(BinaryFn::Sub, x, bias)?,
    );
    let is_low = c.with(BinaryFn::Lt, x, -lambd)?;
    let is_high = c.with(BinaryFn::Gt, x, lambd)?;
    let y = c.select(is_high, high, zero)?;
    c.select(is_low, low, y)
}

pub(super) fn sign(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let (zero, one) = (c.scalar(x, 0.0)?, c.scalar(x, 1.0)?);
    let high = c.binary(BinaryFn::Gt, x, zero)?;
    let y = c.select(high, one, zero)?;
    if c.dtype(x) == DType::U8 {
        return Ok(y);
    }
    let minus = c.scalar(x, -1.0)?;
    let low = c.binary(BinaryFn::Lt, x, zero)?;
    c.select(low, minus, y)
}

/// A branch by a condition that is known only later; one that is known is taken before this is asked.
pub(super) fn branch(_: &mut Call<'_>) -> Many {
    Err(NodeProblem::Unknown {
        operand: 0,
        wanted: "a truth that follows from the file",
    })
}

/// `x` in inference: a mask, if wanted, says that every element stays.
pub(super) fn dropout(c: &mut Call<'_>) -> Many {
    if c.has(2) && c.int_of(2)? != 0 {
        return unsupported("dropout in training mode");
    }
    let x = c.x(0)?;
    let ty = TensorType {
        dtype: DType::Bool,
        shape: c.shape(x),
    };
    let mask = c.b.constant(1.0, ty)?;
    Ok(vec![Value::Graph(x), Value::Graph(mask)])
}
