//! Schedules: the choices by which a kernel becomes a tile program.

use serde::{Deserialize, Serialize};

/// The choices for one kernel, by its family.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Each output element by itself.
    Map(MapSchedule),
    /// Folds along the last axis, then maps over it.
    Rows(RowsSchedule),
    /// Sums of products.
    Contract(ContractSchedule),
    /// Attention.
    Attention(AttentionSchedule),
}

/// How a map is cut.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MapSchedule {
    /// Lanes of a tile.
    pub lanes: u32,
    /// Elements of the innermost axis, or rows of it, that a block computes: about this many.
    pub block: u32,
}

/// How folds of rows are cut.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RowsSchedule {
    /// Lanes of a tile.
    pub lanes: u32,
    /// Rows that a block folds, one after the other.
    pub block: u32,
}

/// How a contraction is cut.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContractSchedule {
    /// Rows of the accumulator tile.
    pub rows: u32,
    /// Lanes of the accumulator tile; the right operand is packed in panels of as many columns.
    pub lanes: u32,
    /// Rounds of the innermost loop that are written out.
    pub unroll: u32,
    /// Rows of output that a block computes: a multiple of `rows`.
    pub block_rows: u32,
    /// Columns of output that a block computes: a multiple of `lanes`.
    pub block_columns: u32,
}

/// How attention is cut.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AttentionSchedule {
    /// Queries of a tile.
    pub rows: u32,
    /// Keys of a tile of scores; value columns of a tile of results.
    pub lanes: u32,
    /// Rounds of the innermost loops that are written out.
    pub unroll: u32,
    /// Queries of one head that a block answers: a multiple of `rows`.
    pub block_queries: u32,
}
