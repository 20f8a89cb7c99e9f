//! Attention, of the standard and as onnxruntime fuses it.

use ir::{BinaryFn, DType, Dim, Monoid, TensorType, UnaryFn, ValueId, ops};

use super::{
    call::{Call, Many, One, unsupported},
    error::NodeProblem,
    rotary::heads_of,
    value::Value,
};

/// What is attended to, and how. Queries, keys and values are `[batch, heads, seq, size]`.
pub(super) struct Attend {
    pub queries: ValueId,
    pub keys: ValueId,
    pub values: ValueId,
    /// Added to the scores; broadcasts to them.
    pub bias: Option<ValueId>,
    /// Keys after a query's position are left out, the last query being at the last key.
    pub causal: bool,
    /// Without: one over the root of the heads' size.
    pub scale: Option<f64>,
    pub softcap: f64,
    /// Rows that see nothing are 0.
    pub guarded: bool,
}

/// `x: [batch, seq, heads * size]` as `[batch, heads, seq, size]`.
pub(super) fn split_heads(c: &mut Call<'_>, x: ValueId, heads: i64, operand: usize) -> One {
    let split = heads_of(c, x, heads, operand)?;
    c.permute(&[0, 2, 1, 3], split)
}

/// The inverse of [`split_heads`].
pub(super) fn merge_heads(c: &mut Call<'_>, x: ValueId) -> One {
    let y = c.permute(&[0, 2, 1, 3], x)?;
    let shape = c.shape(y);
    let width = shape[2].clone() * shape[3].clone();
    c.reshape(vec![shape[0].clone(), shape[1].clone(), width], y)
}

fn scale_of(c: &Call<'_>, a: &Attend) -> Result<f64, NodeProblem> {
    let size = c.shape(a.queries)[3].known();
    match (a.scale, size) {
        (Some(scale), _) => Ok(scale),
        (None, Some(size)) => Ok((size as f64).powf(-0.5)),
        (None, None) => unsupported("heads whose size is known only later"),
    }
}

/// Rows of scores that see nothing.
fn blind(c: &mut Call<'_>, bias: ValueId) -> One {
    let last = c.rank(bias) - 1;
    let most = c.fold(Monoid::Max, &[last], true, bias)?;
    c.with(BinaryFn::Eq, most, f64::NEG_INFINITY)
}

/// `softmax(cap(scale q k^T) + bias) v`
pub(super) fn attend(c: &mut Call<'_>, a: &Attend) -> One {
    let scale = scale_of(c, a)?.into();
    let op = ops::Attention {
        scale,
        causal: a.causal,
        window: 0,
        softcap: a.softcap.into(),
        mask: a.bias.is_some(),
        alibi: false,
    };
    let mut operands = vec![a.queries, a.keys, a.values];
    operands.extend(a.bias);
    let y = c.op(op, &operands)?;
    let Some(bias) = a.bias.filter(|_| a.guarded) else {
        return Ok(y);
    };
    let blind = blind(c, bias)?;
    let zero = c.scalar(y, 0.0)?;
    c.select(blind, zero, y)
}

/// The same step by step, and the scores as `mode` asks for them.
fn attend_in_steps(
    c: &mut Call<'_>,
    a: &Attend,
    mode: i64,
) -> Result<(ValueId, ValueId), NodeProblem> {
    let scale = scale_of(c, a)?;
    let heads = c.shape(a.queries)[1].clone();
    let (keys, values) = (repeat(c, a.keys, &heads)?, repeat(c, a.values, &heads)?);
    let (ta, tb) = (false, true);
    let scores = c.op(ops::MatMul { ta, tb }, &[a.queries, keys])?;
    let scores = c.with(BinaryFn::Mul, scores, scale)?;
    let capped = if a.softcap > 0.0 {
        let small = c.with(BinaryFn::Mul, scores, 1.0 / a.softcap)?;
        let bent = c.unary(UnaryFn::Tanh, small)?;
        c.with(BinaryFn::Mul, bent, a.softcap)?
    } else {
        scores
    };
    let masked = match a.bias {
        Some(bias) => c.add(capped, bias)?,
        None => capped,
    };
    let mut weights = c.op(ops::Softmax { axis: 3 }, &[masked])?;
    if let Some(bias) = a.bias {
        let blind = blind(c, bias)?;
        let zero = c.scalar(weights, 0.0)?;
        weights = c.select(blind, zero, weights)?;
    }
    let y = c.matmul(weights, values)?;
    let shown = match mode {
        0 if a.softcap > 0.0 => capped,
        0 => scores,
        1 => capped,
        2 => masked,
        3 => weights,
        other => return c.wrong("qk_matmul_output_mode", "0 to 3", other),
    };
    Ok((y, shown))
}

