//! `docs/onnx-operators.md`: what passes, by operator.

use std::{collections::BTreeMap, env, fmt::Write, fs, path::Path};

use crate::outcome::{Case, Outcome};

/// Fails unless the page says what was found; rewrites it when blessed.
pub fn check(cases: &[Case], outcomes: &[Outcome]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/onnx-operators.md");
    let page = page(cases, outcomes);
    if env::var_os("TILEWRIGHT_BLESS").is_some() {
        fs::write(path, page).unwrap();
        return;
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    let change = page.lines().find(|line| !stored.contains(line));
    let help = "TILEWRIGHT_BLESS=1 cargo test --test onnx nodes";
    assert_eq!(stored, page, "{}: {change:?}; help: {help}", path.display());
}

#[derive(Default)]
struct Row {
    all: usize,
    pass: usize,
    held: usize,
    reason: Option<String>,
}

fn page(cases: &[Case], outcomes: &[Outcome]) -> String {
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    let mut sum = Row::default();
    for (case, outcome) in cases.iter().zip(outcomes) {
        let row = rows.entry(&case.operator).or_default();
        for row in [&mut *row, &mut sum] {
            row.all += 1;
            row.pass += usize::from(*outcome == Outcome::Pass);
            row.held += usize::from(*outcome == Outcome::PassHeld);
        }
        if let Outcome::Unsupported(why) = outcome {
            row.reason.get_or_insert_with(|| why.replace('|', "\\|"));
        }
    }
    let mut text = format!(
        "# ONNX operators\n\n\
         The {} node cases of the package `onnx` 1.23.2 on the CPU target: {} pass as they are, {} more pass with their small\n\
         operands (axes, shapes, limits) held as initializers, as exporters write them; the others are refused with an error\n\
         that names the node. None is wrong. `cargo test --test onnx nodes` runs them and checks this page;\n\
         `TILEWRIGHT_BLESS=1` before it rewrites the page. How models are imported: [onnx.md](onnx.md).\n\n\
         | operator | cases | pass | held | the first reason of a refusal |\n|---|---|---|---|---|\n",
        sum.all, sum.pass, sum.held,
    );
    for (operator, row) in rows {
        let reason = row.reason.unwrap_or_default();
        let (all, pass, held) = (row.all, row.pass, row.held);
        writeln!(text, "| {operator} | {all} | {pass} | {held} | {reason} |").unwrap();
    }
    text
}
