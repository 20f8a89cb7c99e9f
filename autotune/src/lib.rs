//! Chooses schedules, so that a kernel is fast on a target.
//!
//! This crate knows families of kernels and numbers of targets; it never looks at an op's name.

pub mod database;
pub mod report;

mod first;
mod simt;
mod space;
mod tensor;
mod warpgroups;

pub use first::first_choice;
pub use space::{Space, space};
