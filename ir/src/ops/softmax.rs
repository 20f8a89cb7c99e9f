//! Softmax.

use crate::{
    BinaryFn, Build, DType, Meaning, Monoid, OpDef, ShapeError, TensorType, UnaryFn, ValueId,
    attr::op_struct,
    ops::{axis_of, exactly},
};

op_struct! {
    /// `y = exp(x - max(x, axis)) / sum(exp(x - max(x, axis)), axis)`
    ///
    /// Shapes: `x: s` -> `s`. Source: Bridle 1990, "Probabilistic interpretation of feedforward
    /// classification network outputs", shifted by the maximum so that no exponential overflows.
    pub struct Softmax = "softmax" {
        /// Axis along which results sum to 1.
        axis: i64,
    }
}

impl OpDef for Softmax {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x] = exactly(inputs)?;
        x.require_dtype(0, "a float", DType::is_float)?;
        axis_of(self.axis, x.rank())?;
        Ok(x.clone())
    }

    fn leaves_out(&self) -> Option<usize> {
        usize::try_from(self.axis).ok()
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let axis = [self.axis as usize];
        let max = b.reduce(Monoid::Max, &axis, inputs[0]);
        let shifted = b.sub(inputs[0], max);
        let e = b.unary(UnaryFn::Exp, shifted);
        let sum = b.reduce(Monoid::Sum, &axis, e);
        Meaning::Term(b.binary(BinaryFn::Div, e, sum))
    }
}
