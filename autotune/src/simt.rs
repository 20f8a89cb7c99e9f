//! First schedules for devices of many lanes.

use ir::{
    DType, Kernel, Schedule, Simt, SimtAttentionSchedule, SimtContractSchedule, SimtMapSchedule,
    SimtRowsSchedule, Target,
};
use passes::{KernelFamily, LowerError, family};

/// Warps of a block of a map or of folds: four schedulers take one each on the devices that are known.
const WARPS: u32 = 4;

/// Elements of a map that a block computes.
const MAP_BLOCK: u32 = 1024;

/// Columns from which folding one row is work for all warps of a block.
const LONG_ROW: i64 = 1024;

/// Elements of a row that a lane holds at most.
const HELD: u32 = 32;

/// Accumulators that a lane holds at most; more leave too few registers for operands.
const ACCUMULATORS: u32 = 64;

/// Largest side of a tile.
const LARGEST: u32 = 256;

/// How much faster a matrix instruction is than multiply-adds of lanes, and caches than memory. Assumed, so that
/// schedules can be ranked; measured times decide where there are any.
const MATRIX_SPEED: f64 = 8.0;
const CACHE_SPEED: f64 = 3.0;

/// Warps that a unit needs under way, to have one that does not wait. Assumed.
const UNDER_WAY: f64 = 8.0;

/// Seconds that a round of a block's loop takes beyond its work: two barriers and a trip to memory. Assumed.
const ROUND_SECONDS: f64 = 5e-7;

/// Schedules tried before a kernel is given up.
const TRIES: usize = 64;

