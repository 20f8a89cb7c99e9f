//! How far keys lie behind queries.

use crate::{
    Build, Compute, DType, Dim, Expr, Meaning, OpDef, ShapeError, TensorType, ValueId, attr::op_struct, ops::exactly,
};

op_struct! {
    /// `y[i, j] = (i + t - s) - j`: how far key `j` of `t` lies behind query `i`, the last `s` positions being queries.
    ///
    /// Shapes: -> `[s, t]`. Source: Press et al. 2021 (arXiv:2108.12409), section 3.
    pub struct Distance = "distance" {
        /// `s`, one size.
        rows: Vec<Dim>,
        /// `t`, one size.
        columns: Vec<Dim>,
        /// Element type of the result.
        dtype: DType,
    }
}

impl OpDef for Distance {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [] = exactly(inputs)?;
        for (attribute, sizes) in [("rows", &self.rows), ("columns", &self.columns)] {
            if sizes.len() != 1 {
                return Err(ShapeError::Attribute { attribute, wanted: "one size".into(), found: format!("{}", sizes.len()) });
            }
        }
        Ok(TensorType::new(self.dtype, [self.rows[0].clone(), self.columns[0].clone()]))
    }

    fn meaning(&self, _: &[ValueId], _: &mut Build<'_>) -> Meaning {
        let axes = vec![self.rows[0].clone(), self.columns[0].clone()];
        let offset = Expr::Size(axes[1].clone()) - Expr::Size(axes[0].clone());
        let body = Expr::Axis(0) + offset - Expr::Axis(1);
        Meaning::Compute(Compute { axes, reduce: None, body })
    }
}
