//! Root mean square normalisation of a sum.

use crate::{
    Build, F64, Meaning, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct,
    ops::{RmsNorm, exactly, layer_norm::require_gain, require_same},
};

op_struct! {
    /// `y = rms_norm(x + r, g)`
    ///
    /// Shapes: `x: [.., d], r: [.., d], g: [d]` -> `[.., d]`.
    /// Source: Zhang and Sennrich 2019 (arXiv:1910.07467), on the sum of a residual connection.
    pub struct AddRmsNorm = "add_rms_norm" {
        /// As in `rms_norm`.
        eps: F64,
    }
}

impl OpDef for AddRmsNorm {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x, r, g] = exactly(inputs)?;
        require_same(x, 1, r)?;
        require_gain(x, 2, g)?;
        Ok(x.clone())
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let sum = b.add(inputs[0], inputs[1]);
        Meaning::Term(b.op(RmsNorm { eps: self.eps }, &[sum, inputs[2]]))
    }
}
