//! Slices of a tensor replaced, chosen by their coordinates.

use crate::{
    Build, DType, Dim, Expr, Meaning, Monoid, OpDef, Primitive, ShapeError, TensorType, ValueId,
    attr::op_struct, ops::exactly,
};

op_struct! {
    /// `y = x; y[ids[p.., 0], .., ids[p.., r - 1], c..] = combine(y[the same], updates[p.., c..])` for each `p` in order.
    ///
    /// Shapes: `x: [n_0, .., n_(r - 1), C..], ids: [P.., r]` (an integer type, values in 0..n_i), `updates: [P.., C..]` -> as `x`.
    /// Source: ONNX operators, `ScatterND`, without negative ids.
    pub struct ScatterPoints = "scatter_points" {
        /// How an update meets what is there; `none`: it replaces it, so that the last stays.
        combine: Option<Monoid>,
    }
}

/// The number of coordinates of a point.
fn coordinates(x: &TensorType, ids: &TensorType) -> Result<usize, ShapeError> {
    let r = ids
        .last_dim(1)?
        .known()
        .and_then(|r| usize::try_from(r).ok());
    r.filter(|r| *r <= x.rank()).ok_or_else(|| {
        ids.size_error(
            1,
            ids.rank() - 1,
            &format!("at most {}, the axes of {x}", x.rank()),
        )
    })
}

impl OpDef for ScatterPoints {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x, ids, updates] = exactly(inputs)?;
        ids.require_dtype(1, "an integer", DType::is_int)?;
        let r = coordinates(x, ids)?;
        updates.require_dtype(2, x.dtype.name(), |d| d == x.dtype)?;
        let points: &[Dim] = &ids.shape[..ids.rank() - 1];
        updates.require_shape(2, &[points, &x.shape[r..]].concat())?;
        Ok(x.clone())
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let [x, ids, updates] = [0, 1, 2].map(|i| b.ty(inputs[i]));
        let r = coordinates(&x, &ids).expect("types were inferred");
        let points = ids.rank() - 1;
        let coordinate = |i: usize| {
            let place = (0..points).map(Expr::Axis);
            Expr::load(1, place.chain([Expr::int(i as i64)]))
        };
        let rest = (points..updates.rank()).map(Expr::Axis);
        Meaning::Primitive(Primitive::Scatter(crate::Scatter {
            shape: x.shape,
            start: Some(0),
            index: (0..r).map(coordinate).chain(rest).collect(),
            value: Expr::load(2, (0..updates.rank()).map(Expr::Axis)),
            points: updates.shape,
            when: None,
            combine: self.combine,
        }))
    }
}
