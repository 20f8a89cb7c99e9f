//! Operators that choose elements by tensors of positions.
//!
//! A position out of range is a defect of the caller's input. Where it comes straight from an input, it is checked at
//! each run; a computed one is held within the axis, so that no kernel reads past a tensor.

use ir::{BinaryFn, DType, Dim, Op, TensorType, ValueId, ops};

use super::{
    call::{Call, One, unsupported},
    error::NodeProblem,
    tensor::Elem,
    value::Value,
};

/// Operand `i` as positions on an axis of size `n`: those below 0 count from the end.
pub(super) fn positions_of(c: &mut Call<'_>, i: usize, n: &Dim) -> Result<ValueId, NodeProblem> {
    if let (Ok(known), Some(n)) = (c.known(i), n.known()) {
        let Some(mut ids) = known
            .integers()
            .filter(|_| known.elem.dtype != Some(DType::Bool))
        else {
            return c.misfit(i, "whole numbers", known.elem.name);
        };
        if let Some(far) = ids.iter().find(|id| **id < -n || **id >= n) {
            return c.misfit(i, format!("positions on an axis of size {n}"), far);
        }
        ids.iter_mut().filter(|id| **id < 0).for_each(|id| *id += n);
        let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        let wide = super::tensor::Constant::new(Elem::of(DType::I64), known.shape, bytes.into());
        return c.b.place(&super::walk::shared(wide), i);
    }
    let ids = c.x(i)?;
    if !matches!(c.dtype(ids), DType::I32 | DType::I64) {
        return c.misfit(i, "whole numbers of 32 or 64 bits", c.ty(ids));
    }
    let bounded = match &c.b.graph.node(ids).op {
        Op::Input(input) => input.below > 0 && n.known().is_some_and(|n| input.below <= n),
        Op::Iota(_) => c.b.graph.ty(ids).shape.as_slice() == std::slice::from_ref(n),
        _ => false,
    };
    if bounded {
        return Ok(ids);
    }
    let dtype = c.dtype(ids);
    let size = c.op(
        ops::Extent {
            size: vec![n.clone()],
            dtype,
        },
        &[],
    )?;
    let below = c.with(BinaryFn::Lt, ids, 0.0)?;
    let wrapped = c.add(ids, size)?;
    let ids = c.select(below, wrapped, ids)?;
    let last = c.with(BinaryFn::Sub, size, 1.0)?;
    let ids = c.binary(BinaryFn::Min, ids, last)?;
    c.with(BinaryFn::Max, ids, 0.0)
}

pub(super) fn gather(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let axis = c.axis(0, c.rank(x))?;
    let n = c.shape(x)[axis].clone();
    // One known position is a slice.
    if let Ok(known) = c.known(1)
        && let (Some([id]), Some(n)) = (known.integers().as_deref(), n.known())
        && known.shape.len() <= 1
        && (-n..n).contains(id)
    {
        let part = c.cut(axis, id.rem_euclid(n).into(), 1.into(), 1, x)?;
        let mut shape = c.shape(part);
        if known.shape.is_empty() {
            shape.remove(axis);
        }
        return c.reshape(shape, part);
    }
    let ids = positions_of(c, 1, &n)?;
    if axis == 0 && c.rank(x) == 2 {
        return c.op(ops::Embedding {}, &[x, ids]);
    }
    c.op(ops::Gather { axis: axis as i64 }, &[x, ids])
}

/// Sizes of the elements that lie behind one step on each axis.
fn strides(shape: &[Dim]) -> Vec<Dim> {
    (0..shape.len())
        .map(|a| shape[a + 1..].iter().product())
        .collect()
}

/// A size as a number of `dtype`.
fn extent(c: &mut Call<'_>, size: Dim, dtype: DType) -> One {
    match size.known() {
        Some(n) => c.b.constant(n as f64, TensorType::new(dtype, [])),
        None => c.op(
            ops::Extent {
                size: vec![size],
                dtype,
            },
            &[],
        ),
    }
}

