//! First schedules for warpgroups.

use ir::{
    DType, Schedule, Scores, Simt, Target, WarpgroupAttentionSchedule, WarpgroupContractSchedule,
    lane::WarpgroupInstr,
};
use passes::KernelFamily;

use crate::simt::{blocks, powers, side};

/// Rows that one warpgroup multiplies.
const ROWS: u32 = 64;

/// Rows, or queries, below which most of what a warpgroup multiplies would be zeros.
const FEWEST: i64 = 48;

/// Schedules that are worth a try: all that fit take copies of the same tensors, which succeed or not.
const TRIES: usize = 4;

/// How much faster products of 16-bit operands are than f32 operations: 989.4 of 66.9 TFLOPS. NVIDIA H100 SXM data
/// sheet, dense; noted 2026-11-25 from memory.
const PRODUCT_SPEED: f64 = 14.8;

/// How much faster the cache is than memory. Assumed: public kernels of such tiles, which share nothing but the cache, read
/// nearly 8 TB/s on an H100; not measured here.
const CACHE_SPEED: f64 = 2.3;

/// Seconds from a block's start to its first product, and from its last to the end of its stores. Assumed.
const ENDS_SECONDS: f64 = 2e-6;

/// Seconds of a round beyond its work: an mbarrier's wait and the start of products. Assumed.
const ROUND_SECONDS: f64 = 5e-8;

/// Registers of a lane that sums, scores and weights may take: what is left holds rows, addresses and what masks are
/// made of.
const HELD: u32 = 192;

/// The same as the two above, in cycles, for attention.
const ROUND_CYCLES: f64 = 400.0;
const ENDS_CYCLES: f64 = 3000.0;

/// Of a unit in each cycle: multiply-adds of products, exponentials, bytes of shared memory. The first by the data sheet of
/// the H100, the others CUDA C++ Programming Guide, "Throughput of Native Arithmetic Instructions"; noted 2026-11-25
/// from memory.
const PRODUCTS: f64 = 2048.0;
const EXPONENTIALS: f64 = 16.0;
const SHARED: f64 = 128.0;

/// Stages, the most first.
const STAGES: [u32; 5] = [6, 5, 4, 3, 2];

/// Bytes of the second-level cache that keys and values of heads in flight may take: about half of an H100's 50 MB, by
/// its data sheet; noted 2026-11-25 from memory.
const CACHED: i64 = 24 << 20;

/// Bytes of shared memory for mbarriers, and to start where swizzles do.
const COUNTERS: u64 = 1280;

/// Schedules by which warpgroups compute the kernel, the best first; none where it is too small or the target has none.
pub(crate) fn choices(target: &Target, simt: &Simt, family: KernelFamily) -> Vec<Schedule> {
    let mut all = match family {
        KernelFamily::Contract {
            batch,
            rows,
            columns,
            depth,
            operands,
            ..
        } if rows >= FEWEST => {
            let sizes = [batch, rows, columns, depth];
            contractions(target, simt, sizes, operands)
        }
        KernelFamily::Attention {
            heads,
            queries,
            keys,
            depth,
            columns,
            operands,
            ..
        } if queries >= FEWEST => {
            let sizes = [heads, queries, keys, depth, columns];
            attentions(simt, sizes, operands)
        }
        _ => vec![],
    };
    all.truncate(TRIES);
    all
}

/// The instruction for tiles of so many columns.
fn instruction(simt: &Simt, operands: DType, columns: u32) -> Option<&WarpgroupInstr> {
    let fits = |i: &&WarpgroupInstr| {
        i.operands == operands && i.accumulator == DType::F32 && i.sides().1 == columns
    };
    simt.warpgroup.iter().find(fits)
}

fn contractions(
    target: &Target,
    simt: &Simt,
    [batch, rows, columns, depth]: [i64; 4],
    operands: DType,
) -> Vec<Schedule> {
    let mut ranked = vec![];
    for block_rows in powers(ROWS, side(rows, 256).max(ROWS)) {
        for block_columns in powers(16, side(columns, 256).max(16)) {
            if instruction(simt, operands, block_columns).is_none() {
                continue;
            }
            let registers = block_columns / 2;
            let block_depth = side(depth, 64).max(16);
            let stage = u64::from((block_rows + block_columns) * block_depth) * 2;
            let fits = |stages: &u32| u64::from(*stages) * stage + COUNTERS <= simt.shared.0;
            let Some(stages) = STAGES.into_iter().find(fits) else {
                continue;
            };
            // What one of four warpgroups may have; see `passes::Warpgroups`.
            if block_rows == 4 * ROWS && registers > 64 {
                continue;
            }
            let s = WarpgroupContractSchedule {
                block_rows,
                block_columns,
                block_depth,
                stages,
                group: group(simt, block_rows, block_columns),
            };
            ranked.push((seconds(target, simt, &s, [batch, rows, columns, depth]), s));
        }
    }
    ranked.sort_by(|(a, s), (b, t)| a.total_cmp(b).then_with(|| s.cmp(t)));
    let all = ranked.into_iter().map(|(_, s)| s);
    all.map(Schedule::WarpgroupContract).collect()
}

