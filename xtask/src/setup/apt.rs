//! Debian packages without root: fetched with lists of our own, unpacked where we want them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{error::Error, process, root::Root, setup::remove_if_there};

/// Fetches packages with the sources of `/etc/apt` and unpacks them all into `place`.
pub fn unpack(root: &Root, packages: &[&str], place: &Path) -> Result<(), Error> {
    for archive in fetch(root, packages)? {
        process::output(Command::new("dpkg-deb").arg("-x").arg(&archive).arg(place))?;
    }
    Ok(())
}

/// Archives of the packages, in the order asked for. apt checks their signatures and skips those
/// that are already whole.
fn fetch(root: &Root, packages: &[&str]) -> Result<Vec<PathBuf>, Error> {
    let folder = root.toolchain("cache/apt");
    let lists = folder.join("lists/partial");
    fs::create_dir_all(&lists).map_err(Error::file("create", &lists))?;

    let plural = if packages.len() == 1 { "" } else { "s" };
    println!("  fetching {} package{plural}", packages.len());
    // A source that cannot be reached may not be one that we need: what counts is the download.
    let updated = process::output(private(&folder).arg("update"));
    let downloaded = process::output(
        private(&folder)
            .arg("download")
            .args(packages)
            .current_dir(&folder),
    );
    if let Err(error) = downloaded {
        let update_error = updated
            .err()
            .map(|error| format!("\n{error}"))
            .unwrap_or_default();
        return Err(Error::NoPackages {
            packages: packages.join(" "),
            output: format!("{error}{update_error}"),
        });
    }
    remove_if_there(&folder.join("lists"))?;
    packages
        .iter()
        .map(|package| archive_of(&folder, package))
        .collect()
}

/// apt-get with state and cache of our own, so that neither root nor the machine's lists are used.
fn private(folder: &Path) -> Command {
    let user = std::env::var("USER").unwrap_or_else(|_| "root".into());
    let mut command = Command::new("apt-get");
    command.args(["-q", "-y"]);
    for option in [
        format!("Dir::State::lists={}", folder.join("lists").display()),
        format!("Dir::Cache={}", folder.display()),
        format!("APT::Sandbox::User={user}"),
        "Acquire::Languages=none".into(),
        "Acquire::Retries=3".into(),
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".into(),
        "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false".into(),
        "Debug::NoLocking=true".into(),
    ] {
        command.arg("-o").arg(option);
    }
    command
}

fn archive_of(folder: &Path, package: &str) -> Result<PathBuf, Error> {
    let start = format!("{package}_");
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(Error::file("list", folder))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .filter(|path| {
            path.file_name()
                .is_some_and(|n| n.to_string_lossy().starts_with(&start))
        })
        .collect();
    found.sort();
    found.pop().ok_or_else(|| Error::NoPackages {
        packages: package.into(),
        output: format!("apt-get left no {start}*.deb in {}", folder.display()),
    })
}
