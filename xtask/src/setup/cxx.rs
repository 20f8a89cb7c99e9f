//! A C++ compiler for the build scripts that want one: the machine's, else clang of the unpacked
//! LLVM with Debian's C++ headers.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    process::Command,
};

use crate::{
    error::Error,
    process,
    root::Root,
    setup::{apt, fresh, replace},
};

/// Headers of the library that goes with Debian 12's gcc.
const HEADERS: &str = "libstdc++-12-dev";

/// `.cargo/config.toml` names this file in `CXX`, unless the user set that.
const SCRIPT: &str = r#"#!/bin/sh
# The machine's C++ compiler, or the one that set-up unpacked.
if command -v c++ >/dev/null; then exec c++ "$@"; fi
here=$(dirname "$0")
headers="$here/../cxx/usr/include"
exec "$here/../llvm/usr/lib/llvm-22/bin/clang++" -isystem "$headers/c++/12" \
    -isystem "$headers/x86_64-linux-gnu/c++/12" "$@"
"#;

/// What the stamp records.
pub fn pins() -> String {
    format!("{HEADERS} {SCRIPT}")
}

/// Writes the script, and unpacks headers where the machine has no C++ compiler.
pub fn place(root: &Root) -> Result<(), Error> {
    if !process::succeeds(Command::new("c++").arg("--version")) {
        println!("  no c++ here: clang will stand in");
        let partial = root.toolchain("cxx.partial");
        fresh(&partial)?;
        apt::unpack(root, &[HEADERS], &partial)?;
        replace(&partial, &root.toolchain("cxx"))?;
    }
    let script = root.toolchain("bin/c++");
    fs::create_dir_all(root.toolchain("bin")).map_err(Error::file("create", &script))?;
    fs::write(&script, SCRIPT).map_err(Error::file("write", &script))?;
    fs::set_permissions(&script, Permissions::from_mode(0o755))
        .map_err(Error::file("make executable", &script))
}
