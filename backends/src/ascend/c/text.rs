//! C++ text, line by line, and integers in it.

use std::{
    collections::BTreeMap,
    fmt::{Arguments, Write},
};

use ir::tile::{Counter, Index, Memory};

/// Lines of a function in the making.
#[derive(Default)]
pub(super) struct Text {
    body: String,
    head: String,
    depth: usize,
    next: u32,
}

impl Text {
    /// A number that no name has.
    pub fn number(&mut self) -> u32 {
        self.next += 1;
        self.next - 1
    }

    /// A line.
    pub fn line(&mut self, line: Arguments<'_>) {
        let indent = 2 * self.depth + 4;
        writeln!(self.body, "{:indent$}{line}", "").expect("strings grow");
    }

    /// A line that opens a block.
    pub fn open(&mut self, line: Arguments<'_>) {
        self.line(format_args!("{line} {{"));
        self.depth += 1;
    }

    /// Closes a block.
    pub fn close(&mut self) {
        self.depth -= 1;
        self.line(format_args!("}}"));
    }

    /// A line before all others.
    pub fn declare(&mut self, line: Arguments<'_>) {
        writeln!(self.head, "    {line}").expect("strings grow");
    }

    /// All lines, declarations first.
    pub fn finish(self) -> String {
        self.head + &self.body
    }
}

/// An integer; `row` and `lane` are those of the element that is meant.
pub(super) fn integer(
    index: &Index,
    counters: &BTreeMap<Counter, String>,
    at: [&str; 2],
) -> String {
    let go = |x: &Index| integer(x, counters, at);
    match index {
        Index::Const(n) if *n < 0 => format!("({n})"),
        Index::Const(n) => n.to_string(),
        Index::Counter(c) => counters
            .get(c)
            .cloned()
            .unwrap_or_else(|| format!("c{}", c.0)),
        Index::Row => at[0].into(),
        Index::Lane => at[1].into(),
        Index::Add(a, b) => format!("({} + {})", go(a), go(b)),
        Index::Mul(a, b) => format!("{} * {}", go(a), go(b)),
        // Neither side is negative.
        Index::Div(a, b) => format!("({} / ({}))", go(a), go(b)),
        Index::Mod(a, b) => format!("({} % ({}))", go(a), go(b)),
        Index::Min(a, b) => format!("Least({}, {})", go(a), go(b)),
        Index::Max(a, b) => format!("Most({}, {})", go(a), go(b)),
        Index::Load(Memory::Param(i), at) => format!("int64_t(g{i}.GetValue({}))", go(at)),
        Index::Load(Memory::Local(_), _) => unreachable!("programs with locals are refused"),
    }
}
