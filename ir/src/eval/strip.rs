//! Runs programs over strips of points.

use super::{
    program::{Ins, Program, Reg, Walk},
    values::Values,
};
use crate::{BinaryFn, Monoid, tensor::round_to};

/// Most points of a strip: long enough that the cost of an instruction is its arithmetic.
pub(super) const STRIP: usize = 256;

/// The state of one run of a program.
pub(super) struct Machine<'a> {
    program: &'a Program,
    operands: &'a [&'a Values<'a>],
    regs: Vec<Vec<f64>>,
    /// Where an instruction has no value; kept for those marked partial.
    lacks: Vec<Vec<bool>>,
}

/// A strip: points that differ on one axis only, from `coordinates` on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strip<'a> {
    pub(super) coordinates: &'a [i64],
    /// The axis; none if the iteration space is one point.
    pub(super) axis: Option<usize>,
    pub(super) len: usize,
}

impl Strip<'_> {
    /// Offset of the first point, and from one point to the next.
    pub(super) fn walk(&self, walk: &Walk) -> (i64, i64) {
        (
            walk.at(self.coordinates),
            self.axis.map_or(0, |a| walk.strides[a]),
        )
    }
}

impl<'a> Machine<'a> {
    pub(super) fn new(program: &'a Program, operands: &'a [&'a Values<'a>]) -> Self {
        let fill = |ins: &Ins| if let Ins::Num(x) = ins { *x } else { 0.0 };
        let regs = program
            .ins
            .iter()
            .map(|ins| vec![fill(ins); STRIP])
            .collect();
        let lacks = program
            .partial
            .iter()
            .map(|p| vec![false; if *p { STRIP } else { 0 }]);
        Self {
            program,
            operands,
            regs,
            lacks: lacks.collect(),
        }
    }

    /// The body's values on a strip.
    ///
    /// # Errors
    /// The first point at which it has none.
    pub(super) fn run(&mut self, strip: Strip<'_>) -> Result<&[f64], usize> {
        for at in 0..self.program.ins.len() {
            let mut out = std::mem::take(&mut self.regs[at]);
            self.step(at, strip, &mut out[..strip.len]);
            self.regs[at] = out;
        }
        let last = self.program.ins.len() - 1;
        if self.program.partial[last]
            && let Some(lane) = self.lacks[last][..strip.len].iter().position(|b| *b)
        {
            return Err(lane);
        }
        Ok(&self.regs[last][..strip.len])
    }

    /// Runs the instructions that are marked.
    pub(super) fn run_only(&mut self, strip: Strip<'_>, marked: &[bool]) {
        for at in (0..marked.len()).filter(|at| marked[*at]) {
            let mut out = std::mem::take(&mut self.regs[at]);
            self.step(at, strip, &mut out[..strip.len]);
            self.regs[at] = out;
        }
    }

    /// What the last run gave an instruction.
    pub(super) fn values(&self, of: Reg) -> &[f64] {
        &self.regs[of]
    }

    fn step(&mut self, at: Reg, strip: Strip<'_>, out: &mut [f64]) {
        let mut lacks = std::mem::take(&mut self.lacks[at]);
        if self.program.partial[at] {
            lacks[..out.len()].fill(false);
            self.inherit(at, &mut lacks[..out.len()]);
        }
        let len = out.len();
        let reg = |r: &Reg| &self.regs[*r][..len];
        match &self.program.ins[at] {
            Ins::Num(_) => {}
            Ins::Axis(axis) => {
                let (first, step) = (
                    strip.coordinates[*axis],
                    i64::from(strip.axis == Some(*axis)),
                );
                for (i, o) in (0..).zip(&mut *out) {
                    *o = (first + i * step) as f64;
                }
            }
            Ins::Load {
                operand,
                at,
                within,
            } => {
                let (from, to) = inside(within, strip);
                if !within.is_empty() {
                    lacks[..from].fill(true);
                    lacks[to..len].fill(true);
                }
                let (base, stride) = strip.walk(at);
                self.operands[*operand].load(
                    base + from as i64 * stride,
                    stride,
                    &mut out[from..to],
                );
            }
            Ins::Gather { operand, index } => {
                let mut offsets = [0i64; STRIP];
                for (r, size) in index {
                    for ((o, lacks), i) in offsets.iter_mut().zip(&mut lacks).zip(reg(r)) {
                        let fits = *i >= 0.0 && *i < *size as f64;
                        *lacks |= !fits;
                        *o = *o * size + if fits { *i as i64 } else { 0 };
                    }
                }
                let values = self.operands[*operand];
                if values.len() > 0 {
                    values.gather(&offsets, out);
                }
            }
            Ins::Unary(f, a) => {
                for (o, x) in out.iter_mut().zip(reg(a)) {
                    *o = f(*x);
                }
            }
            Ins::Binary(f, a, b) => binary(*f, reg(a), reg(b), out),
            Ins::Cast(dtype, a) => {
                for (o, x) in out.iter_mut().zip(reg(a)) {
                    *o = round_to(*dtype, *x);
                }
            }
            Ins::Select(c, a, b) => {
                let sides = reg(a).iter().zip(reg(b));
                for ((o, c), (a, b)) in out.iter_mut().zip(reg(c)).zip(sides) {
                    *o = if *c == 0.0 { *b } else { *a };
                }
            }
        }
        self.lacks[at] = lacks;
    }

