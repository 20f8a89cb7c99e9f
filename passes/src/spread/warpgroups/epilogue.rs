//! What a tile's stores write is computed just before, some registers at a time.
//!
//! The accumulator of a warpgroup takes half the registers of its lanes or more. A bias, a residual and what is made of
//! them, each for the whole tile, would take all; a part of each at a time does not.

use std::collections::{BTreeMap, BTreeSet};

use ir::{
    lane::{Index, Program, Stmt, Type, Types, Value, types},
    tile::Var,
};

/// Registers that are computed at a time: enough loads under way to fill their wait.
const BATCH: usize = 32;

/// The same program, with what consumers do at the end of each tile, after the last product, in parts.
///
/// # Panics
/// The program has faults.
pub(super) fn in_parts(mut program: Program) -> Program {
    let types = types(&program).unwrap_or_else(|e| panic!("{e}\n{program}"));
    let vars = types.last_key_value().map_or(0, |(var, _)| var.0 + 1);
    let Some(Stmt::When { body, .. }) = program.body.first_mut() else {
        unreachable!("consumers come first")
    };
    let Some(Stmt::For(tiles)) = body.last_mut() else {
        unreachable!("consumers walk the grid")
    };
    let last = tiles.body.iter().rposition(|stmt| !ends(stmt));
    let tail = tiles.body.split_off(last.map_or(0, |at| at + 1));
    let mut parts = Parts::new(&tail, &types, vars);
    for stmt in &tail {
        parts.stmt(stmt);
    }
    parts.flush();
    tiles.body.extend(parts.out);
    program
}

struct Parts<'a> {
    types: &'a Types,
    vars: u32,
    /// What waits to be asked for.
    defs: BTreeMap<Var, &'a Value>,
    /// Stores whose turn has come, to some registers of one variable each.
    stores: Vec<(&'a Stmt, Var, Vec<u32>)>,
    known: BTreeMap<(Var, Vec<u32>), Var>,
    out: Vec<Stmt>,
}

impl<'a> Parts<'a> {
    fn new(tail: &'a [Stmt], types: &'a Types, vars: u32) -> Self {
        let mut places = BTreeSet::new();
        tail.iter().for_each(|stmt| mentioned(stmt, &mut places));
        let defs = tail.iter().filter_map(|stmt| match stmt {
            Stmt::Let(var, value) if waits(value) && !places.contains(var) => Some((*var, value)),
            _ => None,
        });
        Self {
            types,
            vars,
            defs: defs.collect(),
            stores: vec![],
            known: BTreeMap::new(),
            out: vec![],
        }
    }

