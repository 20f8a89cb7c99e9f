//! Libraries of unpacked packages that find each other: all in one folder, each with a path to it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{error::Error, process};

/// Where libraries are in packages.
pub const PLACE: &str = "usr/lib/x86_64-linux-gnu";

/// Gives every ELF file of the folders, which are relative to [`PLACE`], its run-path. `unpacked` holds patchelf too.
pub fn set_run_paths(unpacked: &Path, folders: &[(&str, &str)]) -> Result<(), Error> {
    let patchelf = unpacked.join("usr/bin/patchelf");
    for (folder, run_path) in folders {
        for file in plain_files(&unpacked.join(PLACE).join(folder))? {
            if is_elf(&file)? && !file.ends_with("patchelf") {
                process::output(
                    Command::new(&patchelf)
                        .args(["--set-rpath", run_path])
                        .arg(&file),
                )?;
            }
        }
    }
    Ok(())
}

/// Moves shared objects of a folder into another one, unless it has them.
pub fn gather(from: &Path, to: &Path) -> Result<(), Error> {
    let entries = match fs::read_dir(from) {
        Ok(entries) => entries,
        Err(_) => return Ok(()),
    };
    for entry in entries {
        let path = entry.map_err(Error::file("list", from))?.path();
        let name = path.file_name().unwrap_or_default().to_owned();
        if !name.to_string_lossy().contains(".so") {
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
