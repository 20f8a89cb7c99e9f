//! From a graph to tile programs: rewriting, grouping into kernels, layout, memory.
//!
//! Passes are pure: values in, values out; no files, clocks or devices, and no code generator.

mod family;
mod layout;
mod lower;
mod nest;

pub use layout::Layout;
pub use lower::{KernelFamily, LowerError, Lowered, family, lower};
