//! Maps, folds across rows, and folds along rows.

use ir::{Schedule, Simt, SimtMapSchedule, SimtRowsSchedule};

use super::{Breadth, each, powers, side};

/// Elements of a map's tile.
const ELEMENTS: [u32; 2] = [256, 4096];
/// What a block of a map usually has.
const USUAL: u32 = 1024;

/// Warps of a block: four schedulers take one each on the devices that are known.
const USUAL_WARPS: u32 = 4;
const WARPS: u32 = 8;

/// Columns from which folding one row is work for all warps of a block.
const LONG_ROW: i64 = 1024;

/// Elements of rows that a lane holds, most and usual.
const HELD: u32 = 64;
const USUAL_HELD: u32 = 32;

/// Rows of fewer elements are taken side by side.
const SHORT_ROW: i64 = 32;

pub(super) fn maps(rows: i64, columns: i64, breadth: Breadth) -> Vec<Schedule> {
    let usual = {
        let block_columns = if columns < SHORT_ROW {
            USUAL
        } else {
            side(columns, USUAL)
        };
        SimtMapSchedule {
            block_rows: side(rows, USUAL / block_columns),
            block_columns,
            warps: USUAL_WARPS,
        }
    };
    if breadth == Breadth::Modelled {
        return vec![Schedule::SimtMap(usual)];
    }
    let widest = if columns < SHORT_ROW {
        ELEMENTS[1]
    } else {
        side(columns, ELEMENTS[1])
    };
    let mut some = each(
        vec![usual],
        |_| powers(widest.min(32), widest),
        |s, x| s.block_columns = x,
    );
    some = each(
        some,
        |s| powers(1, side(rows, ELEMENTS[1] / s.block_columns)),
        |s, x| s.block_rows = x,
    );
    some = each(some, |_| powers(1, WARPS), |s, x| s.warps = x);
    // A tile smaller than all must be is one that the sizes leave no choice of.
    let most = widest * side(rows, ELEMENTS[1] / widest);
    some.retain(|s| s.block_rows * s.block_columns >= ELEMENTS[0].min(most));
    some.into_iter().map(Schedule::SimtMap).collect()
}

pub(super) fn folds(columns: i64, breadth: Breadth) -> Vec<Schedule> {
    let usual = SimtMapSchedule {
        block_rows: 8,
        block_columns: side(columns, 128),
        warps: USUAL_WARPS,
    };
    if breadth == Breadth::Modelled {
        return vec![Schedule::SimtMap(usual)];
    }
    let mut some = each(vec![usual], |_| powers(1, 64), |s, x| s.block_rows = x);
    let widest = side(columns, 256);
    some = each(
        some,
        |_| powers(widest.min(16), widest),
        |s, x| s.block_columns = x,
    );
    some = each(some, |_| powers(1, WARPS), |s, x| s.warps = x);
    some.into_iter().map(Schedule::SimtMap).collect()
}

pub(super) fn rows(simt: &Simt, rows: i64, columns: i64, breadth: Breadth) -> Vec<Schedule> {
    let warps = if columns >= 4 * LONG_ROW {
        2 * USUAL_WARPS
    } else {
        USUAL_WARPS
    };
    let block_columns = side(columns, warps * simt.lanes * USUAL_HELD);
    let per_warp = (simt.lanes * 4 / block_columns).max(1);
    let usual = SimtRowsSchedule {
        block_rows: if columns >= LONG_ROW {
            1
        } else {
            side(rows, warps * per_warp)
        },
        block_columns,
        warps,
    };
    if breadth == Breadth::Modelled {
        return vec![Schedule::SimtRows(usual)];
    }
    let mut some = each(vec![usual], |_| powers(1, 2 * WARPS), |s, x| s.warps = x);
    some = each(some, |_| powers(1, side(rows, 32)), |s, x| s.block_rows = x);
    some = each(
        some,
        |s| {
            let widest = side(columns, s.warps * simt.lanes * HELD);
            powers(widest.min(32), widest)
        },
        |s, x| s.block_columns = x,
    );
    some.retain(|s| {
        let lanes = s.warps * simt.lanes;
        let held = s.block_rows * s.block_columns / lanes;
        lanes <= simt.threads && held <= HELD
    });
    some.into_iter().map(Schedule::SimtRows).collect()
}
