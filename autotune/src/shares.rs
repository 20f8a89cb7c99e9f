//! Which kernel of a model gets the next trials, and when to stop.
//!
//! A trial is worth what it is expected to save of a run: calls times best time times expected gain. That is the gradient
//! of the run's time by trials, as in Ansor (Zheng and others 2020, arXiv:2006.06762, section 6), with the search's own
//! expectation in place of a guess from its past.

use std::time::Duration;

/// What is known of one kernel while a model is tuned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// How often a run calls it.
    pub calls: u64,
    /// Seconds of its best schedule so far.
    pub best_s: f64,
    /// The part of that which the best untried schedule is expected to save; [`crate::Search::expected_gain`].
    pub gain: f64,
    /// Trials so far.
    pub trials: u64,
    /// Whether its search has nothing more to propose.
    pub exhausted: bool,
}

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Trials of all kernels.
    pub trials: Option<u64>,
    /// Since the start.
    pub time: Option<Duration>,
    /// Stop where all kernels together are expected to save less than this part of a run.
    pub gain: f64,
    /// Trials that each kernel has before any has more.
    pub first: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            trials: None,
            time: None,
            gain: 0.0,
            first: 8,
        }
    }
}

/// Why no kernel gets more trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// There were as many trials as were asked for.
    Trials,
    /// The time is over.
    Time,
    /// Nothing that is worth it is expected.
    Gain,
    /// All schedules were tried.
    Exhausted,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Trials of the kernel at this position.
    Task(usize),
    /// None.
    Stop(Stop),
}

impl Share {
    /// Seconds of a run that its next trial is expected to save.
    pub fn saving_s(&self) -> f64 {
        let saving = self.calls as f64 * self.best_s * self.gain;
        if saving.is_finite() {
            saving.max(0.0)
        } else {
            0.0
        }
    }
}

/// The kernel that gets the next trials, after so much time: those with the fewest until each had its first round, then the
/// one that saves most.
pub fn next_task(shares: &[Share], elapsed: Duration, limits: &Limits) -> Next {
    let trials: u64 = shares.iter().map(|s| s.trials).sum();
    if limits.trials.is_some_and(|most| trials >= most) {
        return Next::Stop(Stop::Trials);
    }
    if limits.time.is_some_and(|most| elapsed >= most) {
        return Next::Stop(Stop::Time);
    }
    let open = shares.iter().enumerate().filter(|(_, s)| !s.exhausted);
    let first = open.clone().filter(|(_, s)| s.trials < limits.first);
    if let Some((at, _)) = first.min_by_key(|(_, s)| s.trials) {
        return Next::Task(at);
    }
    let run: f64 = shares.iter().map(|s| s.calls as f64 * s.best_s).sum();
    let saved: f64 = open.clone().map(|(_, s)| s.saving_s()).sum();
    // Of equal ones the first: `max_by` would take the last.
    match open
        .rev()
        .max_by(|a, b| a.1.saving_s().total_cmp(&b.1.saving_s()))
    {
        None => Next::Stop(Stop::Exhausted),
        Some(_) if saved < limits.gain * run => Next::Stop(Stop::Gain),
        Some((at, _)) => Next::Task(at),
    }
}
