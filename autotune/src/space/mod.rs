//! The schedules that a kernel may have on a device of many lanes.
//!
//! A space holds legal schedules only: sides that the matrix instructions divide, tiles that shared memory and
//! registers have room for. What cannot fit is left out before anything is lowered. Their order is always the same, and
//! whoever samples or mutates stays inside.
//!
//! ```
//! # fn show(kernel: &ir::Kernel, target: &ir::Target) -> Result<(), passes::LowerError> {
//! let space = autotune::space(kernel, target)?;
//! println!("{} schedules", space.len());
//! let first = space.sample(1);
//! let near = space.mutate(first, 2);
//! # Ok(())
//! # }
//! ```

mod attention;
mod contract;
mod flat;
mod gemv;

use ir::{AttentionRows, DType, Kernel, Schedule, Simt, SimtContractSchedule, Skew, Target};
use passes::{KernelFamily, LowerError, family, fits};

use crate::warpgroups;

/// How many of the choices are walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breadth {
    /// All.
    Full,
    /// Those that a model can tell apart; the others are at what usually is best.
    Modelled,
}

/// The legal schedules of a kernel.
#[derive(Clone, Debug, Default)]
pub struct Space {
    schedules: Vec<Schedule>,
}

/// The legal schedules of `kernel` on `target`; none on devices that are not of many lanes.
///
/// # Errors
/// No template computes the kernel.
pub fn space(kernel: &Kernel, target: &Target) -> Result<Space, LowerError> {
    let family = family(kernel)?;
    let mut schedules = target
        .simt()
        .map_or_else(Vec::new, |simt| schedules(&family, simt, Breadth::Full));
    // Whether tensor copies bring the operands does not depend on the tile, but on how they lie in memory.
    let first = schedules.iter().find(|s| warpgroups::is_by(s));
    if first.is_some_and(|s| passes::lower(kernel, s, target).is_err()) {
        schedules.retain(|s| !warpgroups::is_by(s));
    }
    Ok(Space { schedules })
}

/// Legal schedules of a family, in order.
pub(crate) fn schedules(family: &KernelFamily, simt: &Simt, breadth: Breadth) -> Vec<Schedule> {
    let mut all = match family {
        KernelFamily::Map { rows, columns } => flat::maps(*rows, *columns, breadth),
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

impl Space {
    /// How many schedules there are.
    pub fn len(&self) -> usize {
        self.schedules.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.schedules.is_empty()
    }

    /// All schedules; the order is the same each time.
    pub fn iter(&self) -> impl Iterator<Item = &Schedule> {
        self.schedules.iter()
    }

    /// A schedule that `seed` picks.
    ///
    /// # Panics
    /// The space is empty.
    pub fn sample(&self, seed: u64) -> &Schedule {
        assert!(!self.is_empty(), "a space to sample from has schedules");
        &self.schedules[below(seed, self.schedules.len())]
    }

    /// A legal schedule that differs from `schedule` in one choice, picked by `seed`; the same one if none does.
    pub fn mutate(&self, schedule: &Schedule, seed: u64) -> Schedule {
        let own = choices(schedule);
        let near = |s: &&Schedule| {
            let other = choices(s);
            own.len() == other.len() && own.iter().zip(&other).filter(|(a, b)| a != b).count() == 1
        };
        let near: Vec<&Schedule> = self.schedules.iter().filter(near).collect();
        match near.len() {
            0 => schedule.clone(),
            n => near[below(seed, n)].clone(),
        }
    }
}

/// A number below `n`. SplitMix64: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators".
fn below(seed: u64, n: usize) -> usize {
    let x = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ x >> 31) % n as u64) as usize
}

/// A schedule as a list of numbers: its template, then each choice.
pub(crate) fn choices(schedule: &Schedule) -> Vec<u32> {
    let tile = |s: &SimtContractSchedule| {
        vec![
            s.block_rows,
            s.block_columns,
            s.block_depth,
            s.warp_rows,
            s.warp_columns,
            s.stages,
            s.instr,
            s.skew as u32,
            s.splits,
        ]
    };
    match schedule {
        Schedule::SimtMap(s) => vec![0, s.block_rows, s.block_columns, s.warps],
        Schedule::SimtRows(s) => vec![1, s.block_rows, s.block_columns, s.warps],
        Schedule::SimtContract(s) => [vec![2], tile(s)].concat(),
        Schedule::SimtStream(s) => [vec![5, s.blocks], tile(&s.tile)].concat(),
        Schedule::SimtGemv(s) => vec![
            3,
            s.block_rows,
            s.block_columns,
            s.block_depth,
            s.warps,
            s.splits,
        ],
        Schedule::SimtAttention(s) => vec![
            4,
            s.block_queries,
            s.block_keys,
            s.block_depth,
            s.block_columns,
            s.warp_rows,
            s.warp_columns,
            s.stages,
            s.instr,
            s.skew as u32,
            s.rows as u32,
            s.splits,
        ],
        Schedule::WarpgroupContract(s) => vec![
            6,
            s.block_rows,
            s.block_columns,
            s.block_depth,
            s.stages,
            s.group,
        ],
        Schedule::WarpgroupAttention(s) => vec![
            7,
            s.block_queries,
            s.block_keys,
            s.block_depth,
            s.block_columns,
            s.stages,
            s.scores as u32,
            s.group,
        ],
        _ => vec![],
    }
}

/// Schedules with each of their choices of one number in turn.
fn each<S: Copy>(
    some: Vec<S>,
    choices: impl Fn(&S) -> Vec<u32>,
    set: impl Fn(&mut S, u32),
) -> Vec<S> {
    let of = |s: S| {
        let all = choices(&s).into_iter();
        all.map(|choice| {
            let mut next = s;
            set(&mut next, choice);
            next
        })
        .collect::<Vec<S>>()
    };
    some.into_iter().flat_map(of).collect()
}

/// The power of two that covers `size`, at most `most`.
pub(crate) fn side(size: i64, most: u32) -> u32 {
    let covering = (size.max(1) as u64).next_power_of_two();
    covering.min(most.into()) as u32
}

/// Powers of two from `first` to `last`.
pub(crate) fn powers(first: u32, last: u32) -> Vec<u32> {
    let next = move |n: &u32| (*n < last).then_some(n * 2);
    std::iter::successors((first <= last).then_some(first), next).collect()
}

/// Blocks of `block` that cover `size`.
pub(crate) fn blocks(size: i64, block: u32) -> i64 {
    (size.max(1) as u64).div_ceil(block.into()) as i64
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
