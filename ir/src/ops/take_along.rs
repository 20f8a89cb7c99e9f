//! Elements of a tensor, chosen one by one along an axis.

use crate::{
    Build, Compute, DType, Expr, Meaning, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct,
    ops::{axis_of, exactly},
};

op_struct! {
    /// `y[a.., j, c..] = x[a.., ids[a.., j, c..], c..]`, where `a` has as many axes as come before `axis`.
    ///
    /// Shapes: `x: [A.., n, C..], ids: [B.., m, D..]` (an integer type, values in 0..n; `B` and `D` no larger than `A` and `C`)
    /// -> `[B.., m, D..]`. Source: NumPy, `take_along_axis`, without wrapping of negative ids; PyTorch, `torch.gather`.
    pub struct TakeAlong = "take_along" {
        /// The axis of `x` that ids count on.
        axis: i64,
    }
}

/// Fails unless `ids`, operand 1, has the rank of `x`, and off `axis` sizes that are no larger.
pub(crate) fn require_along(
    x: &TensorType,
    ids: &TensorType,
    axis: i64,
) -> Result<usize, ShapeError> {
    let axis = axis_of(axis, x.rank())?;
    ids.require_dtype(1, "an integer", DType::is_int)?;
    ids.require_rank(1, x.rank())?;
    for other in (0..x.rank()).filter(|a| *a != axis) {
        let (n, m) = (&x.shape[other], &ids.shape[other]);
        let within = n.known().zip(m.known()).is_some_and(|(n, m)| m <= n);
        if !within {
            ids.require_size(1, other, n)?;
        }
    }
    Ok(axis)
}

impl OpDef for TakeAlong {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x, ids] = exactly(inputs)?;
        require_along(x, ids, self.axis)?;
        Ok(ids.with_dtype(x.dtype))
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let axes = b.ty(inputs[1]).shape;
        let place: Vec<_> = (0..axes.len()).map(Expr::Axis).collect();
        let mut index = place.clone();
        index[self.axis as usize] = Expr::load(1, place);
        Meaning::Compute(Compute {
            axes,
            reduce: None,
            body: Expr::load(0, index),
        })
    }
}
