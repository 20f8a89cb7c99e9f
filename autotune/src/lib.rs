//! Chooses schedules, so that a kernel is fast on a target.
//!
//! This crate knows families of kernels and numbers of targets; it never looks at an op's name.

pub mod database;

mod first;
mod simt;
mod space;
mod tensor;
pub mod tune;
mod warpgroups;

pub use first::first_choice;
pub use space::{Space, space};