/// Each head of keys or values as often as queries share it.
fn repeat(c: &mut Call<'_>, x: ValueId, heads: &Dim) -> One {
    let [b, h, t, d] = <[Dim; 4]>::try_from(c.shape(x)).expect("heads have four axes");
    let Some(group) = heads.exact_div(&h) else {
        return c.misfit(1, format!("heads that divide {heads}"), c.ty(x));
    };
    let split = c.reshape(
        vec![b.clone(), h.clone(), 1.into(), t.clone(), d.clone()],
        x,
    )?;
    let wide = c.broadcast(vec![b.clone(), h, group, t.clone(), d.clone()], split)?;
    c.reshape(vec![b, heads.clone(), t, d], wide)
}

/// A mask, operand `i`, as numbers to add: of truths, 0 for those that hold.
fn additive(c: &mut Call<'_>, i: usize, like: ValueId, keys: &Dim) -> One {
    let mask = c.x(i)?;
    let mut bias = if c.dtype(mask) == DType::Bool {
        let (zero, low) = (c.scalar(like, 0.0)?, c.scalar(like, f64::NEG_INFINITY)?);
        c.select(mask, zero, low)?
    } else {
        c.cast(c.dtype(like), mask)?
    };
    let shape = c.shape(bias);
    let missing = shape
        .last()
        .map(|n| keys.clone() + Dim::from(-1) * n.clone());
    if let Some(missing) = missing.filter(|m| m.known().is_some_and(|m| m > 0)) {
        let lo = vec![Dim::from(0); shape.len()];
        let mut hi = lo.clone();
        *hi.last_mut().expect("a mask has axes") = missing;
        let value = f64::NEG_INFINITY.into();
        bias = c.op(ops::Pad { lo, hi, value }, &[bias])?;
    }
    Ok(bias)
}

/// `bias + more`, where there is a bias.
pub(super) fn plus(c: &mut Call<'_>, bias: Option<ValueId>, more: ValueId) -> One {
    bias.map_or(Ok(more), |bias| c.add(bias, more))
}

/// 0 where `allowed`, else minus infinity, of the element type of `like`.
pub(super) fn penalty(c: &mut Call<'_>, allowed: ValueId, like: ValueId) -> One {
    let (zero, low) = (c.scalar(like, 0.0)?, c.scalar(like, f64::NEG_INFINITY)?);
    c.select(allowed, zero, low)
}

/// `i + offset - j`: how far key `j` lies behind query `i`, of the shape `[.., s, t]`.
pub(super) fn behind(c: &mut Call<'_>, offset: ValueId, s: &Dim, t: &Dim) -> One {
    let query = c.iota(
        2,
        TensorType::new(DType::I64, [1.into(), 1.into(), s.clone(), 1.into()]),
    )?;
    let key = c.iota(
        3,
        TensorType::new(DType::I64, [1.into(), 1.into(), 1.into(), t.clone()]),
    )?;
    let at = c.add(query, offset)?;
    c.sub(at, key)
}

fn size_as_number(c: &mut Call<'_>, size: Dim) -> One {
    let sizes = super::value::Sizes::scalar(DType::I64, size).value();
    c.b.place(&sizes, 0)
}

