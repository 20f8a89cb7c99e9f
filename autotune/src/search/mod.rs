//! Which schedules of a kernel to measure next.
//!
//! A search proposes schedules of a space and is told what came of them. What it proposes next follows from its seed and
//! from all that it was told, in whatever order and portions: told the records of a database, it goes on where another one
//! stopped.
//!
//! ```
//! # fn show(kernel: &ir::Kernel, target: &ir::Target, time: impl Fn(&ir::Schedule) -> f64) -> Result<(), passes::LowerError> {
//! use autotune::{Search, Seen};
//! let (space, default) = (autotune::space(kernel, target)?, autotune::first_choice(kernel, target)?);
//! let mut search = Search::new(kernel, target, space, default, 1, None);
//! while search.expected_gain() > 0.01 {
//!     let some = search.propose(8);
//!     let ratio = |s: &ir::Schedule| Some(time(s) / time(search.default()));
//!     let seen = some.iter().map(|s| Seen { schedule: s.clone(), ratio: ratio(s) });
//!     let seen: Vec<Seen> = seen.collect();
//!     search.tell(&seen);
//! }
//! # Ok(())
//! # }
//! ```

mod evolution;
mod known;
mod random;

use std::collections::BTreeSet;

use ir::{Kernel, Schedule, Target};

use crate::{
    model::{CostModel, Example},
    random::Draw,
    space::Space,
};
pub use known::Known;

/// What came of a schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The schedule.
    pub schedule: Schedule,
    /// Its time over that of the default schedule, measured in turn; none if it gave no right result in time.
    pub ratio: Option<f64>,
}

/// A way to search.
pub trait Strategy: Sync {
    /// As spelled on the command line.
    fn name(&self) -> &'static str;

    /// Schedules to try next, the best first: legal ones that were not tried.
    fn rank(&self, known: &mut Known, draw: &mut Draw) -> Vec<Schedule>;
}

/// All ways to search; the first is the usual one.
pub const STRATEGIES: &[&dyn Strategy] = &[&evolution::Evolution, &random::Random];

/// A search for the fastest schedule of one kernel.
pub struct Search {
    known: Known,
    strategy: &'static dyn Strategy,
    seed: u64,
    /// Proposed, and nothing told of them yet.
    pending: BTreeSet<Schedule>,
    /// What to propose next, the best first.
    ahead: Vec<Schedule>,
}

impl Search {
    /// A search by the usual strategy that has seen nothing. `model` is what other kernels taught.
    pub fn new(
        kernel: &Kernel,
        target: &Target,
        space: Space,
        default: Schedule,
        seed: u64,
        model: Option<&CostModel>,
    ) -> Self {
        Self {
            known: Known::new(kernel, target, space, default, seed, model),
            strategy: STRATEGIES[0],
            seed,
            pending: BTreeSet::new(),
            ahead: vec![],
        }
    }

    /// The same search by another strategy.
    #[must_use]
    pub fn by(mut self, strategy: &'static dyn Strategy) -> Self {
        self.strategy = strategy;
        self.ahead.clear();
        self
    }

    /// The schedule that all others are compared with.
    pub fn default(&self) -> &Schedule {
        self.known.default()
    }

    /// Up to `n` schedules to measure: legal ones, each proposed once, the default first. Empty if there are no more.
    pub fn propose(&mut self, n: usize) -> Vec<Schedule> {
        let mut some = vec![];
        let default = self.known.default().clone();
        self.take(vec![default], n, &mut some);
        let ahead = std::mem::take(&mut self.ahead);
        self.take(ahead, n, &mut some);
        if some.len() < n {
            self.rank();
            let ahead = std::mem::take(&mut self.ahead);
            self.take(ahead, n, &mut some);
        }
        if some.len() < n {
            let rest = self.known.untried();
            self.take(rest, n, &mut some);
        }
        some
    }

    /// Moves schedules that were not proposed to `some`, until it has `n`; keeps the others for later.
    fn take(&mut self, from: Vec<Schedule>, n: usize, some: &mut Vec<Schedule>) {
        let mut from = from.into_iter();
        while some.len() < n {
            let Some(schedule) = from.next() else { return };
            if !self.known.tried(&schedule) && self.pending.insert(schedule.clone()) {
                some.push(schedule);
            }
        }
        self.ahead.extend(from);
    }

    /// Learns what came of schedules, whether they were proposed or not; of several records of one the last counts.
    pub fn tell(&mut self, seen: &[Seen]) {
        for Seen { schedule, ratio } in seen {
            self.pending.remove(schedule);
            self.known.add(schedule.clone(), *ratio);
        }
        if !seen.is_empty() {
            self.known.learn();
            self.rank();
        }
    }

    fn rank(&mut self) {
        // Not by what is pending, which a search that goes on does not know.
        let mut draw = Draw::new(self.seed ^ (self.known.count() as u64).rotate_left(32));
        self.ahead = self.strategy.rank(&mut self.known, &mut draw);
    }

    /// The part of the best time so far that the best untried schedule is expected to save, from 0 to 1. Unseen kernels
    /// may save all; 0 if nothing is left to try.
    pub fn expected_gain(&self) -> f64 {
        let left = self.ahead.iter().filter(|s| !self.pending.contains(s));
        self.known.expected_gain(left)
    }

    /// The fastest schedule seen and its ratio; the default one with a ratio of 1 if none was faster.
    pub fn best(&self) -> (&Schedule, f64) {
        self.known.best()
    }

    /// What was learned of the kernel, for models of others. `task` distinguishes it.
    pub fn examples(&self, task: &str) -> Vec<Example> {
        self.known.examples(task)
    }
}
