//! Slices of a tensor replaced, chosen by a tensor.

use crate::{
    Build, DType, Expr, Meaning, Monoid, OpDef, Primitive, ShapeError, TensorType, ValueId,
    attr::op_struct,
    ops::{axis_of, exactly},
};

op_struct! {
    /// `y = x; y[a.., ids[j..], c..] = combine(y[a.., ids[j..], c..], updates[a.., j.., c..])` for each `j` in
    /// order, where `a` has as many axes as come before `axis`.
    ///
    /// Shapes: `x: [A.., n, C..], ids: J (an integer type, values in 0..n), updates: [A.., J.., C..]` -> `[A.., n, C..]`.
    /// Source: NumPy, assignment to `y[.., ids, ..]`, and `ufunc.at`; there is no wrapping of negative ids.
    pub struct Scatter = "scatter" {
        /// The axis of `x` that ids count on.
        axis: i64,
        /// How an update meets what is there; `none`: it replaces it, so that the last stays.
        combine: Option<Monoid>,
    }
}

impl OpDef for Scatter {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x, ids, updates] = exactly(inputs)?;
        let axis = axis_of(self.axis, x.rank())?;
        ids.require_dtype(1, "an integer", DType::is_int)?;
        updates.require_dtype(2, x.dtype.name(), |d| d == x.dtype)?;
        let shape = [&x.shape[..axis], &ids.shape, &x.shape[axis + 1..]].concat();
        updates.require_shape(2, &shape)?;
        Ok(x.clone())
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let [x, ids, updates] = [0, 1, 2].map(|i| b.ty(inputs[i]));
        let (axis, many) = (self.axis as usize, ids.rank());
        let id = Expr::load(1, (axis..axis + many).map(Expr::Axis));
        let before = (0..axis).map(Expr::Axis);
        let after = (axis + many..updates.rank()).map(Expr::Axis);
        Meaning::Primitive(Primitive::Scatter(crate::Scatter {
            shape: x.shape,
            start: Some(0),
            index: before.chain([id]).chain(after).collect(),
            value: Expr::load(2, (0..updates.rank()).map(Expr::Axis)),
            points: updates.shape,
            when: None,
            combine: self.combine,
        }))
    }
}
