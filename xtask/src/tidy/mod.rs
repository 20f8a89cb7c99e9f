//! `cargo xtask tidy`: what style.md counts on and a machine can see.
//!
//! Each check reads the workspace and returns what is owed, one line per debt; it says what was
//! found, where, and what to do.

mod cases;
mod edges;
mod files;
mod ops;
mod words;

use crate::{error::Error, root::Root};

/// A check: its name and what it finds.
struct Check {
    name: &'static str,
    find: fn(&Root) -> Result<Vec<String>, Error>,
}

const CHECKS: &[Check] = &[
    Check {
        name: "edges between crates",
        find: edges::between_crates,
    },
    Check {
        name: "edges to compilers and databases",
        find: edges::to_compilers,
    },
    Check {
        name: "file sizes",
        find: files::sizes,
    },
    Check {
        name: "paths of one machine",
        find: words::machine_paths,
    },
    Check {
        name: "words that stand for unfinished work",
        find: words::unfinished,
    },
    Check {
        name: "unwrap outside tests",
        find: words::unwraps,
    },
    Check {
        name: "unsafe blocks say why",
        find: words::unexplained_unsafe,
    },
    Check {
        name: "op list",
        find: ops::list,
    },
    Check {
        name: "op docs and sources",
        find: ops::docs,
    },
    Check {
        name: "op golden vectors",
        find: ops::golden_vectors,
    },
    Check {
        name: "op names outside ir::ops",
        find: ops::matches_elsewhere,
    },
    Check {
        name: "case folder of each pass",
        find: cases::of_passes,
    },
];

/// Runs every check; prints all that is owed.
pub fn run(root: &Root) -> Result<(), Error> {
    let mut count = 0;
    for check in CHECKS {
        let debts = (check.find)(root)?;
        for debt in &debts {
            println!("{}: {debt}", check.name);
        }
        count += debts.len();
    }
    if count > 0 {
        return Err(Error::Untidy { count });
    }
    println!("tidy: {} checks passed", CHECKS.len());
    Ok(())
}
