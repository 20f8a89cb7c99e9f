//! Operators that normalise.

use ir::{BinaryFn, Dim, Monoid, UnaryFn, ValueId, ops};

use super::{
    call::{Call, Many, One, position, positions, unsupported},
    error::NodeProblem,
    value::Value,
};

/// What scales and shifts a normalised tensor.
struct Affine {
    gain: Option<ValueId>,
    bias: Option<ValueId>,
}

/// `(x - mean) / sqrt(variance + eps)` over `axes`.
fn unit(c: &mut Call<'_>, x: ValueId, axes: &[usize], eps: f64) -> One {
    let mean = c.mean(axes, true, x)?;
    let centred = c.sub(x, mean)?;
    let square = c.unary(UnaryFn::Square, centred)?;
    let variance = c.mean(axes, true, square)?;
    let shifted = c.with(BinaryFn::Add, variance, eps)?;
    let scale = c.unary(UnaryFn::Rsqrt, shifted)?;
    c.mul(centred, scale)
}

/// A vector of one number, as long as the last axis of `x`.
fn vector(c: &mut Call<'_>, x: ValueId, number: f64) -> One {
    let mut ty = c.ty(x);
    ty.shape = ty.shape.last().cloned().into_iter().collect();
    c.b.constant(number, ty)
}

/// `x` with the axes from `axis` on as one, and its gain and bias as vectors.
fn last_axis(
    c: &mut Call<'_>,
    x: ValueId,
    axis: usize,
    affine: &Affine,
) -> Result<(ValueId, Affine), NodeProblem> {
    let shape = c.shape(x);
    let inner = shape[axis..].to_vec();
    let all: Dim = inner.iter().product();
    let mut line = |v: Option<ValueId>| {
        let Some(v) = v else { return Ok(None) };
        let v = c.broadcast(inner.clone(), v)?;
        c.reshape(vec![all.clone()], v).map(Some)
    };
    let affine = Affine {
        gain: line(affine.gain)?,
        bias: line(affine.bias)?,
    };
    let flat = shape[..axis].iter().cloned().chain([all.clone()]).collect();
    Ok((c.reshape(flat, x)?, affine))
}

/// Layer normalisation over the axes from `axis` on.
fn layer(c: &mut Call<'_>, x: ValueId, axis: usize, affine: &Affine, eps: f64) -> One {
    let shape = c.shape(x);
    let (flat, affine) = last_axis(c, x, axis, affine)?;
    let gain = affine.gain.map_or_else(|| vector(c, flat, 1.0), Ok)?;
    let bias = affine.bias.map_or_else(|| vector(c, flat, 0.0), Ok)?;
    let y = c.op(ops::LayerNorm { eps: eps.into() }, &[flat, gain, bias])?;
    c.reshape(shape, y)
}

/// Root-mean-square normalisation over the axes from `axis` on.
fn root_mean_square(c: &mut Call<'_>, x: ValueId, axis: usize, affine: &Affine, eps: f64) -> One {
    let shape = c.shape(x);
    let (flat, affine) = last_axis(c, x, axis, affine)?;
    let gain = affine.gain.map_or_else(|| vector(c, flat, 1.0), Ok)?;
    let y = c.op(ops::RmsNorm { eps: eps.into() }, &[flat, gain])?;
    c.reshape(shape, y)
}

/// The mean, and one over the standard deviation.
fn statistics(c: &mut Call<'_>, x: ValueId, axis: usize, eps: f64) -> Many {
    let axes: Vec<_> = (axis..c.rank(x)).collect();
    let mean = c.mean(&axes, true, x)?;
    let centred = c.sub(x, mean)?;
    let square = c.unary(UnaryFn::Square, centred)?;
    let variance = c.mean(&axes, true, square)?;
    let shifted = c.with(BinaryFn::Add, variance, eps)?;
    let inverse = c.unary(UnaryFn::Rsqrt, shifted)?;
    Ok(vec![Value::Graph(mean), Value::Graph(inverse)])
}

fn wants(c: &Call<'_>, output: usize) -> bool {
    c.node.output.get(output).is_some_and(|o| !o.is_empty())
}

