//! A tile program as a tree of loops, with what each round does and what a whole run of each touches.
//!
//! The axes of the grid are loops too, outside all others: blocks that follow each other find in the caches what those
//! before them left there.

use std::collections::BTreeMap;

use ir::tile::{Access, Counter, Index, Memory, Program, Shape, Stmt, Types, Value, Var};

/// Instructions and accesses, of one round of a loop without the loops inside it.
#[derive(Clone, Debug, Default)]
pub(super) struct Work {
    /// Vector multiply-adds.
    pub products: f64,
    /// Other vector instructions.
    pub elementwise: f64,
    /// Vector loads of numbers side by side, those of one number for all lanes, and those of numbers apart.
    pub loads: f64,
    pub broadcasts: f64,
    pub gathers: f64,
    /// Vector stores.
    pub stores: f64,
    /// Operations on numbers.
    pub flops: f64,
    /// Most rows of an access that meet in one set of a first-level cache.
    pub meeting: f64,
    /// Registers for tiles that are loaded.
    pub operands: f64,
    pub touches: Vec<Touch>,
}

/// An access, as the loops around it repeat it.
#[derive(Clone, Debug)]
pub(super) struct Touch {
    memory: Memory,
    /// Bytes of one round.
    pub bytes: f64,
    /// Counters that move it.
    moved_by: Vec<Counter>,
}

/// A loop.
#[derive(Clone, Debug)]
pub(super) struct Loop {
    counter: Counter,
    /// Rounds.
    pub trips: f64,
    /// Rounds that are written out.
    pub unroll: f64,
    /// Vector registers of the tiles that go from round to round.
    pub carried: f64,
    pub work: Work,
    pub inner: Vec<Loop>,
    /// Bytes that a whole run touches, each once.
    pub footprint: f64,
}

/// What is known while a program is walked.
pub(super) struct Walk<'a> {
    pub program: &'a Program,
    pub types: &'a Types,
    /// How tiles lie in registers.
    pub registers: Registers,
}

/// How tiles lie in registers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Registers {
    /// Each row in vectors of so many numbers.
    Rows(f64),
    /// All numbers dealt to so many lanes.
    Dealt(f64),
}

/// Bytes of a line of a cache, and bytes after which sets of a first-level cache come again: 64 sets on all that are known.
const LINE: i64 = 64;
const SETS: i64 = 4096;

impl Walk<'_> {
    /// The grid as loops with these rounds; within them the first block.
    pub fn grid(&self, trips: &[f64]) -> Loop {
        let mut counters: BTreeMap<Counter, i64> = (0..trips.len() as u32)
            .map(|axis| (Counter(axis), 0))
            .collect();
        let (work, inner) = self.body(&self.program.body, &mut counters);
        let around = |work, inner, (axis, trips): (usize, &f64)| Loop {
            counter: Counter(axis as u32),
            trips: *trips,
            unroll: 1.0,
            carried: 0.0,
            work,
            inner,
            footprint: 0.0,
        };
        let mut axes = trips.iter().enumerate().rev();
        let last = axes.next().unwrap_or((0, &1.0));
        let mut all = around(work, inner, last);
        for axis in axes {
            all = around(Work::default(), vec![all], axis);
        }
        self.footprints(&mut all);
        all
    }

    fn body(&self, body: &[Stmt], counters: &mut BTreeMap<Counter, i64>) -> (Work, Vec<Loop>) {
        let (mut work, mut inner) = (Work::default(), vec![]);
        for stmt in body {
            match stmt {
                Stmt::Let(_, value) => self.value(value, &mut work),
                Stmt::Store { to, value } => {
                    let shape = self.shape(*value);
                    work.stores += self.pieces(shape);
                    self.touch(to, shape, &mut work);
                }
                Stmt::For(l) => {
                    let [start, end] = [&l.start, &l.end].map(|bound| known(bound, counters));
                    // As if once, where an array says how often.
                    let trips = match (start, end) {
                        (Some(start), Some(end)) if end > start => {
                            ((end - start) as u64).div_ceil(l.step as u64)
                        }
                        (Some(_), Some(_)) => continue,
                        _ => 1,
                    };
                    counters.insert(l.counter, start.unwrap_or(0));
                    let (own, loops) = self.body(&l.body, counters);
                    counters.remove(&l.counter);
                    let carried = l.carried.iter();
                    inner.push(Loop {
                        counter: l.counter,
                        trips: trips as f64,
                        unroll: f64::from(l.unroll.max(1)),
                        carried: carried.map(|c| self.pieces(self.shape(c.current))).sum(),
                        work: own,
                        inner: loops,
                        footprint: 0.0,
                    });
                }
            }
        }
        (work, inner)
    }

    fn value(&self, value: &Value, work: &mut Work) {
        let elements = |shape: Shape| f64::from(shape.rows) * f64::from(shape.lanes);
        let mut elementwise = |shape: Shape| {
            work.elementwise += self.pieces(shape);
            work.flops += elements(shape);
        };
        match value {
            Value::Splat(..) | Value::Broadcast(..) => {}
            Value::Coordinate(_, shape) => work.elementwise += self.pieces(*shape),
            Value::Cast(_, x) => work.elementwise += self.pieces(self.shape(*x)),
            Value::Unary(_, x) | Value::Reduce(_, _, x) => elementwise(self.shape(*x)),
            Value::Binary(_, a, b) | Value::Select(_, a, b) => {
                let [a, b] = [a, b].map(|v| self.shape(*v));
                let both = Shape::new(a.rows.max(b.rows), a.lanes.max(b.lanes));
                elementwise(both);
            }
            Value::Dot { a, acc, .. } => {
                let terms = f64::from(self.shape(*a).lanes);
                let acc = self.shape(*acc);
                work.products += self.pieces(acc) * terms;
                work.flops += 2.0 * elements(acc) * terms;
            }
            Value::Load { from, shape, .. } => {
                let lanes = stride(&from.at, &Index::Lane);
                match lanes {
                    Some(0) if from.at.mentions(&Index::Row) => {
                        work.broadcasts += f64::from(shape.rows);
                    }
                    Some(0) => work.broadcasts += 1.0,
                    Some(1) => work.loads += self.pieces(*shape),
                    _ if shape.lanes == 1 => work.broadcasts += f64::from(shape.rows),
                    _ => work.gathers += self.pieces(*shape),
                }
                work.operands += if lanes == Some(1) {
                    self.pieces(*shape)
                } else {
                    1.0
                };
                let rows = stride(&from.at, &Index::Row).unwrap_or(0);
                let step = rows * self.program.array(from.memory).dtype.size() as i64;
                work.meeting = work.meeting.max(meeting(shape.rows, step));
                self.touch(from, *shape, work);
            }
        }
    }

    fn touch(&self, access: &Access, shape: Shape, work: &mut Work) {
        let side = |n: u32, part: Index| {
            if access.at.mentions(&part) {
                f64::from(n)
            } else {
                1.0
            }
        };
        let elements = side(shape.rows, Index::Row) * side(shape.lanes, Index::Lane);
        let mut moved_by = vec![];
        counters(&access.at, &mut moved_by);
        work.touches.push(Touch {
            memory: access.memory,
            bytes: elements * self.program.array(access.memory).dtype.size() as f64,
            moved_by,
        });
    }

    /// Fills in what each loop touches; gives the accesses of a whole run.
    fn footprints(&self, l: &mut Loop) -> Vec<Touch> {
        let mut all = l.work.touches.clone();
        for inner in &mut l.inner {
            all.extend(self.footprints(inner));
        }
        for touch in &mut all {
            if touch.moved_by.contains(&l.counter) {
                touch.bytes *= l.trips;
            }
        }
        let mut arrays: BTreeMap<Memory, f64> = BTreeMap::new();
        for touch in &all {
            *arrays.entry(touch.memory).or_default() += touch.bytes;
        }
        let whole = |memory: Memory| self.program.array(memory).bytes() as f64;
        l.footprint = arrays.iter().map(|(m, bytes)| bytes.min(whole(*m))).sum();
        all
    }

    fn shape(&self, var: Var) -> Shape {
        self.types[&var].1
    }

    /// Vector registers of a tile.
    fn pieces(&self, shape: Shape) -> f64 {
        let [rows, lanes] = [shape.rows, shape.lanes].map(f64::from);
        match self.registers {
            Registers::Rows(vector) => rows * (lanes / vector).ceil(),
            Registers::Dealt(all) => (rows * lanes / all).ceil(),
        }
    }
}

