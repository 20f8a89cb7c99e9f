//! The schedule that the analytical model thinks best: what a kernel gets before anything was measured.

mod contract;

use ir::{AttentionSchedule, Form, Kernel, Schedule, Simd, Target};
use passes::{KernelFamily, LowerError, family};

use crate::space::simd::schedules;

/// Blocks that a launch should have at least, so that a few threads end at about the same time.
const BLOCKS: i64 = 16;

/// Elements that a block of a map should have, so that taking it costs little beside computing it.
const MAP_BLOCK: u32 = 4096;

/// The first schedule for `kernel`.
///
/// # Errors
/// No template computes the kernel.
pub fn first_choice(kernel: &Kernel, target: &Target) -> Result<Schedule, LowerError> {
    match &target.form {
        Form::Simd(simd) => {
            let best = choose(&family(kernel)?, simd, &|_| true);
            Ok(best.expect("every family has a schedule"))
        }
        Form::Simt(simt) => crate::simt::choose(kernel, target, simt),
        Form::Tensor(core) => crate::tensor::choose(kernel, target, core),
    }
}

/// The first schedule of those that `fits` lets through, on a processor.
///
/// # Errors
/// No template computes the kernel.
pub fn first_choice_among(
    kernel: &Kernel,
    target: &Target,
    fits: &dyn Fn(&Schedule) -> bool,
) -> Result<Option<Schedule>, LowerError> {
    match &target.form {
        Form::Simd(simd) => Ok(choose(&family(kernel)?, simd, fits)),
        _ => Ok(None),
    }
}

/// Cycles by which schedules of a family are ranked, where there is a count of them.
pub(crate) fn cycles(simd: &Simd, family: &KernelFamily, schedule: &Schedule) -> Option<f64> {
    match (family, schedule) {
        (KernelFamily::Contract { .. }, Schedule::Contract(s)) => {
            Some(contract::cycles(simd, family, s))
        }
        _ => None,
    }
}

/// The schedule of the space that costs least, or is nearest to what is usual, of those that `fits` lets through.
fn choose(
    family: &KernelFamily,
    simd: &Simd,
    fits: &dyn Fn(&Schedule) -> bool,
) -> Option<Schedule> {
    let vector = (simd.vector.0 / 4) as u32;
    let all = schedules(family, simd);
    let cost = |schedule: &&Schedule| match (*family, schedule) {
        (
            KernelFamily::Map { .. } | KernelFamily::Fold { .. } | KernelFamily::Scatter { .. },
            Schedule::Map(s),
        ) => apart(&[(s.block, MAP_BLOCK), (s.lanes, 4 * vector)]),
        (KernelFamily::Rows { rows, .. }, Schedule::Rows(s)) => {
            let block = (rows / BLOCKS).clamp(1, 32) as u32;
            apart(&[(s.block, block), (s.lanes, 4 * vector)])
        }
        (contraction @ KernelFamily::Contract { .. }, Schedule::Contract(s)) => {
            contract::cycles(simd, &contraction, s)
        }
        (attention @ KernelFamily::Attention { .. }, Schedule::Attention(s)) => {
            let usual = usual(simd, &attention);
            apart(&[
                (s.rows, usual.rows),
                (s.lanes, usual.lanes),
                (s.block_queries, usual.block_queries),
                (s.unroll, usual.unroll),
            ])
        }
        _ => unreachable!("a space has schedules of the kernel's family"),
    };
    let ranked = all.iter().filter(|s| fits(s)).map(|s| (cost(&s), s));
    // The first of equals: the one with the shortest code.
    let best = ranked.min_by(|(a, _), (b, _)| a.total_cmp(b));
    best.map(|(_, schedule)| schedule.clone())
}

/// How far numbers are from those wanted: factors between them, the first weighing most.
fn apart(pairs: &[(u32, u32)]) -> f64 {
    let factor = |(found, wanted): &(u32, u32)| (f64::from(*found) / f64::from(*wanted)).ln().abs();
    let weighed = pairs.iter().rev().enumerate();
    weighed
        .map(|(at, pair)| 8f64.powi(at as i32) * factor(pair))
        .sum()
}

/// Attention as it usually is cut.
fn usual(simd: &Simd, attention: &KernelFamily) -> AttentionSchedule {
    let KernelFamily::Attention {
        heads,
        queries,
        depth,
        ..
    } = *attention
    else {
        unreachable!("the caller looked")
    };
    let lanes = (simd.vector.0 / 4) as i64;
    let (tile, lanes) = contract::tile(simd, queries, 2 * lanes, depth);
    let parts = (BLOCKS as u64).div_ceil(heads as u64) as i64;
    let block = (queries as u64).div_ceil(parts as u64).max(1);
    AttentionSchedule {
        rows: tile,
        lanes,
        unroll: 4,
        block_queries: block.next_multiple_of(tile.into()) as u32,
    }
}