    fn stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Let(var, _) if self.defs.contains_key(var) => {}
            Stmt::Store { value, .. } => {
                let (var, registers) = match self.defs.get(value) {
                    Some(Value::Pick(var, registers)) => (*var, registers.clone()),
                    _ => (*value, (0..self.types[value].width).collect()),
                };
                let held: usize = self.stores.iter().map(|(.., r)| r.len()).sum();
                let other = self.stores.last().is_some_and(|(_, v, _)| *v != var);
                if other || held + registers.len() > BATCH {
                    self.flush();
                }
                self.stores.push((stmt, var, registers));
            }
            // Numbers of places are there for what follows.
            Stmt::Let(..) => self.out.push(stmt.clone()),
            stmt => {
                self.flush();
                self.out.push(stmt.clone());
            }
        }
    }

    /// Computes what the stores write, then writes it.
    fn flush(&mut self) {
        let stores = std::mem::take(&mut self.stores);
        let Some((_, var, _)) = stores.first() else {
            return;
        };
        let registers: Vec<u32> = stores.iter().flat_map(|(.., r)| r.clone()).collect();
        let all = self.part(*var, &registers);
        let mut at = 0;
        for (stmt, _, registers) in &stores {
            let Stmt::Store { to, .. } = stmt else {
                unreachable!("only stores wait")
            };
            let end = at + registers.len() as u32;
            let value = self.set(Value::Pick(all, (at..end).collect()));
            self.out.push(Stmt::Store {
                to: to.clone(),
                value,
            });
            at = end;
        }
        // Another batch has other registers; what they share is a load again at most.
        self.known.clear();
    }

    fn set(&mut self, value: Value) -> Var {
        self.vars += 1;
        let var = Var(self.vars - 1);
        self.out.push(Stmt::Let(var, value));
        var
    }

    /// These registers of a variable.
    fn part(&mut self, var: Var, registers: &[u32]) -> Var {
        let key = (var, registers.to_vec());
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let part = self.made(var, registers);
        self.known.insert(key, part);
        part
    }

    fn made(&mut self, var: Var, registers: &[u32]) -> Var {
        let whole = || (0..self.types[&var].width).collect::<Vec<u32>>();
        let Some(value) = self.defs.get(&var).copied() else {
            return self.set(Value::Pick(var, registers.to_vec()));
        };
        let value = match value {
            Value::Const(x, ty) => Value::Const(*x, Type::new(ty.dtype, registers.len() as u32)),
            Value::Index(all) => {
                let each = registers.iter().map(|r| all[*r as usize].clone());
                Value::Index(each.collect())
            }
            Value::Unary(f, x) => Value::Unary(*f, self.part(*x, registers)),
            Value::Cast(to, x) => Value::Cast(*to, self.part(*x, registers)),
            Value::Binary(f, x, y) => {
                let [x, y] = [x, y].map(|v| self.part(*v, registers));
                Value::Binary(*f, x, y)
            }
            Value::Fma(x, y, z) => {
                let [x, y, z] = [x, y, z].map(|v| self.part(*v, registers));
                Value::Fma(x, y, z)
            }
            Value::Select(c, x, y) => {
                let [c, x, y] = [c, x, y].map(|v| self.part(*v, registers));
                Value::Select(c, x, y)
            }
            Value::Pick(x, from) => {
                let from: Vec<u32> = registers.iter().map(|r| from[*r as usize]).collect();
                return self.part(*x, &from);
            }
            Value::Concat(parts) => return self.joined(parts, registers),
            // A load is done as a whole.
            value if registers == whole() => value.clone(),
            _ => {
                let all = whole();
                let x = self.part(var, &all);
                Value::Pick(x, registers.to_vec())
            }
        };
        self.set(value)
    }

    /// These registers of variables one after the other.
    fn joined(&mut self, parts: &[Var], registers: &[u32]) -> Var {
        let mut ends = vec![];
        for part in parts {
            let before = ends.last().copied().unwrap_or(0);
            ends.push(before + self.types[part].width);
        }
        let of = |register: u32| ends.iter().position(|end| register < *end);
        let runs = registers.chunk_by(|a, b| of(*a) == of(*b));
        let pieces: Vec<Var> = runs
            .map(|run| {
                let at = of(run[0]).expect("a register of one of the parts");
                let start = if at == 0 { 0 } else { ends[at - 1] };
                let within: Vec<u32> = run.iter().map(|r| r - start).collect();
                self.part(parts[at], &within)
            })
            .collect();
        match pieces.as_slice() {
            [only] => *only,
            _ => self.set(Value::Concat(pieces)),
        }
    }
}

/// Whether a statement belongs to what is done at the end.
fn ends(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Let(_, value) => waits(value) || matches!(value, Value::Index(_)),
        stmt => matches!(stmt, Stmt::Store { .. }),
    }
}

/// Whether a value may be computed later, and in parts.
fn waits(value: &Value) -> bool {
    match value {
        Value::Index(each) => each.len() > 1,
        Value::Const(..)
        | Value::Load { .. }
        | Value::Unary(..)
        | Value::Binary(..)
        | Value::Fma(..)
        | Value::Select(..)
        | Value::Cast(..)
        | Value::Concat(_)
        | Value::Pick(..) => true,
        Value::ShuffleXor(..)
        | Value::Matrix { .. }
        | Value::LoadMatrix { .. }
        | Value::Product { .. } => false,
    }
}

/// Adds the variables that an index mentions.
fn of_index(index: &Index, vars: &mut BTreeSet<Var>) {
    if let Index::Var(var) = index {
        vars.insert(*var);
    }
    for part in index.parts() {
        of_index(part, vars);
    }
}

/// Adds the variables that places in a statement mention.
fn mentioned(stmt: &Stmt, vars: &mut BTreeSet<Var>) {
    let mut all = |guard: &[(Index, Index)], others: &[Index]| {
        let pairs = guard.iter().flat_map(|(a, b)| [a, b]);
        pairs.chain(others).for_each(|i| of_index(i, vars));
    };
    match stmt {
        Stmt::Let(_, Value::Index(each)) => all(&[], each),
        Stmt::Let(_, Value::Load { from, .. }) | Stmt::Store { to: from, .. } => {
            all(&from.guard, std::slice::from_ref(&from.at));
        }
        _ => {}
    }
}
