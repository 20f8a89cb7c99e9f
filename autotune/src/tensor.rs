//! First schedules for cores whose tiles lie in on-chip buffers.
//!
//! Tiles are ranked by a count of work and of what moves, and the first that the plan of the chip accepts is taken: so
//! no kernel is printed whose tiles cannot fit.

use backends::ascend::Need;
use ir::{
    AttentionRows, Kernel, Schedule, SimtAttentionSchedule, SimtContractSchedule, SimtMapSchedule,
    SimtRowsSchedule, Skew, Target, TensorCore,
};
use passes::{KernelFamily, LowerError, family};

/// Elements of a tile of a map at most; the buffers of vectors hold several such tiles.
const MAP_TILE: u32 = 1 << 14;

/// Longest piece of a row.
const LONGEST: u32 = 1 << 14;

/// Rows that a fold across rows takes at once.
const FOLDED: u32 = 16;

/// Largest side of a product.
const LARGEST: u32 = 256;

/// Bytes that a vector unit computes a cycle: one repeat of an instruction. Source: Ascend C documentation, vector
/// instructions, read 2026-11; that it takes one cycle is assumed.
const REPEAT: f64 = 256.0;

/// How much slower the cube multiplies f32 than 16-bit numbers, and how much faster its caches are than memory.
/// Assumed, so that schedules can be ranked.
const F32_SLOWER: f64 = 4.0;
const CACHE_SPEED: f64 = 3.0;

/// Seconds to start a block, and a round of its loop beyond its work. Assumed.
const BLOCK_SECONDS: f64 = 2e-6;
const ROUND_SECONDS: f64 = 3e-7;

/// Functions of scores between the two products of attention.
const SCORE_PASSES: f64 = 12.0;

/// Schedules tried before a kernel is given up.
const TRIES: usize = 512;

/// A core's rates.
struct Rates {
    /// 16-bit operations of a cube a second.
    cube: f64,
    /// Bytes of vectors a second.
    vector: f64,
    /// Bytes of memory a second.
    memory: f64,
}

/// The first schedule for `kernel` whose tiles the plan accepts.
///
/// # Errors
/// No template computes the kernel, or no tiles fit.
pub(crate) fn choose(
    kernel: &Kernel,
    target: &Target,
    core: &TensorCore,
) -> Result<Schedule, LowerError> {
    let family = family(kernel)?;
    let mut least: Option<(u64, LowerError)> = None;
    for schedule in ranked(family, target, core).into_iter().take(TRIES) {
        let Some(need) = excess(kernel, &schedule, target)? else {
            return Ok(schedule);
        };
        let (found, limit) = (need.bytes.0, need.limit.0);
        let over = found - limit;
        if least.as_ref().is_none_or(|(before, _)| over < *before) {
            let kernel = kernel.name.clone();
            let refused = LowerError::DoesNotFit {
                kernel,
                what: need.memory.bytes_of(),
                found,
                limit,
            };
            least = Some((over, refused));
        }
    }
    Err(least.expect("there are tiles for every family").1)
}

/// The schedules whose tiles the plan accepts, the best first.
///
/// # Errors
/// No template computes the kernel.
pub(crate) fn legal(
    kernel: &Kernel,
    target: &Target,
    core: &TensorCore,
) -> Result<Vec<Schedule>, LowerError> {
    let mut all = vec![];
    for schedule in ranked(family(kernel)?, target, core)
        .into_iter()
        .take(TRIES)
    {
        if excess(kernel, &schedule, target)?.is_none() {
            all.push(schedule);
        }
    }
    Ok(all)
}

/// The memory that is too small for the tiles of a schedule, if one is.
fn excess(
    kernel: &Kernel,
    schedule: &Schedule,
    target: &Target,
) -> Result<Option<Need>, LowerError> {
    let lowered = passes::lower(kernel, schedule, target)?;
    let combine = lowered.combine.iter().map(|c| &c.program);
    let mut programs = combine.chain([&lowered.program]);
    Ok(programs.find_map(|program| backends::ascend::excess(program, target)))
}

