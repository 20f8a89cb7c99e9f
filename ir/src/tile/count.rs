//! How much a program computes and moves, counted from its text without running it.

use std::collections::BTreeMap;

use super::{Access, Counter, For, Index, Memory, Program, Shape, Stmt, Types, Value, Var};
use crate::{Bytes, Flops};

/// Work of some blocks. Guards are taken to hold, so at ragged edges this is more than is done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of dots.
    pub dot: Flops,
    /// Of functions and folds, one for each number that goes in.
    pub elementwise: Flops,
    /// Read from each parameter; what is read twice counts twice.
    pub loaded: Vec<Bytes>,
    /// Written to each parameter.
    pub stored: Vec<Bytes>,
    /// Read from and written to locals.
    pub local: Bytes,
}

impl Counts {
    /// All operations.
    pub fn flops(&self) -> Flops {
        Flops(self.dot.0.saturating_add(self.elementwise.0))
    }

    /// What goes over the border of the chip at least, if every element of a parameter does so once.
    pub fn compulsory(&self, program: &Program) -> Bytes {
        let moved = self.loaded.iter().zip(&self.stored).zip(&program.params);
        Bytes(
            moved
                .flat_map(|((l, s), array)| [l, s].map(|n| n.0.min(array.bytes() as u64)))
                .sum(),
        )
    }

    fn add(&mut self, times: u64, other: &Self) {
        let add = |a: &mut u64, b: u64| *a = a.saturating_add(b.saturating_mul(times));
        add(&mut self.dot.0, other.dot.0);
        add(&mut self.elementwise.0, other.elementwise.0);
        add(&mut self.local.0, other.local.0);
        for (a, b) in self.loaded.iter_mut().zip(&other.loaded) {
            add(&mut a.0, b.0);
        }
        for (a, b) in self.stored.iter_mut().zip(&other.stored) {
            add(&mut a.0, b.0);
        }
    }
}

/// The work of the whole grid; none if the length of a loop depends on an array.
pub fn count(program: &Program, types: &Types) -> Option<Counts> {
    let tally = Tally { program, types };
    tally.grid(&mut BTreeMap::new(), 0)
}

/// The work of the block at `place`; none if the length of a loop depends on an array.
pub fn count_block(program: &Program, types: &Types, place: &[i64]) -> Option<Counts> {
    let tally = Tally { program, types };
    let mut counters = (0..).map(Counter).zip(place.iter().copied()).collect();
    tally.body(&program.body, &mut counters)
}

struct Tally<'a> {
    program: &'a Program,
    types: &'a Types,
}

