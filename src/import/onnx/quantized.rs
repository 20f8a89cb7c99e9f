//! Operators between floats and bytes.

use ir::{BinaryFn, DType, Dim, Monoid, UnaryFn, ValueId};

use super::{
    call::{Call, Many, One, unsupported},
    contractions::{centred, integer_product},
    error::NodeProblem,
    tensor::Elem,
    value::Value,
};

/// The least and largest number of a byte.
fn range_of(dtype: DType) -> Result<(f64, f64), NodeProblem> {
    match dtype {
        DType::U8 => Ok((0.0, 255.0)),
        DType::I8 => Ok((-128.0, 127.0)),
        other => unsupported(format!("quantised numbers of {other}")),
    }
}

/// A scale or zero point against `x`: one number, a line along `axis`, or one for each block along it. The second
/// result is `x` with its blocks apart.
fn aligned(
    c: &mut Call<'_>,
    factor: ValueId,
    x: ValueId,
    axis: usize,
    block: i64,
) -> Result<(ValueId, ValueId), NodeProblem> {
    let (own, shape) = (c.shape(factor), c.shape(x));
    if own.len() <= 1 && own.first().is_none_or(|n| n.known() == Some(1)) {
        return Ok((c.reshape(vec![], factor)?, x));
    }
    if own.len() == 1 {
        let line = (0..shape.len()).map(|a| if a == axis { own[0].clone() } else { 1.into() });
        let line = line.collect();
        return Ok((c.reshape(line, factor)?, x));
    }
    let blocks = own.get(axis).cloned().unwrap_or_default();
    if block < 1 || own.len() != shape.len() || blocks.clone() * block.into() != shape[axis] {
        return c.misfit(
            1,
            format!("scales of blocks of {block} on axis {axis} of {}", c.ty(x)),
            c.ty(factor),
        );
    }
    let split = |sizes: &[Dim], n: Dim| -> Vec<Dim> {
        let mut out = sizes.to_vec();
        out[axis] = blocks.clone();
        out.insert(axis + 1, n);
        out
    };
    let factor = c.reshape(split(&own, 1.into()), factor)?;
    let x = c.reshape(split(&shape, block.into()), x)?;
    Ok((factor, x))
}

/// `round(x / scale) + zero`, held within the range of `dtype`.
fn quantize(
    c: &mut Call<'_>,
    x: ValueId,
    scale: ValueId,
    zero: Option<ValueId>,
    dtype: DType,
) -> One {
    let (low, high) = range_of(dtype)?;
    let y = c.div(x, scale)?;
    let mut y = c.unary(UnaryFn::Round, y)?;
    if let Some(zero) = zero {
        let zero = c.cast(c.dtype(y), zero)?;
        y = c.add(y, zero)?;
    }
    let y = c.with(BinaryFn::Max, y, low)?;
    let y = c.with(BinaryFn::Min, y, high)?;
    c.cast(dtype, y)
}

fn output_type(c: &Call<'_>) -> Result<Option<DType>, NodeProblem> {
    match c.int("output_dtype")? {
        None | Some(0) => Ok(None),
        Some(code) => match i32::try_from(code).ok().and_then(Elem::of_code) {
            Some(Elem {
                dtype: Some(dtype), ..
            }) => Ok(Some(*dtype)),
            Some(elem) => unsupported(format!("numbers of {}", elem.name)),
            None => c.wrong("output_dtype", "an element type", code),
        },
    }
}

pub(super) fn quantize_linear(c: &mut Call<'_>) -> One {
    let x = c.x(0)?;
    let shape = c.shape(x);
    let zero = c.maybe(2)?;
    let dtype = match zero {
        Some(zero) => c.dtype(zero),
        None => output_type(c)?.unwrap_or(DType::U8),
    };
    range_of(dtype)?;
    // Scales of another float type, or whole numbers, are divided by as f32.
    let (scale, x) = (c.x(1)?, c.cast(DType::F32, x)?);
    let scale = c.cast(DType::F32, scale)?;
    let axis = if shape.is_empty() {
        0
    } else {
        c.axis(1.min(shape.len() as i64 - 1), shape.len())?
    };
    let block = c.int("block_size")?.unwrap_or(0);
    let (scale, split) = aligned(c, scale, x, axis, block)?;
    let zero = match zero {
        Some(zero) => Some(aligned(c, zero, x, axis, block)?.0),
        None => None,
    };
    let y = quantize(c, split, scale, zero, dtype)?;
    c.reshape(shape, y)
}

