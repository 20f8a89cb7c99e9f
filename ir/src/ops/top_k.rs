//! Where the largest elements along an axis are.

use crate::{
    Build, DType, Domain, Meaning, OpDef, Primitive, ShapeError, TensorType, TopK as Positions,
    ValueId,
    attr::op_struct,
    ops::{axis_of, exactly},
};

op_struct! {
    /// `y[.., j, ..]` is the position along `axis` of the `j`-th largest (or smallest) element of `x`, for `j < k`.
    ///
    /// Among equals the first comes first; NaN is larger than any number. The elements themselves are a `take_along`.
    /// Shapes: `x: [.., n, ..]` -> `[.., k, ..]` (i64), `k <= n`. Source: PyTorch, `torch.topk`, with ties decided.
    pub struct TopK = "top_k" {
        /// The axis along which elements are compared.
        axis: i64,
        /// How many.
        k: i64,
        /// Whether the largest are wanted, or the smallest.
        largest: bool,
    }
}

impl OpDef for TopK {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x] = exactly(inputs)?;
        let axis = axis_of(self.axis, x.rank())?;
        x.require_dtype(0, Domain::Numbers.name(), |d| Domain::Numbers.contains(d))?;
        if self.k < 0 || x.shape[axis].is_below(self.k) {
            return Err(ShapeError::Attribute {
                attribute: "k",
                wanted: format!("0 to {}, the size of axis {axis} of {x}", x.shape[axis]),
                found: self.k.to_string(),
            });
        }
        let mut out = x.with_dtype(DType::I64);
        out.shape[axis] = self.k.into();
        Ok(out)
    }

    fn meaning(&self, _: &[ValueId], _: &mut Build<'_>) -> Meaning {
        Meaning::Primitive(Primitive::TopK(Positions {
            axis: self.axis as usize,
            k: self.k.into(),
            largest: self.largest,
        }))
    }
}
