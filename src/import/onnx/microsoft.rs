//! Operators that onnxruntime's transformer optimiser writes.
//!
//! Source: onnxruntime, `docs/ContribOperators.md`.

use ir::{BinaryFn, DType, Dim, TensorType, UnaryFn, ValueId, ops};

use super::{
    attention::{Attend, attend, behind, merge_heads, penalty, plus, split_heads},
    call::{Call, Many, One, unsupported},
    error::NodeProblem,
    rotary::{rows, turn},
    scatter::append,
    value::{Sizes, Value},
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

/// Queries, keys and values, `[batch, heads, seq, size]`, of three operands or of one that holds them side by side.
fn grouped_parts(c: &mut Call<'_>, heads: i64, shared: i64) -> Result<[ValueId; 3], NodeProblem> {
    if c.has(1) && c.has(2) {
        let [q, k, v] = [c.x(0)?, c.x(1)?, c.x(2)?];
        return Ok([
            split_heads(c, q, heads, 0)?,
            split_heads(c, k, shared, 1)?,
            split_heads(c, v, shared, 2)?,
        ]);
    }
    let x = c.x(0)?;
    let all = heads.saturating_add(shared.saturating_mul(2));
    let all = split_heads(c, x, all, 0)?;
    let mut cut = |start: i64, n: i64| c.cut(1, start.into(), n.into(), 1, all);
    Ok([
        cut(0, heads)?,
        cut(heads, shared)?,
        cut(heads + shared, shared)?,
    ])
}

/// Attention in which groups of queries share keys and values, which are appended to those of earlier tokens.
pub(super) fn group_query_attention(c: &mut Call<'_>) -> Many {
    if (9..15).any(|i| c.has(i)) || c.flag("smooth_softmax", false)? || c.node.output.len() > 3 {
        return unsupported(
            "given positions, a bias, sinks, a quantised cache, or scores as an output",
        );
    }
    let count = |name: &str| c.int(name).map(|n| n.unwrap_or(0));
    let (heads, shared) = (count("num_heads")?, count("kv_num_heads")?);
    if heads < 1 || shared < 1 {
        return c.wrong("num_heads", "1 or more", heads.min(shared));
    }
    let [mut q, mut k, mut v] = grouped_parts(c, heads, shared)?;
    let [batch, _, s, _] = <[Dim; 4]>::try_from(c.shape(q)).expect("heads have four axes");
    // Tokens of each text before this run: those up to its last one, less the new ones.
    let past = match (c.maybe(3)?, c.maybe(4)?) {
        (Some(keys), Some(values)) if c.shape(keys).get(2).and_then(Dim::known) != Some(0) => {
            Some([keys, values])
        }
        _ => None,
    };
    let before = match past {
        None => None,
        Some(_) => {
            let last = c.x(5)?;
            let last = c.cast(DType::I64, last)?;
            let last = c.reshape(vec![batch.clone()], last)?;
            let s = Sizes::scalar(DType::I64, s.clone() + Dim::from(-1)).value();
            let s = c.b.place(&s, 0)?;
            let before = c.sub(last, s)?;
            Some(c.with(BinaryFn::Max, before, 0.0)?)
        }
    };
    if c.flag("do_rotary", false)? {
        let line = TensorType::new(DType::I64, [batch.clone(), s.clone()]);
        let mut places = c.iota(1, line)?;
        if let Some(before) = before {
            let column = c.reshape(vec![batch.clone(), 1.into()], before)?;
            places = c.add(places, column)?;
        }
        let tables = rows(c, [7, 8], Value::Graph(places))?;
        let interleaved = c.flag("rotary_interleaved", false)?;
        q = turn(c, q, tables, true, interleaved)?;
        k = turn(c, k, tables, true, interleaved)?;
    }
    let mut bias = None;
    let window = c.int("local_window_size")?.unwrap_or(-1);
    if let (Some([keys, values]), Some(before)) = (past, before) {
        k = longer(c, keys, k, before)?;
        v = longer(c, values, v, before)?;
    }
    if before.is_some() || window >= 0 {
        let t = c.shape(k)[2].clone();
        let offset = match before {
            Some(before) => c.reshape(vec![batch, 1.into(), 1.into(), 1.into()], before)?,
            None => c.b.constant(0.0, TensorType::new(DType::I64, []))?,
        };
        let distance = behind(c, offset, &s, &t)?;
        let mut limits = vec![c.with(BinaryFn::Ge, distance, 0.0)?];
        if window >= 0 {
            limits.push(c.with(BinaryFn::Lt, distance, window as f64)?);
        }
        for allowed in limits {
            let more = penalty(c, allowed, q)?;
            bias = Some(plus(c, bias, more)?);
        }
    }
    let a = Attend {
        queries: q,
        keys: k,
        values: v,
        bias,
        causal: bias.is_none(),
        scale: c.float("scale")?.filter(|s| *s != 0.0),
        softcap: c.float("softcap")?.unwrap_or(0.0),
        guarded: false,
    };
    let y = attend(c, &a)?;
    let y = merge_heads(c, y)?;
    Ok([y, k, v].map(Value::Graph).to_vec())
}

/// A cache with room for `new`, which is written behind the tokens that each text has.
fn longer(c: &mut Call<'_>, cache: ValueId, new: ValueId, before: ValueId) -> One {
    let room = c.shape(new)[2].clone();
    let lo = vec![Dim::from(0); 4];
    let hi = vec![0.into(), 0.into(), room, 0.into()];
    let value = 0.0.into();
    let wide = c.op(ops::Pad { lo, hi, value }, &[cache])?;
    append(c, wide, new, 2, before, None)
}
