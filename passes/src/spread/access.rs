//! Loads and stores of tiles in global memory: neighbours that lie side by side are one access.

use ir::{
    DType, F64,
    lane::{self, Layout, Step},
    tile::{Access, Affine, Index, Ranges, Shape, Var},
};

use super::{
    Spreader,
    index::{Frame, Sum},
    memory,
};

/// A tile's access, ready to be written down for each register.
pub(super) struct Ready<'l> {
    frame: Frame<'l>,
    memory: lane::Memory,
    at: Sum,
    guard: Vec<(Sum, Sum)>,
    /// Registers of one access.
    pub run: u32,
}

impl Spreader<'_> {
    /// An access, by what `ranges` say of the place where it stands.
    pub(super) fn ready<'l>(
        &self,
        access: &Access,
        (shape, ranges): (Shape, &Ranges),
        dtype: DType,
        layout: &'l Layout,
    ) -> Ready<'l> {
        let frame = Frame::new(layout, ranges.in_tile(shape));
        let at = frame.sum(&access.at);
        let pairs = access.guard.iter();
        // Pairs that always hold are left out.
        let open = pairs.filter(|(a, b)| frame.ranges.below(a, b) != Some(true));
        let guard: Vec<_> = open.map(|(a, b)| (frame.sum(a), frame.sum(b))).collect();
        let most = (self.simt.access.0 as u32 / dtype.size() as u32).max(1);
        let mut run = most.min(layout.width());
        while run > 1 && !frame.runs(&at, &guard, run) {
            run /= 2;
        }
        Ready {
            frame,
            memory: memory(access.memory),
            at,
            guard,
            run,
        }
    }

    /// The access of a register and those after it that it takes along.
    pub(super) fn access(&mut self, ready: &Ready<'_>, register: u32) -> lane::Access {
        let mut guard = vec![];
        for (a, b) in &ready.guard {
            let a = self.index(&ready.frame, a, register, &guard);
            let b = self.index(&ready.frame, b, register, &guard);
            guard.push((a, b));
        }
        lane::Access {
            memory: ready.memory,
            at: self.index(&ready.frame, &ready.at, register, &guard),
            guard,
        }
    }

    /// A tile read from global memory.
    pub(super) fn load(&mut self, from: &Access, shape: Shape, other: F64, layout: &Layout) -> Var {
        let dtype = self.program.array(from.memory).dtype;
        let ranges = &self.scopes[self.at].ranges;
        let ready = self.ready(from, (shape, ranges), dtype, layout);
        let width = ready.run;
        let registers = (0..layout.width()).step_by(width as usize);
        let parts = registers
            .map(|register| {
                let from = self.access(&ready, register);
                self.set(lane::Value::Load { from, width, other })
            })
            .collect();
        self.concat(parts)
    }

    /// A tile written to global memory, each element once.
    pub(super) fn store(&mut self, to: &Access, shape: Shape, layout: &Layout, value: Var) {
        let dtype = self.program.array(to.memory).dtype;
        let ranges = &self.scopes[self.at].ranges;
        let ready = self.ready(to, (shape, ranges), dtype, layout);
        let once = once(layout);
        for register in (0..layout.width()).step_by(ready.run as usize) {
            let mut to = self.access(&ready, register);
            to.guard.splice(0..0, once.iter().cloned());
            let value = self.pick(value, layout.width(), register..register + ready.run);
            self.push(lane::Stmt::Store { to, value });
        }
    }

    /// Registers of a variable of this width.
    pub(super) fn pick(
        &mut self,
        var: Var,
        width: u32,
        registers: impl IntoIterator<Item = u32>,
    ) -> Var {
        let registers: Vec<u32> = registers.into_iter().collect();
        if registers.iter().copied().eq(0..width) {
            return var;
        }
        self.set(lane::Value::Pick(var, registers))
    }

    pub(super) fn concat(&mut self, parts: Vec<Var>) -> Var {
        match parts.as_slice() {
            [only] => *only,
            _ => self.set(lane::Value::Concat(parts)),
        }
    }
}

/// Pairs that hold in one of the lanes and warps that hold the same elements.
pub(super) fn once(layout: &Layout) -> Vec<(lane::Index, lane::Index)> {
    let sides = [
        (lane::Index::Lane, &layout.lane),
        (lane::Index::Warp, &layout.warp),
    ];
    let mut pairs = vec![];
    for (number, steps) in sides {
        let mut bit = 0;
        while bit < steps.len() {
            let repeats = steps[bit..]
                .iter()
                .take_while(|s| **s == Step::NONE)
                .count();
            if repeats > 0 {
                let field = number.clone().floor_div(1 << bit);
                let field = if bit + repeats < steps.len() {
                    field.modulo(1 << repeats)
                } else {
                    field
                };
                pairs.push((field, 1.into()));
            }
            bit += repeats.max(1);
        }
    }
    pairs
}

impl Frame<'_> {
    /// Whether each `run` registers lie side by side, the first at a multiple of `run`, and a guard holds for all of
    /// them or none.
    fn runs(&self, at: &Sum, guard: &[(Sum, Sum)], run: u32) -> bool {
        self.steps(&at.affine, run) == Some(1)
            && guard.iter().all(|(a, b)| {
                let left = b.affine.plus(-1, &a.affine);
                left.is_some_and(|left| {
                    self.stays(&left, run) || self.steps(&left, run) == Some(-1)
                })
            })
    }

    /// Whether `sum` is the same in each `run` registers.
    fn stays(&self, sum: &Affine, run: u32) -> bool {
        let low = &self.layout.register[..run.ilog2() as usize];
        low.iter().all(|step| {
            let still = |part: Index| sum.stride(&part) == Some(0);
            (step.row == 0 || still(Index::Row)) && (step.column == 0 || still(Index::Lane))
        })
    }

    /// By how much `sum` grows from one of each `run` registers to the next, 1 or -1, if the first has a multiple
    /// of `run`.
    fn steps(&self, sum: &Affine, run: u32) -> Option<i64> {
        let low = run.ilog2() as usize;
        let by = |part: &Index| sum.terms.get(part).copied().unwrap_or(0);
        let (down, across) = (by(&Index::Row), by(&Index::Lane));
        let delta = |s: &Step| i64::from(s.row) * down + i64::from(s.column) * across;
        let (within, beyond) = self.layout.register.split_at(low);
        // A step along an axis that hides in an atom is no step by a known number.
        let hides = |part: Index| sum.stride(&part).is_none();
        let hidden =
            |s: &Step| (s.row > 0 && hides(Index::Row)) || (s.column > 0 && hides(Index::Lane));
        let sign = delta(within.first()?);
        let even = within
            .iter()
            .enumerate()
            .all(|(bit, s)| !hidden(s) && delta(s) == sign << bit);
        let whole = |n: i64| n % i64::from(run) == 0;
        let others = beyond
            .iter()
            .chain(&self.layout.lane)
            .chain(&self.layout.warp);
        let aligned = others.into_iter().all(|s| whole(delta(s)));
        let rest = sum.terms.iter().all(|(atom, c)| match atom {
            Index::Row | Index::Lane => true,
            atom if whole(*c) => !matches!(atom, Index::Counter(_)) || whole(*c),
            atom => {
                let range = self.ranges.range(atom);
                whole(c * (range.min % i64::from(run))) && whole(c * (range.step % i64::from(run)))
            }
        });
        let fits = even && aligned && rest && whole(sum.constant) && sign.abs() == 1;
        fits.then_some(sign)
    }
}
