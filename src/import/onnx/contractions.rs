//! Sums of products.

use std::collections::BTreeMap;

use ir::{BinaryFn, DType, Dim, Monoid, ValueId, ops};

use super::{
    call::{Call, One, unsupported},
    error::NodeProblem,
};

/// `x y` as NumPy multiplies: vectors are rows on the left and columns on the right.
pub(super) fn product(c: &mut Call<'_>, x: ValueId, y: ValueId) -> One {
    let (left, right) = (c.shape(x), c.shape(y));
    if left.is_empty() || right.is_empty() {
        let operand = usize::from(!left.is_empty());
        return c.misfit(operand, "at least one axis", "none");
    }
    let (row, column) = (left.len() == 1, right.len() == 1);
    let x = if row {
        c.reshape(vec![1.into(), left[0].clone()], x)?
    } else {
        x
    };
    let y = if column {
        c.reshape(vec![right[0].clone(), 1.into()], y)?
    } else {
        y
    };
    let z = c.matmul(x, y)?;
    let mut shape = c.shape(z);
    if column {
        shape.pop();
    }
    if row {
        shape.remove(shape.len() - usize::from(!column) - 1);
    }
    c.reshape(shape, z)
}

pub(super) fn matmul(c: &mut Call<'_>) -> One {
    let (x, y) = (c.x(0)?, c.x(1)?);
    product(c, x, y)
}

/// `alpha A B + beta C`
pub(super) fn gemm(c: &mut Call<'_>) -> One {
    let (x, y) = (c.x(0)?, c.x(1)?);
    if !c.dtype(x).is_float() {
        return unsupported(format!("Gemm of {}", c.dtype(x)));
    }
    let (ta, tb) = (c.flag("transA", false)?, c.flag("transB", false)?);
    let mut z = c.op(ops::MatMul { ta, tb }, &[x, y])?;
    let (alpha, beta) = (
        c.float("alpha")?.unwrap_or(1.0),
        c.float("beta")?.unwrap_or(1.0),
    );
    if alpha != 1.0 {
        z = c.with(BinaryFn::Mul, z, alpha)?;
    }
    if let Some(mut bias) = c.maybe(2)?.filter(|_| beta != 0.0) {
        if beta != 1.0 {
            bias = c.with(BinaryFn::Mul, bias, beta)?;
        }
        z = c.add(z, bias)?;
    }
    Ok(z)
}

/// One side of an equation: a letter for each axis; axes under an ellipsis have capital digits of their own.
type Letters = Vec<char>;

/// The letters of each operand and of the result.
fn equation(c: &Call<'_>, ranks: &[usize]) -> Result<(Vec<Letters>, Letters), NodeProblem> {
    let text: String = c
        .text("equation")?
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let (from, to) = match text.split_once("->") {
        Some((from, to)) => (from, Some(to)),
        None => (text.as_str(), None),
    };
    let terms: Vec<_> = from.split(',').collect();
    let letters = |t: &str| {
        t.replace("...", "")
            .chars()
            .all(|l| l.is_ascii_alphabetic())
    };
    if terms.len() != ranks.len() || !terms.iter().chain(&to).all(|t| letters(t)) {
        return c.wrong(
            "equation",
            format!("letters of {} operands", ranks.len()),
            text,
        );
    }
    // Axes under the ellipsis count from the last one.
    let dots = |n: usize| {
        (0..n)
            .rev()
            .map(|i| char::from_u32(0x100 + i as u32).expect("few axes"))
    };
    let spread = |term: &str, n: usize| -> Letters {
        match term.split_once("...") {
            None => term.chars().collect(),
            Some((a, b)) => a.chars().chain(dots(n)).chain(b.chars()).collect(),
        }
    };
    let mut sides = Vec::new();
    let mut widest = 0;
    for (term, rank) in terms.iter().zip(ranks) {
        let own = term.chars().filter(|l| *l != '.').count();
        let more = rank
            .checked_sub(own)
            .filter(|n| *n == 0 || term.contains("..."));
        let Some(more) = more else {
            return c.wrong("equation", format!("{rank} letters"), term);
        };
        widest = widest.max(more);
        sides.push(spread(term, more));
    }
    let result = to.map_or_else(
        || {
            let mut count: BTreeMap<char, usize> = BTreeMap::new();
            sides
                .iter()
                .flatten()
                .for_each(|l| *count.entry(*l).or_default() += 1);
            let once = count
                .into_iter()
                .filter(|(l, n)| *n == 1 && l.is_ascii())
                .map(|(l, _)| l);
            dots(widest).chain(once).collect()
        },
        |to| spread(to, widest),
    );
    Ok((sides, result))
}

