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
    let ranked = match family(kernel)? {
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
    for schedule in ranked.into_iter().take(TRIES) {
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
fn side(size: i64, most: u32) -> u32 {
    let covering = (size.max(1) as u64).next_power_of_two();
    covering.min(most.into()) as u32
}

/// Powers of two from `first` to `last`.
fn powers(first: u32, last: u32) -> impl Iterator<Item = u32> {
    let next = move |n: &u32| (*n < last).then_some(n * 2);
    std::iter::successors((first <= last).then_some(first), next)
}

fn blocks(size: i64, block: u32) -> f64 {
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
    let mut ranked = vec![];
    for at in instructions(simt, operands) {
        let (m, n, k) = simt.matrix[at].sides();
        let block_depth = side(depth, LARGEST).max(k);
        for block_queries in powers(m, side(queries, 128).max(m)) {
            for block_keys in powers(n.max(k), side(keys, 128).max(n).max(k)) {
                for block_columns in powers(n, side(columns, LARGEST).max(n)) {
                    for warp_rows in powers(1, (block_queries / m).min(8)) {
                        let s = SimtAttentionSchedule {
                            block_queries,
                            block_keys,
                            block_depth,
                            block_columns,
                            warp_rows,
                            warp_columns: 1,
                            stages: stages(simt).min(2),
                            instr: at as u32,
                        };
                        let lanes = warp_rows * simt.lanes;
                        let held = block_queries * (block_columns + block_keys) / lanes;
                        if held > 2 * ACCUMULATORS || lanes > simt.threads {
                            continue;
                        }
                        let width = blocks(columns, block_columns);
                        let blocks = heads as f64 * blocks(queries, block_queries) * width;
                        let waves = (blocks / f64::from(simt.units)).ceil();
                        // Scores are computed anew for each part of the value columns.
                        let work =
                            f64::from(block_queries) * f64::from(block_depth + block_columns);
                        let loads = f64::from(block_depth + block_columns) * 8.0;
                        let rounds = (keys as f64 / f64::from(block_keys)).ceil();
                        let busy = (waves * f64::from(warp_rows) / UNDER_WAY).min(1.0);
                        let keys = rounds * f64::from(block_keys);
                        let cost = waves * (keys * (work + loads) / busy + rounds * 1024.0);
                        ranked.push((cost, s));
                    }
                }
            }
        }
    }
    ranked.sort_by(|(a, s), (b, t)| a.total_cmp(b).then_with(|| s.cmp(t)));
    ranked
        .into_iter()
        .map(|(_, s)| Schedule::SimtAttention(s))
        .collect()
}