pub(super) fn attention(c: &mut Call<'_>) -> Many {
    let [mut q, mut k, mut v] = [c.x(0)?, c.x(1)?, c.x(2)?];
    let flat = c.rank(q) == 3;
    if flat {
        let heads = |name: &str| c.int(name).map(|n| n.unwrap_or(0));
        let (hq, hk) = (heads("q_num_heads")?, heads("kv_num_heads")?);
        q = split_heads(c, q, hq, 0)?;
        k = split_heads(c, k, hk, 1)?;
        v = split_heads(c, v, hk, 2)?;
    }
    if c.rank(q) != 4 || c.rank(k) != 4 || c.rank(v) != 4 {
        return c.misfit(0, "three or four axes", c.ty(q));
    }
    let past = c.maybe(4)?.map(|p| (p, c.shape(p)));
    if let Some((past, _)) = &past {
        k = c.concat(2, &[*past, k])?;
        let past = c.x(5)?;
        v = c.concat(2, &[past, v])?;
    }
    let (s, t) = (c.shape(q)[2].clone(), c.shape(k)[2].clone());
    let mut bias = if c.has(3) {
        Some(additive(c, 3, q, &t)?)
    } else {
        None
    };
    let lengths = match c.maybe(6)? {
        None => None,
        Some(n) => {
            let n = c.cast(DType::I64, n)?;
            let shape = c
                .shape(n)
                .into_iter()
                .chain([1.into(), 1.into(), 1.into()])
                .collect();
            Some(c.reshape(shape, n)?)
        }
    };
    let ahead = past.map_or(Dim::from(0), |(_, shape)| shape[2].clone());
    let causal = c.flag("is_causal", false)?;
    let left = c.int("left_window_size")?.unwrap_or(-1);
    let right = c.int("right_window_size")?.unwrap_or(-1);
    let windowed = left >= 0 || right >= 0;
    let native = causal
        && bias.is_none()
        && lengths.is_none()
        && !windowed
        && ahead.clone() + s.clone() == t;
    let wants_scores = c.node.output.get(3).is_some_and(|o| !o.is_empty());
    let native = native && !wants_scores;
    if (causal && !native) || windowed {
        let offset = match lengths {
            Some(n) => {
                let s = size_as_number(c, s.clone())?;
                c.sub(n, s)?
            }
            None => size_as_number(c, ahead)?,
        };
        let distance = behind(c, offset, &s, &t)?;
        let mut limits = Vec::new();
        if causal {
            limits.push(c.with(BinaryFn::Ge, distance, 0.0)?);
        }
        if left >= 0 {
            limits.push(c.with(BinaryFn::Le, distance, left as f64)?);
        }
        if right >= 0 {
            limits.push(c.with(BinaryFn::Ge, distance, -right as f64)?);
        }
        for allowed in limits {
            let more = penalty(c, allowed, q)?;
            bias = Some(plus(c, bias, more)?);
        }
    }
    if let Some(n) = lengths {
        let key = c.iota(
            3,
            TensorType::new(DType::I64, [1.into(), 1.into(), 1.into(), t.clone()]),
        )?;
        let allowed = c.binary(BinaryFn::Lt, key, n)?;
        let more = penalty(c, allowed, q)?;
        bias = Some(plus(c, bias, more)?);
    }
    let a = Attend {
        queries: q,
        keys: k,
        values: v,
        bias,
        causal: native,
        scale: c.float("scale")?,
        softcap: c.float("softcap")?.unwrap_or(0.0),
        guarded: true,
    };
    let (y, scores) = if wants_scores {
        let mode = c.int("qk_matmul_output_mode")?.unwrap_or(0);
        let (y, scores) = attend_in_steps(c, &a, mode)?;
        (y, Value::Graph(scores))
    } else {
        (attend(c, &a)?, Value::Failed)
    };
    let y = if flat { merge_heads(c, y)? } else { y };
    Ok(vec![
        Value::Graph(y),
        Value::Graph(k),
        Value::Graph(v),
        scores,
    ])
}
