//! Elements of a tensor replaced one by one, chosen along an axis.

use crate::{
    Build, Expr, Meaning, Monoid, OpDef, Primitive, ShapeError, TensorType, ValueId,
    attr::op_struct,
    ops::{exactly, take_along::require_along},
};

op_struct! {
    /// `y = x; y[a.., ids[a.., j, c..], c..] = combine(y[a.., ids[a.., j, c..], c..], updates[a.., j, c..])` for each point of
    /// `ids` in order, where `a` has as many axes as come before `axis`.
    ///
    /// Shapes: `x: [A.., n, C..], ids: [B.., m, D..]` (an integer type, values in 0..n; `B` and `D` no larger than `A` and `C`),
    /// `updates`: as `ids` -> `[A.., n, C..]`. Source: ONNX operators, `ScatterElements`; PyTorch, `torch.scatter`.
    pub struct ScatterAlong = "scatter_along" {
        /// The axis of `x` that ids count on.
        axis: i64,
        /// How an update meets what is there; `none`: it replaces it, so that the last stays.
        combine: Option<Monoid>,
    }
}

impl OpDef for ScatterAlong {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x, ids, updates] = exactly(inputs)?;
        require_along(x, ids, self.axis)?;
        updates.require_dtype(2, x.dtype.name(), |d| d == x.dtype)?;
        updates.require_shape(2, &ids.shape)?;
        Ok(x.clone())
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let points = b.ty(inputs[1]).shape;
        let place: Vec<_> = (0..points.len()).map(Expr::Axis).collect();
        let mut index = place.clone();
        index[self.axis as usize] = Expr::load(1, place.clone());
        Meaning::Primitive(Primitive::Scatter(crate::Scatter {
            shape: b.ty(inputs[0]).shape,
            start: Some(0),
            points,
            when: None,
            index,
            value: Expr::load(2, place),
            combine: self.combine,
        }))
    }
}
