//! Folding over ranks, each keeping its part.

use crate::{
    Build, Exchange, Meaning, Monoid, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct,
    ops::{axis_of, exactly, part_of, reduce::require_foldable, require_ranks},
};

op_struct! {
    /// `y on rank r = part r of the fold over ranks of x`, cut in equal parts along `axis`.
    ///
    /// Shapes: `x: s` -> `s` with the size at `axis` divided by `ranks`. Source: MPI standard,
    /// `MPI_Reduce_scatter_block`.
    pub struct ReduceScatter = "reduce_scatter" {
        /// How numbers are folded.
        monoid: Monoid,
        /// The axis that is cut.
        axis: i64,
        /// Number of ranks.
        ranks: i64,
    }
}

impl OpDef for ReduceScatter {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x] = exactly(inputs)?;
        let (axis, ranks) = (axis_of(self.axis, x.rank())?, require_ranks(self.ranks)?);
        require_foldable(self.monoid, 0, x)?;
        let mut y = x.clone();
        y.shape[axis] = part_of(x, axis, &ranks)?;
        Ok(y)
    }

    fn meaning(&self, _: &[ValueId], _: &mut Build<'_>) -> Meaning {
        Meaning::Exchange(Exchange::ReduceScatter(self.monoid, self.axis as usize))
    }
}