pub(super) fn dequantize_linear(c: &mut Call<'_>) -> One {
    let (x, scale) = (c.x(0)?, c.x(1)?);
    let shape = c.shape(x);
    if !matches!(c.dtype(x), DType::I8 | DType::U8 | DType::I32) {
        return unsupported(format!("quantised numbers of {}", c.dtype(x)));
    }
    let to = output_type(c)?.unwrap_or(c.dtype(scale));
    if !to.is_float() {
        return unsupported(format!("results of {to}"));
    }
    let x = c.cast(DType::I32, x)?;
    let scale = c.cast(DType::F32, scale)?;
    let axis = if shape.is_empty() {
        0
    } else {
        c.axis(1.min(shape.len() as i64 - 1), shape.len())?
    };
    let block = c.int("block_size")?.unwrap_or(0);
    let (scale, split) = aligned(c, scale, x, axis, block)?;
    let mut y = split;
    if let Some(zero) = c.maybe(2)? {
        let zero = c.cast(DType::I32, zero)?;
        let zero = aligned(c, zero, x, axis, block)?.0;
        y = c.sub(y, zero)?;
    }
    let y = c.cast(DType::F32, y)?;
    let y = c.mul(y, scale)?;
    let y = c.cast(to, y)?;
    c.reshape(shape, y)
}

/// Bytes, their scale and their zero point, from the range of the numbers.
pub(super) fn dynamic_quantize_linear(c: &mut Call<'_>) -> Many {
    let x = c.x(0)?;
    let axes: Vec<_> = (0..c.rank(x)).collect();
    let (low, high) = (
        c.fold(Monoid::Min, &axes, false, x)?,
        c.fold(Monoid::Max, &axes, false, x)?,
    );
    let (low, high) = (
        c.with(BinaryFn::Min, low, 0.0)?,
        c.with(BinaryFn::Max, high, 0.0)?,
    );
    let width = c.sub(high, low)?;
    let scale = c.with(BinaryFn::Div, width, 255.0)?;
    let minus = c.unary(UnaryFn::Neg, low)?;
    let zero = c.div(minus, scale)?;
    let zero = c.with(BinaryFn::Max, zero, 0.0)?;
    let zero = c.with(BinaryFn::Min, zero, 255.0)?;
    let zero = c.unary(UnaryFn::Round, zero)?;
    let zero = c.cast(DType::U8, zero)?;
    let y = quantize(c, x, scale, Some(zero), DType::U8)?;
    Ok([y, scale, zero].map(Value::Graph).to_vec())
}

/// A product of bytes, as bytes.
pub(super) fn qlinear_matmul(c: &mut Call<'_>) -> One {
    let (a, b) = (centred(c, 0, 2, 1)?, centred(c, 3, 5, 0)?);
    let product = integer_product(c, a, b)?;
    let product = c.cast(DType::F32, product)?;
    let mut scales = Vec::new();
    for (i, behind) in [(1, 1), (4, 0), (6, 0)] {
        let x = c.x(i)?;
        let x = c.cast(DType::F32, x)?;
        let shape = c.shape(x);
        let line = shape.len() == 1 && shape[0].known() != Some(1);
        let shape = if line {
            shape.into_iter().chain(vec![1.into(); behind]).collect()
        } else {
            vec![]
        };
        scales.push(c.reshape(shape, x)?);
    }
    let real = c.mul(product, scales[0])?;
    let real = c.mul(real, scales[1])?;
    let zero = c.x(7)?;
    let dtype = c.dtype(zero);
    let zero = if c.rank(zero) == 1 && c.shape(zero)[0].known() == Some(1) {
        c.reshape(vec![], zero)?
    } else {
        zero
    };
    quantize(c, real, scales[2], Some(zero), dtype)
}
