//! Tile and lane programs to code, and the targets it is made for.
//!
//! Code is made from [`ir::tile::Program`]s and [`ir::lane::Program`]s alone: this crate never sees a graph, a schedule or
//! a device. One folder holds each kind of target, and its targets as data.
//!
//! ```
//! let target = backends::resolve("cpu:x86-64-v3")?;
//! assert!(backends::targets().contains(&target));
//! # Ok::<(), backends::TargetError>(())
//! ```

pub mod ascend;
pub mod cpu;
pub mod cuda;
pub mod opencl;
pub mod rocm;
pub mod simt;
pub mod spirv;

mod accept;
mod devices;
mod failure;
mod linear;
mod link;
mod mlir;
mod resolve;
mod span;
mod worker;

pub use accept::{CodeKind, accepts, code_kind, toolchain};
pub use devices::{UnknownDevice, device, devices, devices_of};
pub use resolve::{TargetError, resolve, targets};
