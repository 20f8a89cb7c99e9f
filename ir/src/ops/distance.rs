//! How far keys lie behind queries.

use crate::{
    Build, Compute, DType, Dim, Expr, Meaning, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct, ops::exactly,
};

op_struct! {
    /// `y[i, j] = (i + t - s) - j`: how far key `j` of `t` lies behind query `i`, the last `s` positions being queries.
    ///
    /// Shapes: -> `[s, t]`. Source: Press et al. 2021 (arXiv:2108.12409), section 3.
    pub struct Distance = "distance" {
        /// `s`
        rows: Dim,
        /// `t`
        columns: Dim,
        /// Element type of the result.
        dtype: DType,
    }
}

impl OpDef for Distance {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [] = exactly(inputs)?;
        Ok(TensorType::new(
            self.dtype,
            [self.rows.clone(), self.columns.clone()],
        ))
    }

    fn meaning(&self, _: &[ValueId], _: &mut Build<'_>) -> Meaning {
        let axes = vec![self.rows.clone(), self.columns.clone()];
        let offset = Expr::Size(axes[1].clone()) - Expr::Size(axes[0].clone());
        let body = Expr::Axis(0) + offset - Expr::Axis(1);
        Meaning::Compute(Compute {
            axes,
            reduce: None,
            body,
        })
    }
}