impl Tally<'_> {
    fn nothing(&self) -> Counts {
        Counts {
            loaded: vec![Bytes(0); self.program.params.len()],
            stored: vec![Bytes(0); self.program.params.len()],
            ..Counts::default()
        }
    }

    fn grid(&self, counters: &mut BTreeMap<Counter, i64>, axis: usize) -> Option<Counts> {
        let Some(size) = self.program.grid.get(axis) else {
            return self.body(&self.program.body, counters);
        };
        let counter = Counter(axis as u32);
        self.repeat(counters, counter, &self.program.body, (0, *size, 1), |c| {
            self.grid(c, axis + 1)
        })
    }

    /// Sums `round` over the values of `counter`; just one round is looked at if no loop in `body` depends on it.
    fn repeat(
        &self,
        counters: &mut BTreeMap<Counter, i64>,
        counter: Counter,
        body: &[Stmt],
        (start, end, step): (i64, i64, i64),
        round: impl Fn(&mut BTreeMap<Counter, i64>) -> Option<Counts>,
    ) -> Option<Counts> {
        let mut sum = self.nothing();
        let trips = u64::try_from(end.saturating_sub(start)).map_or(0, |n| n.div_ceil(step as u64));
        let (distinct, times) = match trips {
            0 => (0, 0),
            n if shapes_loops(body, counter) => (n, 1),
            n => (1, n),
        };
        for i in 0..distinct {
            counters.insert(counter, start + i as i64 * step);
            sum.add(times, &round(counters)?);
        }
        counters.remove(&counter);
        Some(sum)
    }

    fn body(&self, body: &[Stmt], counters: &mut BTreeMap<Counter, i64>) -> Option<Counts> {
        let mut sum = self.nothing();
        for stmt in body {
            match stmt {
                Stmt::Let(_, value) => self.value(value, &mut sum),
                Stmt::Store { to, value } => {
                    let bytes = self.bytes(to, self.shape(*value));
                    match to.memory {
                        Memory::Param(i) => sum.stored[i as usize].0 += bytes,
                        Memory::Local(_) => sum.local.0 += bytes,
                    }
                }
                Stmt::For(l) => {
                    let range = (known(&l.start, counters)?, known(&l.end, counters)?, l.step);
                    let rounds = self.repeat(counters, l.counter, &l.body, range, |counters| {
                        self.body(&l.body, counters)
                    });
                    sum.add(1, &rounds?);
                }
            }
        }
        Some(sum)
    }

    fn value(&self, value: &Value, sum: &mut Counts) {
        let size = |shape: Shape| u64::from(shape.rows) * u64::from(shape.lanes);
        match value {
            Value::Splat(..) | Value::Coordinate(..) | Value::Cast(..) | Value::Broadcast(..) => {}
            Value::Load { from, shape, .. } => {
                let bytes = self.bytes(from, *shape);
                match from.memory {
                    Memory::Param(i) => sum.loaded[i as usize].0 += bytes,
                    Memory::Local(_) => sum.local.0 += bytes,
                }
            }
            Value::Unary(_, x) | Value::Reduce(_, _, x) => {
                sum.elementwise.0 += size(self.shape(*x));
            }
            Value::Binary(_, a, b) => sum.elementwise.0 += size(self.join(&[*a, *b])),
            Value::Select(test, a, b) => sum.elementwise.0 += size(self.join(&[*test, *a, *b])),
            Value::Dot { a, acc, .. } => {
                sum.dot.0 += 2 * size(self.shape(*acc)) * u64::from(self.shape(*a).lanes);
            }
        }
    }

    fn shape(&self, var: Var) -> Shape {
        self.types[&var].1
    }

    fn join(&self, vars: &[Var]) -> Shape {
        let shapes = vars.iter().map(|v| Some(self.shape(*v)));
        let joined = shapes.reduce(|a, b| a?.join(b?));
        joined
            .flatten()
            .expect("the types are of a verified program")
    }

    /// Bytes of the elements that an access of this shape touches, each once.
    fn bytes(&self, access: &Access, shape: Shape) -> u64 {
        let side = |n: u32, part| {
            if access.at.mentions(&part) {
                u64::from(n)
            } else {
                1
            }
        };
        let elements = side(shape.rows, Index::Row) * side(shape.lanes, Index::Lane);
        elements * self.program.array(access.memory).dtype.size() as u64
    }
}

/// Whether a bound of a loop in `body` depends on `counter`.
fn shapes_loops(body: &[Stmt], counter: Counter) -> bool {
    let part = Index::from(counter);
    body.iter().any(|stmt| match stmt {
        Stmt::For(For {
            start, end, body, ..
        }) => start.mentions(&part) || end.mentions(&part) || shapes_loops(body, counter),
        _ => false,
    })
}

/// The value of an index that no element and no array has a part in.
fn known(index: &Index, counters: &BTreeMap<Counter, i64>) -> Option<i64> {
    let of = |index| known(index, counters);
    match index {
        Index::Const(n) => Some(*n),
        Index::Counter(c) => counters.get(c).copied(),
        Index::Row | Index::Lane | Index::Load(..) => None,
        Index::Add(a, b) => of(a)?.checked_add(of(b)?),
        Index::Mul(a, b) => of(a)?.checked_mul(of(b)?),
        Index::Div(a, b) => of(a)?.checked_div_euclid(of(b)?),
        Index::Mod(a, b) => of(a)?.checked_rem_euclid(of(b)?),
        Index::Min(a, b) => Some(of(a)?.min(of(b)?)),
        Index::Max(a, b) => Some(of(a)?.max(of(b)?)),
    }
}
