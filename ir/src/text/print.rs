//! Graphs and attributes as text.

use std::fmt;

use super::lex::{is_word, quote};
use crate::{Attr, Graph, ValueId};

/// `(a,b)`, each by its own text.
fn list<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    [open, close]: [&str; 2],
    items: &[T],
) -> fmt::Result {
    f.write_str(open)?;
    for (i, item) in items.iter().enumerate() {
        write!(f, "{}{item}", if i > 0 { "," } else { "" })?;
    }
    f.write_str(close)
}

impl fmt::Display for Attr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(n) => write!(f, "{n}"),
            Self::Num(x) if x.get().is_nan() => f.write_str("nan"),
            Self::Num(x) => write!(f, "{x}"),
            Self::Ints(ints) => list(f, ["(", ")"], ints),
            Self::Dims(dims) => list(f, ["[", "]"], dims),
            Self::Word(word) => f.write_str(word),
            Self::Text(text) => f.write_str(&quote(text)),
            Self::Type(ty) => write!(f, "{ty}"),
        }
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "graph {}", quote(self.name()))?;
        for (i, (symbol, bounds)) in self.symbols().iter().enumerate() {
            let before = if i == 0 { " (" } else { ", " };
            write!(f, "{before}{symbol} in {}..{}", bounds.min, bounds.max)?;
        }
        let close = if self.symbols().is_empty() { "" } else { ")" };
        writeln!(f, "{close} {{")?;
        for v in self.values() {
            self.print_node(f, v)?;
        }
        if !self.outputs().is_empty() {
            for (i, output) in self.outputs().iter().enumerate() {
                let before = if i == 0 { "  return " } else { ", " };
                let quoted = if is_word(&output.name) {
                    None
                } else {
                    Some(quote(&output.name))
                };
                let name = quoted.as_deref().unwrap_or(&output.name);
                write!(f, "{before}{name} = {}", output.value)?;
            }
            writeln!(f)?;
        }
        writeln!(f, "}}")
    }
}

impl Graph {
    fn print_node(&self, f: &mut fmt::Formatter<'_>, v: ValueId) -> fmt::Result {
        let node = self.node(v);
        write!(f, "  {v} = {}", node.op.name())?;
        if !node.inputs.is_empty() {
            list(f, ["(", ")"], &node.inputs)?;
        }
        let attrs = node.op.attrs();
        for (i, (name, attr)) in attrs.iter().enumerate() {
            write!(f, "{}{name} = {attr}", if i == 0 { " {" } else { ", " })?;
        }
        writeln!(
            f,
            "{} : {}",
            if attrs.is_empty() { "" } else { "}" },
            node.ty
        )
    }
}
