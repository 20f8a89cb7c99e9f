//! LLVM and MLIR 22: the user's, or Debian's packages unpacked under `.toolchain/llvm`.
//!
//! The unpacked prefix stands on its own. LLVM's shared objects look for what they need beside
//! themselves (`$ORIGIN/../lib`), so the small libraries they need are put there too, with a
//! run-path of the same kind and with the names that the linker looks for. Neither
//! `LD_LIBRARY_PATH` nor `LIBRARY_PATH` is used.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    error::Error,
    process,
    root::Root,
    setup::{apt, fresh, replace},
};

/// The variables that name the prefix; `.cargo/config.toml` sets those the user did not.
const VARIABLES: [&str; 3] = [
    "LLVM_SYS_221_PREFIX",
    "MLIR_SYS_220_PREFIX",
    "TABLEGEN_220_PREFIX",
];

/// Where the prefix is below the folder that packages are unpacked into.
const PREFIX: &str = "usr/lib/llvm-22";

/// Compiler, libraries and tools; 22.1.8 is what was seen working.
const LLVM_PACKAGES: &[&str] = &[
    "libmlir-22-dev",
    "libmlir-22",
    "mlir-22-tools",
    "llvm-22-dev",
    "llvm-22",
    "libllvm22",
    "llvm-22-tools",
    "llvm-22-linker-tools",
    "libclang1-22",
    "libclang-common-22-dev",
    "clang-22",
    "lld-22",
    "libclang-cpp22",
    "libpolly-22-dev",
    "libclang-rt-22-dev",
];

/// What LLVM links that a bare machine lacks: package, library file, name for the linker.
const SMALL_LIBRARIES: &[(&str, &str, Option<&str>)] = &[
    ("libzstd1", "libzstd.so.1", Some("libzstd.so")),
    ("zlib1g", "libz.so.1", Some("libz.so")),
    ("libxml2", "libxml2.so.2", Some("libxml2.so")),
    ("libz3-4", "libz3.so.4", Some("libz3.so")),
    ("libffi8", "libffi.so.8", Some("libffi.so")),
    ("libedit2", "libedit.so.2", Some("libedit.so")),
    ("libtinfo6", "libtinfo.so.6", Some("libtinfo.so")),
    ("libbsd0", "libbsd.so.0", None),
    ("libmd0", "libmd.so.0", None),
    ("liblzma5", "liblzma.so.5", None),
    ("libicu72", "libicuuc.so.72", None),
    ("libicu72", "libicudata.so.72", None),
];

/// Sets run-paths of the small libraries.
const PATCHELF: &str = "patchelf";

/// What the stamp records.
pub fn pins() -> String {
    format!("{LLVM_PACKAGES:?} {SMALL_LIBRARIES:?}")
}

/// False if all three variables name a prefix of the user's that holds LLVM 22.
pub fn wanted(root: &Root) -> Result<bool, Error> {
    let ours = root.toolchain("llvm").join(PREFIX);
    let theirs = |variable: &'static str| {
        let path = PathBuf::from(std::env::var_os(variable)?);
        (!path.as_os_str().is_empty() && path != ours).then_some((variable, path))
    };
    let set: Vec<(&str, PathBuf)> = VARIABLES.into_iter().filter_map(theirs).collect();
    if let Some(unset) = VARIABLES
        .into_iter()
        .find(|name| set.iter().all(|(n, _)| n != name))
    {
        return match set.first() {
            Some((set, _)) => Err(Error::HalfPrefix { set, unset }),
            None => Ok(true),
        };
    }
    for (variable, path) in set {
        let llvm_config = path.join("bin/llvm-config");
        let found = process::output(Command::new(llvm_config).arg("--version"))
            .unwrap_or_else(|_| "no bin/llvm-config".into());
        if !found.starts_with("22.") {
            return Err(Error::WrongLlvm {
                variable,
                path,
                found: found.trim().into(),
            });
        }
    }
    Ok(false)
}

/// Fetches, unpacks, completes, and moves into place.
pub fn unpack(root: &Root) -> Result<(), Error> {
    let partial = root.toolchain("llvm.partial");
    fresh(&partial)?;
    let mut packages = LLVM_PACKAGES.to_vec();
    packages.extend(SMALL_LIBRARIES.iter().map(|(package, ..)| *package));
    packages.push(PATCHELF);
    packages.dedup();
    apt::unpack(root, &packages, &partial)?;

    println!("  completing the prefix");
    let library_folder = partial.join(PREFIX).join("lib");
    for (_, file, linker_name) in SMALL_LIBRARIES {
        place_library(&partial, &library_folder, file)?;
        if let Some(name) = linker_name {
            link(Path::new(file), &library_folder.join(name))?;
        }
    }
    link_cxx_runtime(&library_folder)?;

    let place = root.toolchain("llvm");
    replace(&partial, &place)?;
    let version =
        process::output(Command::new(place.join(PREFIX).join("bin/mlir-opt")).arg("--version"))?;
    println!(
        "  {}",
        version
            .lines()
            .find(|line| line.contains("version"))
            .unwrap_or("")
            .trim()
    );
    Ok(())
}

fn place_library(unpacked: &Path, library_folder: &Path, file: &str) -> Result<(), Error> {
    let folders = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"];
    let from = folders
        .iter()
        .map(|folder| unpacked.join(folder).join(file))
        .find(|path| path.exists())
        .unwrap_or_else(|| unpacked.join(folders[0]).join(file));
    let to = library_folder.join(file);
    fs::copy(&from, &to).map_err(Error::file("copy", from))?;
    let patchelf = unpacked.join("usr/bin/patchelf");
    process::output(
        Command::new(patchelf)
            .args(["--set-rpath", "$ORIGIN"])
            .arg(&to),
    )?;
    Ok(())
}

/// `-lstdc++` for machines that have a C compiler but no C++ one; the library itself is part of
/// every Debian.
fn link_cxx_runtime(library_folder: &Path) -> Result<(), Error> {
    let runtime = Path::new("/usr/lib/x86_64-linux-gnu/libstdc++.so.6");
    if runtime.exists() {
        link(runtime, &library_folder.join("libstdc++.so"))
    } else {
        Ok(())
    }
}

fn link(target: &Path, name: &Path) -> Result<(), Error> {
    symlink(target, name).map_err(Error::file("link", name))
}
