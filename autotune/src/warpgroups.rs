//! Schedules for warpgroups, and which come first.

use ir::{
    DType, Schedule, Scores, Simt, Target, WarpgroupAttentionSchedule, WarpgroupContractSchedule,
    lane::WarpgroupInstr,
};
use passes::{KernelFamily, fits};

use crate::space::{Breadth, powers, side};

/// Rows that one warpgroup multiplies.
const ROWS: u32 = 64;

/// Rows, or queries, below which most of what a warpgroup multiplies would be zeros.
const FEWEST: i64 = 48;

/// Tiles of queries, times this, that are few for the units; and keys that are many. Assumed.
const FEW: f64 = 4.0;
const MANY: i64 = 4096;

/// How much faster the estimate of another schedule must be to come first: both are rough, and with few rounds near to
/// each other. Assumed.
const MARGIN: f64 = 1.5;

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

/// Schedules by which warpgroups compute a family, in order; where `Breadth` is not full, those that [`choices`] ranks.
pub(crate) fn schedules(family: &KernelFamily, simt: &Simt, breadth: Breadth) -> Vec<Schedule> {
    let mut all = match *family {
        KernelFamily::Contract {
            rows,
            columns,
            depth,
            operands,
            ..
        } => contractions(simt, [rows, columns, depth], operands),
        KernelFamily::Attention {
            heads,
            queries,
            keys,
            depth,
            columns,
            operands,
            ..
        } => attentions(simt, [heads, queries, keys, depth, columns], operands),
        _ => vec![],
    };
    all.retain(|s| fits(family, s, simt));
    if breadth == Breadth::Modelled {
        // More stages are no worse, as far as a model can tell.
        let staged = |a: &Schedule, b: &Schedule| other_stages(a) == other_stages(b);
        all.dedup_by(|b, a| staged(a, b));
    }
    all
}

/// Whether a schedule is for warpgroups.
pub(crate) const fn is_by(schedule: &Schedule) -> bool {
    matches!(
        schedule,
        Schedule::WarpgroupContract(_) | Schedule::WarpgroupAttention(_)
    )
}

/// The same with no stages.
fn other_stages(schedule: &Schedule) -> Schedule {
    match schedule {
        Schedule::WarpgroupContract(s) => {
            Schedule::WarpgroupContract(WarpgroupContractSchedule { stages: 0, ..*s })
        }
        Schedule::WarpgroupAttention(s) => {
            Schedule::WarpgroupAttention(WarpgroupAttentionSchedule { stages: 0, ..*s })
        }
        other => other.clone(),
    }
}

/// Schedules that come first, the best before the others; none where the kernel is too small, where another schedule
/// takes `others` seconds, which is far less, or where the target has no warpgroups.
pub(crate) fn choices(
    target: &Target,
    simt: &Simt,
    family: &KernelFamily,
    others: f64,
) -> Vec<Schedule> {
    let (fits, most) = match *family {
        KernelFamily::Contract { rows, .. } => (rows >= FEWEST, MARGIN * others),
        KernelFamily::Attention {
            heads,
            queries,
            keys,
            ..
        } => {
            // Few tiles that see many keys: these are better shared by several blocks.
            let tiles = heads as f64 * blocks(queries, 2 * ROWS);
            let few = tiles * FEW < f64::from(simt.units) && keys > MANY;
            (queries >= FEWEST && !few, f64::INFINITY)
        }
        _ => return vec![],
    };
    if !fits {
        return vec![];
    }
    let all = schedules(family, simt, Breadth::Modelled).into_iter();
    let mut ranked: Vec<(f64, Schedule)> =
        all.map(|s| (about(target, simt, family, &s), s)).collect();
    ranked.retain(|(time, _)| *time <= most);
    ranked.sort_by(|(a, s), (b, t)| a.total_cmp(b).then_with(|| s.cmp(t)));
    let ranked = ranked.into_iter().map(|(_, s)| s);
    ranked.take(TRIES).collect()
}

