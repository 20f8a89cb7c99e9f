//! What each op owes: a line in the list, docs with a source, golden vectors, and no mention of
//! its name in a match elsewhere.

use std::{collections::BTreeSet, fs};

use crate::{
    error::Error,
    root::Root,
    tidy::files::{self, TextFile},
};

const FOLDER: &str = "ir/src/ops";
const GOLDEN: &str = "ir/tests/golden";

/// Ops that have no meaning of their own to check: they name what comes from outside.
const LEAVES: &[&str] = &["input", "weight"];

/// Ops whose list line is missing or double, and list lines with no file.
pub fn list(root: &Root) -> Result<Vec<String>, Error> {
    let listed = listed(root)?;
    let set: BTreeSet<&String> = listed.iter().collect();
    let mut debts = Vec::new();
    if set.len() < listed.len() {
        debts.push(format!("{FOLDER}/mod.rs: an op is listed twice"));
    }
    for file in op_files(root)? {
        let module = module_of(&file.path);
        if file.text.contains("impl OpDef for") && !set.contains(&module) {
            debts.push(format!(
                "{}: defines an op that `op_list!` does not have",
                file.path
            ));
        }
    }
    Ok(debts)
}

/// Op files that do not say where their meaning comes from and which shapes they take.
pub fn docs(root: &Root) -> Result<Vec<String>, Error> {
    let listed = listed(root)?;
    let mut debts = Vec::new();
    for file in op_files(root)? {
        if !listed.contains(&module_of(&file.path)) {
            continue;
        }
        let source = (!LEAVES.contains(&module_of(&file.path).as_str())).then_some("Source:");
        for word in ["Shapes:"].into_iter().chain(source) {
            let said = file.text.lines().any(|line| {
                line.trim_start()
                    .strip_prefix("///")
                    .is_some_and(|doc| doc.contains(word))
            });
            if !said {
                debts.push(format!("{}: its docs have no `{word}`", file.path));
            }
        }
    }
    Ok(debts)
}

/// Ops with no vectors from an independent source.
pub fn golden_vectors(root: &Root) -> Result<Vec<String>, Error> {
    let owed = listed(root)?
        .into_iter()
        .filter(|module| !LEAVES.contains(&module.as_str()));
    let missing = owed.filter(|module| !root.join(GOLDEN).join(format!("{module}.json")).exists());
    Ok(missing
        .map(|module| format!("{GOLDEN}/{module}.json is not there; NumPy or PyTorch makes it"))
        .collect())
}

/// Lines outside `ir::ops` that choose by an op's name.
pub fn matches_elsewhere(root: &Root) -> Result<Vec<String>, Error> {
    let names = names(root)?;
    let mut debts = Vec::new();
    for file in files::rust(root)? {
        // Tests are written in op names, and importers in the words of other people's files.
        let words_of_others = file.path.contains("tests") || file.path.starts_with("src/import");
        if file.path.starts_with(FOLDER) || words_of_others {
            continue;
        }
        let end = file.text.find("#[cfg(test)]").unwrap_or(file.text.len());
        for (index, line) in file.text[..end].lines().enumerate() {
            if let Some(name) = names.iter().find(|name| chooses_by(line, name)) {
                debts.push(format!(
                    "{}:{}: chooses by the op name `{name}`; ask the op, or put it in ir::ops",
                    file.path,
                    index + 1
                ));
            }
        }
    }
    Ok(debts)
}

/// Whether the line is an arm or a comparison on this name.
fn chooses_by(line: &str, name: &str) -> bool {
    let quoted = format!("\"{name}\"");
    let Some(at) = line.find(&quoted) else {
        return false;
    };
    let before = line[..at].trim_end();
    let after = line[at + quoted.len()..].trim_start();
    let arm = (before.is_empty() || before.ends_with('|') || before.ends_with("Some("))
        && (after.starts_with("=>") || after.starts_with('|') || after.starts_with(") =>"));
    let compares = before.ends_with(".name() ==") || before.ends_with(".name() !=");
    arm || compares
}

/// Modules named in the op list, in its order.
fn listed(root: &Root) -> Result<Vec<String>, Error> {
    let path = root.join(FOLDER).join("mod.rs");
    let text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
    let body = text
        .split("\nop_list! {")
        .nth(1)
        .and_then(|rest| rest.split("\n}").next());
    let lines = body.unwrap_or_default().lines();
    Ok(lines
        .filter_map(|line| Some(line.trim().split_once("::")?.0.to_owned()))
        .collect())
}

/// Names that op files give: `pub struct X = "name"`.
fn names(root: &Root) -> Result<BTreeSet<String>, Error> {
    let mut names = BTreeSet::new();
    for file in op_files(root)? {
        for line in file
            .text
            .lines()
            .filter(|line| line.trim().starts_with("pub struct "))
        {
            if let Some(name) = line.split('"').nth(1) {
                names.insert(name.to_owned());
            }
        }
    }
    Ok(names)
}

fn op_files(root: &Root) -> Result<Vec<TextFile>, Error> {
    Ok(files::rust(root)?
        .into_iter()
        .filter(|file| file.path.starts_with(FOLDER))
        .collect())
}

fn module_of(path: &str) -> String {
    path.trim_start_matches(FOLDER)
        .trim_matches('/')
        .trim_end_matches(".rs")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::chooses_by;

    #[test]
    fn an_arm_on_a_name_is_seen_and_a_mention_is_not() {
        assert!(chooses_by("        \"softmax\" => 3,", "softmax"));
        assert!(chooses_by(
            "        \"softmax\" | \"relu\" => 3,",
            "softmax"
        ));
        assert!(chooses_by("if op.name() == \"softmax\" {", "softmax"));
        assert!(!chooses_by("    let x = call(\"softmax\", 3);", "softmax"));
    }
}
