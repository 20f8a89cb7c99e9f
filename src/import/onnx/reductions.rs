//! Operators that fold axes, and the softmax family.

use ir::{BinaryFn, DType, Dim, Monoid, TensorType, UnaryFn, ValueId, ops};

use super::{
    call::{Call, One, positions, unsupported},
    error::NodeProblem,
};

/// The operand, the axes that are folded, and whether they stay; no axes where nothing is folded.
fn parts(c: &mut Call<'_>) -> Result<(ValueId, Vec<usize>, bool), NodeProblem> {
    let x = c.x(0)?;
    let rank = c.rank(x);
    let axes = if c.has(1) {
        Some(c.ints(1)?)
    } else {
        c.list("axes")?
    };
    let axes = match axes.filter(|a| !a.is_empty()) {
        Some(axes) => positions(&axes, rank, "axes")?,
        None if c.flag("noop_with_empty_axes", false)? => vec![],
        None => (0..rank).collect(),
    };
    Ok((x, axes, c.flag("keepdims", true)?))
}

pub(super) fn reduce(c: &mut Call<'_>, monoid: Monoid) -> One {
    let (x, axes, keep) = parts(c)?;
    if c.dtype(x) == DType::Bool {
        // The largest of truths is whether one holds, the smallest whether all do.
        let small = c.cast(DType::U8, x)?;
        let folded = c.fold(monoid, &axes, keep, small)?;
        return c.with(BinaryFn::Ne, folded, 0.0);
    }
    if axes.is_empty() {
        Ok(x)
    } else {
        c.fold(monoid, &axes, keep, x)
    }
}

pub(super) fn reduce_mean(c: &mut Call<'_>) -> One {
    let (x, axes, keep) = parts(c)?;
    if !c.dtype(x).is_float() {
        return unsupported(format!("means of {}", c.dtype(x)));
    }
    if axes.is_empty() {
        Ok(x)
    } else {
        c.mean(&axes, keep, x)
    }
}

/// The sum of `f(x)`.
fn sum_of(c: &mut Call<'_>, f: UnaryFn) -> One {
    let (x, axes, keep) = parts(c)?;
    let y = c.unary(f, x)?;
    if axes.is_empty() {
        Ok(y)
    } else {
        c.fold(Monoid::Sum, &axes, keep, y)
    }
}

pub(super) fn reduce_l1(c: &mut Call<'_>) -> One {
    sum_of(c, UnaryFn::Abs)
}

pub(super) fn reduce_sum_square(c: &mut Call<'_>) -> One {
    sum_of(c, UnaryFn::Square)
}

pub(super) fn reduce_l2(c: &mut Call<'_>) -> One {
    let sum = sum_of(c, UnaryFn::Square)?;
    c.unary(UnaryFn::Sqrt, sum)
}

pub(super) fn reduce_log_sum(c: &mut Call<'_>) -> One {
    let sum = reduce(c, Monoid::Sum)?;
    c.unary(UnaryFn::Log, sum)
}

pub(super) fn reduce_log_sum_exp(c: &mut Call<'_>) -> One {
    let (x, axes, keep) = parts(c)?;
    if axes.is_empty() {
        return Ok(x);
    }
    let high = c.fold(Monoid::Max, &axes, true, x)?;
    let low = c.sub(x, high)?;
    let e = c.unary(UnaryFn::Exp, low)?;
    let sum = c.fold(Monoid::Sum, &axes, true, e)?;
    let log = c.unary(UnaryFn::Log, sum)?;
    let y = c.add(log, high)?;
    if keep {
        return Ok(y);
    }
    let shape = c.shape(y);
    let kept = (0..shape.len()).filter(|a| !axes.contains(a));
    let shape = kept.map(|a| shape[a].clone()).collect();
    c.reshape(shape, y)
}

/// The position of the largest, or smallest, element along an axis, which stays.
fn arg(c: &mut Call<'_>, monoid: Monoid, axis: usize, last: bool, x: ValueId) -> One {
    let best = c.fold(monoid, &[axis], true, x)?;
    let is_best = c.binary(BinaryFn::Eq, x, best)?;
    let n = c.shape(x)[axis].clone();
    let shape = (0..c.rank(x)).map(|a| if a == axis { n.clone() } else { 1.into() });
    let at = c.iota(axis, TensorType::new(DType::I32, shape))?;
    let nowhere = if last { -1.0 } else { f64::from(i32::MAX) };
    let nowhere = c.scalar(at, nowhere)?;
    let found = c.select(is_best, at, nowhere)?;
    let f = if last { Monoid::Max } else { Monoid::Min };
    c.fold(f, &[axis], true, found)
}

pub(super) fn arg_best(c: &mut Call<'_>, monoid: Monoid) -> One {
    let x = c.x(0)?;
    let axis = c.axis(0, c.rank(x))?;
    let last = c.flag("select_last_index", false)?;
    // Positions are folded in f32, which is exact up to 2^24.
    if c.shape(x)[axis].known().is_some_and(|n| n > 1 << 24) {
        return unsupported(format!("positions in {}", c.ty(x)));
    }
    let at = arg(c, monoid, axis, last, x)?;
    let at = c.cast(DType::I64, at)?;
    if c.flag("keepdims", true)? {
        return Ok(at);
    }
    let mut shape = c.shape(at);
    shape.remove(axis);
    c.reshape(shape, at)
}

/// 1 at the first largest element along an axis, else 0.
pub(super) fn hardmax(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let axis = c.axis(-1, c.rank(x))?;
    let first = arg(c, Monoid::Max, axis, false, x)?;
    let n = c.shape(x)[axis].clone();
    let shape = (0..c.rank(x)).map(|a| if a == axis { n.clone() } else { Dim::from(1) });
    let at = c.iota(axis, TensorType::new(DType::I32, shape))?;
    let is_first = c.binary(BinaryFn::Eq, at, first)?;
    let (one, zero) = (c.scalar(x, 1.0)?, c.scalar(x, 0.0)?);
    c.select(is_first, one, zero)
}

pub(super) fn softmax(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let axis = c.axis(-1, c.rank(x))?;
    // Kernels have rows on the last axis.
    let last = c.rank(x) - 1;
    let swap: Vec<_> = (0..=last)
        .map(|a| match a {
            _ if a == axis => last,
            _ if a == last => axis,
            _ => a,
        })
        .collect();
    let x = c.permute(&swap, x)?;
    let axis = last as i64;
    let y = c.op(ops::Softmax { axis }, &[x])?;
    c.permute(&swap, y)
}

/// `(x - max) - log sum e^(x - max)`
pub(super) fn log_softmax(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let axis = c.axis(-1, c.rank(x))?;
    let high = c.fold(Monoid::Max, &[axis], true, x)?;
    let low = c.sub(x, high)?;
    let e = c.unary(UnaryFn::Exp, low)?;
    let sum = c.fold(Monoid::Sum, &[axis], true, e)?;
    let log = c.unary(UnaryFn::Log, sum)?;
    c.sub(low, log)
}
