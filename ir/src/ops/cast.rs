//! Another element type.

use crate::{
    Build, Compute, DType, Expr, Meaning, OpDef, ShapeError, TensorType, ValueId, attr::op_struct,
    ops::exactly,
};

op_struct! {
    /// `y[i..] = x[i..]` as `dtype` holds it: rounded to nearest even, truncated towards zero, wrapped.
    ///
    /// Shapes: `x: s` -> `s`. Source: NumPy, `ndarray.astype`.
    pub struct Cast = "cast" {
        /// Element type of the result.
        dtype: DType,
    }
}

impl OpDef for Cast {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x] = exactly(inputs)?;
        Ok(x.with_dtype(self.dtype))
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let x = b.ty(inputs[0]);
        let load = Expr::load(0, (0..x.rank()).map(Expr::Axis));
        Meaning::Compute(Compute {
            axes: x.shape,
            reduce: None,
            body: Expr::Cast(self.dtype, load.into()),
        })
    }
}
