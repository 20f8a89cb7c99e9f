//! Repetition along axes of size 1.

use crate::{
    Build, Compute, Dim, Meaning, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct,
    ops::{binary::broadcast_load, exactly},
    tensor_type::broadcast_shapes,
};

op_struct! {
    /// `y[i..] = x[i..]`, where axes of size 1, and axes that `x` lacks in front, repeat.
    ///
    /// Shapes: `x: s` -> `shape`. Source: NumPy, `broadcast_to`.
    pub struct Broadcast = "broadcast" {
        /// Shape of the result.
        shape: Vec<Dim>,
    }
}

impl OpDef for Broadcast {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x] = exactly(inputs)?;
        let out = TensorType::new(x.dtype, self.shape.clone());
        if broadcast_shapes(&out, x).ok().as_ref() != Some(&out.shape) {
            return Err(ShapeError::Attribute {
                attribute: "shape",
                wanted: format!("a shape to which {x} broadcasts"),
                found: out.to_string(),
            });
        }
        Ok(out)
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        let body = broadcast_load(0, &b.ty(inputs[0]), self.shape.len());
        Meaning::Compute(Compute {
            axes: self.shape.clone(),
            reduce: None,
            body,
        })
    }
}
