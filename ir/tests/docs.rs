//! The page on ops is made from their comments.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use ir::{BinaryFn, Domain, Op, UnaryFn};

enum Function {
    Unary(UnaryFn),
    Binary(BinaryFn),
}

fn function(name: &str) -> Option<Function> {
    match Op::parse(name, &BTreeMap::new()).ok()? {
        Op::Unary(op) => Some(Function::Unary(op.f)),
        Op::Binary(op) => Some(Function::Binary(op.f)),
        _ => None,
    }
}

/// A comment without the blank before each line.
fn text(comment: &str) -> String {
    let lines = comment
        .lines()
        .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end());
    lines.collect::<Vec<_>>().join("\n")
}

/// The comment of a function, and what it takes if that is not clear.
fn taking(domain: Domain, about: &str) -> String {
    match domain {
        Domain::Any => text(about),
        domain => format!("{} Takes {}.", text(about), domain.name()),
    }
}

fn page() -> String {
    let mut page = String::from(
        "# Ops\n\nMade from the comments under `ir/src/ops` and in `ir/src/scalar.rs` by `cargo xtask bless`; \
         a test holds both together.\n",
    );
    let text = |lines: &str| {
        let lines: Vec<_> = lines.lines().map(str::trim_end).collect();
        lines
            .iter()
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect::<Vec<_>>()
            .join("\n")
    };
    for doc in Op::docs() {
        let functions: Vec<_> = doc.names.iter().filter_map(|name| function(name)).collect();
        let title = match functions.first() {
            Some(Function::Unary(_)) => "Functions of one number".into(),
            Some(Function::Binary(_)) => "Functions of two numbers".into(),
            None => doc.names.join(", "),
        };
        writeln!(page, "\n## {title}\n\n{}", text(doc.text)).unwrap();
        let attributes = doc
            .attributes
            .iter()
            .map(|(name, about)| (name.to_string(), text(about)));
        let functions = doc.names.iter().zip(functions).map(|(name, f)| match f {
            Function::Unary(f) => (name.to_string(), taking(f.domain(), f.doc())),
            Function::Binary(f) => (name.to_string(), taking(f.domain(), f.doc())),
        });
        for (i, (name, about)) in attributes.chain(functions).enumerate() {
            let gap = if i == 0 { "\n" } else { "" };
            writeln!(page, "{gap}- `{name}`: {}", about.replace('\n', " ")).unwrap();
        }
    }
    page
}

#[test]
fn the_page_says_what_the_comments_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ops.md");
    let page = page();
    if std::env::var_os("TILEWRIGHT_BLESS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == page,
        "docs/ops.md is older than the comments; help: cargo xtask bless"
    );
}
