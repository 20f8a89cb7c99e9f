//! Layer normalisation.

use crate::{
    Build, DType, F64, Meaning, OpDef, ShapeError, TensorType, UnaryFn, ValueId, attr::op_struct,
    ops::exactly,
};

op_struct! {
    /// `y[.., i] = c[.., i] / sqrt(mean_j c[.., j]^2 + eps) * g[i] + b[i]`, with `c = x - mean_j x[.., j]`.
    ///
    /// Shapes: `x: [.., d], g: [d], b: [d]` -> `[.., d]`. Source: Ba et al. 2016 (arXiv:1607.06450);
    /// `eps` as in PyTorch, `torch.nn.LayerNorm`.
    pub struct LayerNorm = "layer_norm" {
        /// Added to the variance, so the root is never of zero.
        eps: F64,
    }
}

/// Fails unless `g`, operand `operand`, scales the last axis of `x`, operand 0, of floats.
pub(crate) fn require_gain(
    x: &TensorType,
    operand: usize,
    g: &TensorType,
) -> Result<(), ShapeError> {
    x.require_dtype(0, "a float", DType::is_float)?;
    g.require_dtype(operand, x.dtype.name(), |d| d == x.dtype)?;
    g.require_shape(operand, std::slice::from_ref(x.last_dim(0)?))
}

impl OpDef for LayerNorm {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x, g, b] = exactly(inputs)?;
        require_gain(x, 1, g)?;
        require_gain(x, 2, b)?;
        Ok(x.clone())
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let &[x, gain, bias] = inputs else {
            unreachable!("arity is checked by the caller")
        };
        let mean = b.mean_last(x);
        let centred = b.sub(x, mean);
        let square = b.mul(centred, centred);
        let variance = b.mean_last(square);
        let shifted = b.add_scalar(variance, self.eps);
        let scale = b.unary(UnaryFn::Rsqrt, shifted);
        let unit = b.mul(centred, scale);
        let scaled = b.mul(unit, gain);
        Meaning::Term(b.add(scaled, bias))
    }
}
