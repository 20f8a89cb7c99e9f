//! Python tools in a venv of their own, every wheel pinned.

use std::{fs, path::Path, process::Command};

use crate::{
    error::Error,
    process,
    root::Root,
    setup::{apt, fresh, python},
};

/// Every wheel with its version. torch's own list of needs is not followed: without a GPU it runs
/// with the libraries that it links, and the compilers it also names are not missed.
const REQUIREMENTS: &str = include_str!("requirements.txt");

/// pip as a wheel.
const PIP: &str = "python3-pip-whl";

/// What the stamp records.
pub fn pins() -> String {
    REQUIREMENTS.into()
}

/// Makes the venv and installs the wheels. A second run goes on where the first one was killed,
/// since pip keeps what it fetched.
pub fn install(root: &Root) -> Result<(), Error> {
    let venv = root.toolchain("venv");
    let python = venv.join("bin/python");
    if !process::succeeds(Command::new(&python).args(["-m", "pip", "--version"])) {
        create(root, &venv)?;
    }
    let requirements = root.toolchain("cache/requirements.txt");
    fs::create_dir_all(root.toolchain("cache")).map_err(Error::file("create", "cache"))?;
    fs::write(&requirements, REQUIREMENTS).map_err(Error::file("write", &requirements))?;
    println!(
        "  fetching and installing {} wheels",
        REQUIREMENTS.lines().count()
    );
    process::output(
        pip(root)
            .args([
                "install",
                "--quiet",
                "--no-deps",
                "--only-binary=:all:",
                "--requirement",
            ])
            .arg(&requirements),
    )?;
    let versions = "import numpy, torch, transformers as t; \
                    print('numpy', numpy.__version__, 'torch', torch.__version__, \
                    'transformers', t.__version__)";
    print!(
        "  {}",
        process::output(Command::new(&python).args(["-c", versions]))?
    );
    Ok(())
}

/// pip of the venv, keeping its cache under `.toolchain/`.
pub fn pip(root: &Root) -> Command {
    let mut command = Command::new(root.toolchain("venv/bin/python"));
    command
        .args(["-m", "pip", "--disable-pip-version-check"])
        .env("PIP_CACHE_DIR", root.toolchain("cache/pip"));
    command
}

fn create(root: &Root, venv: &Path) -> Result<(), Error> {
    let python = python::find(root)?;
    fresh(venv)?;
    if process::succeeds(Command::new(&python).args(["-m", "venv"]).arg(venv)) {
        return Ok(());
    }
    // Debian's Python without python3-venv makes a venv, but has no pip to put into it.
    fresh(venv)?;
    process::output(
        Command::new(&python)
            .args(["-m", "venv", "--without-pip"])
            .arg(venv),
    )?;
    let unpacked = root.toolchain("cache/pip-wheel");
    fresh(&unpacked)?;
    apt::unpack(root, &[PIP], &unpacked)?;
    let folder = unpacked.join("usr/share/python-wheels");
    let wheel = fs::read_dir(&folder)
        .map_err(Error::file("list", &folder))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| {
            path.file_name()
                .is_some_and(|n| n.to_string_lossy().starts_with("pip-"))
        })
        .ok_or_else(|| Error::NoPackages {
            packages: PIP.into(),
            output: format!("no pip-*.whl in {}", folder.display()),
        })?;
    // A wheel is a zip that Python runs from, so pip installs itself.
    process::output(
        Command::new(venv.join("bin/python"))
            .arg(wheel.join("pip"))
            .args(["install", "--no-index"])
            .arg(&wheel),
    )?;
    Ok(())
}
