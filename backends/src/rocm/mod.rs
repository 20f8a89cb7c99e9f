//! AMD's devices: lane programs to code objects.

pub(crate) mod devices;
mod dialect;
mod matrix;
mod notes;
pub(crate) mod targets;

pub(crate) use dialect::dialect;

/// What makes the object, for records.
pub const TOOLCHAIN: &str = "mlir 22.1, llvm 22.1";

/// What is made, and what runs it.
pub(crate) const CODE: crate::CodeKind = crate::CodeKind {
    code: "code object",
    needs: "libamdhip64 of ROCm",
};