/// Columns of tiles that are walked together, so that those in flight are about as high as they are wide.
fn group(simt: &Simt, block_rows: u32, block_columns: u32) -> u32 {
    let tiles = f64::from(simt.units);
    let shape = f64::from(block_rows) / f64::from(block_columns);
    (tiles * shape).sqrt().round().max(1.0) as u32
}

/// About how long a contraction takes.
fn seconds(
    target: &Target,
    simt: &Simt,
    s: &WarpgroupContractSchedule,
    [batch, rows, columns, depth]: [i64; 4],
) -> f64 {
    let units = f64::from(simt.units);
    let tiles = batch as f64 * blocks(rows, s.block_rows) * blocks(columns, s.block_columns);
    let rounds = blocks(depth, s.block_depth);
    let [r, c, d] = [s.block_rows, s.block_columns, s.block_depth].map(f64::from);
    let rate = target.roofline.flops_per_second * PRODUCT_SPEED / units;
    let work = 2.0 * r * c * d / rate;
    // What each warpgroup reads of shared memory, and what comes there; in seconds, whatever the clock.
    let reads = (r / f64::from(ROWS)) * (f64::from(ROWS) + c) * d * 2.0 + (r + c) * d * 2.0;
    let shared = reads / SHARED * 2.0 * PRODUCTS / rate;
    let traffic = target.roofline.bytes_per_second * CACHE_SPEED / tiles.min(units);
    let moved = (r + c) * d * 2.0 / traffic;
    let tile = rounds * (work.max(shared).max(moved) + ROUND_SECONDS) + ENDS_SECONDS;
    (tiles / units).ceil() * tile
}

fn attentions(
    simt: &Simt,
    [heads, queries, keys, depth, columns]: [i64; 5],
    operands: DType,
) -> Vec<Schedule> {
    let mut ranked = vec![];
    let block_depth = side(depth, 256).max(16);
    let block_columns = side(columns, 256).max(16);
    if i64::from(block_depth) < depth || i64::from(block_columns) < columns {
        return vec![];
    }
    let both = (block_depth + block_columns) as i64;
    let group = (CACHED / (keys.max(1) * both * 2)).clamp(1, heads.max(1)) as u32;
    let sides = powers(ROWS, side(queries, 2 * ROWS).max(ROWS)).flat_map(|block_queries| {
        let keys = powers(16, side(keys, 128).max(16));
        keys.flat_map(move |n| [Scores::InTurn, Scores::Ahead].map(|s| (block_queries, n, s)))
    });
    for (block_queries, block_keys, scores) in sides {
        let known = [block_keys, block_columns].map(|n| instruction(simt, operands, n));
        // Sums, scores, and weights two to a register.
        let score = match scores {
            Scores::InTurn => block_keys / 2,
            Scores::Ahead => block_keys,
        };
        let registers = block_columns / 2 + score + block_keys / 4;
        if known.contains(&None) || registers > HELD {
            continue;
        }
        let stage = u64::from(block_keys * (block_depth + block_columns)) * 2;
        let held = u64::from(block_queries * block_depth) * 2 + COUNTERS;
        let fits = |stages: &u32| u64::from(*stages) * stage + held <= simt.shared.0;
        let Some(stages) = STAGES.into_iter().find(fits) else {
            continue;
        };
        let s = WarpgroupAttentionSchedule {
            block_queries,
            block_keys,
            block_depth,
            block_columns,
            stages: stages.min(3),
            scores,
            group,
        };
        let tiles = heads as f64 * blocks(queries, block_queries);
        let waves = (tiles / f64::from(simt.units)).ceil();
        let rounds = blocks(keys, block_keys);
        // Cycles of a round: products, and beside them the exponentials of the other warpgroup, or after them
        // where there is no other.
        let area = f64::from(block_queries * block_keys);
        let [wide, tall] = [block_depth + block_columns, block_keys].map(f64::from);
        let copied = tall * wide;
        let read =
            f64::from(block_queries / ROWS) * copied + f64::from(block_queries * block_depth);
        let products = (area * wide / PRODUCTS).max((copied + read) * 2.0 / SHARED);
        // Beside each exponential stand about as many cycles of other arithmetic as half of it.
        let weights = area / EXPONENTIALS * 1.5;
        let round = match scores {
            Scores::Ahead => products.max(weights),
            Scores::InTurn if block_queries > ROWS => {
                products.max(weights) + products.min(weights) / 3.0
            }
            Scores::InTurn => products + weights,
        };
        ranked.push((waves * (rounds * (round + ROUND_CYCLES) + ENDS_CYCLES), s));
    }
    ranked.sort_by(|(a, s), (b, t)| a.total_cmp(b).then_with(|| s.cmp(t)));
    let all = ranked.into_iter().map(|(_, s)| s);
    all.map(Schedule::WarpgroupAttention).collect()
}