/// The first schedule for `kernel`: the best that fits, by a count of work and of what moves.
///
/// # Errors
/// No template computes the kernel, or no schedule fits.
pub(crate) fn choose(
    kernel: &Kernel,
    target: &Target,
    simt: &Simt,
) -> Result<Schedule, LowerError> {
    let family = family(kernel)?;
    let first = crate::warpgroups::choices(target, simt, family);
    let ranked = match family {
        KernelFamily::Map { rows, columns } => vec![map(rows, columns)],
        KernelFamily::Fold { columns, .. } => vec![Schedule::SimtMap(SimtMapSchedule {
            block_rows: 8,
            block_columns: side(columns, 128),
            warps: WARPS,
        })],
        KernelFamily::Rows { rows, columns } => vec![folds(simt, rows, columns)],
        contract @ KernelFamily::Contract { .. } => contractions(target, simt, contract),
        attention @ KernelFamily::Attention { .. } => attentions(simt, attention),
    };
    let mut refused = None;
    for schedule in first.into_iter().chain(ranked).take(TRIES) {
        match passes::lower(kernel, &schedule, target) {
            Ok(_) => return Ok(schedule),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.unwrap_or_else(|| LowerError::DoesNotFit {
        kernel: kernel.name.clone(),
        what: "lanes",
        found: simt.lanes.into(),
        limit: simt.threads.into(),
    }))
}

/// The power of two that covers `size`, at most `most`.
pub(crate) fn side(size: i64, most: u32) -> u32 {
    let covering = (size.max(1) as u64).next_power_of_two();
    covering.min(most.into()) as u32
}

/// Powers of two from `first` to `last`.
pub(crate) fn powers(first: u32, last: u32) -> impl Iterator<Item = u32> {
    let next = move |n: &u32| (*n < last).then_some(n * 2);
    std::iter::successors((first <= last).then_some(first), next)
}

pub(crate) fn blocks(size: i64, block: u32) -> f64 {
    (size.max(1) as u64).div_ceil(block.into()) as f64
}

fn map(rows: i64, columns: i64) -> Schedule {
    // Short rows are taken side by side.
    let block_columns = if columns < 32 {
        MAP_BLOCK
    } else {
        side(columns, MAP_BLOCK)
    };
    Schedule::SimtMap(SimtMapSchedule {
        block_rows: side(rows, MAP_BLOCK / block_columns),
        block_columns,
        warps: WARPS,
    })
}

fn folds(simt: &Simt, rows: i64, columns: i64) -> Schedule {
    let warps = if columns >= 4 * LONG_ROW {
        2 * WARPS
    } else {
        WARPS
    };
    let block_columns = side(columns, warps * simt.lanes * HELD);
    let per_warp = (simt.lanes * 4 / block_columns).max(1);
    let block_rows = if columns >= LONG_ROW {
        1
    } else {
        side(rows, warps * per_warp)
    };
    Schedule::SimtRows(SimtRowsSchedule {
        block_rows,
        block_columns,
        warps,
    })
}

/// Positions of the matrix instructions for operands of this type; of those for f32 where there is none.
fn instructions(simt: &Simt, operands: DType) -> Vec<usize> {
    let of = |dtype| -> Vec<usize> {
        let all = simt.matrix.iter().enumerate();
        let fit = all.filter(|(_, i)| i.operands == dtype && i.accumulator == DType::F32);
        fit.map(|(at, _)| at).collect()
    };
    let found = of(operands);
    if found.is_empty() {
        of(DType::F32)
    } else {
        found
    }
}

fn contractions(target: &Target, simt: &Simt, family: KernelFamily) -> Vec<Schedule> {
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
    let mut ranked = vec![];
    for at in instructions(simt, operands) {
        let (m, n, k) = simt.matrix[at].sides();
        for block_rows in powers(m, side(rows, LARGEST).max(m)) {
            for block_columns in powers(n, side(columns, LARGEST).max(n)) {
                for block_depth in powers(k.max(16), side(depth, 64).max(k).max(16)) {
                    for warp_rows in powers(1, (block_rows / m).min(4)) {
                        for warp_columns in powers(1, (block_columns / n).min(4)) {
                            let s = SimtContractSchedule {
                                block_rows,
                                block_columns,
                                block_depth,
                                warp_rows,
                                warp_columns,
                                stages: stages(simt),
                                instr: at as u32,
                            };
                            let size = operands.size() as f64;
                            let sizes = [batch, rows, columns, depth];
                            let seconds = seconds(target, simt, &s, sizes, size);
                            ranked.extend(seconds.map(|t| (t, s)));
                        }
                    }
                }
            }
        }
    }
    ranked.sort_by(|(a, s), (b, t)| a.total_cmp(b).then_with(|| s.cmp(t)));
    ranked
        .into_iter()
        .map(|(_, s)| Schedule::SimtContract(s))
        .collect()
}

const fn stages(simt: &Simt) -> u32 {
    if simt.asynchronous { 3 } else { 1 }
}

/// About how long a contraction takes; none if its tiles do not fit.
fn seconds(
    target: &Target,
    simt: &Simt,
    s: &SimtContractSchedule,
    [batch, rows, columns, depth]: [i64; 4],
    size: f64,
) -> Option<f64> {
    let warps = s.warp_rows * s.warp_columns;
    let lanes = warps * simt.lanes;
    let held = s.block_rows * s.block_columns / lanes;
    let shared = f64::from((s.block_rows + s.block_columns) * s.block_depth * s.stages) * size;
    // A quarter is left for padding.
    let fits = held <= ACCUMULATORS.min(simt.registers / 2)
        && lanes <= simt.threads
        && shared * 1.25 <= simt.shared.0 as f64;
    if !fits {
        return None;
    }
    let units = f64::from(simt.units);
    let blocks = batch as f64 * blocks(columns, s.block_columns) * blocks(rows, s.block_rows);
    let depth = depth as f64;
    let work = 2.0 * f64::from(s.block_rows) * f64::from(s.block_columns) * depth;
    let moved = f64::from(s.block_rows + s.block_columns) * depth * size;
    let speed = match simt.matrix[s.instr as usize].spelling {
        ir::lane::Spelling::Outer => 1.0,
        ir::lane::Spelling::Word(_) => MATRIX_SPEED,
    };
    let rate = target.roofline.flops_per_second * speed / units;
    let traffic = target.roofline.bytes_per_second * CACHE_SPEED / units;
    // Blocks that share a unit wait for each other's memory.
    let side_by_side =
        (blocks / units).clamp(1.0, (simt.shared.0 as f64 / shared.max(1.0)).max(1.0));
    let busy = (side_by_side * f64::from(warps) / UNDER_WAY).min(1.0);
    let rounds = (depth / f64::from(s.block_depth)).ceil();
    let block = (work / (rate * busy)).max(moved / (traffic * busy))
        + rounds * ROUND_SECONDS / side_by_side;
    Some((blocks / units).ceil() * block)
}

fn attentions(simt: &Simt, family: KernelFamily) -> Vec<Schedule> {
    let KernelFamily::Attention {
        heads,
        queries,
        keys,
        depth,
        columns,
        operands,
    } = family
    else {
        unreachable!("the caller looked")
    };
    let sizes = [heads, queries, keys, depth, columns];
    let size = operands.size() as f64;
    let mut ranked = vec![];
    for s in attention_space(simt, sizes, operands) {
        ranked.extend(attention_cost(simt, &s, sizes, size).map(|c| (c, s)));
    }
    ranked.sort_by(|(a, s), (b, t)| a.total_cmp(b).then_with(|| s.cmp(t)));
    let all = ranked.into_iter().map(|(_, s)| s);
    all.map(Schedule::SimtAttention).collect()
}

/// The schedules whose sides matrix instructions divide.
fn attention_space(
    simt: &Simt,
    [_, queries, keys, depth, columns]: [i64; 5],
    operands: DType,
) -> Vec<SimtAttentionSchedule> {
    let mut all = vec![];
    for at in instructions(simt, operands) {
        let (m, n, k) = simt.matrix[at].sides();
        // Each side in turn, for each choice of those before it.
        let mut some = vec![SimtAttentionSchedule {
            block_queries: m,
            block_keys: n.max(k),
            block_depth: k.max(16),
            block_columns: n,
            warp_rows: 1,
            warp_columns: 1,
            stages: stages(simt).min(2),
            instr: at as u32,
        }];
        let mut each = |grow: &dyn Fn(&mut SimtAttentionSchedule) -> (&mut u32, u32)| {
            let before = std::mem::take(&mut some);
            for mut s in before {
                let (side, most) = grow(&mut s);
                let choices: Vec<u32> = powers(*side, most.max(*side)).collect();
                for choice in choices {
                    *grow(&mut s).0 = choice;
                    some.push(s);
                }
            }
        };
        each(&|s| (&mut s.block_queries, side(queries, 128)));
        each(&|s| (&mut s.block_keys, side(keys, 128)));
        each(&|s| (&mut s.block_columns, side(columns, LARGEST)));
        each(&|s| (&mut s.block_depth, side(depth, LARGEST)));
        each(&|s| {
            let most = (s.block_queries / m).min(8);
            (&mut s.warp_rows, most)
        });
        each(&|s| {
            let most = (s.block_keys.min(s.block_columns) / n).min(4);
            (&mut s.warp_columns, most)
        });
        all.extend(some);
    }
    all
}

/// A number that grows with the time that attention takes; none if its tiles do not fit.
fn attention_cost(
    simt: &Simt,
    s: &SimtAttentionSchedule,
    [heads, queries, keys, depth, columns]: [i64; 5],
    size: f64,
) -> Option<f64> {
    let warps = s.warp_rows * s.warp_columns;
    let lanes = warps * simt.lanes;
    let held = s.block_queries * (s.block_columns + s.block_keys) / lanes;
    let rows = f64::from(s.block_queries);
    let [tile, deep, wide] = [s.block_keys, s.block_depth, s.block_columns].map(f64::from);
    // Weights go through shared memory where no fragment is like another.
    let streamed = f64::from(s.stages) * tile * (deep + wide);
    let shared = (rows * deep + streamed) * size + rows * tile * 4.0;
    let fits =
        held <= 2 * ACCUMULATORS && lanes <= simt.threads && shared * 1.25 <= simt.shared.0 as f64;
    if !fits {
        return None;
    }
    // Scores are computed anew for each part of the value columns.
    let parts = blocks(columns, s.block_columns);
    let waves =
        (heads as f64 * blocks(queries, s.block_queries) * parts / f64::from(simt.units)).ceil();
    let pieces = blocks(depth, s.block_depth);
    let depth = pieces * deep;
    // Queries stay in shared memory if their depth is taken at once.
    let again = if pieces > 1.0 { rows * depth } else { 0.0 };
    let rounds = blocks(keys, s.block_keys);
    let round = tile * rows * (depth + wide) + 8.0 * (tile * (depth + wide) + again);
    let busy = (waves * f64::from(warps) / UNDER_WAY).min(1.0);
    // Rows that several warps share are folded through shared memory.
    let meetings = pieces + if s.warp_columns > 1 { 2.0 } else { 0.0 };
    Some(waves * rounds * (round / busy + 1024.0 * meetings))
}
