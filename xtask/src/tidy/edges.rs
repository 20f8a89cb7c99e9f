//! Which crate may see which.

use serde_json::Value;

use crate::{error::Error, process, root::Root};

/// Each package of the workspace and the ones it may use; no other edge.
const EDGES: &[(&str, &[&str])] = &[
    ("tilewright-ir", &[]),
    ("tilewright-passes", &["tilewright-ir"]),
    ("tilewright-runtime", &["tilewright-ir"]),
    (
        "tilewright-backends",
        &["tilewright-ir", "tilewright-runtime"],
    ),
    (
        "tilewright-autotune",
        &[
            "tilewright-ir",
            "tilewright-passes",
            "tilewright-backends",
            "tilewright-runtime",
        ],
    ),
    (
        "tilewright",
        &[
            "tilewright-ir",
            "tilewright-passes",
            "tilewright-backends",
            "tilewright-runtime",
            "tilewright-autotune",
        ],
    ),
    ("xtask", &[]),
];

/// Packages that whoever embeds an artifact must not have to link.
const SMALL: &[&str] = &["tilewright-ir", "tilewright-runtime"];

/// Starts of the names of crates that those never see.
const HEAVY: &[&str] = &[
    "llvm-sys",
    "mlir-sys",
    "melior",
    "inkwell",
    "tblgen",
    "egg",
    "rusqlite",
    "libsqlite3-sys",
];

/// Edges that the table does not have, and packages that it does not know. Edges for tests count:
/// a test that reaches up is in the wrong crate.
pub fn between_crates(root: &Root) -> Result<Vec<String>, Error> {
    let mut command = root.cargo();
    command.args(["metadata", "--no-deps", "--format-version=1", "--offline"]);
    let unreadable = |detail: &str| Error::Unreadable {
        command: "cargo metadata",
        detail: detail.into(),
    };
    let metadata: Value = serde_json::from_str(&process::output(&mut command)?)
        .map_err(|error| unreadable(&error.to_string()))?;
    let packages = metadata["packages"]
        .as_array()
        .ok_or_else(|| unreadable("no packages"))?;
    let mut debts = Vec::new();
    for package in packages {
        let name = package["name"]
            .as_str()
            .ok_or_else(|| unreadable("a package has no name"))?;
        let Some((_, allowed)) = EDGES.iter().find(|(known, _)| *known == name) else {
            debts.push(format!(
                "{name}: no line in the table of xtask/src/tidy/edges.rs"
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = dependency["name"].as_str().unwrap_or_default();
            let ours = EDGES.iter().any(|(known, _)| *known == to);
            if ours && !allowed.contains(&to) {
                debts.push(format!("{name} uses {to}; it may use only {allowed:?}"));
            }
        }
    }
    Ok(debts)
}

/// Compilers and databases below the small crates.
pub fn to_compilers(root: &Root) -> Result<Vec<String>, Error> {
    let mut debts = Vec::new();
    for package in SMALL {
        let mut command = root.cargo();
        command.args(["tree", "--offline", "--prefix=none", "--format={p}", "-e"]);
        command.args(["normal,build", "-p", package]);
        for line in process::output(&mut command)?.lines() {
            let name = line.split(' ').next().unwrap_or_default();
            if HEAVY.contains(&name) {
                debts.push(format!(
                    "{package} sees {name}; `cargo tree -p {package} -i {name}`"
                ));
            }
        }
    }
    debts.dedup();
    Ok(debts)
}
