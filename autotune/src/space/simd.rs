//! The schedules that a kernel may have on a CPU.
//!
//! Tiles are those whose sums stay in registers. Code is emitted for whole tiles and for what is left at the ends, so no
//! side needs to divide a size; what bounds the tiles from above is the length of their code.

use std::collections::BTreeSet;

use ir::{AttentionSchedule, ContractSchedule, Left, MapSchedule, RowsSchedule, Schedule, Simd};
use passes::KernelFamily;

use super::{blocks, each};

/// Vectors of a tile of a map or of folded rows. More only lengthen the code.
const VECTORS: [u32; 4] = [1, 2, 4, 8];

/// Elements of a block of a map. A smaller block costs about as much to take as to compute.
const MAP_BLOCKS: [u32; 7] = [512, 1024, 2048, 4096, 8192, 16384, 32768];

/// Rows of a block of folds.
const ROW_BLOCKS: [u32; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

/// Rounds of an innermost loop that are written out.
const UNROLLS: [u32; 4] = [1, 2, 4, 8];

/// Rows of a tile.
const MOST_ROWS: u32 = 24;

/// Rows of a tile at least, where there are as many: each load of the right operand serves them all.
const LEAST_ROWS: u32 = 4;

/// Vectors across a tile. One loads as much as it multiplies; it serves only columns that fill no more.
const TILE_VECTORS: [u32; 6] = [1, 2, 3, 4, 6, 8];

/// Sums that a tile has at least, where the sizes allow: a multiply-add's result is ready after four cycles, and two
/// may start in one.
const LEAST_SUMS: u32 = 8;

/// Products of a round of a loop as it is written out: a bound on the code.
const LONGEST_ROUND: u32 = 96;

/// Blocks that the tiles along rows are shared by.
const SHARES: [u32; 12] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];

