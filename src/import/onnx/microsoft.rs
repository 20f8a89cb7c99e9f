//! Operators that onnxruntime's transformer optimiser writes.
//!
//! Source: onnxruntime, `docs/ContribOperators.md`.

use ir::{BinaryFn, Dim, TensorType, UnaryFn, ValueId};

use super::{
    attention::{Attend, attend, merge_heads, split_heads},
    call::{Call, Many, One, unsupported},
    value::Value,
};

pub(super) fn bias_gelu(c: &mut Call<'_>) -> One {
    let (x, bias) = (c.x(0)?, c.x(1)?);
    let sum = c.add(x, bias)?;
    c.unary(UnaryFn::Gelu, sum)
}

pub(super) fn fast_gelu(c: &mut Call<'_>) -> One {
    let mut x = c.x(0)?;
    if let Some(bias) = c.maybe(1)? {
        x = c.add(x, bias)?;
    }
    c.unary(UnaryFn::GeluTanh, x)
}

/// `x sigmoid(alpha x)`
pub(super) fn quick_gelu(c: &mut Call<'_>) -> One {
    let (x, alpha) = (c.x(0)?, c.float("alpha")?.unwrap_or(1.702));
    // As f32 writes it.
    if (alpha - 1.702).abs() < 1e-6 {
        return c.unary(UnaryFn::QuickGelu, x);
    }
    let scaled = c.with(BinaryFn::Mul, x, alpha)?;
    let gate = c.unary(UnaryFn::Sigmoid, scaled)?;
    c.mul(x, gate)
}

/// What to add to scores of keys that operand `i` masks: counts of keys `[batch]`, or marks `[batch, keys]` or
/// `[batch, queries, keys]`, which are 0 for padding.
fn padding(c: &mut Call<'_>, i: usize, like: ValueId, keys: &Dim) -> One {
    let mask = c.x(i)?;
    let one = Dim::from(1);
    let allowed = match <[Dim; 3]>::try_from(c.shape(mask)) {
        Ok([batch, queries, t]) => {
            let marks = c.reshape(vec![batch, one, queries, t], mask)?;
            c.with(BinaryFn::Ne, marks, 0.0)?
        }
        Err(shape) if shape.len() == 2 => {
            let marks = c.reshape(
                vec![shape[0].clone(), one.clone(), one, shape[1].clone()],
                mask,
            )?;
            c.with(BinaryFn::Ne, marks, 0.0)?
        }
        Err(shape) if shape.len() == 1 && shape[0] == c.shape(like)[0] => {
            let counts = c.reshape(
                vec![shape[0].clone(), one.clone(), one.clone(), one.clone()],
                mask,
            )?;
            let line =
                TensorType::new(c.dtype(mask), [one.clone(), one.clone(), one, keys.clone()]);
            let key = c.iota(3, line)?;
            c.binary(BinaryFn::Lt, key, counts)?
        }
        Err(_) => return unsupported(format!("a mask of type {}", c.ty(mask))),
    };
    let low = c.float("mask_filter_value")?.unwrap_or(-10_000.0);
    let (zero, low) = (c.scalar(like, 0.0)?, c.scalar(like, low)?);
    c.select(allowed, zero, low)
}

/// Attention of values that are split, and the keys and values that a cache would hold.
fn finish(
    c: &mut Call<'_>,
    [queries, keys, values]: [ValueId; 3],
    mask: Option<usize>,
    more: Option<usize>,
) -> Many {
    let t = c.shape(keys)[2].clone();
    let mut bias = match mask {
        Some(i) if c.has(i) => Some(padding(c, i, queries, &t)?),
        _ => None,
    };
    if let Some(i) = more.filter(|i| c.has(*i)) {
        let given = c.x(i)?;
        bias = Some(match bias {
            Some(bias) => c.add(bias, given)?,
            None => given,
        });
    }
    let a = Attend {
        queries,
        keys,
        values,
        bias,
        causal: c.flag("unidirectional", false)?,
        // 0 asks for the usual one.
        scale: c.float("scale")?.filter(|s| *s != 0.0),
        softcap: 0.0,
        guarded: false,
    };
    let y = attend(c, &a)?;
    let y = merge_heads(c, y)?;
    Ok([y, keys, values].map(Value::Graph).to_vec())
}

/// Attention with its projection of queries, keys and values side by side.
pub(super) fn attention(c: &mut Call<'_>) -> Many {
    if c.has(4) || c.has(6) || c.flag("do_rotary", false)? || c.list("qkv_hidden_sizes")?.is_some()
    {
        return unsupported("a cache, rotary positions, or heads of several sizes");
    }
    if c.node.output.len() > 1 {
        return unsupported("the cache as an output");
    }
    let heads = c.int("num_heads")?.unwrap_or(0);
    let (x, weight) = (c.x(0)?, c.x(1)?);
    let mut all = c.matmul(x, weight)?;
    if let Some(bias) = c.maybe(2)? {
        all = c.add(all, bias)?;
    }
    let width = c.shape(all).last().and_then(|n| n.exact_div(&3.into()));
    let Some(width) = width else {
        return c.misfit(1, "columns in three equal parts", c.ty(weight));
    };
    let mut parts = Vec::new();
    for part in 0..3 {
        let third = c.cut(2, width.clone() * part.into(), width.clone(), 1, all)?;
        parts.push(split_heads(c, third, heads, 0)?);
    }
    finish(c, [parts[0], parts[1], parts[2]], Some(3), Some(5))
}

/// Attention of projected queries, keys and values.
pub(super) fn multi_head_attention(c: &mut Call<'_>) -> Many {
    if !c.has(1) || !c.has(2) {
        return unsupported("queries, keys and values in one operand");
    }
    let heads = c.int("num_heads")?.unwrap_or(0);
    let mut bias = c.maybe(3)?.map(|bias| (bias, Dim::from(0)));
    let mut parts = Vec::new();
    for i in 0..3 {
        let mut x = c.x(i)?;
        // Keys and values of another sequence are split already.
        if c.rank(x) == 4 && i > 0 {
            parts.push(x);
            continue;
        }
        if let Some((all, start)) = &mut bias {
            let width = c.shape(x).last().cloned().unwrap_or_default();
            let own = c.cut(0, start.clone(), width.clone(), 1, *all)?;
            *start = start.clone() + width;
            x = c.add(x, own)?;
        }
        parts.push(split_heads(c, x, heads, i)?);
    }
    for (part, past) in [(1, 6), (2, 7)] {
        if let Some(past) = c.maybe(past)? {
            parts[part] = c.concat(2, &[past, parts[part]])?;
        }
    }
    finish(c, [parts[0], parts[1], parts[2]], Some(4), Some(5))
}
