//! Every so-many-th element along one axis.

use crate::{
    Build, Compute, Dim, Expr, Meaning, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct,
    ops::{axis_of, exactly},
};

op_struct! {
    /// `y[.., i, ..] = x[.., start + i step, ..]` for `i` below `size`, on `axis`.
    ///
    /// Shapes: `x: s` -> `s` with `size` at `axis`. Source: NumPy, "Basic slicing and striding";
    /// given by size instead of end, so that sizes need no division.
    pub struct Slice = "slice" {
        /// The axis that is cut.
        axis: i64,
        /// Position of the first element.
        start: Dim,
        /// Number of elements.
        size: Dim,
        /// From one element to the next; below 0 goes backwards.
        step: i64,
    }
}

impl OpDef for Slice {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x] = exactly(inputs)?;
        let axis = axis_of(self.axis, x.rank())?;
        let last = self.start.clone() + (self.size.clone() + (-1).into()) * self.step.into();
        let empty = self.size.known() == Some(0);
        let outside = [&self.start, &last].into_iter().any(|at| {
            let room = x.shape[axis].clone() + (-1).into() + Dim::from(-1) * at.clone();
            at.is_below(0) || room.is_below(0) || !room.is_small()
        });
        if outside && !empty {
            return Err(ShapeError::Attribute {
                attribute: "size",
                wanted: format!("elements within axis {axis} of {x}"),
                found: format!("{} from {} by {}", self.size, self.start, self.step),
            });
        }
        let mut out = x.clone();
        out.shape[axis] = self.size.clone();
        Ok(out)
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let mut axes = b.ty(inputs[0]).shape;
        let axis = self.axis as usize;
        axes[axis] = self.size.clone();
        let mut index: Vec<_> = (0..axes.len()).map(Expr::Axis).collect();
        if self.step != 1 {
            index[axis] = Expr::Axis(axis) * Expr::int(self.step);
        }
        if self.start.known() != Some(0) {
            index[axis] = index[axis].clone() + Expr::Size(self.start.clone());
        }
        Meaning::Compute(Compute {
            axes,
            reduce: None,
            body: Expr::load(0, index),
        })
    }
}
