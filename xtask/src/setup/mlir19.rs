//! MLIR 19, whose spelling the compiler for Ascend reads: `mlir-opt` verifies what is printed for it.
//!
//! Its tools are run with a library path, beside those of LLVM 22; nothing links them.

use crate::{
    error::Error,
    root::Root,
    setup::{apt, fresh, replace},
};

/// Debian's packages: tools, and what they load that a bare machine lacks.
const PACKAGES: &[&str] = &[
    "mlir-19-tools",
    "libmlir-19",
    "libllvm19",
    "libz3-4",
    "libedit2",
    "libbsd0",
    "libmd0",
    "libxml2",
    "libicu72",
];

/// What the stamp records.
pub fn pins() -> String {
    format!("{PACKAGES:?}")
}

/// Fetches, unpacks, and moves into place.
pub fn unpack(root: &Root) -> Result<(), Error> {
    let partial = root.toolchain("mlir-19.partial");
    fresh(&partial)?;
    apt::unpack(root, PACKAGES, &partial)?;
    replace(&partial, &root.toolchain("mlir-19"))
}
