//! What kernels cost: measured where the database knows them, estimated elsewhere, so that both can be added.
//!
//! An estimate is the roofline's time, times what kernels of the family took as a multiple of theirs: the same
//! target, toolchain and number of threads, the nearest sizes.

use std::{collections::BTreeMap, time::Duration};

use ir::{AtRoofline, Bytes, Flops, Kernel, KernelCost, Target};

use crate::database::{Database, DatabaseError, Place, Timed, Workload, distance, median};

/// Measured kernels that an estimate looks at.
const NEAREST: usize = 5;

/// The costs of kernels on one target, by a number of threads.
#[derive(Clone, Debug)]
pub struct Measured {
    target: String,
    /// By what they compute.
    known: BTreeMap<String, Timed>,
}

/// The time of a kernel, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KernelTime {
    /// What it probably takes.
    pub seconds: f64,
    /// What it takes if it is as far from its roofline as any of those that the estimate looks at; the same if it
    /// was measured.
    pub cautious_s: f64,
    /// Whether it was measured.
    pub is_measured: bool,
}

impl Measured {
    /// What a database knows of a target; `threads` is 0 for devices that count none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of_database(
        database: &Database,
        target: &Target,
        threads: u32,
    ) -> Result<Self, DatabaseError> {
        let times = database.times(&Place::of(target), threads)?.into_iter();
        Ok(Self {
            target: target.name.clone(),
            known: times.map(|t| (t.workload.meaning.clone(), t)).collect(),
        })
    }

    /// Whether no kernel was measured.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The time of a kernel on the target.
    pub fn of(&self, kernel: &Kernel, target: &Target) -> KernelTime {
        let floor = AtRoofline.time(kernel, target).as_secs_f64();
        let estimate = |factor: f64, cautious: f64| KernelTime {
            seconds: floor * factor,
            cautious_s: floor * cautious,
            is_measured: false,
        };
        // What no family computes is not launched; and another target's times say nothing.
        let workload = Workload::of(kernel).ok();
        let Some(workload) = workload.filter(|_| target.name == self.target) else {
            return estimate(1.0, 1.0);
        };
        if let Some(timed) = self.known.get(&workload.meaning) {
            return KernelTime {
                seconds: timed.served_s,
                cautious_s: timed.served_s,
                is_measured: true,
            };
        }
        let factors = self.factors(&workload, target);
        let (Some(middle), Some(most)) = (
            median(&factors),
            factors.iter().copied().max_by(f64::total_cmp),
        ) else {
            return estimate(1.0, 1.0);
        };
        estimate(middle, most)
    }

    /// How many times their roofline's time the defaults of the nearest measured kernels took: of the family, or of all if
    /// none of it was measured.
    fn factors(&self, workload: &Workload, target: &Target) -> Vec<f64> {
        let own = |t: &&Timed| t.workload.family == workload.family;
        let mut near: Vec<&Timed> = self.known.values().filter(own).collect();
        if near.is_empty() {
            near = self.known.values().collect();
        } else {
            near.sort_by(|a, b| {
                let order = |t: &Timed| distance(&t.workload, workload);
                let by_name = || a.workload.meaning.cmp(&b.workload.meaning);
                order(a).total_cmp(&order(b)).then_with(by_name)
            });
            near.truncate(NEAREST);
        }
        let factor = |t: &Timed| t.default_s / floor(t.workload.flops, t.workload.bytes, target);
        near.into_iter().map(factor).collect()
    }
}

impl KernelCost for Measured {
    fn time(&self, kernel: &Kernel, target: &Target) -> Duration {
        let seconds = self.of(kernel, target).seconds;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

/// What [`AtRoofline`] says of a kernel of so much work.
fn floor(flops: Flops, bytes: Bytes, target: &Target) -> f64 {
    target.roofline.floor_seconds(flops, bytes) + target.roofline.dispatch_seconds
}
