//! A Python to make the venv from: the machine's, else Debian's packages unpacked.

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

/// The pinned wheels are made for this version and later ones.
const IS_RECENT: &str = "import sys, venv; sys.exit(sys.version_info < (3, 11))";

/// The interpreter and what its modules link beyond what every Debian has.
const PACKAGES: &[&str] = &[
    "python3.11-minimal",
    "libpython3.11-minimal",
    "libpython3.11-stdlib",
    "libexpat1",
    "libssl3",
    "libffi8",
    "libsqlite3-0",
    "libbz2-1.0",
    "liblzma5",
    "patchelf",
];

/// A Python of 3.11 or later; unpacked under `.toolchain/python` when the machine has none.
pub fn find(root: &Root) -> Result<PathBuf, Error> {
    let unpacked = root.toolchain("python/usr/bin/python3.11");
    for python in [Path::new("python3"), &unpacked] {
        if process::succeeds(Command::new(python).args(["-c", IS_RECENT])) {
            return Ok(python.to_path_buf());
        }
    }
    println!("  no python3 of 3.11 or later here: unpacking Debian's");
    let partial = root.toolchain("python.partial");
    fresh(&partial)?;
    apt::unpack(root, PACKAGES, &partial)?;
    let patchelf = partial.join("usr/bin/patchelf");
    // Debian keeps libraries below both lib/ and usr/lib/.
    let set_run_path = |to_root: &str, file: &Path| {
        let run_path = ["lib", "usr/lib"]
            .map(|folder| format!("$ORIGIN/{to_root}/{folder}/x86_64-linux-gnu"))
            .join(":");
        process::output(
            Command::new(&patchelf)
                .args(["--set-rpath", &run_path])
                .arg(file),
        )
    };
    // It finds its modules relative to itself; its libraries it has to be told.
    set_run_path("../..", &partial.join("usr/bin/python3.11"))?;
    let modules = partial.join("usr/lib/python3.11/lib-dynload");
    for entry in fs::read_dir(&modules).map_err(Error::file("list", &modules))? {
        let path = entry.map_err(Error::file("list", &modules))?.path();
        set_run_path("../../../..", &path)?;
    }
    replace(&partial, &root.toolchain("python"))?;
    Ok(unpacked)
}
