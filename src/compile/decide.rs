//! What a compile leaves open, and who decides it: which of equal graphs is run, and each kernel's schedule.

use std::cell::OnceCell;

use autotune::database::{Database, Place, Served, Workload};
use ir::{Graph, Kernel, Schedule, Target};
use passes::{LowerError, PlanError, Rewritten};
use runtime::measure::Ratio;

use super::{CompileError, CompileOptions};

/// Who decides what compiling leaves open.
pub trait Decide {
    /// The graph that is run on a target.
    ///
    /// # Errors
    /// What decides cannot be read, or says nothing.
    fn graph<'e>(
        &self,
        equal: &'e Equal<'_>,
        target: &Target,
    ) -> Result<&'e Rewritten, CompileError> {
        let _ = target;
        equal.first()
    }

    /// The schedule of a kernel on a target.
    ///
    /// # Errors
    /// What decides cannot be read, or says nothing.
    fn schedule(&self, kernel: &Kernel, target: &Target) -> Result<Decision, CompileError>;
}

/// A schedule, and why it is taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The schedule.
    pub schedule: Schedule,
    /// Why.
    pub source: Source,
}

/// Why a schedule is taken.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// The analytical model thinks it best.
    Default,
    /// Whoever compiles gives it.
    Given,
    /// A lock file says so.
    Locked,
    /// It was measured to be better than the default.
    Tuned {
        /// The trial.
        trial: String,
        /// What found its numbers right here.
        verified_by: String,
        /// Its time as a multiple of the default's.
        ratio: Ratio,
    },
    /// It was measured to be better than the default, of another workload or by another number of threads.
    Predicted {
        /// The trial.
        trial: String,
        /// What the other workload computes.
        of: String,
        /// Its time as a multiple of the default's, there.
        ratio: Ratio,
    },
}

impl Source {
    /// The word for it in listings.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Given => "given",
            Self::Locked => "locked",
            Self::Tuned { .. } => "tuned",
            Self::Predicted { .. } => "predicted",
        }
    }
}

/// A bound model's equal graphs, found when they are asked for.
pub struct Equal<'a> {
    bound: &'a Graph,
    options: &'a CompileOptions,
    first: OnceCell<Rewritten>,
    all: OnceCell<Vec<Rewritten>>,
}

impl<'a> Equal<'a> {
    pub(super) const fn new(bound: &'a Graph, options: &'a CompileOptions) -> Self {
        Self {
            bound,
            options,
            first: OnceCell::new(),
            all: OnceCell::new(),
        }
    }

    /// The best by the roofline.
    ///
    /// # Errors
    /// The graph cannot be rewritten or stored as asked.
    pub fn first(&self) -> Result<&Rewritten, CompileError> {
        if let Some(found) = self.first.get() {
            return Ok(found);
        }
        let found = stored(
            passes::rewrite(self.bound, &self.options.rewrite)?,
            self.options,
        )?;
        Ok(self.first.get_or_init(|| found))
    }

    /// All of them, distinct: [`Equal::first`] first.
    ///
    /// # Errors
    /// As [`Equal::first`].
    pub fn all(&self) -> Result<&[Rewritten], CompileError> {
        if let Some(found) = self.all.get() {
            return Ok(found);
        }
        let mut all = vec![self.first()?.clone()];
        for candidate in passes::candidates(self.bound, &self.options.rewrite)? {
            let candidate = stored(candidate, self.options)?;
            if all.iter().all(|known| known.graph != candidate.graph) {
                all.push(candidate);
            }
        }
        Ok(self.all.get_or_init(|| all))
    }
}

/// A rewritten graph as it is run: products that are too long split, values stored as asked.
fn stored(mut r: Rewritten, options: &CompileOptions) -> Result<Rewritten, CompileError> {
    (r.graph, r.rules) = passes::split_products(&r.graph, &r.rules).map_err(PlanError::from)?;
    (r.graph, r.rules) =
        passes::store_as(&r.graph, &r.rules, options.storage).map_err(PlanError::from)?;
    Ok(r)
}

/// What the analytical model thinks best.
pub struct Defaults;

impl Decide for Defaults {
    fn schedule(&self, kernel: &Kernel, target: &Target) -> Result<Decision, CompileError> {
        default(kernel, target)
    }
}

/// The default of a kernel.
pub(crate) fn default(kernel: &Kernel, target: &Target) -> Result<Decision, CompileError> {
    Ok(Decision {
        schedule: autotune::first_choice(kernel, target).map_err(PlanError::from)?,
        source: Source::Default,
    })
}

/// What a function says.
pub(super) struct Given<'a>(pub &'a Choose<'a>);

/// The schedule of a kernel on a target.
pub type Choose<'a> = dyn Fn(&Kernel, &Target) -> Result<Schedule, LowerError> + 'a;

impl Decide for Given<'_> {
    fn schedule(&self, kernel: &Kernel, target: &Target) -> Result<Decision, CompileError> {
        Ok(Decision {
            schedule: (self.0)(kernel, target).map_err(PlanError::from)?,
            source: Source::Given,
        })
    }
}

/// What a tuning database knows, and the defaults elsewhere.
pub struct FromDatabase<'a> {
    /// The database.
    pub database: &'a Database,
    /// Threads that will run it, on processors.
    pub threads: u32,
}

impl FromDatabase<'_> {
    /// The threads that trials for a target name.
    pub(crate) fn threads(&self, target: &Target) -> u32 {
        if target.simd().is_some() {
            self.threads
        } else {
            0
        }
    }
}

impl Decide for FromDatabase<'_> {
    fn graph<'e>(
        &self,
        equal: &'e Equal<'_>,
        target: &Target,
    ) -> Result<&'e Rewritten, CompileError> {
        super::graphs::choose(equal, target, self.database, self.threads(target))
    }

    fn schedule(&self, kernel: &Kernel, target: &Target) -> Result<Decision, CompileError> {
        let workload = Workload::of(kernel).map_err(PlanError::from)?;
        let place = Place::of(target);
        let threads = self.threads(target);
        let served = self
            .database
            .serve(kernel, &workload, target, &place, threads)?;
        Ok(match served {
            None => return default(kernel, target),
            Some(Served::Verified {
                trial,
                verification,
                ratio,
            }) => Decision {
                source: Source::Tuned {
                    trial: trial.id().0,
                    verified_by: verification.device,
                    ratio,
                },
                schedule: trial.schedule,
            },
            Some(Served::Predicted { trial, of, ratio }) => Decision {
                source: Source::Predicted {
                    trial: trial.id().0,
                    of: of.meaning,
                    ratio,
                },
                schedule: trial.schedule,
            },
        })
    }
}