/// A sum of products by an equation: the operands one after the other.
pub(super) fn einsum(c: &mut Call<'_>) -> One {
    let operands = c.all()?;
    let ranks: Vec<_> = operands.iter().map(|x| c.rank(*x)).collect();
    let (sides, result) = equation(c, &ranks)?;
    let mut terms = Vec::new();
    for (x, letters) in operands.into_iter().zip(sides) {
        c.require_float(x, terms.len())?;
        let mut seen = letters.clone();
        seen.sort_unstable();
        if seen.windows(2).any(|w| w[0] == w[1]) {
            return unsupported("a diagonal in an equation");
        }
        terms.push((x, letters));
    }
    while terms.len() > 1 {
        let (y, right) = terms.remove(1);
        let (x, left) = terms.remove(0);
        let later: Letters = terms
            .iter()
            .flat_map(|t| t.1.clone())
            .chain(result.clone())
            .collect();
        let pair = contract(c, (x, left), (y, right), &later)?;
        terms.insert(0, pair);
    }
    let (x, letters) = terms.remove(0);
    let (x, letters) = sum_over(c, x, letters, &result)?;
    if let Some(unknown) = result.iter().find(|l| !letters.contains(l)) {
        return c.wrong("equation", "letters of operands in the result", unknown);
    }
    let axes: Vec<_> = result
        .iter()
        .filter_map(|l| letters.iter().position(|m| m == l))
        .collect();
    if axes.len() != letters.len() {
        return c.wrong(
            "equation",
            "each letter of the result once",
            result.iter().collect::<String>(),
        );
    }
    c.permute(&axes, x)
}

/// `x` summed over the letters that nothing needs.
fn sum_over(
    c: &mut Call<'_>,
    x: ValueId,
    letters: Letters,
    needed: &[char],
) -> Result<(ValueId, Letters), NodeProblem> {
    let gone: Vec<_> = (0..letters.len())
        .filter(|a| !needed.contains(&letters[*a]))
        .collect();
    if gone.is_empty() {
        return Ok((x, letters));
    }
    let x = c.fold(Monoid::Sum, &gone, false, x)?;
    Ok((
        x,
        letters.into_iter().filter(|l| needed.contains(l)).collect(),
    ))
}

/// The product of two, summed over what only they have: as a batch of matrix products.
fn contract(
    c: &mut Call<'_>,
    (x, left): (ValueId, Letters),
    (y, right): (ValueId, Letters),
    later: &[char],
) -> Result<(ValueId, Letters), NodeProblem> {
    let (x, left) = sum_over(c, x, left, &[later, &right].concat())?;
    let (y, right) = sum_over(c, y, right, &[later, &left].concat())?;
    let shared = |l: &&char| right.contains(l);
    let batch: Letters = left
        .iter()
        .filter(shared)
        .filter(|l| later.contains(l))
        .copied()
        .collect();
    let summed: Letters = left
        .iter()
        .filter(shared)
        .filter(|l| !later.contains(l))
        .copied()
        .collect();
    let rows: Letters = left
        .iter()
        .filter(|l| !right.contains(l))
        .copied()
        .collect();
    let columns: Letters = right
        .iter()
        .filter(|l| !left.contains(l))
        .copied()
        .collect();
    let size = |c: &Call<'_>, v: ValueId, of: &Letters, l: char| {
        c.shape(v)[of.iter().position(|m| *m == l).expect("it is one of them")].clone()
    };
    // Sizes of 1 repeat.
    let mut sizes: BTreeMap<char, Dim> = BTreeMap::new();
    for (v, of) in [(x, &left), (y, &right)] {
        for l in of {
            let n = size(c, v, of, *l);
            let known = sizes.entry(*l).or_insert_with(|| n.clone());
            if known.known() == Some(1) {
                *known = n;
            }
        }
    }
    let all = |letters: &[char]| letters.iter().map(|l| sizes[l].clone()).collect::<Vec<_>>();
    let flat = |letters: &[char]| letters.iter().map(|l| &sizes[l]).product::<Dim>();
    let mut arrange = |v: ValueId, of: &Letters, groups: [&[char]; 2]| {
        let order: Letters = batch
            .iter()
            .chain(groups[0])
            .chain(groups[1])
            .copied()
            .collect();
        let axes: Vec<_> = order
            .iter()
            .map(|l| of.iter().position(|m| m == l).expect("it is one of them"))
            .collect();
        let v = c.permute(&axes, v)?;
        let v = c.broadcast(all(&order), v)?;
        let mut shape = all(&batch);
        shape.extend(groups.map(flat));
        c.reshape(shape, v)
    };
    let a = arrange(x, &left, [&rows, &summed])?;
    let b = arrange(y, &right, [&summed, &columns])?;
    let z = c.matmul(a, b)?;
    let letters = [batch, rows, columns].concat();
    let z = c.reshape(all(&letters), z)?;
    Ok((z, letters))
}

