//! Text cases of passes.

use std::path::Path;

use crate::{error::Error, root::Root, tidy::files};

const CASES: &str = "passes/tests/cases";

/// Every pass; a new one adds its name here, a folder of cases, and a line in
/// `passes/tests/cases.rs`.
const PASSES: &[&str] = &["rewrite", "split", "store", "group", "lower", "plan"];

/// Passes with no case, and folders of cases that no pass has.
pub fn of_passes(root: &Root) -> Result<Vec<String>, Error> {
    let mut debts = Vec::new();
    let folders = files::entries(root, Path::new(CASES))?;
    for pass in PASSES {
        let folder = Path::new(CASES).join(pass);
        let found = folders
            .iter()
            .any(|(path, is_folder)| *is_folder && *path == folder);
        if !found || !has_case(root, &folder)? {
            debts.push(format!(
                "pass `{pass}` has no .test in {}",
                folder.display()
            ));
        }
    }
    for (path, _) in folders {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !PASSES.contains(&&*name) {
            debts.push(format!("{}: no pass has this name", path.display()));
        }
    }
    Ok(debts)
}

fn has_case(root: &Root, folder: &Path) -> Result<bool, Error> {
    let is_case = |path: &Path| {
        path.extension()
            .is_some_and(|extension| extension == "test")
    };
    Ok(files::entries(root, folder)?
        .iter()
        .any(|(path, _)| is_case(path)))
}