pub(super) fn layer_normalization(c: &mut Call<'_>) -> Many {
    let x = c.x(0)?;
    c.require_float(x, 0)?;
    let axis = c.axis(-1, c.rank(x))?;
    let affine = Affine {
        gain: c.maybe(1)?,
        bias: c.maybe(2)?,
    };
    let eps = c.float("epsilon")?.unwrap_or(1e-5);
    let mut outputs = vec![Value::Graph(layer(c, x, axis, &affine, eps)?)];
    if wants(c, 1) || wants(c, 2) {
        outputs.extend(statistics(c, x, axis, eps)?);
    }
    Ok(outputs)
}

pub(super) fn rms_normalization(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    c.require_float(x, 0)?;
    let axis = c.axis(-1, c.rank(x))?;
    let affine = Affine {
        gain: c.maybe(1)?,
        bias: None,
    };
    let eps = c.float("epsilon")?.unwrap_or(1e-5);
    root_mean_square(c, x, axis, &affine, eps)
}

/// `x + skip + bias`, normalised; the sum is output 3.
pub(super) fn skip_layer_normalization(c: &mut Call<'_>) -> Many {
    skip(c, false)
}

pub(super) fn skip_simplified_layer_normalization(c: &mut Call<'_>) -> Many {
    skip(c, true)
}

fn skip(c: &mut Call<'_>, simplified: bool) -> Many {
    let (x, more, gain) = (c.x(0)?, c.x(1)?, c.x(2)?);
    let (bias, extra) = if simplified {
        (None, c.maybe(3)?)
    } else {
        (c.maybe(3)?, c.maybe(4)?)
    };
    let mut sum = c.add(x, more)?;
    if let Some(extra) = extra {
        sum = c.add(sum, extra)?;
    }
    let eps = c.float("epsilon")?.unwrap_or(1e-12);
    let axis = position(-1, c.rank(sum), "axis")?;
    let affine = Affine {
        gain: Some(gain),
        bias,
    };
    let y = if simplified {
        root_mean_square(c, sum, axis, &affine, eps)?
    } else {
        layer(c, sum, axis, &affine, eps)?
    };
    if wants(c, 1) || wants(c, 2) {
        return unsupported("the mean and the deviation as outputs");
    }
    Ok(vec![
        Value::Graph(y),
        Value::Failed,
        Value::Failed,
        Value::Graph(sum),
    ])
}

/// Embeddings of words, positions and segments, added and normalised.
pub(super) fn embed_layer_normalization(c: &mut Call<'_>) -> Many {
    let ids = c.x(0)?;
    let [batch, seq] = match <[Dim; 2]>::try_from(c.shape(ids)) {
        Ok(shape) => shape,
        Err(_) => return c.misfit(0, "two axes", c.ty(ids)),
    };
    let rows = |c: &mut Call<'_>, table: usize, ids: usize| {
        let x = c.x(table)?;
        let n = c.shape(x).first().cloned().unwrap_or_default();
        let ids = super::indexing::positions_of(c, ids, &n)?;
        c.op(ops::Embedding {}, &[x, ids])
    };
    let mut sum = rows(c, 2, 0)?;
    let places = if c.has(8) {
        rows(c, 3, 8)?
    } else {
        let table = c.x(3)?;
        let first = c.cut(0, 0.into(), seq.clone(), 1, table)?;
        let width = c.shape(first).last().cloned().unwrap_or_default();
        c.reshape(vec![1.into(), seq.clone(), width], first)?
    };
    sum = c.add(sum, places)?;
    if c.has(1) && c.has(4) {
        let segments = rows(c, 4, 1)?;
        sum = c.add(sum, segments)?;
    }
    let affine = Affine {
        gain: c.maybe(5)?,
        bias: c.maybe(6)?,
    };
    let eps = c.float("epsilon")?.unwrap_or(1e-12);
    let y = layer(c, sum, 2, &affine, eps)?;
    // How many tokens of each sequence are no padding.
    let counts = match c.maybe(7)? {
        Some(mask) => {
            let mask = c.cast(ir::DType::I32, mask)?;
            c.fold(Monoid::Sum, &[1], false, mask)?
        }
        None => {
            c.b.constant(0.0, ir::TensorType::new(ir::DType::I32, [batch]))?
        }
    };
    Ok([y, counts, sum].map(Value::Graph).to_vec())
}

