//! From a graph to tile and lane programs: rewriting, grouping into kernels, layout, memory.
//!
//! Passes are pure: values in, values out; no files, clocks or devices, and no code generator.

mod alone;
mod cost;
pub mod egraph;
mod extract;
mod family;
mod group;
mod lower;
mod memory;
mod nest;
mod pad;
mod plan;
pub mod prove;
mod rewrite;
mod roll;
pub mod rules;
mod split;
mod spread;
mod store;

pub use alone::{Alone, plan_alone};
pub use group::{GroupError, Groups, Launch, group};
pub use ir::Layout;
pub use lower::{KernelFamily, Lines, LowerError, Lowered, Lowering, family, fits, lower};
pub use memory::{ALIGNMENT, Lifetime, place};
pub use pad::{PadError, PadReason, pad, size_input};
pub use plan::{Place, Plan, PlanError, PlannedKernel, Step, launches, plan};
pub use rewrite::{Layers, RewriteOptions, Rewritten, candidates, rewrite, saturate};
pub use split::split_products;
pub use spread::{Spread, SpreadError, spread};
pub use store::{Storage, store_as};