/// A number that grows with the time that a schedule takes.
pub(crate) fn about(
    target: &Target,
    simt: &Simt,
    family: &KernelFamily,
    schedule: &Schedule,
) -> f64 {
    match (*family, schedule) {
        (
            KernelFamily::Contract {
                batch,
                rows,
                columns,
                depth,
                ..
            },
            Schedule::WarpgroupContract(s),
        ) => seconds(target, simt, s, [batch, rows, columns, depth]),
        (
            KernelFamily::Attention {
                heads,
                queries,
                keys,
                ..
            },
            Schedule::WarpgroupAttention(s),
        ) => cycles(simt, s, [heads, queries, keys]),
        _ => f64::INFINITY,
    }
}

/// Blocks of `block` that cover `size`.
fn blocks(size: i64, block: u32) -> f64 {
    crate::space::blocks(size, block) as f64
}

/// Whether there is an instruction for tiles of so many columns.
fn multiplies(simt: &Simt, operands: DType, columns: u32) -> bool {
    let fits = |i: &WarpgroupInstr| {
        i.operands == operands && i.accumulator == DType::F32 && i.sides().1 == columns
    };
    simt.warpgroup.iter().any(fits)
}

fn contractions(simt: &Simt, [rows, columns, depth]: [i64; 3], operands: DType) -> Vec<Schedule> {
    let mut all = vec![];
    let block_depth = side(depth, 64).max(16);
    for block_rows in powers(ROWS, side(rows, 4 * ROWS).max(ROWS)) {
        for block_columns in powers(16, side(columns, 256).max(16)) {
            if !multiplies(simt, operands, block_columns) {
                continue;
            }
            let group = group(simt, block_rows, block_columns);
            all.extend(STAGES.map(|stages| {
                Schedule::WarpgroupContract(WarpgroupContractSchedule {
                    block_rows,
                    block_columns,
                    block_depth,
                    stages,
                    group,
                })
            }));
        }
    }
    all
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
    let block_depth = side(depth, 256).max(16);
    let block_columns = side(columns, 256).max(16);
    let covered = i64::from(block_depth) >= depth && i64::from(block_columns) >= columns;
    if !covered || !multiplies(simt, operands, block_columns) {
        return vec![];
    }
    let both = i64::from(block_depth + block_columns);
    let group = (CACHED / (keys.max(1) * both * 2)).clamp(1, heads.max(1)) as u32;
    let mut all = vec![];
    for block_queries in powers(ROWS, side(queries, 2 * ROWS).max(ROWS)) {
        for block_keys in powers(16, side(keys, 128).max(16)) {
            if !multiplies(simt, operands, block_keys) {
                continue;
            }
            for scores in [Scores::InTurn, Scores::Ahead] {
                all.extend([3, 2, 1].map(|stages| {
                    Schedule::WarpgroupAttention(WarpgroupAttentionSchedule {
                        block_queries,
                        block_keys,
                        block_depth,
                        block_columns,
                        stages,
                        scores,
                        group,
                    })
                }));
            }
        }
    }
    all
}

/// About how many cycles attention takes.
fn cycles(simt: &Simt, s: &WarpgroupAttentionSchedule, [heads, queries, keys]: [i64; 3]) -> f64 {
    let tiles = heads as f64 * blocks(queries, s.block_queries);
    let waves = (tiles / f64::from(simt.units)).ceil();
    let rounds = blocks(keys, s.block_keys);
    let area = f64::from(s.block_queries * s.block_keys);
    let wide = f64::from(s.block_depth + s.block_columns);
    let copied = f64::from(s.block_keys) * wide;
    let queries_read = f64::from(s.block_queries * s.block_depth);
    let read = f64::from(s.block_queries / ROWS) * copied + queries_read;
    let products = (area * wide / PRODUCTS).max((copied + read) * 2.0 / SHARED);
    // Beside each exponential stand about as many cycles of other arithmetic as half of it.
    let weights = area / EXPONENTIALS * 1.5;
    let (long, short) = (products.max(weights), products.min(weights));
    // Products run beside the exponentials of the same warpgroup, of another one some of the time, or not at all.
    let round = match s.scores {
        Scores::Ahead => long,
        Scores::InTurn if s.block_queries > ROWS => long + short / 3.0,
        Scores::InTurn => long + short,
    };
    waves * (rounds * (round + ROUND_CYCLES) + ENDS_CYCLES)
}
