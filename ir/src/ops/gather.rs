//! Slices of a tensor, chosen by a tensor.

use crate::{
    Build, Compute, DType, Dim, Expr, Meaning, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct,
    ops::{axis_of, exactly},
};

op_struct! {
    /// `y[a.., j.., c..] = x[a.., ids[j..], c..]`, where `a` has as many axes as come before `axis`.
    ///
    /// Shapes: `x: [A.., n, C..], ids: J (an integer type, values in 0..n)` -> `[A.., J.., C..]`.
    /// Source: NumPy, `take`; there is no wrapping of negative ids.
    pub struct Gather = "gather" {
        /// The axis of `x` that ids count on.
        axis: i64,
    }
}

impl Gather {
    fn axes(&self, x: &TensorType, ids: &TensorType) -> Result<Vec<Dim>, ShapeError> {
        let axis = axis_of(self.axis, x.rank())?;
        Ok([&x.shape[..axis], &ids.shape, &x.shape[axis + 1..]].concat())
    }
}

impl OpDef for Gather {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x, ids] = exactly(inputs)?;
        ids.require_dtype(1, "an integer", DType::is_int)?;
        Ok(TensorType {
            dtype: x.dtype,
            shape: self.axes(x, ids)?,
        })
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let (x, ids) = (b.ty(inputs[0]), b.ty(inputs[1]));
        let (axis, many) = (self.axis as usize, ids.rank());
        let id = Expr::load(1, (axis..axis + many).map(Expr::Axis));
        let before = (0..axis).map(Expr::Axis);
        let after = (axis + many..many + x.rank() - 1).map(Expr::Axis);
        let body = Expr::load(0, before.chain([id]).chain(after));
        let axes = self.axes(&x, &ids).expect("types were inferred");
        Meaning::Compute(Compute {
            axes,
            reduce: None,
            body,
        })
    }
}
