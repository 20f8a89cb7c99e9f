//! Lane programs as source text: each lane is a work-item, each register a constant of its own.
//!
//! A variable is a list of names or literals, so picking and joining registers prints nothing. What a loop carries has
//! names that are assigned at the end of each round.

mod dialect;
mod held;
mod helper;
mod index;
mod matrix;
mod memory;
mod scalar;

use std::collections::{BTreeMap, BTreeSet};

use ir::{
    DType, UnaryFn,
    lane::{Alike, For, Program, Stmt, Value},
    tile::{Counter, Var},
};

pub use dialect::Dialect;

use dialect::Space;
use held::Held;
use helper::Helper;

/// What a language has no words for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// Lanes reading each other's registers, without sub-groups.
    #[error(
        "shuffles: the target has none; help: its `shuffle` is false, so the lowering must not use them"
    )]
    Shuffle,
    /// Fragments out of shared memory.
    #[error("matrices loaded from shared memory as fragments: the target has none")]
    LoadMatrix,
    /// Copies and products that run by themselves, on mbarriers.
    #[error("tensor copies, mbarriers and products of warpgroups: the target has none")]
    Bulk,
    /// A function that is expanded before code is made.
    #[error("`{}`: wanted a primitive function", .0.name())]
    Unary(UnaryFn),
    /// A matrix instruction without a body.
    #[error("matrix instruction `{0}`: no spelling in this language")]
    Word(String),
    /// An outer product of registers that a lane does not hold.
    #[error(
        "matrix instruction `{0}`: lanes do not hold the rows and columns of their own accumulators"
    )]
    Layout(String),
    /// A matrix instruction that some warps do not come to.
    #[error(
        "matrix instruction `{0}`: stands where not all warps of a block come; its reference body has barriers"
    )]
    Divergent(String),
}

/// A variable.
struct Registers {
    dtype: DType,
    /// A name or literal for each register.
    names: Vec<String>,
}

struct Printer<'a> {
    program: &'a Program,
    dialect: Dialect,
    out: String,
    depth: usize,
    registers: BTreeMap<Var, Registers>,
    counters: BTreeMap<Counter, (i128, i128)>,
    helpers: BTreeSet<Helper>,
    /// Vector types by scalar and length.
    vectors: BTreeSet<(String, u32)>,
    names: BTreeSet<String>,
    /// Whether lanes or warps may come here without the others.
    divergent: bool,
    alike: Alike,
    held: Held,
}

/// The text of a program: one kernel of its name. For each parameter an OpenCL kernel takes a buffer and the parameter's
/// offset in it in bytes (`ulong`); a HIP kernel takes a pointer. Blocks are a grid of one axis, the last of the program's
/// counting fastest.
///
/// # Errors
/// The program asks for what the language does not have.
pub fn print(program: &Program, dialect: Dialect) -> Result<String, Unsupported> {
    let mut printer = Printer {
        program,
        dialect,
        out: String::new(),
        depth: 1,
        registers: BTreeMap::new(),
        counters: BTreeMap::new(),
        helpers: BTreeSet::new(),
        vectors: BTreeSet::new(),
        names: BTreeSet::new(),
        divergent: false,
        alike: Alike::default(),
        held: Held::of(&program.body),
    };
    printer.stage();
    printer.arrays();
    printer.places();
    printer.body(&program.body)?;
    let vectors = printer.vectors.iter();
    let vectors: String = vectors
        .filter_map(|(scalar, len)| dialect.define_vector(scalar, *len))
        .collect();
    let helpers = helper::texts(&printer.helpers, dialect);
    Ok(format!(
        "{}{vectors}{helpers}{}{}{} {{\n{}}}\n",
        dialect.prologue(),
        printer.held.macros(),
        printer.macros(),
        printer.head(),
        printer.out
    ))
}

