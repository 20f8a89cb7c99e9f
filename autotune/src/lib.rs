//! Chooses schedules, so that a kernel is fast on a target.
//!
//! This crate knows families of kernels and numbers of targets; it never looks at an op's name.

mod first;
mod floor;
mod simt;
mod space;

pub use first::first_choice;
pub use floor::floor_seconds;
pub use space::{Space, space};