/// Operand `i`, one number for each channel, against `[batch, channels, ..]`.
fn by_channel(c: &mut Call<'_>, i: usize, rank: usize) -> One {
    let x = c.x(i)?;
    let shape = c
        .shape(x)
        .into_iter()
        .chain(vec![1.into(); rank.saturating_sub(2)])
        .collect();
    c.reshape(shape, x)
}

/// `unit` of groups of channels.
fn grouped(c: &mut Call<'_>, x: ValueId, groups: &Dim, eps: f64) -> One {
    let shape = c.shape(x);
    let rest = shape[1..].iter().product::<Dim>().exact_div(groups);
    let Some(rest) = rest else {
        return c.misfit(0, format!("channels in {groups} groups"), c.ty(x));
    };
    let y = c.reshape(vec![shape[0].clone(), groups.clone(), rest], x)?;
    let y = unit(c, y, &[2], eps)?;
    c.reshape(shape, y)
}

pub(super) fn group_normalization(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let shape = c.shape(x);
    let Some(groups) = c.int("num_groups")?.filter(|n| *n > 0) else {
        return c.wrong("num_groups", "1 or more", "none");
    };
    if shape.len() < 2 {
        return c.misfit(0, "at least two axes", c.ty(x));
    }
    let eps = c.float("epsilon")?.unwrap_or(1e-5);
    let y = grouped(c, x, &groups.into(), eps)?;
    let gain = c.x(1)?;
    if c.shape(gain).first() != Some(&shape[1]) {
        return unsupported("one gain for each group, as before version 21");
    }
    let (gain, bias) = (
        by_channel(c, 1, shape.len())?,
        by_channel(c, 2, shape.len())?,
    );
    let y = c.mul(y, gain)?;
    c.add(y, bias)
}

pub(super) fn instance_normalization(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let shape = c.shape(x);
    if shape.len() < 2 {
        return c.misfit(0, "at least two axes", c.ty(x));
    }
    let eps = c.float("epsilon")?.unwrap_or(1e-5);
    let y = grouped(c, x, &shape[1], eps)?;
    let (gain, bias) = (
        by_channel(c, 1, shape.len())?,
        by_channel(c, 2, shape.len())?,
    );
    let y = c.mul(y, gain)?;
    c.add(y, bias)
}

/// With the statistics that training left.
pub(super) fn batch_normalization(c: &mut Call<'_>) -> One {
    if c.flag("training_mode", false)? {
        return unsupported("batch normalisation in training mode");
    }
    let x = c.x(0)?;
    let rank = c.rank(x);
    if rank < 2 {
        return c.misfit(0, "at least two axes", c.ty(x));
    }
    let eps = c.float("epsilon")?.unwrap_or(1e-5);
    let mut given = Vec::new();
    for i in 1..5 {
        let v = by_channel(c, i, rank)?;
        given.push(c.cast(c.dtype(x), v)?);
    }
    let shifted = c.with(BinaryFn::Add, given[3], eps)?;
    let scale = c.unary(UnaryFn::Rsqrt, shifted)?;
    let scale = c.mul(scale, given[0])?;
    let centred = c.sub(x, given[2])?;
    let y = c.mul(centred, scale)?;
    c.add(y, given[1])
}

pub(super) fn mean_variance_normalization(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let axes = c.list("axes")?.unwrap_or_else(|| vec![0, 2, 3]);
    let axes = positions(&axes, c.rank(x), "axes")?;
    unit(c, x, &axes, 1e-9)
}

pub(super) fn lp_normalization(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let axis = c.axis(-1, c.rank(x))?;
    let norm = match c.int("p")?.unwrap_or(2) {
        1 => {
            let size = c.unary(UnaryFn::Abs, x)?;
            c.fold(Monoid::Sum, &[axis], true, size)?
        }
        2 => {
            let square = c.unary(UnaryFn::Square, x)?;
            let sum = c.fold(Monoid::Sum, &[axis], true, square)?;
            c.unary(UnaryFn::Sqrt, sum)?
        }
        p => return c.wrong("p", "1 or 2", p),
    };
    // Nothing has no direction: it stays nothing.
    let (zero, one) = (c.scalar(x, 0.0)?, c.scalar(x, 1.0)?);
    let none = c.binary(BinaryFn::Eq, norm, zero)?;
    let norm = c.select(none, one, norm)?;
    c.div(x, norm)
}
