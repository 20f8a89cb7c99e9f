//! Lane programs as SPIR-V, for OpenCL drivers that take it in place of source.
//!
//! A module's kernel is called like the one of the program's OpenCL C: for each parameter a buffer and the parameter's
//! offset in it. So whoever runs the text can run the module, by `clCreateProgramWithIL` instead of
//! `clCreateProgramWithSource`. Made by [`simt::compile`](crate::simt::compile) for [`target`]. See `docs/opencl.md`.

mod dialect;
mod expand;

use ir::{Form, Target};

pub(crate) use dialect::dialect;

/// What makes the code, for records.
pub const TOOLCHAIN: &str = "mlir 22.1, llvm 22.1, SPIR-V 1.0";

/// The word for SPIR-V where a device's architecture is named.
const ARCH: &str = "spirv";

/// The target by which lane programs for an OpenCL device become SPIR-V; none if the target is no such device. It is not
/// among [`targets`](crate::targets): artifacts for OpenCL carry the text.
pub fn target(opencl: &Target) -> Option<Target> {
    let mut all = crate::opencl::targets::targets().into_iter();
    let mut target = all.find(|t| t == opencl)?;
    if let Form::Simt(device) = &mut target.form {
        device.arch = ARCH.into();
    }
    Some(target)
}
