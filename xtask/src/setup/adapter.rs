//! The front end that CANN's Triton puts before its compiler: it parses and verifies kernels for Ascend.
//!
//! A tool of tests alone. Of the wheel of triton-ascend (MIT), which is for Python 3.11, one program and its licence are
//! kept.

use std::{fs, process::Command};

use crate::{
    error::Error,
    process,
    root::Root,
    setup::{fresh, remove_if_there, replace, require_sha256, venv},
};

const REQUIREMENT: &str = "triton-ascend==3.2.0";
const WHEEL: &str =
    "triton_ascend-3.2.0-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl";
const SHA256: &str = "17c8d7161eed1e96a286281963fe04d3113ee85affaa5d82c7dd0c35803962f0";

/// What is kept of the wheel.
const KEPT: &[&str] = &[
    "triton/backends/ascend/triton-adapter-opt",
    "triton_ascend-3.2.0.dist-info/licenses/LICENSE",
];

/// What the stamp records.
pub fn pins() -> String {
    format!("{WHEEL} {SHA256}")
}

/// Fetches the wheel, checks it, and keeps the program.
pub fn unpack(root: &Root) -> Result<(), Error> {
    let cache = root.toolchain("cache/triton-ascend");
    fs::create_dir_all(&cache).map_err(Error::file("create", &cache))?;
    let wheel = cache.join(WHEEL);
    if !wheel.exists() {
        let options = [
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--python-version=3.11",
            "--platform=manylinux_2_28_x86_64",
        ];
        let mut pip = venv::pip(root);
        pip.args(options).arg(REQUIREMENT).arg("--dest").arg(&cache);
        process::output(&mut pip)?;
    }
    require_sha256(&wheel, SHA256)?;
    let all = root.toolchain("cache/triton-ascend/all");
    fresh(&all)?;
    process::output(
        Command::new(root.toolchain("venv/bin/python"))
            .args(["-m", "zipfile", "-e"])
            .args([&wheel, &all]),
    )?;
    let partial = root.toolchain("triton-ascend.partial");
    fresh(&partial)?;
    for file in KEPT {
        let name = file.rsplit('/').next().expect("a path has a last part");
        let (from, to) = (all.join(file), partial.join(name));
        fs::rename(&from, &to).map_err(Error::file("move into place", &to))?;
    }
    // Python's zipfile forgets that it is a program.
    let program = partial.join("triton-adapter-opt");
    process::output(Command::new("chmod").arg("+x").arg(&program))?;
    remove_if_there(&all)?;
    replace(&partial, &root.toolchain("triton-ascend"))
}
