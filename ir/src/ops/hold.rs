//! Weights that stay as they are stored.

use crate::{
    Build, Compute, Expr, Meaning, OpDef, ShapeError, TensorType, ValueId, attr::op_struct,
    ops::exactly,
};

op_struct! {
    /// `y = x`, and nothing that follows from `x` is computed before a run, though weights alone decide it: few bits are
    /// widened where they are read.
    ///
    /// Shapes: `x: s` -> `s`. Source: none.
    pub struct Hold = "hold" {}
}

impl OpDef for Hold {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x] = exactly(inputs)?;
        Ok(x.clone())
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let axes = b.ty(inputs[0]).shape;
        let body = Expr::load(0, (0..axes.len()).map(Expr::Axis));
        Meaning::Compute(Compute {
            axes,
            reduce: None,
            body,
        })
    }

    fn holds(&self) -> bool {
        true
    }
}