/// Operand `i` minus a zero point, operand `zero`, as whole numbers of 32 bits; `axis` is where a list of zero points goes.
pub(super) fn centred(c: &mut Call<'_>, i: usize, zero: usize, axis_from_end: usize) -> One {
    let x = c.x(i)?;
    let wide = c.cast(DType::I32, x)?;
    let Some(point) = c.maybe(zero)? else {
        return Ok(wide);
    };
    let point = c.cast(DType::I32, point)?;
    let shape = c.shape(point);
    let point = if shape.len() == 1 && shape[0].known() != Some(1) {
        let line = shape
            .into_iter()
            .chain(vec![1.into(); axis_from_end])
            .collect();
        c.reshape(line, point)?
    } else if shape.len() == 1 {
        c.reshape(vec![], point)?
    } else {
        point
    };
    c.sub(wide, point)
}

/// A product of bytes less their zero points: at most 2^16 a product, so f32 sums are exact for 256 products.
pub(super) fn matmul_integer(c: &mut Call<'_>) -> One {
    let (x, y) = (centred(c, 0, 2, 1)?, centred(c, 1, 3, 0)?);
    integer_product(c, x, y)
}

/// A product of centred bytes, as i32. Sums are exact in f32 up to 2^24; longer ones are cut into parts.
pub(super) fn integer_product(c: &mut Call<'_>, x: ValueId, y: ValueId) -> One {
    const EXACT: i64 = 256;
    let depth = c.shape(x).last().and_then(Dim::known);
    let Some(depth) = depth else {
        return unsupported(format!("whole-number products of {}", c.ty(x)));
    };
    let (x, y) = (c.cast(DType::F32, x)?, c.cast(DType::F32, y)?);
    let (rows, columns) = (c.rank(x) - 1, c.rank(y).saturating_sub(2));
    let mut sum: Option<ValueId> = None;
    for start in (0..depth).step_by(EXACT as usize) {
        let size = (depth - start).min(EXACT);
        let a = c.cut(rows, start.into(), size.into(), 1, x)?;
        let b = c.cut(columns, start.into(), size.into(), 1, y)?;
        let part = product(c, a, b)?;
        let part = c.cast(DType::I32, part)?;
        sum = Some(match sum {
            None => part,
            Some(sum) => c.add(sum, part)?,
        });
    }
    sum.map_or_else(|| unsupported("a sum of nothing"), Ok)
}

/// `alpha x y` of transposed operands, as onnxruntime fuses it.
pub(super) fn fused_matmul(c: &mut Call<'_>) -> One {
    if c.flag("transBatchA", false)? || c.flag("transBatchB", false)? {
        return unsupported("transBatchA and transBatchB");
    }
    let (x, y) = (c.x(0)?, c.x(1)?);
    let (ta, tb) = (c.flag("transA", false)?, c.flag("transB", false)?);
    let z = if ta || tb {
        c.op(ops::MatMul { ta, tb }, &[x, y])?
    } else {
        product(c, x, y)?
    };
    match c.float("alpha")?.unwrap_or(1.0) {
        1.0 => Ok(z),
        alpha => c.with(BinaryFn::Mul, z, alpha),
    }
}
