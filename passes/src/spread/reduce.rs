//! Folds of tiles: over a lane's registers, over lanes, over warps.

use ir::{
    DType, Monoid,
    lane::{self, Layout, Step},
    tile::{Axis, Shape, Var},
};

use super::Spreader;

/// Bits of partial results that a lane reads at once.
const MOST_BITS: usize = 3;

/// A tile that is folded, step by step.
struct Folding {
    monoid: Monoid,
    axis: Axis,
    dtype: DType,
    value: Var,
    layout: Layout,
}

impl Folding {
    /// Whether a step runs along the axis that is folded.
    fn folds(&self, s: &Step) -> bool {
        match self.axis {
            Axis::Rows => s.row > 0,
            Axis::Lanes => s.column > 0,
        }
    }

    fn step(&self, by: u32) -> Step {
        match self.axis {
            Axis::Rows => Step::rows(by),
            Axis::Lanes => Step::columns(by),
        }
    }
}

impl Spreader<'_> {
    /// A tile folded along an axis, in its own layout.
    pub(super) fn fold(&mut self, monoid: Monoid, axis: Axis, x: Var) -> Var {
        let layout = self.layouts.natural(x);
        let mut folding = Folding {
            monoid,
            axis,
            dtype: self.layouts.types[&x].0,
            value: self.want(x, &layout),
            layout,
        };
        self.fold_registers(&mut folding);
        if self.simt.shuffle {
            self.fold_lanes(&mut folding);
        }
        while self.fold_shared(&mut folding) {
            self.fold_registers(&mut folding);
        }
        folding.value
    }

    /// Folds register bits; the highest first.
    fn fold_registers(&mut self, f: &mut Folding) {
        while let Some(bit) = f.layout.register.iter().rposition(|s| f.folds(s)) {
            let width = f.layout.width();
            let halves = [0, 1].map(|half| {
                let registers = (0..width).filter(|r| r >> bit & 1 == half);
                self.pick(f.value, width, registers)
            });
            let [a, b] = halves;
            f.value = self.set(lane::Value::Binary(f.monoid.function(), a, b));
            f.layout.register.remove(bit);
        }
    }

    /// Folds lane bits, after which all lanes hold the result.
    fn fold_lanes(&mut self, f: &mut Folding) {
        for bit in 0..f.layout.lane.len() {
            if f.folds(&f.layout.lane[bit]) {
                let other = self.set(lane::Value::ShuffleXor(f.value, 1 << bit));
                f.value = self.set(lane::Value::Binary(f.monoid.function(), f.value, other));
                f.layout.lane[bit] = Step::NONE;
            }
        }
    }

    /// Brings partial results of other lanes and warps into registers, if there are any.
    fn fold_shared(&mut self, f: &mut Folding) -> bool {
        let open = |l: &Layout| l.lane.iter().chain(&l.warp).filter(|s| f.folds(s)).count();
        let bits = open(&f.layout);
        if bits == 0 {
            return false;
        }
        // Partial results are numbered anew, whatever elements they are of.
        let mut from = f.layout.clone();
        let mut next = 1;
        for s in from.lane.iter_mut().chain(&mut from.warp) {
            if f.folds(s) {
                *s = f.step(next);
                next *= 2;
            }
        }
        let taken = bits.min(MOST_BITS);
        let mut to = from.clone();
        // Lanes keep the higher bits where they are; those that held the lower ones repeat.
        for s in to.lane.iter_mut().chain(&mut to.warp) {
            if f.folds(s) && s.row.max(s.column) < 1 << taken {
                *s = Step::NONE;
            }
        }
        let low = (0..taken).map(|bit| f.step(1 << bit));
        to.register.splice(0..0, low);
        let (rows, lanes) = from.shape();
        let shape = Shape::new(rows, lanes);
        f.value = self.exchange(f.value, f.dtype, [&from, &to], (shape, f.axis));
        f.layout = to;
        true
    }
}