/// Panels of a block.
const PANELS: [u32; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

/// Largest side of a block.
const LARGEST: u32 = 1 << 15;

/// Multiply-adds from which a second block is worth waiting for: about 10 microseconds of one core.
const SHARED_WORK: i64 = 1 << 19;

/// Parts of a second-level cache that what a block reads again and again may take.
const CACHED: [i64; 2] = [3, 4];

/// Queries of a tile of attention.
const MOST_QUERIES: u32 = 14;

/// Legal schedules of a family, in order.
pub(crate) fn schedules(family: &KernelFamily, simd: &Simd) -> Vec<Schedule> {
    let vector = (simd.vector.0 / 4) as u32;
    match *family {
        KernelFamily::Map { rows, columns }
        | KernelFamily::Fold { rows, columns }
        | KernelFamily::Scatter { rows, columns } => maps(rows * columns, vector),
        KernelFamily::Rows { rows, .. } => folds(rows, vector),
        KernelFamily::Contract {
            batch,
            rows,
            columns,
            depth,
            rows_in_line,
            ..
        } => contractions(simd, [batch, rows, columns, depth], rows_in_line),
        KernelFamily::Attention {
            heads,
            queries,
            keys,
            ..
        } => attentions(simd, [heads, queries, keys]),
    }
}

/// The first of some ascending numbers, up to one that covers `size`; all others would do the same.
fn covering(of: &[u32], size: i64) -> Vec<u32> {
    let needless = |n: &u32| i64::from(*n) < size;
    let last = of.iter().take_while(|n| needless(n)).count();
    of.iter().take(last + 1).copied().collect()
}

/// Tiles of a block where so many are shared evenly by some blocks, or each has its own; ascending.
fn shares(tiles: i64) -> Vec<u32> {
    let of = |blocks: &u32| u32::try_from((tiles as u64).div_ceil((*blocks).into())).ok();
    let all: BTreeSet<u32> = SHARES.iter().filter_map(of).chain([1]).collect();
    all.into_iter().collect()
}

fn maps(elements: i64, vector: u32) -> Vec<Schedule> {
    let each_block = move |n: u32| {
        VECTORS.map(|vectors| {
            Schedule::Map(MapSchedule {
                lanes: vectors * vector,
                block: n,
            })
        })
    };
    let blocks = covering(&MAP_BLOCKS, elements);
    blocks.into_iter().flat_map(each_block).collect()
}

fn folds(rows: i64, vector: u32) -> Vec<Schedule> {
    let each_block = move |block: u32| {
        VECTORS.map(|vectors| {
            Schedule::Rows(RowsSchedule {
                lanes: vectors * vector,
                block,
            })
        })
    };
    let blocks = covering(&ROW_BLOCKS, rows);
    blocks.into_iter().flat_map(each_block).collect()
}

/// Rows and vectors of tiles whose sums stay in registers.
fn tiles(simd: &Simd, rows: i64, columns: i64) -> Vec<[u32; 2]> {
    let vector = (simd.vector.0 / 4) as u32;
    let most_rows = u32::try_from(rows).unwrap_or(MOST_ROWS).clamp(1, MOST_ROWS);
    let narrow = columns <= i64::from(vector);
    let mut across = covering(&TILE_VECTORS, blocks(columns, vector));
    across.retain(|vectors| *vectors > 1 || narrow);
    let mut all = vec![];
    for vectors in across {
        for rows in most_rows.min(LEAST_ROWS)..=most_rows {
            // Beside the sums: a row of the right operand and one number of the left one.
            let sums = rows * vectors;
            let fits = sums + vectors < simd.registers;
            if fits {
                all.push([rows, vectors]);
            }
        }
    }
    let sums = |t: &[u32; 2]| t[0] * t[1];
    let most = all.iter().map(sums).max().unwrap_or(1);
    all.retain(|t| sums(t) >= most.min(LEAST_SUMS));
    all
}

fn contractions(
    simd: &Simd,
    [batch, rows, columns, depth]: [i64; 4],
    rows_in_line: bool,
) -> Vec<Schedule> {
    let vector = (simd.vector.0 / 4) as u32;
    let mut some = vec![];
    for [tile_rows, vectors] in tiles(simd, rows, columns) {
        let lanes = vectors * vector;
        some.push(ContractSchedule {
            rows: tile_rows,
            lanes,
            unroll: 1,
            block_rows: tile_rows,
            block_columns: lanes,
            left: Left::InPlace,
        });
    }
    let unrolls = |s: &ContractSchedule| {
        let products = s.rows * (s.lanes / vector);
        let all = UNROLLS.into_iter();
        all.filter(|n| *n == 1 || n * products <= LONGEST_ROUND)
            .collect()
    };
    let mut some = each(some, unrolls, |s, x| s.unroll = x);
    let of_rows = |s: &ContractSchedule| shares(blocks(rows, s.rows));
    some = each(some, of_rows, |s, x| s.block_rows = x * s.rows);
    let of_columns = |s: &ContractSchedule| covering(&PANELS, blocks(columns, s.lanes));
    some = each(some, of_columns, |s, x| s.block_columns = x * s.lanes);
    some.retain(|s| s.block_rows.max(s.block_columns) <= LARGEST);
    let enough = i64::from(batch * rows * columns * depth >= SHARED_WORK) + 1;
    let most = |s: &ContractSchedule| batch * blocks(rows, s.rows) * blocks(columns, s.lanes);
    let held = (simd.l2.0 as i64) * CACHED[0] / CACHED[1];
    some.retain(|s| {
        let count = batch * blocks(rows, s.block_rows) * blocks(columns, s.block_columns);
        // What several panels of a block read again: its rows of the left operand.
        let again = 4 * depth * i64::from(s.block_rows).min(rows);
        let kept = s.block_columns == s.lanes || s.block_rows == s.rows || again <= held;
        count >= enough.min(most(s)) && kept
    });
    let of_left = |s: &ContractSchedule| {
        let again = s.block_columns > s.lanes;
        // Copied rows stay in a half of the second-level cache.
        let row = 4 * (depth + 32);
        let fits = i64::from(s.rows) * row <= simd.l2.0 as i64 / 2;
        let mut all = vec![Left::InPlace];
        if rows_in_line && again && fits && s.rows >= LEAST_ROWS {
            all.push(Left::Rows);
        }
        all
    };
    some = each(some, of_left, |s, x| s.left = x);
    some.into_iter().map(Schedule::Contract).collect()
}

fn attentions(simd: &Simd, [heads, queries, keys]: [i64; 3]) -> Vec<Schedule> {
    let vector = (simd.vector.0 / 4) as u32;
    let mut all = vec![];
    for [rows, vectors] in tiles(simd, queries, keys) {
        if rows > MOST_QUERIES {
            continue;
        }
        for unroll in UNROLLS {
            if unroll > 1 && unroll * rows * vectors > LONGEST_ROUND {
                continue;
            }
            for count in shares(blocks(queries, rows)) {
                let block_queries = count * rows;
                // One block would be one thread's; where one tile is all, so be it.
                let alone = heads * blocks(queries, block_queries) < 2;
                if alone && count > 1 {
                    continue;
                }
                all.push(Schedule::Attention(AttentionSchedule {
                    rows,
                    lanes: vectors * vector,
                    unroll,
                    block_queries,
                }));
            }
        }
    }
    all
}
