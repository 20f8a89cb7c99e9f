//! Root mean square normalisation.

use crate::{
    Build, F64, Meaning, OpDef, ShapeError, TensorType, UnaryFn, ValueId,
    attr::op_struct,
    ops::{exactly, layer_norm::require_gain},
};

op_struct! {
    /// `y[.., i] = x[.., i] / sqrt(mean_j x[.., j]^2 + eps) * g[i]`
    ///
    /// Shapes: `x: [.., d], g: [d]` -> `[.., d]`. Source: Zhang and Sennrich 2019 (arXiv:1910.07467);
    /// `eps` as in PyTorch, `torch.nn.RMSNorm`.
    pub struct RmsNorm = "rms_norm" {
        /// Added to the mean square, so the root is never of zero.
        eps: F64,
    }
}

impl OpDef for RmsNorm {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x, g] = exactly(inputs)?;
        require_gain(x, 1, g)?;
        Ok(x.clone())
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let &[x, gain] = inputs else {
            unreachable!("arity is checked by the caller")
        };
        let square = b.mul(x, x);
        let mean = b.mean_last(square);
        let shifted = b.add_scalar(mean, self.eps);
        let scale = b.unary(UnaryFn::Rsqrt, shifted);
        let unit = b.mul(x, scale);
        Meaning::Term(b.mul(unit, gain))
    }
}
