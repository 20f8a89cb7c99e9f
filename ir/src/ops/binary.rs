//! Functions of two numbers, elementwise.

use std::collections::BTreeMap;

use crate::{
    Attr, BinaryFn, Build, Compute, DType, Dim, Expr, Meaning, OpDef, ShapeError, TensorType,
    ValueId,
    attr::{AttrError, Attrs, documented},
    ops::{OpSyntax, exactly},
    tensor_type::broadcast_shapes,
};

documented! {
    /// `y[i..] = f(a[i..], b[i..])`, named as the function; shapes broadcast as in NumPy.
    ///
    /// Shapes: `a: s, b: t` -> the broadcast of `s` and `t`. Source: NumPy, "Broadcasting".
    pub struct Binary {
        /// The function.
        f: BinaryFn,
    }
}

impl OpSyntax for Binary {
    fn names() -> Vec<&'static str> {
        // `max` and `min` of two tensors give way to the folds of the same name.
        BinaryFn::ALL
            .iter()
            .map(|f| Self { f: *f }.name())
            .collect()
    }

    fn name(&self) -> &'static str {
        match self.f {
            BinaryFn::Max => "maximum",
            BinaryFn::Min => "minimum",
            f => f.name(),
        }
    }

    fn attrs(&self) -> Attrs {
        Attrs::new()
    }

    fn parse(name: &str, _: &BTreeMap<String, Attr>) -> Result<Self, AttrError> {
        let op = BinaryFn::ALL
            .iter()
            .map(|f| Self { f: *f })
            .find(|op| op.name() == name);
        Ok(op.expect("the caller looked the name up"))
    }
}

/// Loads operand `operand` at output axes `0..rank`, aligned at the last; axes of size 1 stay at 0.
pub(crate) fn broadcast_load(operand: usize, ty: &TensorType, rank: usize) -> Expr {
    let skip = rank - ty.rank();
    let index = ty.shape.iter().enumerate().map(|(axis, size)| {
        if *size == Dim::from(1) {
            Expr::int(0)
        } else {
            Expr::Axis(axis + skip)
        }
    });
    Expr::load(operand, index)
}

impl OpDef for Binary {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [a, b] = exactly(inputs)?;
        a.require_dtype(0, self.f.domain().name(), |d| self.f.domain().contains(d))?;
        b.require_dtype(1, a.dtype.name(), |d| d == a.dtype)?;
        let dtype = if self.f.is_predicate() {
            DType::Bool
        } else {
            a.dtype
        };
        Ok(TensorType {
            dtype,
            shape: broadcast_shapes(a, b)?,
        })
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let (x, y) = (b.ty(inputs[0]), b.ty(inputs[1]));
        let axes = broadcast_shapes(&x, &y).expect("types were inferred");
        let rank = axes.len();
        let body = broadcast_load(0, &x, rank).with(self.f, broadcast_load(1, &y, rank));
        Meaning::Compute(Compute {
            axes,
            reduce: None,
            body,
        })
    }
}
