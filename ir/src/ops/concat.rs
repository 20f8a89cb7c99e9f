//! Tensors side by side.

use crate::{
    BinaryFn, Build, Compute, Dim, Expr, Meaning, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct, ops::axis_of,
};

op_struct! {
    /// `y[.., i, ..]` is `x_0[.., i, ..]` for `i < n_0`, `x_1[.., i - n_0, ..]` for the next `n_1`, and so on,
    /// on `axis`.
    ///
    /// Shapes: `x_k: s` with `n_k` at `axis`, one operand or more -> `s` with the sum of all `n_k` there.
    /// Source: NumPy, `concatenate`.
    pub struct Concat = "concat" {
        /// The axis along which the operands follow one another.
        axis: i64,
    }
}

impl OpDef for Concat {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let Some((first, others)) = inputs.split_first() else {
            return Err(ShapeError::Arity {
                wanted: "at least 1".into(),
                found: 0,
            });
        };
        let axis = axis_of(self.axis, first.rank())?;
        let mut out = first.clone();
        for (operand, x) in (1..).zip(others) {
            x.require_dtype(operand, first.dtype.name(), |d| d == first.dtype)?;
            x.require_rank(operand, first.rank())?;
            for other in (0..first.rank()).filter(|a| *a != axis) {
                x.require_size(operand, other, &first.shape[other])?;
            }
            out.shape[axis] = out.shape[axis].clone() + x.shape[axis].clone();
        }
        Ok(out)
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let types: Vec<_> = inputs.iter().map(|v| b.ty(*v)).collect();
        let axis = self.axis as usize;
        let mut ends = Vec::new();
        let total = types.iter().fold(Dim::from(0), |start, ty| {
            let end = start.clone() + ty.shape[axis].clone();
            ends.push((start, end.clone()));
            end
        });
        let part = |operand: usize| {
            let index = (0..types[operand].rank()).map(|a| match &ends[operand].0 {
                start if a == axis && start.known() != Some(0) => {
                    Expr::Axis(a) - Expr::Size(start.clone())
                }
                _ => Expr::Axis(a),
            });
            Expr::load(operand, index)
        };
        let last = types.len() - 1;
        let body = (0..last).rev().fold(part(last), |rest, operand| {
            let end = Expr::Size(ends[operand].1.clone());
            Expr::Axis(axis)
                .with(BinaryFn::Lt, end)
                .select(part(operand), rest)
        });
        let mut axes = types[0].shape.clone();
        axes[axis] = total;
        Meaning::Compute(Compute {
            axes,
            reduce: None,
            body,
        })
    }
}
