//! Running sums.

use crate::{
    Build, Domain, Meaning, OpDef, Primitive, Scan, ShapeError, TensorType, ValueId,
    attr::op_struct,
    ops::{axis_of, exactly},
};

op_struct! {
    /// `y[.., i, ..]` is the sum of `x[.., j, ..]` over `j <= i`, on `axis`.
    ///
    /// Shapes: `x: s` -> `s`. Source: NumPy, `cumsum`; ONNX operators, `CumSum` (`exclusive`, `reverse`).
    pub struct CumSum = "cum_sum" {
        /// The axis along which elements are added.
        axis: i64,
        /// Only `j < i`.
        exclusive: bool,
        /// From the last element: `j >= i`, or `j > i`.
        reverse: bool,
    }
}

impl OpDef for CumSum {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x] = exactly(inputs)?;
        axis_of(self.axis, x.rank())?;
        x.require_dtype(0, Domain::Numbers.name(), |d| Domain::Numbers.contains(d))?;
        Ok(x.clone())
    }

    fn meaning(&self, _: &[ValueId], _: &mut Build<'_>) -> Meaning {
        Meaning::Primitive(Primitive::Scan(Scan {
            operand: 0,
            axis: self.axis as usize,
            exclusive: self.exclusive,
            reverse: self.reverse,
        }))
    }
}
