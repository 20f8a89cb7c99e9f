//! Numbers by which a learned model tells schedules apart.
//!
//! They are counted from the tile program, and on devices of many lanes from the lane program, without running the kernel:
//! what is computed and moved for each result, what loops touch against what caches hold, registers against those there
//! are, blocks against units. Most are logarithms of ratios, so that what was learned of one shape holds for others; and
//! each stands there twice, as it is and less that of the kernel's default schedule, since times are learned relative to
//! the default's.
//!
//! ```
//! # fn show(kernel: &ir::Kernel, target: &ir::Target) -> Result<(), passes::LowerError> {
//! let default = autotune::first_choice(kernel, target)?;
//! let extractor = autotune::features::Extractor::new(kernel, target, &default)?;
//! let features = extractor.extract(&default)?;
//! for (name, value) in extractor.names().zip(features.values()) {
//!     println!("{name:40} {value}");
//! }
//! # Ok(())
//! # }
//! ```

mod counted;
mod lanes;
mod list;
mod walk;

use ir::{Kernel, Schedule, Target};
use passes::{KernelFamily, LowerError};

use counted::{Counted, Work};
use list::FEATURES;

/// Features of one schedule of one kernel, in the order of [`Extractor::names`].
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    values: Vec<f32>,
    /// Seconds on one unit of the target by a model of its caches and registers; only their order means something.
    estimate: f64,
}

impl Features {
    /// One number for each name; all are finite.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Seconds by an analytical model of the target; only their order means something.
    pub fn estimate(&self) -> f64 {
        self.estimate
    }
}

/// Makes features of the schedules of one kernel on one target.
#[derive(Clone, Debug)]
pub struct Extractor {
    kernel: Kernel,
    target: Target,
    family: KernelFamily,
    work: Work,
    default: Vec<f32>,
}

impl Extractor {
    /// For schedules that are compared with `default`.
    ///
    /// # Errors
    /// No template computes the kernel, or not by `default`.
    pub fn new(kernel: &Kernel, target: &Target, default: &Schedule) -> Result<Self, LowerError> {
        let mut extractor = Self {
            kernel: kernel.clone(),
            target: target.clone(),
            family: passes::family(kernel)?,
            work: Work::of(kernel),
            default: vec![],
        };
        extractor.default = extractor.plain(default)?.1;
        Ok(extractor)
    }

    /// What the features are called.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let own = FEATURES.iter().map(|f| f.name.to_owned());
        let beside = FEATURES.iter().map(|f| format!("{} / default", f.name));
        own.chain(beside)
    }

    /// The features of a schedule.
    ///
    /// # Errors
    /// It is for another template, or does not fit.
    pub fn extract(&self, schedule: &Schedule) -> Result<Features, LowerError> {
        let (estimate, mut values) = self.plain(schedule)?;
        let beside = values.iter().zip(&self.default).map(|(x, d)| x - d);
        let beside: Vec<f32> = beside.collect();
        values.extend(beside);
        Ok(Features { values, estimate })
    }

    /// The estimate, and the features as they are.
    fn plain(&self, schedule: &Schedule) -> Result<(f64, Vec<f32>), LowerError> {
        let lowered = passes::lower(&self.kernel, schedule, &self.target)?;
        let counted = Counted::new(&lowered, &self.target, &self.family, &self.work, schedule);
        let values = FEATURES.iter().map(|f| (f.value)(&counted) as f32);
        let finite = values.map(|x| if x.is_finite() { x } else { 0.0 });
        Ok((counted.estimate(), finite.collect()))
    }
}
