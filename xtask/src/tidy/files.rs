//! The files of the workspace, and how long they are.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{error::Error, root::Root};

/// Lines a Rust file may have, with its tests.
const MOST_LINES: usize = 500;

/// One text file: its path from the root and its text.
pub struct TextFile {
    pub path: String,
    pub text: String,
}

/// Rust files over the limit.
pub fn sizes(root: &Root) -> Result<Vec<String>, Error> {
    let long = rust(root)?.into_iter().filter_map(|file| {
        let lines = file.text.lines().count();
        (lines > MOST_LINES).then(|| {
            format!(
                "{}: {lines} lines, at most {MOST_LINES}; split it by idea",
                file.path
            )
        })
    });
    Ok(long.collect())
}

/// Every Rust file, sorted by path.
pub fn rust(root: &Root) -> Result<Vec<TextFile>, Error> {
    Ok(all(root)?
        .into_iter()
        .filter(|file| file.path.ends_with(".rs"))
        .collect())
}

/// Every text file that is part of the workspace, sorted by path.
pub fn all(root: &Root) -> Result<Vec<TextFile>, Error> {
    let mut files = Vec::new();
    walk(root, Path::new(""), &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(root: &Root, folder: &Path, files: &mut Vec<TextFile>) -> Result<(), Error> {
    for (path, is_folder) in entries(root, folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let ours = !name.starts_with('.') || matches!(&*name, ".cargo" | ".ci" | ".gitignore");
        // What is made is not ours to judge.
        let made = matches!(&*name, "target" | "Cargo.lock" | "__pycache__");
        if !ours || made {
            continue;
        }
        if is_folder {
            walk(root, &path, files)?;
        } else if let Ok(text) = fs::read_to_string(root.join(&path)) {
            files.push(TextFile {
                path: path.display().to_string(),
                text,
            });
        }
    }
    Ok(())
}

/// Paths from the root of what is in a folder, and whether each is a folder; links are neither.
pub fn entries(root: &Root, folder: &Path) -> Result<Vec<(PathBuf, bool)>, Error> {
    let place = root.join(folder);
    let mut found = Vec::new();
    for entry in fs::read_dir(&place).map_err(Error::file("list", &place))? {
        let entry = entry.map_err(Error::file("list", &place))?;
        let kind = entry
            .file_type()
            .map_err(Error::file("look at", entry.path()))?;
        if !kind.is_symlink() {
            found.push((folder.join(entry.file_name()), kind.is_dir()));
        }
    }
    found.sort();
    Ok(found)
}
