//! One check for all cases.

mod given;
mod passes;

use std::{fs, path::PathBuf};

use ir::{Graph, text};

use given::{Given, Outputs};

pub use passes::{group, lower, plan, rewrite, split, store};

/// What a pass made of a graph.
pub struct Made {
    /// As text.
    text: String,
    /// What it computes, at given inputs and weights.
    outputs: Outputs,
    /// How far they may be off, relative to the largest, because the pass changes numbers.
    within: f64,
}

/// A pass for these tests: makes text of the graph, and computes with what it made of it bound.
pub type Pass = fn(&Graph, &Given) -> Made;

/// Starts the line of a case whose rules hold only within an error, as their table says.
const ALLOWED: &str = "// within";

const SEPARATOR: &str = "\n----\n";

/// Runs every case of a pass.
pub fn check(name: &str, pass: Pass) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(name);
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no case in {}", folder.display());
    let bless = std::env::var_os("TILEWRIGHT_BLESS").is_some();
    let wrong: Vec<String> = paths
        .iter()
        .filter_map(|path| {
            let text = fs::read_to_string(path).unwrap();
            let (before, expected) = text.split_once(SEPARATOR).unwrap_or((&text, ""));
            let made = run(path.display().to_string(), before, pass);
            if made.trim_end() == expected.trim_end() {
                return None;
            }
            if bless {
                let text = format!("{}{SEPARATOR}{}\n", before.trim_end(), made.trim_end());
                fs::write(path, text).unwrap();
                return None;
            }
            Some(format!(
                "{}\nwanted:\n{expected}\nfound:\n{made}",
                path.display()
            ))
        })
        .collect();
    let help = "`cargo xtask bless` writes what is found";
    assert!(wrong.is_empty(), "{}\n{help}", wrong.join("\n"));
    println!("{name}: {} cases", paths.len());
}

fn run(path: String, before: &str, pass: Pass) -> String {
    let graph = text::parse(before).unwrap_or_else(|error| panic!("{path}: {error}"));
    let allowed = before
        .lines()
        .find_map(|line| line.strip_prefix(ALLOWED)?.trim().parse().ok());
    let given = Given::new(&graph, allowed.unwrap_or(0.0));
    let made = pass(&graph, &given);
    given.compare(&path, &made.outputs, made.within);
    made.text
}
