//! What tuning has found out, kept and shared: facts about schedules, in one SQLite file.
//!
//! A *workload* is a kernel with its sizes. A *trial* is a fact: one schedule of one workload on one target, with what
//! came of it; facts are added, never changed, and named by their content, so that databases are merged by union. A
//! *verification* says that this toolchain made the trial's kernel again, here, and found its numbers right: only
//! such trials are served. Verifications are local; in an export they are claims. *Plans* are facts about parallel
//! schedules of whole models.
//!
//! Several processes may write to one file at a time; what was committed survives the end of any of them.

mod describe;
mod error;
mod exchange;
mod legal;
mod merge;
mod query;
mod record;
mod schema;
mod serve;
mod stats;
mod store;

pub use error::DatabaseError;
pub use exchange::{Format, Import, Refused};
pub use legal::has_program;
pub use merge::{Difference, Merged};
pub use record::{
    Id, Origin, Outcome, Place, Plan, Trial, Verification, Workload, meaning, median,
};
pub(crate) use serve::distance;
pub use serve::{CAREFUL, Served, Timed};
pub use stats::Stats;
pub use store::{Access, Database, Kept};
