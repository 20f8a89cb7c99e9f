//! The schedules that a kernel may have on a target.
//!
//! A space holds legal schedules only: tiles that registers, caches and the memories of the chip have room for. What
//! cannot fit is left out before anything is lowered. Their order is always the same, and whoever samples or mutates
//! stays inside. The [first choice](crate::first_choice) is one of them.
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

mod choices;
pub(crate) mod simd;
mod simt;

use std::collections::{BTreeMap, BTreeSet};

use ir::{Form, Kernel, Schedule, Target};
use passes::{LowerError, family};

pub(crate) use choices::choices;
pub(crate) use simt::{Breadth, schedules};

/// The legal schedules of a kernel.
#[derive(Clone, Debug, Default)]
pub struct Space {
    schedules: Vec<Schedule>,
    /// Where each is, by its choices.
    places: BTreeMap<Vec<u32>, usize>,
    /// What each choice may be, somewhere in the space.
    values: Vec<BTreeSet<u32>>,
}

/// The legal schedules of `kernel` on `target`.
///
/// # Errors
/// No template computes the kernel.
pub fn space(kernel: &Kernel, target: &Target) -> Result<Space, LowerError> {
    let family = family(kernel)?;
    let mut all = match &target.form {
        Form::Simd(simd) => simd::schedules(&family, simd),
        Form::Simt(simt) => simt::of_kernel(kernel, &family, target, simt),
        Form::Tensor(core) => crate::tensor::legal(kernel, target, core)?,
    };
    if let Ok(first) = crate::first_choice(kernel, target)
        && !all.contains(&first)
    {
        all.push(first);
    }
    Ok(Space::new(all))
}

impl Space {
    fn new(schedules: Vec<Schedule>) -> Self {
        let mut places = BTreeMap::new();
        let mut values: Vec<BTreeSet<u32>> = vec![];
        for (place, schedule) in schedules.iter().enumerate() {
            let own = choices(schedule);
            values.resize(values.len().max(own.len()), BTreeSet::new());
            for (all, choice) in values.iter_mut().zip(&own) {
                all.insert(*choice);
            }
            places.insert(own, place);
        }
        Self {
            schedules,
            places,
            values,
        }
    }

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

    /// Whether a schedule is one of them.
    pub fn contains(&self, schedule: &Schedule) -> bool {
        let place = self.places.get(&choices(schedule));
        place.is_some_and(|at| self.schedules[*at] == *schedule)
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
        let mut near = choices(schedule);
        let mut found: Vec<usize> = vec![];
        for (at, values) in self.values.iter().enumerate().take(near.len()) {
            let own = near[at];
            for value in values.iter().filter(|value| **value != own) {
                near[at] = *value;
                found.extend(self.places.get(&near));
            }
            near[at] = own;
        }
        // In the order of the space, so that the same seed picks the same one whatever the choices are called.
        found.sort_unstable();
        match found.len() {
            0 => schedule.clone(),
            n => self.schedules[found[below(seed, n)]].clone(),
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

/// Schedules with each of what one choice may be in turn.
fn each<S: Clone, T>(
    some: Vec<S>,
    choices: impl Fn(&S) -> Vec<T>,
    set: impl Fn(&mut S, T),
) -> Vec<S> {
    let of = |s: S| {
        let all = choices(&s).into_iter();
        all.map(|choice| {
            let mut next = s.clone();
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
