//! A border of one number.

use crate::{
    BinaryFn, Build, Compute, Dim, Expr, F64, Meaning, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct, ops::exactly,
};

op_struct! {
    /// `y[i..] = x[i - lo..]` where that lies within `x`, else `value`.
    ///
    /// Shapes: `x: s` -> `lo + s + hi`. Source: NumPy, `pad` with mode `constant`.
    pub struct Pad = "pad" {
        /// Elements before the first one, for each axis.
        lo: Vec<Dim>,
        /// Elements after the last one, for each axis.
        hi: Vec<Dim>,
        /// What they are.
        value: F64,
    }
}

impl Pad {
    fn axes(&self, x: &TensorType) -> Vec<Dim> {
        let borders = self.lo.iter().zip(&self.hi);
        let around =
            |(size, (lo, hi)): (&Dim, (&Dim, &Dim))| lo.clone() + size.clone() + hi.clone();
        x.shape.iter().zip(borders).map(around).collect()
    }
}

impl OpDef for Pad {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x] = exactly(inputs)?;
        for (attribute, sizes) in [("lo", &self.lo), ("hi", &self.hi)] {
            if sizes.len() != x.rank() || sizes.iter().any(|d| d.is_below(0)) {
                return Err(ShapeError::Attribute {
                    attribute,
                    wanted: format!("a size, not below 0, for each axis of {x}"),
                    found: TensorType::new(x.dtype, sizes.clone()).to_string(),
                });
            }
        }
        Ok(TensorType {
            dtype: x.dtype,
            shape: self.axes(x),
        })
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let x = b.ty(inputs[0]);
        let zero = Dim::from(0);
        let index = (0..x.rank()).map(|axis| match &self.lo[axis] {
            lo if *lo == zero => Expr::Axis(axis),
            lo => Expr::Axis(axis) - Expr::Size(lo.clone()),
        });
        let mut body = Expr::load(0, index);
        for axis in (0..x.rank()).rev() {
            let (lo, end) = (
                &self.lo[axis],
                self.lo[axis].clone() + x.shape[axis].clone(),
            );
            if self.hi[axis] != zero {
                let inside = Expr::Axis(axis).with(BinaryFn::Lt, Expr::Size(end));
                body = inside.select(body, Expr::Num(self.value));
            }
            if *lo != zero {
                let inside = Expr::Axis(axis).with(BinaryFn::Ge, Expr::Size(lo.clone()));
                body = inside.select(body, Expr::Num(self.value));
            }
        }
        Meaning::Compute(Compute {
            axes: self.axes(&x),
            reduce: None,
            body,
        })
    }
}
