//! Operators that replace elements at positions, sort, or add up along an axis.

use ir::{BinaryFn, Dim, Monoid, TensorType, ValueId, ops};

use super::{
    call::{Call, Many, One, position, unsupported},
    error::NodeProblem,
    indexing::positions_of,
    value::{Sizes, Value},
};

/// How an update meets what is there.
fn reduction(c: &Call<'_>) -> Result<Option<Monoid>, NodeProblem> {
    match c.text("reduction")?.as_deref().unwrap_or("none") {
        "none" => Ok(None),
        "add" => Ok(Some(Monoid::Sum)),
        "mul" => Ok(Some(Monoid::Prod)),
        "max" => Ok(Some(Monoid::Max)),
        "min" => Ok(Some(Monoid::Min)),
        other => c.wrong("reduction", "none, add, mul, max or min", other),
    }
}

pub(super) fn scatter_elements(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let axis = c.axis(0, c.rank(x))?;
    let n = c.shape(x)[axis].clone();
    let (ids, updates, combine) = (positions_of(c, 1, &n)?, c.x(2)?, reduction(c)?);
    let axis = axis as i64;
    c.op(ops::ScatterAlong { axis, combine }, &[x, ids, updates])
}

pub(super) fn scatter_nd(c: &mut Call<'_>) -> One {
    let (x, ids, updates) = (c.x(0)?, c.x(1)?, c.x(2)?);
    let shape = c.shape(x);
    let depth = c.shape(ids).last().and_then(Dim::known);
    let depth = depth.and_then(|n| usize::try_from(n).ok());
    let Some(depth) = depth.filter(|n| *n <= shape.len()) else {
        let wanted = format!("a last axis of at most {} coordinates", shape.len());
        return c.misfit(1, wanted, c.ty(ids));
    };
    // Those below 0 count from the end of their axis.
    let sizes = Sizes::list(c.dtype(ids), shape[..depth].to_vec()).value();
    let sizes = c.b.place(&sizes, 1)?;
    let below = c.with(BinaryFn::Lt, ids, 0.0)?;
    let wrapped = c.add(ids, sizes)?;
    let ids = c.select(below, wrapped, ids)?;
    let combine = reduction(c)?;
    c.op(ops::ScatterPoints { combine }, &[x, ids, updates])
}

/// `x`, with `updates` at the positions on `axis` that begin at `starts: [batch]`, modulo `turn` where that is given.
pub(super) fn append(
    c: &mut Call<'_>,
    x: ValueId,
    updates: ValueId,
    axis: usize,
    starts: ValueId,
    turn: Option<ValueId>,
) -> One {
    let ty = TensorType::new(c.dtype(starts), c.shape(updates));
    let line = [c.shape(starts)[0].clone()]
        .into_iter()
        .chain(vec![1.into(); ty.rank() - 1]);
    let starts = c.reshape(line.collect(), starts)?;
    let steps = c.iota(axis, ty)?;
    let mut ids = c.add(steps, starts)?;
    if let Some(turn) = turn {
        ids = c.binary(BinaryFn::Mod, ids, turn)?;
    }
    let (axis, combine) = (axis as i64, None);
    c.op(ops::ScatterAlong { axis, combine }, &[x, ids, updates])
}

/// Rows of a cache replaced from a position for each element of the batch on.
pub(super) fn tensor_scatter(c: &mut Call<'_>) -> One {
    let (x, updates) = (c.x(0)?, c.x(1)?);
    let rank = c.rank(x);
    let axis = position(c.int("axis")?.unwrap_or(-2), rank, "axis")?;
    if axis == 0 || c.rank(updates) != rank {
        return c.misfit(
            1,
            format!("{rank} axes, of which the first is the batch"),
            c.ty(updates),
        );
    }
    let starts = match c.maybe(2)? {
        Some(starts) if c.rank(starts) == 1 => starts,
        Some(starts) => return c.misfit(2, "one axis", c.ty(starts)),
        None => {
            let batch = c.shape(x)[0].clone();
            c.b.constant(0.0, TensorType::new(ir::DType::I64, [batch]))?
        }
    };
    let turn = match c.text("mode")?.as_deref().unwrap_or("linear") {
        "linear" => None,
        "circular" => {
            let size = Sizes::scalar(c.dtype(starts), c.shape(x)[axis].clone()).value();
            Some(c.b.place(&size, 0)?)
        }
        other => return c.wrong("mode", "linear or circular", other),
    };
    append(c, x, updates, axis, starts, turn)
}

/// The largest elements along an axis, or the smallest, and where they are.
pub(super) fn top_k(c: &mut Call<'_>) -> Many {
    let (x, k) = (c.x(0)?, c.int_of(1)?);
    let axis = c.axis(-1, c.rank(x))? as i64;
    let largest = c.flag("largest", true)?;
    let at = c.op(ops::TopK { axis, k, largest }, &[x])?;
    let found = c.op(ops::TakeAlong { axis }, &[x, at])?;
    Ok([found, at].map(Value::Graph).to_vec())
}

pub(super) fn cum_sum(c: &mut Call<'_>) -> One {
    let (x, axis) = (c.x(0)?, c.int_of(1)?);
    let axis = position(axis, c.rank(x), "axis")? as i64;
    let (exclusive, reverse) = (c.flag("exclusive", false)?, c.flag("reverse", false)?);
    let sum = ops::CumSum {
        axis,
        exclusive,
        reverse,
    };
    if c.dtype(x) == ir::DType::Bool {
        return unsupported("sums of truths");
    }
    c.op(sum, &[x])
}
