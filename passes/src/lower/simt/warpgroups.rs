//! Schedules for warpgroups: their tile programs are those of other devices of many lanes, under the same tiles.

use ir::{
    AttentionRows, SimtAttentionSchedule, SimtContractSchedule, Skew, WarpgroupAttentionSchedule,
    WarpgroupContractSchedule,
};

/// The tiles of a contraction.
pub(super) const fn contract(s: &WarpgroupContractSchedule) -> SimtContractSchedule {
    SimtContractSchedule {
        block_rows: s.block_rows,
        block_columns: s.block_columns,
        block_depth: s.block_depth,
        warp_rows: 1,
        warp_columns: 1,
        stages: s.stages,
        instr: 0,
        skew: Skew::Pad,
        splits: 1,
    }
}

/// The tiles of attention.
pub(super) const fn attention(s: &WarpgroupAttentionSchedule) -> SimtAttentionSchedule {
    SimtAttentionSchedule {
        block_queries: s.block_queries,
        block_keys: s.block_keys,
        block_depth: s.block_depth,
        block_columns: s.block_columns,
        warp_rows: 1,
        warp_columns: 1,
        stages: s.stages,
        instr: 0,
        skew: Skew::Pad,
        rows: AttentionRows::Queries,
        splits: 1,
    }
}
