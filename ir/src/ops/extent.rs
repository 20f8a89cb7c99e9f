//! A size as a number.

use crate::{
    Build, Compute, DType, Dim, Expr, Meaning, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct, ops::exactly,
};

op_struct! {
    /// `y = product of size`
    ///
    /// Shapes: -> `[]`. Source: NumPy, `size`.
    pub struct Extent = "extent" {
        /// Factors.
        size: Vec<Dim>,
        /// Element type of the result.
        dtype: DType,
    }
}

impl OpDef for Extent {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [] = exactly(inputs)?;
        Ok(TensorType::new(self.dtype, []))
    }

    fn meaning(&self, _: &[ValueId], _: &mut Build<'_>) -> Meaning {
        let size = self.size.iter().product();
        Meaning::Compute(Compute {
            axes: vec![],
            reduce: None,
            body: Expr::Size(size),
        })
    }
}
