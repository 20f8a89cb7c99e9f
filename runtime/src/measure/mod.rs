//! Measures candidates for a kernel in a child process, each beside a baseline, and only after its numbers were found
//! right.
//!
//! A candidate is an ordinary artifact whose program runs one kernel (`docs/measuring.md`). All that may go wrong with
//! it is an [`Outcome`]: wrong numbers, no end, a crash. The [`Runner`] then starts a new child and goes on.

pub mod bundle;

mod compare;
mod contention;
mod frame;
mod job;
mod operands;
mod pairs;
mod prepared;
mod reference;
mod results;
mod runner;
mod serve;
mod statistics;

pub use compare::Compared;
pub(crate) use compare::{bound, relative_error};
pub(crate) use contention::Contention;
pub use job::{Candidate, Checked, Job, Limits, Measured, Outcome, Policy, Stage, Wrong};
pub use results::{Results, ResultsError, ResultsProblem};
pub use runner::{Runner, RunnerError};
pub use serve::{serve, serve_watched};
pub use statistics::{LEAST_PAIRS, Ratio, ratio};
