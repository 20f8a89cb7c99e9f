//! The schedules that a kernel may have on a device of many lanes.
//!
//! Sides are those that the matrix instructions divide; shared memory and registers have room for the tiles.

mod attention;
mod contract;
mod flat;
mod gemv;

use ir::{AttentionRows, DType, Kernel, Schedule, Simt, Skew, Target};
use passes::{KernelFamily, fits};

use super::{blocks, each, powers, side};
use crate::warpgroups;

/// How many of the choices are walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breadth {
    /// All.
    Full,
    /// Those that a model can tell apart; the others are at what usually is best.
    Modelled,
}

/// The legal schedules of a kernel of this family.
pub(super) fn of_kernel(
    kernel: &Kernel,
    family: &KernelFamily,
    target: &Target,
    simt: &Simt,
) -> Vec<Schedule> {
    let mut all = schedules(family, simt, Breadth::Full);
    // Whether tensor copies bring the operands does not depend on the tile, but on how they lie in memory.
    let first = all.iter().find(|s| warpgroups::is_by(s));
    if first.is_some_and(|s| passes::lower(kernel, s, target).is_err()) {
        all.retain(|s| !warpgroups::is_by(s));
    }
    all
}

/// Legal schedules of a family, in order.
pub(crate) fn schedules(family: &KernelFamily, simt: &Simt, breadth: Breadth) -> Vec<Schedule> {
    let mut all = match family {
        KernelFamily::Map { rows, columns } | KernelFamily::Scatter { rows, columns } => {
            flat::maps(*rows, *columns, breadth)
        }
        KernelFamily::Fold { columns, .. } => flat::folds(*columns, breadth),
        KernelFamily::Rows { rows, columns } => flat::rows(simt, *rows, *columns, breadth),
        KernelFamily::Contract { .. } => {
            let mut all = contract::schedules(family, simt, breadth);
            all.extend(gemv::schedules(family, simt));
            all
        }
        KernelFamily::Attention { .. } => attention::schedules(family, simt, breadth),
    };
    if breadth == Breadth::Full {
        // Those for warpgroups have a model of their own, by which some come first.
        all.extend(warpgroups::schedules(family, simt, breadth));
    }
    all.retain(|s| fits(family, s, simt));
    all
}

/// Positions of the matrix instructions for operands of this type; of those for f32 where there is none.
fn instructions(simt: &Simt, operands: DType) -> Vec<u32> {
    let of = |dtype| -> Vec<u32> {
        let all = simt.matrix.iter().enumerate();
        let fit = all.filter(|(_, i)| i.operands == dtype && i.accumulator == DType::F32);
        fit.map(|(at, _)| at as u32).collect()
    };
    let found = of(operands);
    if found.is_empty() {
        of(DType::F32)
    } else {
        found
    }
}

/// Tiles in shared memory at a time, for a loop of so many rounds.
fn stages(simt: &Simt, rounds: i64, most: u32) -> Vec<u32> {
    if !simt.asynchronous || rounds < 2 {
        return vec![1];
    }
    (1..=most.min(u32::try_from(rounds).unwrap_or(most) + 1)).collect()
}

/// Parts of a sum of so many rounds, where the grid without has so many blocks: enough to fill the device some times.
fn splits(simt: &Simt, blocks: i64, rounds: i64) -> Vec<u32> {
    const MOST: u32 = 64;
    const FULL: i64 = 4;
    let wanted = FULL * i64::from(simt.units) / blocks.max(1);
    let most = wanted.min(rounds).clamp(1, MOST.into()) as u32;
    powers(1, most)
}

/// Ways to lay out operands.
fn skews(breadth: Breadth) -> &'static [Skew] {
    match breadth {
        Breadth::Full => &[Skew::Pad, Skew::Swizzle],
        Breadth::Modelled => &[Skew::Pad],
    }
}

/// What rows of attention may be.
const ROWS: [AttentionRows; 2] = [AttentionRows::Queries, AttentionRows::Group];
