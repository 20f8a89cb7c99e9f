//! Gated units.

use crate::{
    Build, Meaning, OpDef, ShapeError, TensorType, UnaryFn, ValueId,
    attr::op_struct,
    ops::{exactly, require_same, unary::require_argument},
};

op_struct! {
    /// `y[i..] = act(gate[i..]) up[i..]`
    ///
    /// Shapes: `gate: s, up: s` -> `s`. Source: Shazeer 2020 (arXiv:2002.05202), section 2: `sigmoid` for GLU, `silu` for
    /// SwiGLU, `gelu` for GEGLU, `relu` for ReGLU.
    pub struct Gated = "gated" {
        /// The activation of the gate.
        act: UnaryFn,
    }
}

impl OpDef for Gated {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [gate, up] = exactly(inputs)?;
        require_argument(self.act, 0, gate)?;
        require_same(gate, 1, up)?;
        Ok(gate.clone())
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let gate = b.unary(self.act, inputs[0]);
        Meaning::Term(b.mul(gate, inputs[1]))
    }
}
