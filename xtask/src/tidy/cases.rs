//! Text cases of passes.

use std::path::Path;

use crate::{error::Error, root::Root, tidy::files};

const CASES: &str = "passes/tests/cases";

/// Passes with no folder of cases, and folders with no case. A pass is what has a
/// `fn name(&self) -> &'static str { "..." }` in `passes/src`.
pub fn of_passes(root: &Root) -> Result<Vec<String>, Error> {
    let mut debts = Vec::new();
    for file in files::rust(root)? {
        if file.path.starts_with("passes/src") {
            for name in pass_names(&file.text) {
                let folder = Path::new(CASES).join(&name);
                if !has_case(root, &folder)? {
                    debts.push(format!(
                        "{}: pass `{name}` has no .test in {}",
                        file.path,
                        folder.display()
                    ));
                }
            }
        }
    }
    Ok(debts)
}

fn has_case(root: &Root, folder: &Path) -> Result<bool, Error> {
    if !root.join(folder).is_dir() {
        return Ok(false);
    }
    let is_case = |path: &Path| {
        path.extension()
            .is_some_and(|extension| extension == "test")
    };
    Ok(files::entries(root, folder)?
        .iter()
        .any(|(path, _)| is_case(path)))
}

/// Names that `impl GraphPass for` blocks give.
fn pass_names(text: &str) -> Vec<String> {
    let blocks = text.split("impl GraphPass for ").skip(1);
    blocks
        .filter_map(|block| {
            let body = block.split("fn name(&self)").nth(1)?;
            Some(body.split('"').nth(1)?.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::pass_names;

    #[test]
    fn a_pass_is_known_by_its_name() {
        let text = "impl GraphPass for DropDead {\n    fn name(&self) -> &'static str {\n        \
                    \"drop-dead\"\n    }\n}";
        assert_eq!(pass_names(text), ["drop-dead"]);
    }
}
