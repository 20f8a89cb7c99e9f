//! Axes in another order.

use crate::{
    Build, Compute, Expr, Meaning, OpDef, ShapeError, TensorType, ValueId, attr::op_struct,
    ops::exactly,
};

op_struct! {
    /// `y[i..] = x[j..]` with `j[axes[n]] = i[n]`: axis `n` of the result is axis `axes[n]` of `x`.
    ///
    /// Shapes: `x: s` -> `s[axes[0]], s[axes[1]], ..`. Source: NumPy, `transpose`.
    pub struct Permute = "permute" {
        /// Each axis of the operand, once.
        axes: Vec<i64>,
    }
}

impl Permute {
    fn positions(&self, rank: usize) -> Result<Vec<usize>, ShapeError> {
        let positions: Vec<_> = self
            .axes
            .iter()
            .map(|a| usize::try_from(*a).unwrap_or(rank))
            .collect();
        if positions.len() == rank && (0..rank).all(|axis| positions.contains(&axis)) {
            return Ok(positions);
        }
        Err(ShapeError::Attribute {
            attribute: "axes",
            wanted: format!("each of the operand's {rank} axes once"),
            found: format!("{:?}", self.axes),
        })
    }
}

impl OpDef for Permute {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x] = exactly(inputs)?;
        let axes = self.positions(x.rank())?;
        Ok(TensorType::new(
            x.dtype,
            axes.into_iter().map(|a| x.shape[a].clone()),
        ))
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let x = b.ty(inputs[0]);
        let from = self.positions(x.rank()).expect("types were inferred");
        let axes = from.iter().map(|a| x.shape[*a].clone()).collect();
        let mut index = vec![Expr::Axis(0); x.rank()];
        for (to, from) in from.into_iter().enumerate() {
            index[from] = Expr::Axis(to);
        }
        Meaning::Compute(Compute {
            axes,
            reduce: None,
            body: Expr::load(0, index),
        })
    }
}
