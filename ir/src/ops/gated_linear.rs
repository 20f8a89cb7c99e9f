//! A gated unit of two matrix products.

use crate::{
    Build, Meaning, OpDef, ShapeError, TensorType, UnaryFn, ValueId,
    attr::op_struct,
    ops::{Gated, MatMul, exactly, unary::require_argument},
};

op_struct! {
    /// `y = act(x wg) * (x wu)`, elementwise.
    ///
    /// Shapes: `x: [.., m, k], wg: [k, n], wu: [k, n]` (with `tb`, `[n, k]`) -> `[.., m, n]`.
    /// Source: Shazeer 2020 (arXiv:2002.05202), section 2, without biases.
    pub struct GatedLinear = "gated_linear" {
        /// The activation of the gate.
        act: UnaryFn,
        /// `wg` and `wu` are stored as `[n, k]`.
        tb: bool,
    }
}

impl OpDef for GatedLinear {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x, wg, wu] = exactly(inputs)?;
        wg.require_rank(1, 2)?;
        wu.require_dtype(2, wg.dtype.name(), |d| d == wg.dtype)?;
        wu.require_shape(2, &wg.shape)?;
        let gate = MatMul {
            ta: false,
            tb: self.tb,
        }
        .infer(&[x.clone(), wg.clone()])?;
        require_argument(self.act, 0, &gate)?;
        Ok(gate)
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let &[x, wg, wu] = inputs else {
            unreachable!("arity is checked by the caller")
        };
        let product = MatMul {
            ta: false,
            tb: self.tb,
        };
        let gate = b.op(product.clone(), &[x, wg]);
        let up = b.op(product, &[x, wu]);
        Meaning::Term(b.op(Gated { act: self.act }, &[gate, up]))
    }
}
