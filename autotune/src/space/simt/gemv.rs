//! Contractions of few rows, by lanes along the depth.

use ir::{Schedule, Simt, SimtGemvSchedule};
use passes::KernelFamily;

use super::{blocks, each, powers, side, splits};

/// Rows from which tiles of both operands are better in every case.
const FEW_ROWS: i64 = 16;

/// Rows that share a weight in registers.
const ROWS: u32 = 8;

/// Registers of a lane for a tile of weights and the sums of all rows.
const HELD: u32 = 96;

/// Largest sides of a tile of weights.
const COLUMNS: u32 = 256;
const DEPTH: u32 = 2048;

const WARPS: u32 = 8;

pub(super) fn schedules(family: &KernelFamily, simt: &Simt) -> Vec<Schedule> {
    let KernelFamily::Contract {
        batch,
        rows,
        columns,
        depth,
        ..
    } = *family
    else {
        return vec![];
    };
    if rows > FEW_ROWS {
        return vec![];
    }
    // All rows of a block share each weight.
    let first = SimtGemvSchedule {
        block_rows: side(rows, ROWS),
        block_columns: 1,
        block_depth: 1,
        warps: 1,
        splits: 1,
    };
    let of_columns = |_: &_| powers(1, side(columns, COLUMNS));
    let mut some = each(vec![first], of_columns, |s, x| s.block_columns = x);
    let of_depth = |_: &_| powers(side(depth, 8), side(depth, DEPTH));
    some = each(some, of_depth, |s, x| s.block_depth = x);
    some = each(some, |_| powers(1, WARPS), |s, x| s.warps = x);
    some.retain(|s| {
        let (tile, lanes) = (s.block_columns * s.block_depth, s.warps * simt.lanes);
        // Lanes without a weight of their own would repeat the work of others; one warp may have such.
        let busy = tile >= lanes || s.warps == 1;
        busy && lanes <= simt.threads && tile.div_ceil(lanes) * (s.block_rows + 1) <= HELD
    });
    let of_splits = |s: &SimtGemvSchedule| {
        let grid = batch * blocks(rows, s.block_rows) * blocks(columns, s.block_columns);
        splits(simt, grid, blocks(depth, s.block_depth))
    };
    some = each(some, of_splits, |s, x| s.splits = x);
    some.into_iter().map(Schedule::SimtGemv).collect()
}
