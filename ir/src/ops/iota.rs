//! Positions along an axis.

use crate::{
    Build, Compute, Expr, Meaning, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct,
    ops::{axis_of, exactly},
};

op_struct! {
    /// `y[i..] = i[axis]`
    ///
    /// Shapes: `ty`. Source: NumPy, `arange` and `indices`.
    pub struct Iota = "iota" {
        /// The axis along which numbers count from 0.
        axis: i64,
        /// Type of the result.
        ty: TensorType,
    }
}

impl OpDef for Iota {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [] = exactly(inputs)?;
        axis_of(self.axis, self.ty.rank())?;
        Ok(self.ty.clone())
    }

    fn meaning(&self, _: &[ValueId], _: &mut Build<'_>) -> Meaning {
        let axes = self.ty.shape.clone();
        Meaning::Compute(Compute {
            axes,
            reduce: None,
            body: Expr::Axis(self.axis as usize),
        })
    }
}
