//! PoCL, an OpenCL driver for processors, oclgrind, which finds races and accesses outside of buffers, SPIR-V's validator,
//! and what turns SPIR-V into the bitcode that oclgrind runs; from Debian's packages under `.toolchain/pocl`.
//!
//! Every library looks for what it needs beside itself, so `LD_LIBRARY_PATH` is not used. The OpenCL library finds
//! PoCL by a file that names it, in the folder that `OCL_ICD_VENDORS` names.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    error::Error,
    process,
    root::Root,
    setup::{apt, fresh, replace},
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

/// Where libraries are in packages.
const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

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
    let libraries = partial.join(LIBRARIES);
    // Debian keeps some libraries below lib/, and clang's below a folder of its own.
    for folder in ["lib/x86_64-linux-gnu", "usr/lib/llvm-15/lib"] {
        gather(&partial.join(folder), &libraries)?;
    }
    let patchelf = partial.join("usr/bin/patchelf");
    for (folder, run_path) in [
        ("", "$ORIGIN"),
        ("pocl", "$ORIGIN/.."),
        ("../../bin", "$ORIGIN/../lib/x86_64-linux-gnu"),
    ] {
        for file in plain_files(&libraries.join(folder))? {
            if is_elf(&file)? && !file.ends_with("patchelf") {
                process::output(
                    Command::new(&patchelf)
                        .args(["--set-rpath", run_path])
                        .arg(&file),
                )?;
            }
        }
    }

    let place = root.toolchain("pocl");
    // The library looks for drivers in one folder, by files that name them.
    let vendors = partial.join("vendors");
    fs::create_dir_all(&vendors).map_err(Error::file("create", &vendors))?;
    // The toolchain's folder may be a link.
    let toolchain = root.toolchain("");
    let toolchain = fs::canonicalize(&toolchain).map_err(Error::file("find", &toolchain))?;
    let driver = toolchain.join("pocl").join(LIBRARIES).join("libpocl.so.2");
    let named = vendors.join("pocl.icd");
    fs::write(&named, format!("{}\n", driver.display())).map_err(Error::file("write", &named))?;
    replace(&partial, &place)?;
    println!(
        "  OpenCL by {}",
        place.join(LIBRARIES).join("libOpenCL.so.1").display()
    );
    Ok(())
}

/// Moves shared objects of a folder into another one, unless it has them.
fn gather(from: &Path, to: &Path) -> Result<(), Error> {
    let entries = match fs::read_dir(from) {
        Ok(entries) => entries,
        Err(_) => return Ok(()),
    };
    for entry in entries {
        let path = entry.map_err(Error::file("list", from))?.path();
        let name = path.file_name().unwrap_or_default().to_owned();
        if !name.to_string_lossy().contains(".so.") {
            continue;
        }
        let place = to.join(name);
        // What lies there under this name may be a link to what is moved.
        if place.is_symlink() && !path.is_symlink() {
            fs::remove_file(&place).map_err(Error::file("replace", &place))?;
        }
        if !place.exists() {
            fs::rename(&path, &place).map_err(Error::file("move into place", &place))?;
        }
    }
    Ok(())
}

/// Files of a folder that are no links, sorted.
fn plain_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::file("list", folder))? {
        let path = entry.map_err(Error::file("list", folder))?.path();
        if path.is_file() && !path.is_symlink() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn is_elf(file: &Path) -> Result<bool, Error> {
    use std::io::Read;
    let mut start = Vec::new();
    let opened = fs::File::open(file).map_err(Error::file("read", file))?;
    opened
        .take(4)
        .read_to_end(&mut start)
        .map_err(Error::file("read", file))?;
    Ok(start == b"\x7fELF")
}
