//! Operators that cut tensors, or put a border around them.

use std::cmp::Ordering;

use ir::{DType, Dim, ValueId, ops};

use super::{
    call::{Call, Many, One, position, unsupported},
    error::NodeProblem,
    fold::order,
    tensor::Constant,
    value::Value,
    walk::shared,
};

/// Positions from `start` up to `end` by `step`, as NumPy slices `n` elements.
pub(super) fn span(start: i64, end: i64, step: i64, n: i64) -> Option<impl Iterator<Item = i64>> {
    if step == 0 {
        return None;
    }
    let from_end = |i: i64| if i < 0 { i.saturating_add(n) } else { i };
    let (low, high) = if step > 0 { (0, n) } else { (-1, n - 1) };
    let (start, end) = (
        from_end(start).clamp(low, high),
        from_end(end).clamp(low, high),
    );
    let distance = if step > 0 { end - start } else { start - end };
    let count = distance.max(0).unsigned_abs().div_ceil(step.unsigned_abs()) as i64;
    Some((0..count).map(move |i| start + i * step))
}

pub(super) fn slice(c: &mut Call<'_>) -> One {
    let mut x = c.x(0)?;
    let rank = c.rank(x);
    let (starts, ends) = (c.sizes(1)?, c.sizes(2)?);
    let axes = if c.has(3) {
        c.ints(3)?
    } else {
        (0..starts.len() as i64).collect()
    };
    let steps = if c.has(4) {
        c.ints(4)?
    } else {
        vec![1; starts.len()]
    };
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return c.misfit(
            2,
            format!("{} numbers in each list", starts.len()),
            "others",
        );
    }
    super::call::positions(&axes, rank, "axes")?;
    for (((start, end), axis), step) in starts.iter().zip(&ends).zip(&axes).zip(&steps) {
        let axis = position(*axis, rank, "axes")?;
        let n = c.shape(x)[axis].clone();
        let (start, size) = match (start.known(), end.known(), n.known()) {
            (Some(start), Some(end), Some(n)) => {
                let Some(mut span) = span(start, end, *step, n) else {
                    return c.misfit(4, "steps other than 0", 0);
                };
                let (count, first) = (span.size_hint().0 as i64, span.next().unwrap_or(0));
                (Dim::from(first), Dim::from(count))
            }
            _ => symbolic(start, end, &n, *step)?,
        };
        x = c.cut(axis, start, size, *step, x)?;
    }
    Ok(x)
}

/// Start and size of a slice between sizes that are known only later.
fn symbolic(start: &Dim, end: &Dim, n: &Dim, step: i64) -> Result<(Dim, Dim), NodeProblem> {
    let depends = || unsupported(format!("a slice from {start} to {end} by {step} of {n}"));
    let backwards =
        step == -1 && start.known() == Some(-1) && end.known().is_some_and(|e| e < -(1 << 31));
    if backwards {
        return Ok((n.clone() + Dim::from(-1), n.clone()));
    }
    if step != 1 {
        return depends();
    }
    let zero = Dim::from(0);
    // Counted from the end where below 0; no farther than either end.
    let within = |at: &Dim| {
        let at = match order(at, &zero) {
            Some(Ordering::Less) => at.clone() + n.clone(),
            Some(_) => at.clone(),
            // As large as exporters write "to the end".
            None => return Some(at.clone()),
        };
        match (order(&at, n), order(&at, &zero)) {
            (Some(Ordering::Greater), _) => Some(n.clone()),
            (_, Some(Ordering::Less)) => Some(zero.clone()),
            // A known end behind which the axis may end, or not.
            (None, _) if at.known().is_some_and(|k| k >= 1 << 31) => Some(n.clone()),
            _ => Some(at),
        }
    };
    let (Some(start), Some(end)) = (within(start), within(end)) else {
        return depends();
    };
    let size = end + Dim::from(-1) * start.clone();
    if size.known().is_some_and(|s| s < 0) {
        return Ok((zero.clone(), zero));
    }
    Ok((start, size))
}

pub(super) fn split(c: &mut Call<'_>) -> Many {
    let x = c.x(0)?;
    let axis = c.axis(0, c.rank(x))?;
    let n = c.shape(x)[axis].clone();
    let given = if c.has(1) {
        Some(c.sizes(1)?)
    } else {
        c.list("split")?
            .map(|s| s.into_iter().map(Dim::from).collect())
    };
    let sizes: Vec<Dim> = match given {
        Some(sizes) => sizes,
        None => {
            let parts = c.int("num_outputs")?.unwrap_or(c.node.output.len() as i64);
            if !(1..=1 << 16).contains(&parts) {
                return c.wrong("num_outputs", "1 to 65536", parts);
            }
            even_parts(&n, parts)
                .map_or_else(|| unsupported(format!("{n} in {parts} parts")), Ok)?
        }
    };
    let sum = sizes.iter().fold(Dim::from(0), |sum, s| sum + s.clone());
    if sum != n {
        return c.misfit(1, format!("sizes whose sum is {n}"), sum);
    }
    let mut start = Dim::from(0);
    let mut parts = Vec::new();
    for size in sizes {
        let part = c.cut(axis, start.clone(), size.clone(), 1, x)?;
        parts.push(Value::Graph(part));
        start = start + size;
    }
    Ok(parts)
}

