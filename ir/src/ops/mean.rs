//! Means along axes.

use crate::{
    BinaryFn, Build, DType, Dim, Meaning, Monoid, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct,
    ops::{Extent, Reduce, exactly, reduce::folded_shape},
};

op_struct! {
    /// `y = sum(x, axes) / n`, `n` elements in each sum.
    ///
    /// Shapes: `x: s` -> `s` without `axes`, or with size 1 there. Source: NumPy, `mean`.
    pub struct Mean = "mean" {
        /// Axes that are folded, ascending.
        axes: Vec<i64>,
        /// Whether they stay, with size 1.
        keep: bool,
    }
}

impl OpDef for Mean {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x] = exactly(inputs)?;
        x.require_dtype(0, "a float", DType::is_float)?;
        folded_shape(x, &self.axes, self.keep)
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let x = b.ty(inputs[0]);
        let sum = b.op(
            Reduce {
                monoid: Monoid::Sum,
                axes: self.axes.clone(),
                keep: self.keep,
            },
            &[inputs[0]],
        );
        let n = self
            .axes
            .iter()
            .map(|a| &x.shape[*a as usize])
            .product::<Dim>();
        let n = b.op(
            Extent {
                size: vec![n],
                dtype: x.dtype,
            },
            &[],
        );
        Meaning::Term(b.binary(BinaryFn::Div, sum, n))
    }
}
