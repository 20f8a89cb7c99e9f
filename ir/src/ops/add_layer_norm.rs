//! Layer normalisation of a sum.

use crate::{
    Build, F64, Meaning, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct,
    ops::{LayerNorm, exactly, layer_norm::require_gain, require_same},
};

op_struct! {
    /// `y = layer_norm(x + r, g, b)`
    ///
    /// Shapes: `x: [.., d], r: [.., d], g: [d], b: [d]` -> `[.., d]`.
    /// Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.1, `LayerNorm(x + Sublayer(x))`.
    pub struct AddLayerNorm = "add_layer_norm" {
        /// As in `layer_norm`.
        eps: F64,
    }
}

impl OpDef for AddLayerNorm {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x, r, g, b] = exactly(inputs)?;
        require_same(x, 1, r)?;
        require_gain(x, 2, g)?;
        require_gain(x, 3, b)?;
        Ok(x.clone())
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let sum = b.add(inputs[0], inputs[1]);
        Meaning::Term(b.op(LayerNorm { eps: self.eps }, &[sum, inputs[2], inputs[3]]))
    }
}
