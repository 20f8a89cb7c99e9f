//! Contractions by tiles of both operands.

use ir::{Schedule, Simt, SimtContractSchedule, SimtStreamSchedule, Skew};
use passes::KernelFamily;

use super::{Breadth, blocks, each, instructions, powers, side, skews, splits, stages};

/// Largest side of a tile, and largest depth of a round.
const LARGEST: u32 = 256;
const DEEPEST: u32 = 128;

/// Least depth of a round, so that copies are of whole sectors.
const SHALLOWEST: u32 = 16;

/// Sums that a lane holds at most; more leave too few registers for operands.
const SUMS: u32 = 128;

/// Most warps along a side.
const WARPS: u32 = 8;

/// Tiles in shared memory, most and usual.
const STAGES: u32 = 5;
const USUAL_STAGES: u32 = 3;

/// Rounds of a tile that are worth sharing.
const FEWEST_ROUNDS: i64 = 4;

/// One part of so many of the device's time must be idle without sharing.
const IDLE: i64 = 8;

pub(super) fn schedules(family: &KernelFamily, simt: &Simt, breadth: Breadth) -> Vec<Schedule> {
    let KernelFamily::Contract {
        batch,
        rows,
        columns,
        depth,
        operands,
        ..
    } = *family
    else {
        return vec![];
    };
    let full = breadth == Breadth::Full;
    let (deepest, most_warps, sums) = if full {
        (DEEPEST, WARPS, SUMS)
    } else {
        (DEEPEST / 2, WARPS / 2, SUMS / 2)
    };
    let mut all = vec![];
    for instr in instructions(simt, operands) {
        let (m, n, k) = simt.matrix[instr as usize].sides();
        let least = k.max(SHALLOWEST);
        let first = SimtContractSchedule {
            block_rows: m,
            block_columns: n,
            block_depth: least,
            warp_rows: 1,
            warp_columns: 1,
            stages: 1,
            instr,
            skew: Skew::Pad,
            splits: 1,
        };
        let of_rows = |_: &_| powers(m, side(rows, LARGEST).max(m));
        let mut some = each(vec![first], of_rows, |s, x| s.block_rows = x);
        let of_columns = |_: &_| powers(n, side(columns, LARGEST).max(n));
        some = each(some, of_columns, |s, x| s.block_columns = x);
        let of_warps = |s: &SimtContractSchedule| powers(1, (s.block_rows / m).min(most_warps));
        some = each(some, of_warps, |s, x| s.warp_rows = x);
        let of_warps = |s: &SimtContractSchedule| powers(1, (s.block_columns / n).min(most_warps));
        some = each(some, of_warps, |s, x| s.warp_columns = x);
        some.retain(|s| {
            let lanes = s.warp_rows * s.warp_columns * simt.lanes;
            lanes <= simt.threads && s.block_rows * s.block_columns / lanes <= sums
        });
        let of_depth = |_: &_| powers(least, side(depth, deepest).max(least));
        some = each(some, of_depth, |s, x| s.block_depth = x);
        let of_stages = |s: &SimtContractSchedule| {
            let all = stages(simt, blocks(depth, s.block_depth), STAGES);
            let usual = all.iter().copied().filter(|n| *n <= USUAL_STAGES).max();
            if full {
                all
            } else {
                usual.into_iter().collect()
            }
        };
        some = each(some, of_stages, |s, x| s.stages = x);
        let of_splits = |s: &SimtContractSchedule| {
            let grid = batch * blocks(rows, s.block_rows) * blocks(columns, s.block_columns);
            splits(simt, grid, blocks(depth, s.block_depth))
        };
        some = each(some, of_splits, |s, x| s.splits = x);
        for s in some {
            let skewed = skews(breadth).iter();
            all.extend(skewed.map(|skew| SimtContractSchedule { skew: *skew, ..s }));
        }
    }
    let shared: Vec<Schedule> = (all.iter())
        .filter(|s| s.splits == 1 && s.skew == Skew::Pad)
        .filter(|s| uneven(family, simt, s))
        .map(|tile| {
            Schedule::SimtStream(SimtStreamSchedule {
                tile: *tile,
                blocks: simt.units,
            })
        })
        .collect();
    let tiles = all.into_iter().map(Schedule::SimtContract);
    tiles.chain(shared).collect()
}

/// Whether the tiles leave units of the device idle at the end, and have rounds to share.
fn uneven(family: &KernelFamily, simt: &Simt, s: &SimtContractSchedule) -> bool {
    let KernelFamily::Contract {
        batch,
        rows,
        columns,
        depth,
        ..
    } = *family
    else {
        return false;
    };
    let tiles = batch * blocks(rows, s.block_rows) * blocks(columns, s.block_columns);
    let rounds = blocks(depth, s.block_depth);
    // Tiles that there would be time for, too.
    let places = blocks(tiles, simt.units) * i64::from(simt.units);
    rounds >= FEWEST_ROUNDS && tiles > 1 && (places - tiles) * IDLE > places
}
