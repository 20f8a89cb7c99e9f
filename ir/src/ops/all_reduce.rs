//! Folding over ranks.

use crate::{
    Build, Exchange, Meaning, Monoid, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct,
    ops::{exactly, reduce::require_foldable, require_ranks},
};

op_struct! {
    /// `y on every rank = fold over ranks of x`
    ///
    /// Shapes: `x: s` -> `s`. Source: MPI standard, `MPI_Allreduce`.
    pub struct AllReduce = "all_reduce" {
        /// How numbers are folded.
        monoid: Monoid,
        /// Number of ranks.
        ranks: i64,
    }
}

impl OpDef for AllReduce {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x] = exactly(inputs)?;
        require_ranks(self.ranks)?;
        require_foldable(self.monoid, 0, x)?;
        Ok(x.clone())
    }

    fn meaning(&self, _: &[ValueId], _: &mut Build<'_>) -> Meaning {
        Meaning::Exchange(Exchange::AllReduce(self.monoid))
    }
}
