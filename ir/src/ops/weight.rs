//! Tensors that are part of the model.

use crate::{
    Build, Meaning, OpDef, ShapeError, TensorType, ValueId, attr::op_struct, ops::exactly,
};

op_struct! {
    /// A tensor that is part of the model: known when it is compiled.
    ///
    /// Shapes: `ty`.
    pub struct Weight = "weight" {
        /// Name in the model's files.
        name: String,
        /// Its type.
        ty: TensorType,
    }
}

impl OpDef for Weight {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [] = exactly(inputs)?;
        Ok(self.ty.clone())
    }

    fn meaning(&self, _: &[ValueId], _: &mut Build<'_>) -> Meaning {
        Meaning::Leaf
    }
}