/// `y[i..] = x[.., ids[i..] on axis, ..]`
pub(super) fn gather_elements(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let axis = c.axis(0, c.rank(x))?;
    let n = c.shape(x)[axis].clone();
    let ids = positions_of(c, 1, &n)?;
    let axis = axis as i64;
    c.op(ops::TakeAlong { axis }, &[x, ids])
}

/// `y[i.., j..] = x[i.., ids[i.., 0], ids[i.., 1], .., j..]`
pub(super) fn gather_nd(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let batch = c.int("batch_dims")?.unwrap_or(0);
    let shape = c.shape(x);
    let points = c.x(1)?;
    let own = c.shape(points);
    let Some(depth) = own.last().and_then(Dim::known) else {
        return c.misfit(1, "a known size of the last axis", c.ty(points));
    };
    let (batch, depth) = (batch.max(0) as usize, depth.max(0) as usize);
    if depth == 0 || batch + depth > shape.len() || batch >= own.len() {
        return c.misfit(
            1,
            format!("positions on the axes of {}", c.ty(x)),
            c.ty(points),
        );
    }
    let lead = own[..own.len() - 1].to_vec();
    let dtype = c.dtype(points);
    let steps = strides(&shape[..batch + depth]);
    let mut at = None;
    for (a, stride) in steps.into_iter().enumerate() {
        let here = if a < batch {
            c.iota(a, TensorType::new(dtype, lead.clone()))?
        } else {
            let part = c.cut(
                own.len() - 1,
                ((a - batch) as i64).into(),
                1.into(),
                1,
                points,
            )?;
            let ids = c.reshape(lead.clone(), part)?;
            c.inputs.push(Value::Graph(ids));
            let last = c.inputs.len() - 1;
            let ids = positions_of(c, last, &shape[a]);
            c.inputs.pop();
            ids?
        };
        let here = c.cast(dtype, here)?;
        let stride = extent(c, stride, dtype)?;
        let part = c.mul(here, stride)?;
        at = Some(match at {
            None => part,
            Some(sum) => c.add(sum, part)?,
        });
    }
    let at = at.expect("there is at least one axis");
    let (outer, inner) = shape.split_at(batch + depth);
    let mut rows = vec![outer.iter().product()];
    rows.extend_from_slice(inner);
    let rows = c.reshape(rows, x)?;
    c.op(ops::Gather { axis: 0 }, &[rows, at])
}

/// `on` where a position is the one that `ids` says, else `off`.
pub(super) fn one_hot(c: &mut Call<'_>) -> One {
    let depth = match c.sizes(1)?.as_slice() {
        [one] => one.clone(),
        found => return c.misfit(1, "one number", found.len()),
    };
    let (ids, values) = (c.x(0)?, c.x(2)?);
    let rank = c.rank(ids) + 1;
    let axis = c.axis(-1, rank)?;
    if !c.dtype(ids).is_int() && !c.dtype(ids).is_float() {
        return unsupported(format!("positions of {}", c.dtype(ids)));
    }
    let ids = c.cast(DType::I64, ids)?;
    // Those below 0 count from the end; what is out of range is nowhere.
    let size = extent(c, depth.clone(), DType::I64)?;
    let below = c.with(BinaryFn::Lt, ids, 0.0)?;
    let wrapped = c.add(ids, size)?;
    let ids = c.select(below, wrapped, ids)?;
    let mut shape = c.shape(ids);
    shape.insert(axis, 1.into());
    let ids = c.reshape(shape, ids)?;
    let line = (0..rank).map(|a| if a == axis { depth.clone() } else { 1.into() });
    let at = c.iota(axis, TensorType::new(DType::I64, line))?;
    let here = c.binary(BinaryFn::Eq, at, ids)?;
    let mut value = |i: i64| {
        let part = c.cut(0, i.into(), 1.into(), 1, values)?;
        c.reshape(vec![], part)
    };
    let (off, on) = (value(0)?, value(1)?);
    c.select(here, on, off)
}
