//! Indices, accesses and fragments as text.

use std::fmt::{self, Display, Formatter};

use crate::lane::{Access, Index, Layout, MatrixInstr, Memory, Program, Spelling, Step};

/// How tightly the parts of an index hold together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Sum,
    Product,
    Atom,
}

/// `a, b, c`
pub(super) fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let each: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    each.join(", ")
}

impl Display for Index {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&spell(self, Level::Sum))
    }
}

fn spell(index: &Index, level: Level) -> String {
    let call = |name: &str, a, b| {
        let (a, b) = (spell(a, Level::Sum), spell(b, Level::Sum));
        (format!("{name}({a}, {b})"), Level::Atom)
    };
    let (text, own) = match index {
        Index::Const(n) => (n.to_string(), Level::Atom),
        Index::Counter(c) => (c.to_string(), Level::Atom),
        Index::Lane => ("lane".into(), Level::Atom),
        Index::Warp => ("warp".into(), Level::Atom),
        Index::Var(var) => (var.to_string(), Level::Atom),
        Index::Add(a, b) => {
            let a = spell(a, Level::Sum);
            let text = match **b {
                Index::Const(n) if n < 0 && n > i64::MIN => format!("{a} - {}", -n),
                _ => format!("{a} + {}", spell(b, Level::Product)),
            };
            (text, Level::Sum)
        }
        Index::Mul(a, b) => {
            let (a, b) = (spell(a, Level::Product), spell(b, Level::Atom));
            (format!("{a} * {b}"), Level::Product)
        }
        Index::Div(a, b) => call("div", a, b),
        Index::Mod(a, b) => call("mod", a, b),
        Index::Min(a, b) => call("min", a, b),
        Index::Max(a, b) => call("max", a, b),
        Index::Xor(a, b) => call("xor", a, b),
    };
    if own < level {
        format!("({text})")
    } else {
        text
    }
}

/// `(a < b, c < d)`
pub(super) fn guard(pairs: &[(Index, Index)]) -> String {
    format!(
        "({})",
        list(pairs.iter().map(|(a, b)| format!("{a} < {b}")))
    )
}

impl Program {
    /// `%x[offset] where (a < b)`
    pub(super) fn spell_access(&self, access: &Access) -> String {
        let mut text = format!("{}[{}]", self.spell_name(access.memory), access.at);
        if !access.guard.is_empty() {
            text.push_str(&format!(" where {}", guard(&access.guard)));
        }
        text
    }

    /// `%x`
    pub(super) fn spell_name(&self, memory: Memory) -> String {
        let (arrays, i, kind) = match memory {
            Memory::Param(i) => (&self.params, i, "param"),
            Memory::Shared(i) => (&self.shared, i, "shared"),
        };
        // A faulty program is printed too.
        match arrays.get(i as usize) {
            Some(array) => format!("%{}", array.name),
            None => format!("%{kind}{i}"),
        }
    }

    /// The name of a matrix instruction, in quotes.
    pub(super) fn spell_instr(&self, instr: u32) -> String {
        match self.matrix.get(instr as usize) {
            Some(known) => quote(&known.name),
            None => quote(&format!("instruction {instr}")),
        }
    }
}

impl Display for Step {
    /// `r8`, `c2`, `0`
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.row, self.column) {
            (0, 0) => f.write_str("0"),
            (row, 0) => write!(f, "r{row}"),
            (0, column) => write!(f, "c{column}"),
            (row, column) => write!(f, "r{row}c{column}"),
        }
    }
}

impl Display for Layout {
    /// `[c1, r8] lanes [c2, c4, r1, r2, r4] warps [r16]`
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] lanes [{}]", list(&self.register), list(&self.lane))?;
        if !self.warp.is_empty() {
            write!(f, " warps [{}]", list(&self.warp))?;
        }
        Ok(())
    }
}

impl Display for MatrixInstr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (name, operands, accumulator) = (quote(&self.name), self.operands, self.accumulator);
        write!(f, "matrix {name} : {operands} to {accumulator} ")?;
        match &self.spelling {
            Spelling::Outer => f.write_str("outer")?,
            Spelling::Word(word) => write!(f, "word {}", quote(word))?,
        }
        let (a, b, c) = (&self.a, &self.b, &self.c);
        write!(f, " {{\n    a {a}\n    b {b}\n    c {c}\n  }}")
    }
}

/// A text in quotes.
pub(super) fn quote(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace('\n', "\\n"))
}