    /// An instruction lacks a value where a part that counts does.
    fn inherit(&self, at: Reg, lacks: &mut [bool]) {
        let mut of = |r: &Reg, counts: &dyn Fn(usize) -> bool| {
            for (i, (l, part)) in lacks.iter_mut().zip(&self.lacks[*r]).enumerate() {
                *l |= *part && counts(i);
            }
        };
        match &self.program.ins[at] {
            Ins::Select(c, a, b) => {
                let chosen = |i: usize| self.regs[*c][i] != 0.0;
                of(c, &|_| true);
                of(a, &chosen);
                of(b, &|i| !chosen(i));
            }
            Ins::Unary(_, a) | Ins::Cast(_, a) => of(a, &|_| true),
            Ins::Binary(_, a, b) => {
                of(a, &|_| true);
                of(b, &|_| true);
            }
            Ins::Gather { index, .. } => {
                for (r, _) in index {
                    of(r, &|_| true);
                }
            }
            Ins::Num(_) | Ins::Axis(_) | Ins::Load { .. } => {}
        }
    }
}

/// The points of a strip at which every walk lies within its size: a half-open range.
pub(super) fn inside(within: &[(Walk, i64)], strip: Strip<'_>) -> (usize, usize) {
    let len = strip.len as i64;
    let (mut from, mut to) = (0, len);
    for (walk, size) in within {
        let (base, stride) = strip.walk(walk);
        // Points `i` with `0 <= base + i stride < size`, as a half-open range.
        let (first, end) = match stride {
            0 if (0..*size).contains(&base) => (0, len),
            0 => (0, 0),
            s if s > 0 => (ceil_div(-base, s), ceil_div(size - base, s)),
            s => (ceil_div(base - size + 1, -s), base.div_euclid(-s) + 1),
        };
        from = from.max(first);
        to = to.min(end);
    }
    let from = from.clamp(0, len) as usize;
    let to = (to.clamp(0, len) as usize).max(from);
    (from, to)
}

fn ceil_div(a: i64, b: i64) -> i64 {
    -(-a).div_euclid(b)
}

fn zip(a: &[f64], b: &[f64], out: &mut [f64], f: impl Fn(f64, f64) -> f64) {
    for ((o, a), b) in out.iter_mut().zip(a).zip(b) {
        *o = f(*a, *b);
    }
}

/// `out = f(a, b)`. One loop per function, so that its definition is compiled into it.
fn binary(f: BinaryFn, a: &[f64], b: &[f64], out: &mut [f64]) {
    macro_rules! of {
        ($($F:ident)*) => {
            match f {
                $(BinaryFn::$F => zip(a, b, out, |x, y| BinaryFn::$F.eval(x, y)),)*
                f => zip(a, b, out, |x, y| f.eval(x, y)),
            }
        };
    }
    of!(Add Sub Mul Div Max Min Eq Ne Lt Le Gt Ge And Or);
}

/// `into = fold of into and from`, point by point.
pub(super) fn fold_points(monoid: Monoid, into: &mut [f64], from: &[f64]) {
    for (a, b) in into.iter_mut().zip(from) {
        *a = monoid.function().eval(*a, *b);
    }
}

/// The fold of all points.
pub(super) fn fold_strip(monoid: Monoid, values: &[f64]) -> f64 {
    fn lanes(values: &[f64], start: f64, f: impl Fn(f64, f64) -> f64) -> f64 {
        let mut acc = [start; 8];
        let chunks = values.chunks_exact(8);
        let rest = chunks.remainder();
        for chunk in chunks {
            for (a, x) in acc.iter_mut().zip(chunk) {
                *a = f(*a, *x);
            }
        }
        rest.iter().chain(&acc).fold(start, |a, x| f(a, *x))
    }
    let start = monoid.identity();
    match monoid {
        Monoid::Sum => lanes(values, start, |a, b| BinaryFn::Add.eval(a, b)),
        Monoid::Max => lanes(values, start, |a, b| BinaryFn::Max.eval(a, b)),
        monoid => lanes(values, start, |a, b| monoid.function().eval(a, b)),
    }
}
