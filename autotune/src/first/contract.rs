//! Cycles of contractions on a CPU, so that schedules can be ranked.
//!
//! A count of what a core does: multiply-adds, loads beside them, the end of each tile, and panels that come from beyond
//! the second-level cache. It knows nothing of the machine but vectors, registers and caches.

use ir::{ContractSchedule, Left, Simd};
use passes::KernelFamily;

/// Cycles after which a multiply-add's result is ready; four on Zen 4, Golden Cove and Ice Lake.
/// Source: Fog, "Instruction tables", 2025, `VFMADD231PS`.
const FMA_CYCLES: f64 = 4.0;

/// Rows of a tile of attention.
const MOST_ROWS: u32 = 14;

/// Bytes of a way of a first-level cache, which is the distance of lines that share a set: 64 sets of 64 bytes on all
/// targets. Source: AMD 57647 and Intel 248966, "Cache".
const WAY: u64 = 4096;

/// Cycles to read a line from the second-level cache, if half of them are hidden.
const MISSED: f64 = 1.5;

/// The part of the second-level cache that what is read again may take.
const CACHED: f64 = 0.75;

/// Bytes of weights that come from memory in a cycle of a core. Measured: 35 GB/s for two cores of a Zen 4 at 3.6 GHz,
/// a row of 4096 times weights of 180 MB (2026-11-25).
const MEMORY_BYTES: f64 = 5.0;

/// Bytes that come from the last cache in a cycle, and how many second-level caches it is as large as. Assumed.
const FAR_BYTES: f64 = 12.0;
const FAR_CACHES: f64 = 8.0;

/// Bytes that come from the second-level cache in a cycle. Source: AMD 57647 and Intel 248966, "Cache".
const NEAR_BYTES: f64 = 32.0;

/// Loads beside products of which all but one are hidden. Fitted to tiles of 5 to 14 rows of 32 to 64 lanes of
/// 128 x 384 x 384 on a Zen 4, which are within 5 % of each other (2026-11-25).
const LOADS_HIDDEN: f64 = 8.0;

/// Cycles to begin and end a tile, beyond those of its results.
const TILE: f64 = 40.0;

/// Cycles of each vector of results.
const RESULT: f64 = 4.0;

/// Cycles of a round of a loop beside its products.
const ROUND: f64 = 1.0;

/// Cycles to take a block.
const BLOCK: f64 = 1500.0;

/// Pieces that a launch is cut into for each thread: blocks are taken some at a time.
const PIECES: f64 = 8.0;

/// Threads for which a launch should end evenly.
const THREADS: [f64; 4] = [1.0, 2.0, 4.0, 8.0];

/// Vectors of products of a round as it is written out at most: more do not stay decoded.
const WRITTEN: u32 = 64;

/// Cycles of a contraction under a schedule, on one of some threads.
pub(super) fn cycles(simd: &Simd, contraction: &KernelFamily, s: &ContractSchedule) -> f64 {
    let KernelFamily::Contract {
        batch,
        rows,
        columns,
        depth,
        ..
    } = *contraction
    else {
        unreachable!("the caller looked")
    };
    let vector = (simd.vector.0 / 4) as u32;
    let vectors = s.lanes / vector;
    let tiled = |size: i64, of: u32| (size as u64).div_ceil(of.into()) as f64;
    let panel = 4.0 * depth as f64 * f64::from(s.lanes);
    let rate = |bytes: f64| rate(simd, bytes);
    // Where a panel is when the next rows need it: a block goes through the rows of a panel, or, with rows of its own,
    // through all its panels.
    let (times, row_blocks) = (tiled(rows, s.rows), tiled(rows, s.block_rows));
    let all_panels = 4.0 * depth as f64 * f64::from(s.block_columns);
    let again = match s.left {
        Left::InPlace => panel / rate(panel) * (times - row_blocks),
        Left::Rows => panel / rate(all_panels) * (times - row_blocks),
    };
    let far = panel / MEMORY_BYTES + panel / rate(all_panels) * (row_blocks - 1.0);
    let panels = tiled(columns, s.lanes);
    let tiles = |r: u32| {
        let missed = match s.left {
            Left::InPlace => crowded(simd, r, depth),
            Left::Rows => 0.0,
        };
        tile_cycles(r, vectors, s.unroll, depth) + missed * depth as f64
    };
    let (whole, rest) = (rows / i64::from(s.rows), (rows % i64::from(s.rows)) as u32);
    let mut column = whole as f64 * tiles(s.rows);
    if rest > 0 {
        column += tiles(rest);
    }
    // What comes from afar comes while products are computed, but not quite.
    let left = 4.0 * (rows * depth) as f64;
    let left = match s.left {
        Left::InPlace => left / rate(left / row_blocks + panel),
        Left::Rows => left / NEAR_BYTES,
    };
    let moved = far + again + left;
    let work = batch as f64 * panels * (column.max(moved) + column.min(moved) / 4.0);
    let copied = match s.left {
        Left::InPlace => 0.0,
        Left::Rows => tiled(columns, s.block_columns) * (rows * depth) as f64 / 4.0,
    };
    let count = batch as f64 * row_blocks * tiled(columns, s.block_columns);
    (work + copied) * uneven(count) + count * BLOCK
}

