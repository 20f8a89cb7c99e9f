//! Lane programs as MLIR text: one function that every lane runs, its registers as scalars or short vectors.

mod bulk;
mod chain;
mod control;
mod flight;
mod function;
mod guard;
pub(crate) mod held;
mod index;
mod memory;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use ir::{
    DType,
    lane::{Bulk, Memory, Program, Stmt, Value as Term},
    tile::{Counter, Var},
};

use self::{bulk::Places, flight::Flight, held::Held, memory::Load};
use super::dialect::Dialect;
use crate::{
    failure::Unsupported,
    linear::{Atom, Linear, Scope},
    mlir::text::{Text, Type, Value},
    span::Span,
};

pub(super) use function::{asked_shared, module, shared_in_function};

struct Emitter<'a> {
    program: &'a Program,
    dialect: &'a dyn Dialect,
    /// Whether copies end by themselves.
    asynchronous: bool,
    text: Text,
    /// Multiply-adds of single registers since instructions were last kept apart.
    together: usize,
    scope: Scope,
    /// Numbers of this lane and its warp.
    lane: Value,
    warp: Value,
    arrays: BTreeMap<Memory, Value>,
    counters: BTreeMap<Counter, Value>,
    vars: BTreeMap<Var, Held>,
    /// Integers computed so far, for each open region.
    computed: Vec<BTreeMap<(Type, Linear), Value>>,
    /// What variables were before instructions that they went through, for each open region.
    tied: Vec<Vec<(Var, Held)>>,
    places: Places,
    /// Products under way.
    flight: Flight,
    /// Whether all registers are ordered before products that begin now.
    fenced: bool,
    /// Whether all that the program writes is rounded to half precision.
    coarse: bool,
    /// Variables that are one integer, as they are computed.
    sums: BTreeMap<Var, Linear>,
    /// Variables that are zero by their definition.
    zeros: BTreeSet<Var>,
}

impl Emitter<'_> {
    fn statements(&mut self, body: &[Stmt]) -> Result<(), Unsupported> {
        let continued = continued(body);
        let mut rest = body;
        while let Some((first, others)) = rest.split_first() {
            self.fenced &= keeps_order(first);
            if let Some(count) = self.chain(rest)? {
                rest = &rest[count..];
                continue;
            }
            rest = others;
            match first {
                Stmt::Let(_, Term::Product { .. }) => {
                    let count = self.products(first, others)?;
                    rest = &others[count..];
                }
                Stmt::Let(_, Term::Load { .. }) => {
                    let count = self.load_run(first, others);
                    rest = &others[count..];
                }
                Stmt::Let(var, term) => {
                    let held = self.term(term)?;
                    let held = match self.may_wander(term) {
                        true => self.settled(held, continued.contains(var)),
                        false => held,
                    };
                    if let Term::Index(list) = term
                        && let [index] = &list[..]
                    {
                        let sum = self.linear(index);
                        self.sums.insert(*var, sum);
                    }
                    if is_zero(term) {
                        self.zeros.insert(*var);
                    }
                    self.set(*var, held);
                }
                Stmt::Store { to, value } => {
                    let value = self.held(*value);
                    self.store(to, &value);
                }
                Stmt::For(each) => self.each(each)?,
                Stmt::When { guard, body } => self.when(guard, body)?,
                Stmt::Barrier => self.dialect.barrier(&mut self.text),
                Stmt::Copy { to, from, width } => self.copy(to, from, *width),
                Stmt::Commit if self.asynchronous => self.dialect.commit(&mut self.text),
                Stmt::Wait { pending } if self.asynchronous => {
                    self.dialect.wait(&mut self.text, *pending);
                }
                // Copies have ended when they return.
                Stmt::Commit | Stmt::Wait { .. } => {}
                Stmt::Bulk(bulk) => self.bulk(bulk),
            }
        }
        Ok(())
    }

    /// A load and those right after it that have its guard, behind one condition; gives how many came after.
    fn load_run(&mut self, first: &Stmt, others: &[Stmt]) -> usize {
        let load = |statement| match statement {
            &Stmt::Let(
                var,
                Term::Load {
                    ref from,
                    width,
                    other,
                },
            ) => Some((var, Load { from, width, other })),
            _ => None,
        };
        let mut run: Vec<_> = load(first).into_iter().collect();
        let guard = &run[0].1.from.guard;
        let same = |(_, l): &(Var, Load<'_>)| !guard.is_empty() && l.from.guard == *guard;
        let free = |l: &Load<'_>, taken: &[Var]| {
            let mentions = |v: &Var| l.from.at.mentions(&ir::lane::Index::Var(*v));
            !taken.iter().any(mentions)
        };
        let mut taken = vec![run[0].0];
        let mut after = Vec::new();
        for next in others.iter().map_while(load).take_while(same) {
            if !free(&next.1, &taken) {
                break;
            }
            taken.push(next.0);
            after.push(next);
        }
        let count = after.len();
        run.extend(after);
        let (vars, loads): (Vec<Var>, Vec<Load<'_>>) = run.into_iter().unzip();
        let values = self.load(&loads);
        for (var, held) in vars.into_iter().zip(values) {
            self.set(var, held);
        }
        count
    }

    fn held(&self, var: Var) -> Held {
        let held = self.vars.get(&var);
        held.expect("a variable is assigned before it is used")
            .clone()
    }

    fn set(&mut self, var: Var, held: Held) {
        if held.parts.len() == 1 && !held.dtype.is_float() {
            let before = self.scope.vars.insert(var, bound(held.dtype));
            // A loop that is written out assigns its variables again.
            if before.is_some() {
                let stale = |atom: &Atom| *atom == Atom::Var(var);
                for known in &mut self.computed {
                    known.retain(|(_, sum), _| !sum.mentions(&stale));
                }
            }
        }
        self.vars.insert(var, held);
    }

    /// Emits `body` as a region with integers of its own.
    fn region<T>(&mut self, body: impl FnOnce(&mut Self) -> T) -> T {
        self.open();
        let result = body(self);
        self.close();
        result
    }

    fn open(&mut self) {
        self.computed.push(BTreeMap::new());
        self.tied.push(vec![]);
        self.fenced = false;
    }

    fn close(&mut self) {
        self.computed.pop();
        let tied = self.tied.pop().expect("what is open is closed once");
        // Variables from outside are again what they are there.
        for (var, before) in tied.into_iter().rev() {
            self.set(var, before);
        }
        self.fenced = false;
    }
}

/// Whether a statement touches no register that a product does, itself.
fn keeps_order(statement: &Stmt) -> bool {
    matches!(
        statement,
        Stmt::Let(_, Term::Product { .. }) | Stmt::For(_) | Stmt::Bulk(Bulk::Commit)
    )
}

fn is_zero(term: &Term) -> bool {
    matches!(term, Term::Const(number, _) if number.get() == 0.0)
}

/// Sums that a later statement of the same list adds to.
fn continued(body: &[Stmt]) -> BTreeSet<Var> {
    let sum = |statement: &Stmt| match statement {
        Stmt::Let(_, Term::Matrix { c, .. }) => Some(*c),
        _ => None,
    };
    body.iter().filter_map(sum).collect()
}

/// What an integer variable may be.
fn bound(dtype: DType) -> Span {
    match dtype {
        DType::I32 => Span::new(i32::MIN.into(), i32::MAX.into()),
        DType::I8 => Span::new(i8::MIN.into(), i8::MAX.into()),
        DType::U8 => Span::new(0, u8::MAX.into()),
        DType::Bool => Span::new(0, 1),
        _ => Span::ANY,
    }
}