impl Printer<'_> {
    fn head(&self) -> String {
        let params = self.program.params.iter().map(|p| {
            let constant = if p.written { "" } else { "const " };
            let name = &p.name;
            match self.dialect {
                Dialect::OpenCl => {
                    format!("__global {constant}uchar *b_{name}, const ulong o_{name}")
                }
                Dialect::Hip => {
                    format!(
                        "{constant}{} *__restrict__ p_{name}",
                        self.dialect.element(p.dtype)
                    )
                }
            }
        });
        let params = params.collect::<Vec<_>>().join(",\n    ");
        let (threads, name) = (self.program.threads(), &self.program.name);
        let kind = match self.dialect {
            Dialect::OpenCl => {
                format!("__kernel __attribute__((reqd_work_group_size({threads}, 1, 1)))\nvoid")
            }
            Dialect::Hip => {
                format!("extern \"C\" __global__ __launch_bounds__({threads})\nvoid")
            }
        };
        format!("{kind} {name}(\n    {params})")
    }

    /// Arrays by their names: `p_` for parameters, `s_` for shared memory.
    fn arrays(&mut self) {
        if self.dialect == Dialect::OpenCl {
            for p in &self.program.params {
                let constant = if p.written { "" } else { "const " };
                let element = self.dialect.element(p.dtype);
                let ty = format!("{}{constant}{element} *", self.dialect.space(Space::Global));
                let name = &p.name;
                self.line(&format!(
                    "{ty}restrict p_{name} = ({ty})(b_{name} + o_{name});"
                ));
            }
        }
        for s in &self.program.shared {
            let (shared, element) = (self.dialect.shared(), self.dialect.element(s.dtype));
            let (name, len) = (&s.name, s.len.max(1));
            self.line(&format!(
                "{shared} {element} s_{name}[{len}] __attribute__((aligned(16)));"
            ));
        }
    }

    /// Lane, warp and the block's place in the grid.
    fn places(&mut self) {
        let [lane, block] = self.dialect.ids();
        let lanes = self.program.lanes;
        self.line(&format!("const int lane = (int){lane} & {};", lanes - 1));
        self.line(&format!(
            "const int warp = (int){lane} >> {};",
            lanes.ilog2()
        ));
        let blocks = i128::from(self.program.blocks());
        let ty = match blocks <= i128::from(i32::MAX) {
            true => "int",
            false => self.dialect.long(),
        };
        self.line(&format!("const {ty} block = ({ty}){block};"));
        let mut below = 1;
        for (axis, n) in self.program.grid.iter().enumerate().rev() {
            let whole = match below {
                1 => "block".to_owned(),
                _ => format!("block / {below}"),
            };
            let own = match axis {
                0 => whole,
                _ => format!("{whole} % {n}"),
            };
            self.line(&format!("const int c{axis} = (int)({own});"));
            self.counters
                .insert(Counter(axis as u32), (0, i128::from(*n) - 1));
            below *= n;
        }
    }

    fn body(&mut self, body: &[Stmt]) -> Result<(), Unsupported> {
        body.iter().try_for_each(|s| self.stmt(s))
    }

    fn stmt(&mut self, stmt: &Stmt) -> Result<(), Unsupported> {
        match stmt {
            Stmt::Let(var, value) => {
                self.alike.assign(self.program, *var, value);
                self.value(*var, value)?;
            }
            Stmt::Store { to, value } => self.store(to, *value),
            Stmt::For(f) => self.for_loop(f)?,
            Stmt::When { guard, body } => {
                let condition = self.guard(guard).map(|g| format!("if ({g}) {{"));
                let uneven = guard
                    .iter()
                    .any(|(a, b)| self.alike.differs(a) || self.alike.differs(b));
                let before = self.divergent;
                self.divergent |= uneven;
                self.open(condition.as_deref().unwrap_or("{"));
                self.body(body)?;
                self.close();
                self.divergent = before;
            }
            Stmt::Barrier => self.line(self.dialect.barrier()),
            Stmt::Copy { to, from, width } => self.copy(to, from, *width),
            // Copies have ended when they are printed.
            Stmt::Commit | Stmt::Wait { .. } => {}
            Stmt::Bulk(_) => return Err(Unsupported::Bulk),
        }
        Ok(())
    }

    fn for_loop(&mut self, f: &For) -> Result<(), Unsupported> {
        let mut storage = Vec::new();
        for carried in &f.carried {
            let init = &self.registers[&carried.init];
            let (dtype, init) = (init.dtype, init.names.clone());
            let name = self.name(carried.result);
            let names: Vec<String> = (0..init.len()).map(|i| format!("{name}_{i}")).collect();
            let ty = self.dialect.register(dtype);
            for (name, init) in names.iter().zip(&init) {
                self.line(&format!("{ty} {name} = {init};"));
            }
            for var in [carried.current, carried.result] {
                let names = names.clone();
                self.registers.insert(var, Registers { dtype, names });
            }
            storage.push((ty, names));
        }
        let leaves = self.leaves();
        let ((start, _), ends) = (leaves.range(&f.start), leaves.range(&f.end).0);
        let range = (start.0, (ends.1 - 1).max(start.0));
        // The counter goes past its last value by up to a step.
        let past = range.1 + i128::from(f.step);
        let ty = match past > i128::from(i32::MAX) || range.0 < i128::from(i32::MIN) {
            true => self.dialect.long(),
            false => "int",
        };
        let (start, end) = (self.index(&f.start).0, self.index(&f.end).0);
        if f.unroll > 1 {
            self.line(&format!("#pragma unroll {}", f.unroll));
        }
        let counter = format!("c{}", f.counter.0);
        self.open(&format!(
            "for ({ty} {counter} = {start}; {counter} < {end}; {counter} += {}) {{",
            f.step
        ));
        self.counters.insert(f.counter, range);
        let uneven = self.alike.differs(&f.start) || self.alike.differs(&f.end);
        let before = self.divergent;
        self.divergent |= uneven;
        self.body(&f.body)?;
        self.divergent = before;
        self.next_round(f, &storage);
        self.close();
        Ok(())
    }

    /// What the loop carries takes its values for the next round, all at once.
    fn next_round(&mut self, f: &For, storage: &[(&str, Vec<String>)]) {
        let mut moves = Vec::new();
        for (carried, (ty, names)) in f.carried.iter().zip(storage) {
            let next = self.registers[&carried.next].names.clone();
            let each = names
                .iter()
                .cloned()
                .zip(next)
                .filter(|(to, from)| to != from);
            moves.extend(each.map(|(to, from)| (*ty, to, from)));
        }
        let own: BTreeSet<&String> = moves.iter().map(|(_, to, _)| to).collect();
        let crossed = moves.iter().any(|(_, _, from)| own.contains(from));
        if crossed {
            for (ty, to, from) in &moves {
                self.line(&format!("const {ty} n{} = {from};", &to[1..]));
            }
        }
        for (_, to, from) in &moves {
            match crossed {
                true => self.line(&format!("{to} = n{};", &to[1..])),
                false => self.line(&format!("{to} = {from};")),
            }
        }
    }

    fn value(&mut self, var: Var, value: &Value) -> Result<(), Unsupported> {
        let of = |p: &Self, v: &Var| (p.registers[v].dtype, p.registers[v].names.clone());
        match value {
            Value::Const(number, ty) => {
                let one = scalar::constant(ty.dtype, number.get(), self.dialect);
                let names = vec![one; ty.width as usize];
                self.registers.insert(
                    var,
                    Registers {
                        dtype: ty.dtype,
                        names,
                    },
                );
            }
            Value::Index(each) => {
                let values = each
                    .iter()
                    .map(|i| match self.index(i) {
                        (text, true) => format!("(int)({text})"),
                        (text, false) => text,
                    })
                    .collect();
                self.assign(var, DType::I32, values);
            }
            Value::Load { from, width, other } => self.load(var, from, *width, other.get()),
            Value::Unary(f, x) => {
                let (dtype, x) = of(self, x);
                let values = x
                    .iter()
                    .map(|x| self.unary(*f, dtype, x))
                    .collect::<Result<_, _>>()?;
                self.assign(var, dtype, values);
            }
            Value::Binary(f, a, b) => {
                let ((dtype, a), (_, b)) = (of(self, a), of(self, b));
                let pairs = a.iter().zip(&b);
                let values = pairs.map(|(a, b)| self.binary(*f, dtype, a, b)).collect();
                let result = if f.is_predicate() { DType::Bool } else { dtype };
                self.assign(var, result, values);
            }
            Value::Fma(a, b, c) => {
                let ((dtype, a), (_, b), (_, c)) = (of(self, a), of(self, b), of(self, c));
                let each = a.iter().zip(&b).zip(&c);
                let values = each.map(|((a, b), c)| self.fma(dtype, [a, b, c])).collect();
                self.assign(var, dtype, values);
            }
            Value::Select(condition, a, b) => {
                let ((_, c), (dtype, a), (_, b)) = (of(self, condition), of(self, a), of(self, b));
                let each = c.iter().zip(&a).zip(&b);
                let values = each.map(|((c, a), b)| format!("{c} ? {a} : {b}")).collect();
                self.assign(var, dtype, values);
            }
            Value::Cast(to, x) => {
                let (from, x) = of(self, x);
                let values = x.iter().map(|x| self.cast(from, *to, x)).collect();
                self.assign(var, *to, values);
            }
            Value::Concat(parts) => {
                let dtype = self.registers[&parts[0]].dtype;
                let names = parts.iter().flat_map(|p| self.registers[p].names.clone());
                let names = names.collect();
                self.registers.insert(var, Registers { dtype, names });
            }
            Value::Pick(x, registers) => {
                let (dtype, x) = of(self, x);
                let names = registers.iter().map(|r| x[*r as usize].clone()).collect();
                self.registers.insert(var, Registers { dtype, names });
            }
            Value::ShuffleXor(x, mask) => {
                if self.dialect == Dialect::OpenCl {
                    return Err(Unsupported::Shuffle);
                }
                let ((dtype, x), lanes) = (of(self, x), self.program.lanes);
                let each = x
                    .iter()
                    .map(|x| format!("__shfl_xor({x}, {mask}, {lanes})"));
                let values = each.collect();
                self.assign(var, dtype, values);
            }
            Value::Matrix { instr, a, b, c } => self.matrix(var, *instr, [*a, *b, *c])?,
            Value::LoadMatrix { .. } => return Err(Unsupported::LoadMatrix),
            Value::Product { .. } => return Err(Unsupported::Bulk),
        }
        Ok(())
    }

    /// A constant for each register.
    fn assign(&mut self, var: Var, dtype: DType, values: Vec<String>) {
        let (name, ty) = (self.name(var), self.dialect.register(dtype));
        let mut names = Vec::new();
        for (i, value) in values.iter().enumerate() {
            let name = format!("{name}_{i}");
            self.line(&format!("const {ty} {name} = {value};"));
            names.push(name);
        }
        self.registers.insert(var, Registers { dtype, names });
    }

    /// A name for a variable that no other one in the text has.
    fn name(&mut self, var: Var) -> String {
        let mut name = format!("v{}", var.0);
        while !self.names.insert(name.clone()) {
            name.push('x');
        }
        name
    }

    fn vector(&mut self, scalar: &str, len: u32) -> String {
        self.vectors.insert((scalar.into(), len));
        self.dialect.vector(scalar, len)
    }

    fn line(&mut self, text: &str) {
        self.out += &"    ".repeat(self.depth);
        self.raw_line(text);
    }

    fn raw_line(&mut self, text: &str) {
        self.out += text;
        self.out.push('\n');
    }

    fn open(&mut self, text: &str) {
        self.line(text);
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.line("}");
    }
}
