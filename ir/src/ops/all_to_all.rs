//! Exchanging parts between ranks.

use crate::{
    Build, Exchange, Meaning, OpDef, ShapeError, TensorType, ValueId,
    attr::op_struct,
    ops::{axis_of, exactly, part_of, require_ranks},
};

op_struct! {
    /// `y on rank r = concat over ranks of part r of x`, cut in equal parts along `split`, joined along `concat`.
    ///
    /// Shapes: `x: s` -> `s` with the size at `split` divided by `ranks`, then that at `concat` multiplied by it.
    /// Source: MPI standard, `MPI_Alltoall`.
    pub struct AllToAll = "all_to_all" {
        /// The axis that is cut.
        split: i64,
        /// The axis along which parts are joined.
        concat: i64,
        /// Number of ranks.
        ranks: i64,
    }
}

impl OpDef for AllToAll {
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        let [x] = exactly(inputs)?;
        let (split, concat) = (
            axis_of(self.split, x.rank())?,
            axis_of(self.concat, x.rank())?,
        );
        let ranks = require_ranks(self.ranks)?;
        let mut y = x.clone();
        y.shape[split] = part_of(x, split, &ranks)?;
        y.shape[concat] = y.shape[concat].clone() * ranks;
        Ok(y)
    }

    fn meaning(&self, _: &[ValueId], _: &mut Build<'_>) -> Meaning {
        let (split, concat) = (self.split as usize, self.concat as usize);
        Meaning::Exchange(Exchange::AllToAll { split, concat })
    }
}
