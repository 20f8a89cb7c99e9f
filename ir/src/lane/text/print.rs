//! Lane programs as text.

use std::fmt::{self, Display, Formatter};

use super::spell::{guard, list};
use crate::{
    F64,
    lane::{For, Program, Stmt, Value},
    tile::Array,
};

impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (name, grid, warps, lanes) = (&self.name, list(&self.grid), self.warps, self.lanes);
        writeln!(
            f,
            "lane {name} grid [{grid}] warps {warps} lanes {lanes} {{"
        )?;
        let array = |a: &Array| format!("%{} : {}[{}]", a.name, a.dtype, a.len);
        for param in &self.params {
            let written = if param.written { " written" } else { "" };
            writeln!(f, "  param {}{written}", array(param))?;
        }
        for shared in &self.shared {
            writeln!(f, "  shared {}", array(shared))?;
        }
        for instr in &self.matrix {
            writeln!(f, "  {instr}")?;
        }
        for (i, map) in self.maps.iter().enumerate() {
            writeln!(f, "  {}", self.spell_map(i, map))?;
        }
        for mbarrier in &self.mbarriers {
            writeln!(f, "  {mbarrier}")?;
        }
        for instr in &self.warpgroup {
            writeln!(f, "  {instr}")?;
        }
        self.print_body(f, &self.body, 1)?;
        f.write_str("}\n")
    }
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
                Stmt::Let(var, value) => write!(f, "{var} = {}", self.spell_value(value))?,
                Stmt::Store { to, value } => {
                    write!(f, "store {} = {value}", self.spell_access(to))?
                }
                Stmt::For(l) => self.print_loop(f, l, depth)?,
                Stmt::When { guard: pairs, body } => {
                    writeln!(f, "when {} {{", guard(pairs))?;
                    self.print_body(f, body, depth + 1)?;
                    write!(f, "{:1$}}}", "", 2 * depth)?;
                }
                Stmt::Barrier => f.write_str("barrier")?,
                Stmt::Copy { to, from, width } => {
                    let (to, from) = (self.spell_access(to), self.spell_access(from));
                    write!(f, "copy {to} = {from} : {width}")?;
                }
                Stmt::Commit => f.write_str("commit")?,
                Stmt::Bulk(bulk) => f.write_str(&self.spell_bulk(bulk))?,
                Stmt::Wait { pending } => write!(f, "wait {pending}")?,
            }
            f.write_str("\n")?;
        }
        Ok(())
    }

    fn print_loop(&self, f: &mut Formatter<'_>, l: &For, depth: usize) -> fmt::Result {
        if !l.carried.is_empty() {
            write!(f, "{} = ", list(l.carried.iter().map(|c| c.result)))?;
        }
        write!(f, "for {} in {} .. {}", l.counter, l.start, l.end)?;
        if l.step != 1 {
            write!(f, " step {}", l.step)?;
        }
        if l.unroll != 1 {
            write!(f, " unroll {}", l.unroll)?;
        }
        if !l.carried.is_empty() {
            let each = l.carried.iter();
            let each = each.map(|c| format!("{} = {}", c.current, c.init));
            write!(f, " carry ({})", list(each))?;
        }
        f.write_str(" {\n")?;
        self.print_body(f, &l.body, depth + 1)?;
        if !l.carried.is_empty() {
            let next = list(l.carried.iter().map(|c| c.next));
            writeln!(f, "{:1$}yield {next}", "", 2 * depth + 2)?;
        }
        write!(f, "{:1$}}}", "", 2 * depth)
    }

    fn spell_value(&self, value: &Value) -> String {
        match value {
            Value::Const(x, ty) => format!("const {} : {ty}", Number(*x)),
            Value::Index(each) => format!("index [{}]", list(each)),
            Value::Load { from, width, other } => {
                let from = self.spell_access(from);
                if *other == F64::new(0.0) {
                    format!("load {from} : {width}")
                } else {
                    format!("load {from} else {} : {width}", Number(*other))
                }
            }
            Value::Unary(g, x) => format!("{} {x}", g.name()),
            Value::Binary(g, a, b) => format!("{} {a}, {b}", g.name()),
            Value::Fma(a, b, c) => format!("fma {a}, {b}, {c}"),
            Value::Select(test, a, b) => format!("select {test}, {a}, {b}"),
            Value::Cast(dtype, x) => format!("cast {x} : {dtype}"),
            Value::Concat(parts) => format!("concat [{}]", list(parts)),
            Value::Pick(var, positions) => format!("pick {var} [{}]", list(positions)),
            Value::ShuffleXor(var, bits) => format!("shuffle_xor {var}, {bits}"),
            Value::Matrix { instr, a, b, c } => {
                format!("matrix {} {a}, {b}, {c}", self.spell_instr(*instr))
            }
            Value::Product { instr, a, b, c } => self.spell_product(*instr, a, b, c),
            Value::LoadMatrix {
                from,
                count,
                transposed,
            } => {
                let turned = if *transposed { "transposed " } else { "" };
                format!("load_matrix {turned}{} : {count}", self.spell_access(from))
            }
        }
    }
}
