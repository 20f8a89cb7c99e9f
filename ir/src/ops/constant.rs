//! One number everywhere.

use crate::{
    Build, Compute, Expr, F64, Meaning, OpDef, ShapeError, TensorType, ValueId, attr::op_struct,
    ops::exactly,
};

op_struct! {
    /// `y[..] = value`
    ///
    /// Shapes: `ty`. Source: NumPy, `full`.
    pub struct Constant = "constant" {
        /// The number.
        value: F64,
        /// Type of the result.
        ty: TensorType,
    }
}

impl OpDef for Constant {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [] = exactly(inputs)?;
        Ok(self.ty.clone())
    }

    fn meaning(&self, _: &[ValueId], _: &mut Build<'_>) -> Meaning {
        Meaning::Compute(Compute {
            axes: self.ty.shape.clone(),
            reduce: None,
            body: Expr::Num(self.value),
        })
    }
}
