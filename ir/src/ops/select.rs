//! Elementwise choice.

use crate::{
    Build, Compute, DType, Meaning, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct,
    ops::{binary::broadcast_load, exactly},
    tensor_type::broadcast_shapes,
};

op_struct! {
    /// `y[i..] = if c[i..] then a[i..] else b[i..]`; shapes broadcast.
    ///
    /// Shapes: `c: s (bool), a: t, b: u` -> the broadcast of all. Source: NumPy, `where`.
    pub struct Select = "select" {}
}

fn shape(inputs: &[TensorType]) -> Result<Vec<crate::Dim>, ShapeError> {
    let [c, a, b] = exactly(inputs)?;
    let both = TensorType::new(a.dtype, broadcast_shapes(a, b)?);
    broadcast_shapes(&both, c)
}

impl OpDef for Select {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [c, a, b] = exactly(inputs)?;
        c.require_dtype(0, "bool", |d| d == DType::Bool)?;
        b.require_dtype(2, a.dtype.name(), |d| d == a.dtype)?;
        Ok(TensorType {
            dtype: a.dtype,
            shape: shape(inputs)?,
        })
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let types: Vec<_> = inputs.iter().map(|v| b.ty(*v)).collect();
        let axes = shape(&types).expect("types were inferred");
        let load = |i: usize| broadcast_load(i, &types[i], axes.len());
        let body = load(0).select(load(1), load(2));
        Meaning::Compute(Compute {
            axes,
            reduce: None,
            body,
        })
    }
}
