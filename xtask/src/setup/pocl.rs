//! PoCL, an OpenCL driver for processors, oclgrind, which finds races and accesses outside of buffers, SPIR-V's validator,
//! and what turns SPIR-V into the bitcode that oclgrind runs; from Debian's packages under `.toolchain/pocl`.
//!
//! Every library looks for what it needs beside itself, so `LD_LIBRARY_PATH` is not used. The OpenCL library finds
//! PoCL by a file that names it, in the folder that `OCL_ICD_VENDORS` names.

use std::fs;

use crate::{
    error::Error,
    root::Root,
    setup::{apt, fresh, libraries, replace},
};

/// The driver, what loads it, the compiler in it, and what those link that a bare machine lacks.
const PACKAGES: &[&str] = &[
    "pocl-opencl-icd",
    "libpocl2",
    "libpocl2-common",
    "ocl-icd-libopencl1",
    "libclang-cpp15",
    "libllvm15",
    "libhwloc15",
    "libudev1",
    "libffi8",
    "libedit2",
    "libz3-4",
    "zlib1g",
    "libtinfo6",
    "libxml2",
    "libbsd0",
    "libmd0",
    "liblzma5",
    "libicu72",
    "oclgrind",
    "liboclgrind-21.10",
    "libllvm14",
    "libreadline8",
    "spirv-tools",
    "llvm-spirv-14",
    "libllvmspirvlib14",
    "patchelf",
];

/// What the stamp records.
pub fn pins() -> String {
    format!("{PACKAGES:?}")
}

/// Fetches, unpacks, completes, and moves into place.
pub fn unpack(root: &Root) -> Result<(), Error> {
    let partial = root.toolchain("pocl.partial");
    fresh(&partial)?;
    apt::unpack(root, PACKAGES, &partial)?;

    println!("  completing the driver");
    let libraries = partial.join(libraries::PLACE);
    // Debian keeps some libraries below lib/, and clang's below a folder of its own.
    for folder in ["lib/x86_64-linux-gnu", "usr/lib/llvm-15/lib"] {
        libraries::gather(&partial.join(folder), &libraries)?;
    }
    libraries::set_run_paths(
        &partial,
        &[
            ("", "$ORIGIN"),
            ("pocl", "$ORIGIN/.."),
            ("../../bin", "$ORIGIN/../lib/x86_64-linux-gnu"),
        ],
    )?;

    let place = root.toolchain("pocl");
    // The library looks for drivers in one folder, by files that name them.
    let vendors = partial.join("vendors");
    fs::create_dir_all(&vendors).map_err(Error::file("create", &vendors))?;
    // The toolchain's folder may be a link.
    let toolchain = root.toolchain("");
    let toolchain = fs::canonicalize(&toolchain).map_err(Error::file("find", &toolchain))?;
    let driver = toolchain
        .join("pocl")
        .join(libraries::PLACE)
        .join("libpocl.so.2");
    let named = vendors.join("pocl.icd");
    fs::write(&named, format!("{}\n", driver.display())).map_err(Error::file("write", &named))?;
    replace(&partial, &place)?;
    println!(
        "  OpenCL by {}",
        place
            .join(libraries::PLACE)
            .join("libOpenCL.so.1")
            .display()
    );
    Ok(())
}
