//! Joining over ranks.

use crate::{
    Build, Exchange, Meaning, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct,
    ops::{axis_of, exactly, require_ranks},
};

op_struct! {
    /// `y on every rank = concat over ranks of x, along axis`
    ///
    /// Shapes: `x: s` -> `s` with `ranks` times the size at `axis`. Source: MPI standard, `MPI_Allgather`.
    pub struct AllGather = "all_gather" {
        /// The axis along which the operands follow one another.
        axis: i64,
        /// Number of ranks.
        ranks: i64,
    }
}

impl OpDef for AllGather {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x] = exactly(inputs)?;
        let (axis, ranks) = (axis_of(self.axis, x.rank())?, require_ranks(self.ranks)?);
        let mut y = x.clone();
        y.shape[axis] = y.shape[axis].clone() * ranks;
        Ok(y)
    }

    fn meaning(&self, _: &[ValueId], _: &mut Build<'_>) -> Meaning {
        Meaning::Exchange(Exchange::AllGather(self.axis as usize))
    }
}