impl Loop {
    /// Runs `look` on this loop and all inside, each with how often a round of it runs and with what is around it.
    pub fn visit<'a>(&'a self, look: &mut impl FnMut(&'a Self, f64, &[&'a Self])) {
        fn go<'a>(
            l: &'a Loop,
            times: f64,
            around: &mut Vec<&'a Loop>,
            look: &mut impl FnMut(&'a Loop, f64, &[&'a Loop]),
        ) {
            let times = times * l.trips;
            look(l, times, around);
            around.push(l);
            for inner in &l.inner {
                go(inner, times, around, look);
            }
            around.pop();
        }
        go(self, 1.0, &mut vec![], look);
    }

    /// Bytes that come into a memory of this size during a run, if it keeps what was used last.
    pub fn traffic(&self, size: f64) -> f64 {
        if self.footprint <= size {
            return self.footprint;
        }
        let own: f64 = self.work.touches.iter().map(|t| t.bytes).sum();
        let inner: f64 = self.inner.iter().map(|l| l.traffic(size)).sum();
        (self.trips * (own + inner)).max(self.footprint)
    }
}

/// Rows this many bytes apart that meet in one set of a first-level cache.
fn meeting(rows: u32, step: i64) -> f64 {
    let step = step.unsigned_abs().max(LINE as u64);
    // A step of a power of two times an odd number visits the sets that the power of two does.
    let apart = 1u64 << step.trailing_zeros();
    let sets = (SETS as u64 / apart.max(LINE as u64)).max(1);
    (f64::from(rows) / sets as f64).ceil()
}

/// By how much an index grows with `of`; none if that varies.
fn stride(index: &Index, of: &Index) -> Option<i64> {
    if index == of {
        return Some(1);
    }
    match index {
        Index::Add(a, b) => stride(a, of)?.checked_add(stride(b, of)?),
        Index::Mul(a, b) => match (&**a, &**b) {
            (Index::Const(by), x) | (x, Index::Const(by)) => stride(x, of)?.checked_mul(*by),
            _ if !index.mentions(of) => Some(0),
            _ => None,
        },
        _ if !index.mentions(of) => Some(0),
        _ => None,
    }
}

fn counters(index: &Index, found: &mut Vec<Counter>) {
    if let Index::Counter(c) = index
        && !found.contains(c)
    {
        found.push(*c);
    }
    for part in index.parts() {
        counters(part, found);
    }
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