/// Bytes that come in a cycle, if so many are read in turn.
fn rate(simd: &Simd, bytes: f64) -> f64 {
    let held = bytes / simd.l2.0 as f64;
    match held {
        _ if held <= CACHED => NEAR_BYTES,
        _ if held <= FAR_CACHES => FAR_BYTES,
        _ => MEMORY_BYTES,
    }
}

/// Cycles of a term of the sums of `r` rows of the left operand in place, for lines that the first-level cache cannot
/// keep: those a multiple of 4 KiB apart share the ways of a set.
fn crowded(simd: &Simd, r: u32, depth: i64) -> f64 {
    let ways = simd.l1.0 / WAY;
    // Sets that lines of a column fall on.
    let sets = (1..=WAY)
        .find(|n| (n * 4 * depth as u64).is_multiple_of(WAY))
        .unwrap_or(WAY);
    let missed = u64::from(r).saturating_sub(sets * ways);
    missed as f64 * MISSED
}

/// Cycles of a tile of `r` rows.
fn tile_cycles(r: u32, vectors: u32, unroll: u32, depth: i64) -> f64 {
    let sums = f64::from(r * vectors);
    // A vector of the right operand, and a number of each row of the left one.
    let loads = f64::from(vectors + r);
    // They share the core's ports with whatever else runs there.
    let product = sums.max(FMA_CYCLES).max(loads) + loads / LOADS_HIDDEN;
    let unrolled = if r * vectors * unroll > WRITTEN {
        2.0 * ROUND
    } else {
        ROUND / f64::from(unroll)
    };
    (product + unrolled) * depth as f64 + RESULT * sums + TILE
}

/// How much longer the last of some threads takes than each would with equal shares, for a launch of so many blocks.
fn uneven(count: f64) -> f64 {
    let of = |threads: f64| {
        let piece = (count / (threads * PIECES)).ceil();
        let turns = ((count / piece).ceil() / threads).ceil();
        turns * piece * threads / count
    };
    THREADS.map(of).iter().sum::<f64>() / THREADS.len() as f64
}

/// Rows and lanes of the tile with the fewest cycles, then with the fewest loads.
pub(super) fn tile(simd: &Simd, rows: i64, columns: i64, depth: i64) -> (u32, u32) {
    let vector = (simd.vector.0 / 4) as u32;
    // One vector a row loads as much as it multiplies; it serves only columns that fill no more.
    let least = if columns <= i64::from(vector) { 1 } else { 2 };
    let shapes = (least..=4).flat_map(|vectors| {
        // Accumulators, a row of the right operand and one number of the left one.
        let most = ((simd.registers - 1 - vectors) / vectors).clamp(1, MOST_ROWS);
        (1..=most).map(move |r| (r, vectors))
    });
    let cost = |&(r, vectors): &(u32, u32)| {
        let panels = (columns as u64).div_ceil((vectors * vector).into()) as f64;
        let (whole, rest) = (rows / i64::from(r), (rows % i64::from(r)) as u32);
        let tiles = |r: u32| tile_cycles(r, vectors, 4, depth);
        let rest = if rest > 0 { tiles(rest) } else { 0.0 };
        (whole as f64 * tiles(r) + rest) * panels
    };
    let ranked = shapes.map(|shape| (cost(&shape), shape));
    let best = ranked.min_by(|(a, _), (b, _)| a.total_cmp(b));
    let (_, (r, vectors)) = best.expect("a tile of one vector always fits");
    (r, vectors * vector)
}
