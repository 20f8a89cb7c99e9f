//! Tile programs as text.

use std::fmt::{self, Display, Formatter, Write};

use crate::{
    F64,
    tile::{Access, Array, Axis, For, Index, Memory, Program, Stmt, Value, Var},
};

impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "tile {} grid [", self.name)?;
        list(f, &self.grid)?;
        f.write_str("] {\n")?;
        for Array {
            name,
            dtype,
            len,
            written,
        } in &self.params
        {
            let written = if *written { " written" } else { "" };
            writeln!(f, "  param %{name} : {dtype}[{len}]{written}")?;
        }
        for Array {
            name, dtype, len, ..
        } in &self.locals
        {
            writeln!(f, "  local %{name} : {dtype}[{len}]")?;
        }
        self.print_body(f, &self.body, 1)?;
        f.write_str("}\n")
    }
}

/// `a, b, c`
fn list<T: Display>(f: &mut Formatter<'_>, items: impl IntoIterator<Item = T>) -> fmt::Result {
    for (i, item) in items.into_iter().enumerate() {
        write!(f, "{}{item}", if i > 0 { ", " } else { "" })?;
    }
    Ok(())
}

/// A number; `nan` as other text forms write it.
struct Number(F64);

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.get().is_nan() {
            f.write_str("nan")
        } else {
            write!(f, "{}", self.0)
        }
    }
}

impl Program {
    fn print_body(&self, f: &mut Formatter<'_>, body: &[Stmt], depth: usize) -> fmt::Result {
        for stmt in body {
            write!(f, "{:1$}", "", 2 * depth)?;
            match stmt {
                Stmt::Let(var, value) => {
                    write!(f, "{var} = ")?;
                    self.print_value(f, value)?;
                }
                Stmt::Store { to, value } => {
                    f.write_str("store ")?;
                    self.print_access(f, to)?;
                    write!(f, " = {value}")?;
                }
                Stmt::For(l) => self.print_loop(f, l, depth)?,
            }
            f.write_char('\n')?;
        }
        Ok(())
    }

    fn print_loop(&self, f: &mut Formatter<'_>, l: &For, depth: usize) -> fmt::Result {
        list(f, l.carried.iter().map(|c| c.result))?;
        write!(
            f,
            "{}for {} in ",
            if l.carried.is_empty() { "" } else { " = " },
            l.counter
        )?;
        write!(f, "{} .. {}", self.spell(&l.start), self.spell(&l.end))?;
        if l.step != 1 {
            write!(f, " step {}", l.step)?;
        }
        if l.unroll != 1 {
            write!(f, " unroll {}", l.unroll)?;
        }
        if !l.carried.is_empty() {
            f.write_str(" carry (")?;
            list(
                f,
                l.carried
                    .iter()
                    .map(|c| format!("{} = {}", c.current, c.init)),
            )?;
            f.write_char(')')?;
        }
        f.write_str(" {\n")?;
        self.print_body(f, &l.body, depth + 1)?;
        if !l.carried.is_empty() {
            write!(f, "{:1$}yield ", "", 2 * depth + 2)?;
            list(f, l.carried.iter().map(|c| c.next))?;
            f.write_char('\n')?;
        }
        write!(f, "{:1$}}}", "", 2 * depth)
    }

    fn print_value(&self, f: &mut Formatter<'_>, value: &Value) -> fmt::Result {
        let vars = |f: &mut Formatter<'_>, name: &str, vars: &[Var]| {
            write!(f, "{name} ")?;
            list(f, vars)
        };
        match value {
            Value::Splat(x, dtype, shape) => write!(f, "splat {} : {dtype} {shape}", Number(*x)),
            Value::Coordinate(index, shape) => {
                write!(f, "coordinate {} : {shape}", self.spell(index))
            }
            Value::Load { from, shape, other } => {
                f.write_str("load ")?;
                self.print_access(f, from)?;
                if *other != F64::new(0.0) {
                    write!(f, " else {}", Number(*other))?;
                }
                write!(f, " : {shape}")
            }
            Value::Unary(g, x) => vars(f, g.name(), &[*x]),
            Value::Binary(g, a, b) => vars(f, g.name(), &[*a, *b]),
            Value::Select(test, a, b) => vars(f, "select", &[*test, *a, *b]),
            Value::Cast(dtype, x) => write!(f, "cast {x} : {dtype}"),
            Value::Broadcast(x, shape) => write!(f, "broadcast {x} : {shape}"),
            Value::Reduce(monoid, axis, x) => {
                let axis = match axis {
                    Axis::Rows => "rows",
                    Axis::Lanes => "lanes",
                };
                write!(f, "reduce {} {axis} {x}", monoid.name())
            }
            Value::Dot { a, b, acc } => vars(f, "dot", &[*a, *b, *acc]),
        }
    }

    fn print_access(&self, f: &mut Formatter<'_>, access: &Access) -> fmt::Result {
        write!(
            f,
            "{}[{}]",
            self.array_name(access.memory),
            self.spell(&access.at)
        )?;
        if !access.guard.is_empty() {
            let pairs = access.guard.iter();
            f.write_str(" where (")?;
            list(
                f,
                pairs.map(|(a, b)| format!("{} < {}", self.spell(a), self.spell(b))),
            )?;
            f.write_char(')')?;
        }
        Ok(())
    }

    fn array_name(&self, memory: Memory) -> String {
        let (arrays, i, kind) = match memory {
            Memory::Param(i) => (&self.params, i, "param"),
            Memory::Local(i) => (&self.locals, i, "local"),
        };
        // A faulty program is printed too.
        arrays
            .get(i as usize)
            .map_or(format!("%{kind}{i}"), |a| format!("%{}", a.name))
    }

    /// An index of this program as text.
    pub fn spell(&self, index: &Index) -> String {
        self.spell_within(index, Level::Sum)
    }

    fn spell_within(&self, index: &Index, level: Level) -> String {
        let call = |name: &str, a, b| format!("{name}({}, {})", self.spell(a), self.spell(b));
        let (text, own) = match index {
            Index::Const(n) => (n.to_string(), Level::Atom),
            Index::Counter(c) => (c.to_string(), Level::Atom),
            Index::Row => ("row".into(), Level::Atom),
            Index::Lane => ("lane".into(), Level::Atom),
            Index::Add(a, b) => {
                let a = self.spell_within(a, Level::Sum);
                let text = match **b {
                    Index::Const(n) if n < 0 && n > i64::MIN => format!("{a} - {}", -n),
                    _ => format!("{a} + {}", self.spell_within(b, Level::Product)),
                };
                (text, Level::Sum)
            }
            Index::Mul(a, b) => {
                let (a, b) = (
                    self.spell_within(a, Level::Product),
                    self.spell_within(b, Level::Atom),
                );
                (format!("{a} * {b}"), Level::Product)
            }
            Index::Div(a, b) => (call("div", a, b), Level::Atom),
            Index::Mod(a, b) => (call("mod", a, b), Level::Atom),
            Index::Min(a, b) => (call("min", a, b), Level::Atom),
            Index::Max(a, b) => (call("max", a, b), Level::Atom),
            Index::Load(memory, at) => (
                format!("{}[{}]", self.array_name(*memory), self.spell(at)),
                Level::Atom,
            ),
        };
        if own < level {
            format!("({text})")
        } else {
            text
        }
    }
}

/// How tightly the parts of an index hold together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Sum,
    Product,
    Atom,
}
