//! What a report shows, as plain data.

use std::collections::BTreeMap;

use ir::{Bytes, Floor, Flops};
use serde::{Deserialize, Serialize};

use crate::database::Outcome;

/// What was tuned, where, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Data {
    /// The model's name, or that of the database.
    pub model: String,
    /// The target, as spelled on the command line.
    pub target: String,
    /// The device, with its driver.
    pub device: String,
    /// Threads that ran the kernels; 0 for a device that counts none.
    pub threads: u32,
    /// The tools that made the code, with their versions.
    pub toolchain: String,
    /// Seeds of the searches.
    pub seeds: Vec<u64>,
    /// What the device can do at most; none if nothing is known of it.
    pub roof: Option<Roof>,
    /// A run of the whole model, measured; none if it was not.
    pub total: Option<Total>,
    /// The kernels.
    pub tasks: Vec<Task>,
    /// What a reader must know beside, a sentence each.
    pub notes: Vec<String>,
}

/// Rates of a device: all its units together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Roof {
    /// What the device is, and where the rates are from.
    pub words: String,
    /// Operations per second, by what operates.
    pub ceilings: Vec<Ceiling>,
    /// Bytes of memory read or written per second.
    pub bytes_per_second: f64,
}

/// A rate that no kernel of its kind exceeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ceiling {
    /// What operates, such as `f16 products`.
    pub words: String,
    /// Operations per second.
    pub flops_per_second: f64,
}

/// A run of the whole model with default schedules, and with those that were found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Total {
    /// Seconds of a run before.
    pub before_s: f64,
    /// Seconds of a run after.
    pub after_s: f64,
    /// After over before, measured in turn.
    pub ratio: Ratio,
    /// How many pairs of runs were measured.
    pub rounds: u32,
}

/// A ratio of times measured in turn, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// The ratio.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// A kernel, and what was tried for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Its name.
    pub name: String,
    /// The family that computes it, such as `contract`.
    pub family: String,
    /// Sizes that its family names.
    pub sizes: BTreeMap<String, i64>,
    /// Calls in a run of the model; none if no model is known.
    pub calls: Option<u64>,
    /// Floating-point operations of a call.
    pub flops: Flops,
    /// Bytes that a call must read and write.
    pub bytes: Bytes,
    /// Seconds of a call by the default schedule; none if that was not measured.
    pub default_s: Option<f64>,
    /// The least time of a call.
    pub floor: Option<Floor>,
    /// What is used instead of the default; none if the default stays.
    pub best: Option<Best>,
    /// What was tried, in order.
    pub trials: Vec<Trial>,
}

/// A schedule that is used instead of the default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// The schedule, in words.
    pub schedule: String,
    /// Its time over the default's.
    pub ratio: Ratio,
}

/// A schedule that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Its place among all trials of the report.
    pub order: u64,
    /// The schedule, in words.
    pub schedule: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, if it is not right.
    pub reason: Option<String>,
    /// Seconds of a call, the median.
    pub seconds: Option<f64>,
    /// Its time over the default's, measured in turn.
    pub ratio: Option<f64>,
    /// Seed of the search that proposed it.
    pub seed: u64,
}

impl Task {
    /// Seconds of a call with what is used now.
    pub fn used_s(&self) -> Option<f64> {
        let default = positive(self.default_s)?;
        let ratio = self.best.as_ref().map_or(1.0, |b| b.ratio.value);
        positive(Some(default * ratio))
    }

    /// Seconds of a run before and after.
    pub(super) fn in_run(&self) -> Option<[f64; 2]> {
        let calls = self.calls? as f64;
        Some([calls * positive(self.default_s)?, calls * self.used_s()?])
    }

    /// Operations per byte; none for a kernel without arithmetic.
    pub(super) fn intensity(&self) -> Option<f64> {
        positive(Some(self.flops.0 as f64 / self.bytes.0 as f64))
    }

    /// How many trials came to this.
    pub(super) fn count(&self, outcome: Outcome) -> usize {
        self.trials.iter().filter(|t| t.outcome == outcome).count()
    }
}

impl Trial {
    /// The time over the default's, if the numbers were right.
    pub(super) fn relative(&self, default_s: Option<f64>) -> Option<f64> {
        if self.outcome != Outcome::Ok {
            return None;
        }
        let by_time = || Some(positive(self.seconds)? / positive(default_s)?);
        positive(self.ratio).or_else(by_time)
    }
}

/// What no broken record can make other than a number above 0.
pub(super) fn positive(x: Option<f64>) -> Option<f64> {
    x.filter(|x| x.is_finite() && *x > 0.0)
}