/// All schedules, the best first.
fn ranked(family: KernelFamily, target: &Target, core: &TensorCore) -> Vec<Schedule> {
    let cores = f64::from(core.cube_cores);
    let cube = target.roofline.flops_per_second / cores;
    // A cycle of the cube is 16 x 16 x 16 multiply-adds.
    let hertz = cube / (2.0 * 4096.0);
    let rates = Rates {
        cube,
        vector: REPEAT * hertz,
        memory: target.roofline.bytes_per_second / cores,
    };
    let ranked = match family {
        KernelFamily::Map { rows, columns } | KernelFamily::Scatter { rows, columns } => {
            maps(core, &rates, rows, columns)
        }
        KernelFamily::Fold { rows, columns } => across(core, &rates, rows, columns),
        KernelFamily::Rows { rows, columns } => folds(core, &rates, rows, columns),
        contract @ KernelFamily::Contract { .. } => contractions(core, &rates, contract),
        attention @ KernelFamily::Attention { .. } => attentions(core, &rates, attention),
    };
    let mut ranked = ranked;
    ranked.sort_by(|(a, s), (b, t)| a.total_cmp(b).then_with(|| s.cmp(t)));
    ranked.into_iter().map(|(_, schedule)| schedule).collect()
}

/// The power of two that covers `size`, at most `most`.
fn side(size: i64, most: u32) -> u32 {
    let covering = (size.max(1) as u64).next_power_of_two();
    covering.min(most.into()) as u32
}

/// Depths of a product: powers of two, and all of it where fractals cover it without a rest.
fn depths(depth: i64, fractal: u32, most: u32) -> Vec<u32> {
    let mut all: Vec<u32> = powers(fractal, side(depth, most).max(fractal)).collect();
    if let Ok(whole) = u32::try_from(depth)
        && whole <= most
        && whole.is_multiple_of(fractal)
        && !all.contains(&whole)
    {
        all.push(whole);
    }
    all
}

/// Powers of two from `first` to `last`, or `first` alone.
fn powers(first: u32, last: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(first), move |n| (*n < last).then_some(n * 2))
}

fn blocks(size: i64, block: u32) -> f64 {
    (size.max(1) as u64).div_ceil(block.into()) as f64
}

/// Seconds of blocks that take `block` seconds each: cores take one after the other.
fn waves(blocks: f64, cores: u32, block: f64) -> f64 {
    (blocks / f64::from(cores)).ceil() * (block + BLOCK_SECONDS)
}

/// A tile of elements. Rows are not taken side by side: pieces that pass their ends are no rectangles of memory.
fn maps(core: &TensorCore, rates: &Rates, rows: i64, columns: i64) -> Vec<(f64, Schedule)> {
    let mut all = vec![];
    for block_columns in powers(1, side(columns, MAP_TILE)) {
        for block_rows in powers(1, side(rows, MAP_TILE / block_columns)) {
            let count = blocks(rows, block_rows) * blocks(columns, block_columns);
            let bytes = 4.0 * f64::from(block_rows) * f64::from(block_columns.max(8));
            let block = bytes / rates.memory.min(rates.vector);
            let schedule = SimtMapSchedule {
                block_rows,
                block_columns,
                warps: 1,
            };
            let seconds = waves(count, core.vector_cores, block);
            all.push((seconds, Schedule::SimtMap(schedule)));
        }
    }
    all
}

/// Folds across rows: some columns, some rows of them at a time.
fn across(core: &TensorCore, rates: &Rates, rows: i64, columns: i64) -> Vec<(f64, Schedule)> {
    let tiles = powers(1, side(columns, 1024)).map(|block_columns| {
        let count = rows as f64 * blocks(columns, block_columns);
        let bytes = 4.0 * f64::from(FOLDED * block_columns.max(8));
        let block = bytes / rates.memory.min(rates.vector);
        let schedule = SimtMapSchedule {
            block_rows: FOLDED,
            block_columns,
            warps: 1,
        };
        let seconds = waves(count, core.vector_cores, block);
        (seconds, Schedule::SimtMap(schedule))
    });
    tiles.collect()
}

fn folds(core: &TensorCore, rates: &Rates, rows: i64, columns: i64) -> Vec<(f64, Schedule)> {
    let mut all = vec![];
    let longest = side(columns, LONGEST);
    for block_columns in powers(longest.min(16), longest) {
        let pieces = blocks(columns, block_columns);
        // Rows in pieces are read again for every fold and for the map.
        let passes = if pieces > 1.0 { 3.0 } else { 1.0 };
        for block_rows in powers(1, side(rows, 128)) {
            let bytes =
                4.0 * f64::from(block_rows) * f64::from(block_columns.max(8)) * pieces * passes;
            let block = bytes / rates.memory.min(rates.vector) + pieces * passes * ROUND_SECONDS;
            let schedule = SimtRowsSchedule {
                block_rows,
                block_columns,
                warps: 1,
            };
            let seconds = waves(blocks(rows, block_rows), core.vector_cores, block);
            all.push((seconds, Schedule::SimtRows(schedule)));
        }
    }
    all
}

