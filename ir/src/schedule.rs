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
    /// Each output element by itself, or folds across rows, on a device of many lanes.
    SimtMap(SimtMapSchedule),
    /// Folds along the last axis, then maps over it, on a device of many lanes.
    SimtRows(SimtRowsSchedule),
    /// Sums of products on a device of many lanes.
    SimtContract(SimtContractSchedule),
    /// Sums of products with few rows on a device of many lanes: each weight is read once, lanes run along the depth.
    SimtGemv(SimtGemvSchedule),
    /// Sums of products on a device of many lanes, whose rounds some blocks share equally (stream-K).
    SimtStream(SimtStreamSchedule),
    /// Attention on a device of many lanes.
    SimtAttention(SimtAttentionSchedule),
    /// Sums of products by warpgroups, which a warp of its own feeds.
    WarpgroupContract(WarpgroupContractSchedule),
    /// Attention by warpgroups, which a warp of its own feeds.
    WarpgroupAttention(WarpgroupAttentionSchedule),
}

/// How lines of a tile in shared memory are moved, so that lanes that read down a column meet different banks.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Skew {
    /// Some bytes are left free between lines.
    #[default]
    Pad,
    /// Pieces of 16 bytes change places within a line, by an exclusive or with bits of the line's number. Takes no
    /// memory.
    Swizzle,
}

/// What the rows of a block of attention are.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum AttentionRows {
    /// Queries of one head.
    #[default]
    Queries,
    /// Queries of all heads that share their keys: with few queries, keys and values are read once for all of them.
    Group,
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
    /// From where its left operand is multiplied.
    #[serde(default)]
    pub left: Left,
}

/// From where the left operand of a contraction is multiplied, if its numbers lie side by side along the sums.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// From where it lies; numbers of 16 bits are widened into memory of the block, a part of a tile's rows at
    /// a time and for each tile again.
    #[default]
    InPlace,
    /// A tile's rows are copied to memory of the block whole, once for all columns of the block.
    Rows,
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

/// How a map is cut for the `simt` form. All numbers here and below are powers of
/// two; for the `tensor` form, a depth of products and the columns of attention may be any multiple of its fractal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SimtMapSchedule {
    /// Rows of a block's tile; of a fold across rows, those it folds at once.
    pub block_rows: u32,
    /// Columns of a block's tile.
    pub block_columns: u32,
    /// Warps of a block.
    pub warps: u32,
}

/// How folds of rows are cut for the `simt` form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SimtRowsSchedule {
    /// Rows that a block folds at once.
    pub block_rows: u32,
    /// Columns of a tile; longer rows are read in several.
    pub block_columns: u32,
    /// Warps of a block.
    pub warps: u32,
}

/// How a contraction is cut for the `simt` form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SimtContractSchedule {
    /// Rows of output that a block computes.
    pub block_rows: u32,
    /// Columns of output that a block computes.
    pub block_columns: u32,
    /// Terms of each sum that a round adds.
    pub block_depth: u32,
    /// Warps along the rows.
    pub warp_rows: u32,
    /// Warps along the columns.
    pub warp_columns: u32,
    /// Tiles of operands in shared memory at a time: with more than one, the next are copied while one is used.
    pub stages: u32,
    /// The matrix instruction, by position among the target's, where operands have its type.
    pub instr: u32,
    /// How operands lie in shared memory.
    pub skew: Skew,
    /// Parts of the depth that blocks of their own add up; with more than one, another launch adds the parts.
    pub splits: u32,
}

/// How a contraction of few rows is cut for the `simt` form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SimtGemvSchedule {
    /// Rows of output that a block computes: for each weight, as many products.
    pub block_rows: u32,
    /// Columns of output that a block computes.
    pub block_columns: u32,
    /// Terms of each sum that a round adds.
    pub block_depth: u32,
    /// Warps of a block.
    pub warps: u32,
    /// Parts of the depth that blocks of their own add up; with more than one, another launch adds the parts.
    pub splits: u32,
}

/// How a contraction is shared by a fixed number of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SimtStreamSchedule {
    /// How a tile is computed; its `splits` say nothing here.
    pub tile: SimtContractSchedule,
    /// Blocks, each of which takes as many rounds as any other, tile after tile.
    pub blocks: u32,
}

/// How attention is cut for the `simt` form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SimtAttentionSchedule {
    /// Queries of one head that a block answers.
    pub block_queries: u32,
    /// Keys of a round.
    pub block_keys: u32,
    /// Depth of queries and keys that a product takes at once.
    pub block_depth: u32,
    /// Value columns that a block computes.
    pub block_columns: u32,
    /// Warps along the queries.
    pub warp_rows: u32,
    /// Warps along keys and value columns.
    pub warp_columns: u32,
    /// Tiles of keys and values in shared memory at a time.
    pub stages: u32,
    /// The matrix instruction, by position among the target's, where operands have its type.
    pub instr: u32,
    /// How operands lie in shared memory.
    pub skew: Skew,
    /// What its rows are.
    pub rows: AttentionRows,
    /// Parts of the keys that blocks of their own attend to; with more than one, another launch merges the parts.
    pub splits: u32,
}

/// How a contraction is cut for warpgroups: each multiplies as many rows of a block as its instruction has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WarpgroupContractSchedule {
    /// Rows of output that a block computes at a time.
    pub block_rows: u32,
    /// Columns of output that a block computes at a time.
    pub block_columns: u32,
    /// Terms of each sum that a round adds.
    pub block_depth: u32,
    /// Tiles of operands in shared memory at a time; need not be a power of two.
    pub stages: u32,
    /// Columns of tiles that are walked through together, row by row; need not be a power of two.
    pub group: u32,
}

/// How attention is cut for warpgroups: each answers as many queries of a block as its instruction has rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WarpgroupAttentionSchedule {
    /// Queries of one head that a block answers at a time.
    pub block_queries: u32,
    /// Keys of a round.
    pub block_keys: u32,
    /// Covers the depth of queries and keys.
    pub block_depth: u32,
    /// Covers the columns of values.
    pub block_columns: u32,
    /// Tiles of keys in shared memory at a time, and of values; need not be a power of two.
    pub stages: u32,
    /// When scores are computed.
    pub scores: Scores,
    /// Heads that are walked through together, query tile by query tile; need not be a power of two.
    pub group: u32,
}

/// When the scores of a tile of keys are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scores {
    /// When its round begins.
    InTurn,
    /// In the round before, while weights are computed from the scores there.
    Ahead,
}
