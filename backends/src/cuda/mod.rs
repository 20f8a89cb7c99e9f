//! NVIDIA's devices: lane programs to PTX, and to cubins where `ptxas` is here.

mod assemble;
mod bulk;
pub(crate) mod devices;
mod dialect;
mod matrix;
pub(crate) mod targets;
mod warpgroup;

pub use assemble::{assembler, tools};
pub(crate) use dialect::dialect;

/// What makes the PTX, for records.
pub const TOOLCHAIN: &str = "mlir 22.1, llvm 22.1";

/// What is made, and what runs it.
pub(crate) const CODE: crate::CodeKind = crate::CodeKind {
    code: "PTX, and a cubin where ptxas was at hand",
    needs: "libcuda of the driver",
};