/// `parts` equal sizes, of which the last may be smaller.
fn even_parts(n: &Dim, parts: i64) -> Option<Vec<Dim>> {
    if let Some(each) = n.exact_div(&parts.into()) {
        return Some(vec![each; parts as usize]);
    }
    let n = n.known()?;
    let each = (n + parts - 1) / parts;
    let size = |i: i64| Dim::from((n - i * each).clamp(0, each));
    Some((0..parts).map(size).collect())
}

pub(super) fn pad(c: &mut Call<'_>) -> One {
    let mut x = c.x(0)?;
    let rank = c.rank(x);
    let pads = if c.has(1) {
        c.ints(1)?
    } else {
        c.list("pads")?.unwrap_or_default()
    };
    let axes = if c.has(3) {
        c.ints(3)?
    } else {
        (0..rank as i64).collect()
    };
    if pads.len() != 2 * axes.len() || pads.iter().any(|p| p.unsigned_abs() > 1 << 40) {
        return c.misfit(
            1,
            format!("{} numbers within 2^40", 2 * axes.len()),
            format!("{} numbers", pads.len()),
        );
    }
    super::call::positions(&axes, rank, "axes")?;
    let (mut low, mut high) = (vec![0; rank], vec![0; rank]);
    for (i, axis) in axes.iter().enumerate() {
        let axis = position(*axis, rank, "axes")?;
        (low[axis], high[axis]) = (pads[i], pads[axes.len() + i]);
    }
    // A border below 0 cuts.
    for axis in 0..rank {
        let (from, to) = (low[axis].min(0), high[axis].min(0));
        if (from, to) != (0, 0) {
            let size = c.shape(x)[axis].clone() + Dim::from(from + to);
            x = c.cut(axis, (-from).into(), size, 1, x)?;
            (low[axis], high[axis]) = (low[axis].max(0), high[axis].max(0));
        }
    }
    let mode = c.text("mode")?.unwrap_or_else(|| "constant".into());
    if mode != "constant" {
        return border(c, &mode, &low, &high, x);
    }
    let value = if c.has(2) {
        c.number(2)?
    } else {
        c.float("value")?.unwrap_or(0.0)
    };
    if low.iter().chain(&high).all(|n| *n == 0) {
        return Ok(x);
    }
    let dims = |sizes: Vec<i64>| sizes.into_iter().map(Dim::from).collect();
    let (lo, hi) = (dims(low), dims(high));
    let value = ir::round_to(c.dtype(x), value).into();
    c.op(ops::Pad { lo, hi, value }, &[x])
}

/// A border of the tensor's own elements.
fn border(c: &mut Call<'_>, mode: &str, low: &[i64], high: &[i64], mut x: ValueId) -> One {
    for (axis, (lo, hi)) in low
        .iter()
        .zip(high)
        .enumerate()
        .filter(|(_, b)| *b != (&0, &0))
    {
        let Some(n) = c.shape(x)[axis].known() else {
            return unsupported(format!("a border of its own elements around {}", c.ty(x)));
        };
        if n < 1 || lo + hi + n > 1 << 20 {
            return unsupported(format!("a border of {lo} and {hi} elements around {n}"));
        }
        let from = |i: i64| match mode {
            "edge" => Some(i.clamp(0, n - 1)),
            "wrap" => Some(i.rem_euclid(n)),
            "reflect" => {
                let period = (2 * (n - 1)).max(1);
                let at = i.rem_euclid(period);
                Some(if n == 1 { 0 } else { at.min(period - at) })
            }
            _ => None,
        };
        let ids = (-lo..n + hi)
            .map(|i| from(i).map(|i| i as f64))
            .collect::<Option<Vec<_>>>();
        let Some(ids) = ids else {
            return c.wrong("mode", "constant, edge, reflect or wrap", mode);
        };
        let ids = shared(Constant::of_numbers(
            DType::I64,
            vec![ids.len() as i64],
            &ids,
        ));
        let ids = c.b.place(&ids, 1)?;
        x = c.op(ops::Gather { axis: axis as i64 }, &[x, ids])?;
    }
    Ok(x)
}

/// The middle of a tensor, or the tensor in the middle of a border of zeros.
pub(super) fn center_crop_pad(c: &mut Call<'_>) -> One {
    let mut x = c.x(0)?;
    let (rank, sizes) = (c.rank(x), c.ints(1)?);
    let axes = c
        .list("axes")?
        .unwrap_or_else(|| (0..rank as i64).collect());
    if axes.len() != sizes.len() {
        return c.misfit(1, format!("{} sizes", axes.len()), sizes.len());
    }
    let (mut lo, mut hi) = (vec![Dim::from(0); rank], vec![Dim::from(0); rank]);
    for (axis, wanted) in axes.iter().zip(sizes) {
        let axis = position(*axis, rank, "axes")?;
        let Some(n) = c.shape(x)[axis].known() else {
            return unsupported(format!("a middle of {}", c.ty(x)));
        };
        if wanted < n {
            x = c.cut(axis, ((n - wanted) / 2).into(), wanted.into(), 1, x)?;
        } else {
            (lo[axis], hi[axis]) = (
                ((wanted - n) / 2).into(),
                (wanted - n - (wanted - n) / 2).into(),
            );
        }
    }
    c.op(
        ops::Pad {
            lo,
            hi,
            value: 0.0.into(),
        },
        &[x],
    )
}
