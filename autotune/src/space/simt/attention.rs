//! Attention.

use ir::{AttentionRows, Schedule, Simt, SimtAttentionSchedule, Skew};
use passes::KernelFamily;

use super::{Breadth, ROWS, blocks, each, instructions, powers, side, skews, splits, stages};

/// Largest sides of tiles.
const QUERIES: u32 = 128;
const KEYS: u32 = 128;
const LARGEST: u32 = 256;

/// Least depth of a product.
const SHALLOWEST: u32 = 16;

/// Scores and sums that a lane holds at most.
const HELD: u32 = 128;

/// Most warps along queries, and along keys and columns.
const WARPS: [u32; 2] = [8, 4];

/// Tiles in shared memory, most and usual.
const STAGES: u32 = 3;
const USUAL_STAGES: u32 = 2;

/// Queries up to which the heads of a group may share a block.
const FEW_QUERIES: i64 = 16;

pub(super) fn schedules(family: &KernelFamily, simt: &Simt, breadth: Breadth) -> Vec<Schedule> {
    let KernelFamily::Attention {
        group,
        queries,
        operands,
        ..
    } = *family
    else {
        return vec![];
    };
    let mut all = vec![];
    for rows in ROWS {
        if rows == AttentionRows::Group && (group == 1 || queries > FEW_QUERIES) {
            continue;
        }
        for instr in instructions(simt, operands) {
            all.extend(by_instruction(family, simt, breadth, (rows, instr)));
        }
    }
    all.into_iter().map(Schedule::SimtAttention).collect()
}

fn by_instruction(
    family: &KernelFamily,
    simt: &Simt,
    breadth: Breadth,
    (rows, instr): (AttentionRows, u32),
) -> Vec<SimtAttentionSchedule> {
    let KernelFamily::Attention {
        heads,
        group,
        queries,
        keys,
        depth,
        columns,
        ..
    } = *family
    else {
        unreachable!("the caller looked")
    };
    type S = SimtAttentionSchedule;
    let full = breadth == Breadth::Full;
    let (grids, lines) = match rows {
        AttentionRows::Queries => (heads, queries),
        AttentionRows::Group => (heads / group, group * queries),
    };
    let (m, n, k) = simt.matrix[instr as usize].sides();
    let deep = k.max(SHALLOWEST);
    let first = S {
        block_queries: m,
        block_keys: n.max(k),
        block_depth: deep,
        block_columns: n,
        warp_rows: 1,
        warp_columns: 1,
        stages: 1,
        instr,
        skew: Skew::Pad,
        rows,
        splits: 1,
    };
    let upto = |first: u32, size: i64, most: u32| powers(first, side(size, most).max(first));
    let mut some = each(
        vec![first],
        |s| upto(s.block_queries, lines, QUERIES),
        |s, x| s.block_queries = x,
    );
    some = each(
        some,
        |s| upto(s.block_keys, keys, KEYS),
        |s, x| s.block_keys = x,
    );
    some = each(
        some,
        |s| upto(s.block_columns, columns, LARGEST),
        |s, x| s.block_columns = x,
    );
    let of_warps = |s: &S| powers(1, (s.block_queries / m).min(WARPS[0]));
    some = each(some, of_warps, |s, x| s.warp_rows = x);
    let of_warps = |s: &S| {
        let most = s.block_keys.min(s.block_columns) / n;
        powers(1, most.min(WARPS[1]))
    };
    some = each(some, of_warps, |s, x| s.warp_columns = x);
    some.retain(|s| {
        let lanes = s.warp_rows * s.warp_columns * simt.lanes;
        let held = s.block_queries * (s.block_columns + s.block_keys) / lanes;
        lanes <= simt.threads && held <= HELD
    });
    some = each(
        some,
        |s| upto(s.block_depth, depth, LARGEST),
        |s, x| s.block_depth = x,
    );
    let of_stages = |s: &S| {
        let rounds = blocks(keys, s.block_keys).max(blocks(depth, s.block_depth));
        let all = stages(simt, rounds, STAGES);
        let usual = all.iter().copied().filter(|n| *n <= USUAL_STAGES).max();
        if full {
            all
        } else {
            usual.into_iter().collect()
        }
    };
    some = each(some, of_stages, |s, x| s.stages = x);
    let of_splits = |s: &S| {
        let grid = grids * blocks(lines, s.block_queries) * blocks(columns, s.block_columns);
        splits(simt, grid, blocks(keys, s.block_keys))
    };
    some = each(some, of_splits, |s, x| s.splits = x);
    let skewed = |s: S| {
        skews(breadth)
            .iter()
            .map(move |skew| S { skew: *skew, ..s })
    };
    some.into_iter().flat_map(skewed).collect()
}
