//! Rows of a table.

use crate::{
    Build, DType, Meaning, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct,
    ops::{Gather, exactly},
};

op_struct! {
    /// `y[.., i] = table[ids[..], i]`
    ///
    /// Shapes: `table: [n, d], ids: s (an integer type, values in 0..n)` -> `[s.., d]`.
    /// Source: PyTorch, `torch.nn.functional.embedding`.
    pub struct Embedding = "embedding" {}
}

impl OpDef for Embedding {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [table, ids] = exactly(inputs)?;
        table.require_rank(0, 2)?;
        ids.require_dtype(1, "an integer", DType::is_int)?;
        Ok(TensorType::new(
            table.dtype,
            ids.shape.iter().chain(&table.shape[1..]).cloned(),
        ))
    }

    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        Meaning::Term(b.op(Gather { axis: 0 }, inputs))
    }
}
