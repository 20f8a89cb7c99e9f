//! Schedules as lists of numbers, so that one choice can be changed.

use ir::{Schedule, SimtContractSchedule};

/// A schedule as a list of numbers: its template, then each choice. What must be a multiple of another choice stands as
/// the factor, so that the other can change.
pub(crate) fn choices(schedule: &Schedule) -> Vec<u32> {
    let tile = |s: &SimtContractSchedule| {
        vec![
            s.block_rows,
            s.block_columns,
            s.block_depth,
            s.warp_rows,
            s.warp_columns,
            s.stages,
            s.instr,
            s.skew as u32,
            s.splits,
        ]
    };
    match schedule {
        Schedule::SimtMap(s) => vec![0, s.block_rows, s.block_columns, s.warps],
        Schedule::SimtRows(s) => vec![1, s.block_rows, s.block_columns, s.warps],
        Schedule::SimtContract(s) => [vec![2], tile(s)].concat(),
        Schedule::SimtStream(s) => [vec![5, s.blocks], tile(&s.tile)].concat(),
        Schedule::SimtGemv(s) => vec![
            3,
            s.block_rows,
            s.block_columns,
            s.block_depth,
            s.warps,
            s.splits,
        ],
        Schedule::SimtAttention(s) => vec![
            4,
            s.block_queries,
            s.block_keys,
            s.block_depth,
            s.block_columns,
            s.warp_rows,
            s.warp_columns,
            s.stages,
            s.instr,
            s.skew as u32,
            s.rows as u32,
            s.splits,
        ],
        Schedule::WarpgroupContract(s) => vec![
            6,
            s.block_rows,
            s.block_columns,
            s.block_depth,
            s.stages,
            s.group,
        ],
        Schedule::WarpgroupAttention(s) => vec![
            7,
            s.block_queries,
            s.block_keys,
            s.block_depth,
            s.block_columns,
            s.stages,
            s.scores as u32,
            s.group,
        ],
        Schedule::Map(s) => vec![8, s.lanes, s.block],
        Schedule::Rows(s) => vec![9, s.lanes, s.block],
        Schedule::Contract(s) => vec![
            10,
            s.rows,
            s.lanes,
            s.unroll,
            s.block_rows / s.rows.max(1),
            s.block_columns / s.lanes.max(1),
            s.left as u32,
        ],
        Schedule::Attention(s) => vec![
            11,
            s.rows,
            s.lanes,
            s.unroll,
            s.block_queries / s.rows.max(1),
        ],
    }
}