/// Bytes of an operand of products, and how long the cube takes for one 16-bit operation's worth of it.
fn operand(dtype: ir::DType) -> (f64, f64) {
    let size = dtype.size() as f64;
    (size, if size > 2.0 { F32_SLOWER } else { 1.0 })
}

fn contractions(core: &TensorCore, rates: &Rates, family: KernelFamily) -> Vec<(f64, Schedule)> {
    let KernelFamily::Contract {
        batch,
        rows,
        columns,
        depth,
        operands,
        ..
    } = family
    else {
        unreachable!("the caller looked")
    };
    let (size, slower) = operand(operands);
    let fractal = core.fractal;
    let most = |n| side(n, LARGEST).max(fractal);
    let mut all = vec![];
    for block_rows in powers(fractal, most(rows)) {
        for block_columns in powers(fractal, most(columns)) {
            for block_depth in depths(depth, fractal, 2 * LARGEST) {
                let count =
                    batch as f64 * blocks(rows, block_rows) * blocks(columns, block_columns);
                let rounds = blocks(depth, block_depth);
                let deep = rounds * f64::from(block_depth);
                let [r, c] = [block_rows, block_columns].map(f64::from);
                let work = 2.0 * r * c * deep * slower / rates.cube;
                let moved = (r + c) * deep * size / (rates.memory * CACHE_SPEED);
                // Sums go through memory to the vector units and back.
                let end = 3.0 * 4.0 * r * c / (rates.memory * CACHE_SPEED);
                let block = work.max(moved) + end + rounds * ROUND_SECONDS;
                let schedule = SimtContractSchedule {
                    block_rows,
                    block_columns,
                    block_depth,
                    warp_rows: 1,
                    warp_columns: 1,
                    stages: 2,
                    instr: 0,
                    skew: Skew::Pad,
                    splits: 1,
                };
                let seconds = waves(count, core.cube_cores, block);
                all.push((seconds, Schedule::SimtContract(schedule)));
            }
        }
    }
    all
}

fn attentions(core: &TensorCore, rates: &Rates, family: KernelFamily) -> Vec<(f64, Schedule)> {
    let KernelFamily::Attention {
        heads,
        queries,
        keys,
        depth,
        columns,
        operands,
        ..
    } = family
    else {
        unreachable!("the caller looked")
    };
    let (size, slower) = operand(operands);
    let fractal = core.fractal;
    let most = |n, largest| side(n, largest).max(fractal);
    let mut all = vec![];
    for block_queries in powers(fractal, most(queries, 128)) {
        for block_keys in powers(fractal, most(keys, LARGEST)) {
            for block_depth in depths(depth, fractal, LARGEST) {
                for block_columns in depths(columns, fractal, LARGEST) {
                    let parts = blocks(columns, block_columns);
                    let count = heads as f64 * blocks(queries, block_queries) * parts;
                    let rounds = blocks(keys, block_keys);
                    let pieces = blocks(depth, block_depth);
                    let [q, k, c] = [block_queries, block_keys, block_columns].map(f64::from);
                    let deep = pieces * f64::from(block_depth);
                    let work = 2.0 * q * k * (deep + c) * slower / rates.cube;
                    let again = if pieces > 1.0 { q * deep } else { 0.0 };
                    let moved = (k * (deep + c) + again) * size;
                    // Scores, weights and results pass between the units through memory.
                    let passed = q * k * (4.0 + size) + q * c * 4.0;
                    let moved = (moved + passed) / (rates.memory * CACHE_SPEED);
                    let folded = 4.0 * q * (SCORE_PASSES * k + 3.0 * c) / rates.vector;
                    let round = work.max(moved).max(folded) + (2.0 + pieces) * ROUND_SECONDS;
                    let schedule = SimtAttentionSchedule {
                        block_queries,
                        block_keys,
                        block_depth,
                        block_columns,
                        warp_rows: 1,
                        warp_columns: 1,
                        stages: 2,
                        instr: 0,
                        skew: Skew::Pad,
                        rows: AttentionRows::Queries,
                        splits: 1,
                    };
                    let seconds = waves(count, core.cube_cores, rounds * round);
                    all.push((seconds, Schedule::SimtAttention(schedule)));
                }
            }
        }
    }
    all
}
