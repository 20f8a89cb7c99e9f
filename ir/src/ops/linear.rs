//! A matrix product with what usually follows it.

use crate::{
    Build, Meaning, OpDef, ShapeError, TensorType, UnaryFn, ValueId,
    attr::op_struct,
    ops::{MatMul, require_same, unary::require_argument},
};

op_struct! {
    /// `y = act(x w + b) + r`
    ///
    /// Shapes: `x: [.., m, k], w: [k, n]` (with `tb`, `[n, k]`), then, if set, `b: [n]` and `r: [.., m, n]` -> `[.., m, n]`.
    /// Source: PyTorch, `torch.nn.functional.linear` (which is `tb`), an activation, a residual connection.
    pub struct Linear = "linear" {
        /// The activation; `none` leaves numbers as they are.
        act: Option<UnaryFn>,
        /// `b` is given.
        bias: bool,
        /// `r` is given.
        residual: bool,
        /// `w` is stored as `[n, k]`.
        tb: bool,
    }
}

impl OpDef for Linear {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let wanted = 2 + usize::from(self.bias) + usize::from(self.residual);
        if inputs.len() != wanted {
            return Err(ShapeError::Arity {
                wanted: wanted.to_string(),
                found: inputs.len(),
            });
        }
        inputs[1].require_rank(1, 2)?;
        let y = MatMul {
            ta: false,
            tb: self.tb,
        }
        .infer(&inputs[..2])?;
        if let Some(act) = self.act {
            require_argument(act, 0, &y)?;
        }
        if self.bias {
            inputs[2].require_dtype(2, y.dtype.name(), |d| d == y.dtype)?;
            inputs[2].require_shape(2, &y.shape[y.rank() - 1..])?;
        }
        if self.residual {
            require_same(&y, wanted - 1, &inputs[wanted - 1])?;
        }
        Ok(y)
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let mut y = b.op(
            MatMul {
                ta: false,
                tb: self.tb,
            },
            &inputs[..2],
        );
        if self.bias {
            y = b.add(y, inputs[2]);
        }
        if let Some(act) = self.act {
            y = b.unary(act, y);
        }
        if self.residual {
            y = b.add(y, inputs[inputs.len() - 1]);
        }
        Meaning::Term(y)
    }
}
