//! Vectors of length 1.

use crate::{
    BinaryFn, Build, DType, F64, Meaning, Monoid, OpDef, ShapeError, TensorType, UnaryFn, ValueId,
    attr::op_struct, ops::exactly,
};

op_struct! {
    /// `y[.., i] = x[.., i] / max(sqrt(sum_j x[.., j]^2), eps)`
    ///
    /// Shapes: `x: [.., d]` -> `[.., d]`. Source: PyTorch, `torch.nn.functional.normalize`.
    pub struct L2Normalize = "l2_normalize" {
        /// Lengths below this count as this, so there is no division by zero.
        eps: F64,
    }
}

impl OpDef for L2Normalize {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x] = exactly(inputs)?;
        x.require_dtype(0, "a float", DType::is_float)?;
        x.last_dim(0)?;
        Ok(x.clone())
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let x = inputs[0];
        let axis = b.ty(x).rank() - 1;
        let square = b.mul(x, x);
        let sum = b.reduce(Monoid::Sum, &[axis], square);
        let norm = b.unary(UnaryFn::Sqrt, sum);
        let least = b.scalar(x, self.eps);
        let norm = b.binary(BinaryFn::Max, norm, least);
        Meaning::Term(b.binary(BinaryFn::Div, x, norm))
    }
}
