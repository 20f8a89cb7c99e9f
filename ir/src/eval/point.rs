//! A body at one point, evaluated as its definition reads: slow, for errors and as the standard of tests.

use super::values::Values;
use crate::{Expr, tensor::round_to};

/// An index outside its axis.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}, axis {axis}: wanted an index in 0..{size}, found {index}",
    operand.map_or("result".to_owned(), |o| format!("operand {o}")))]
pub struct Outside {
    /// The operand that is read; none if the result is written.
    pub operand: Option<usize>,
    /// Its axis.
    pub axis: usize,
    /// The index.
    pub index: f64,
    /// Size of the axis.
    pub size: i64,
}

/// An operand: its values and the size of each axis.
pub(crate) type Operand<'a> = (&'a Values<'a>, &'a [i64]);

/// The value of `body` at `coordinates`; only the chosen side of a `Select` is evaluated.
pub(crate) fn at_point(
    body: &Expr,
    operands: &[Operand<'_>],
    coordinates: &[i64],
) -> Result<f64, Outside> {
    let at = |e: &Expr| at_point(e, operands, coordinates);
    Ok(match body {
        Expr::Num(x) => x.get(),
        Expr::Size(d) => d
            .known()
            .expect("graphs are bound before they are evaluated") as f64,
        Expr::Axis(a) => coordinates[*a] as f64,
        Expr::Load { operand, index } => {
            let (values, shape) = operands[*operand];
            let mut offset = 0i64;
            for (axis, (size, index)) in shape.iter().zip(index).enumerate() {
                let i = at(index)?;
                if !(i >= 0.0 && i < *size as f64) {
                    let (operand, index, size) = (Some(*operand), i, *size);
                    return Err(Outside {
                        operand,
                        axis,
                        index,
                        size,
                    });
                }
                offset = offset * size + i as i64;
            }
            values.get(offset as usize)
        }
        Expr::Unary(f, x) => f.eval(at(x)?),
        Expr::Cast(dtype, x) => round_to(*dtype, at(x)?),
        Expr::Binary(f, a, b) => f.eval(at(a)?, at(b)?),
        Expr::Select(c, a, b) => at(if at(c)? == 0.0 { b } else { a })?,
    })
}
