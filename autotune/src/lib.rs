//! Chooses schedules, so that a kernel is fast on a target.
//!
//! This crate knows families of kernels and numbers of targets; it never looks at an op's name.

pub mod database;
pub mod features;
pub mod model;
pub mod report;
pub mod tune;

mod cost;
mod first;
mod random;
mod search;
mod shares;
mod simt;
mod space;
mod tensor;
mod warpgroups;

pub use cost::{KernelTime, Measured};
pub use first::{first_choice, first_choice_among};
pub use model::CostModel;
pub use random::Draw;
pub use search::{Known, STRATEGIES, Search, Seen, Strategy};
pub use shares::{Limits, Next, Share, Stop, next_task};
pub use space::{Space, space};
