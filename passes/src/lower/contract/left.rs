//! The left operand in memory of the block.
//!
//! Rows that lie a multiple of 4 KiB apart share the few ways of one set of the first-level cache; copied, they do not.
//! Numbers of 16 bits are widened on the way, and what is computed of the operand is computed once: one by one, as each
//! is multiplied, both take as long as the products.

use ir::{
    ContractSchedule, DType, Left,
    tile::{Index, Memory, Shape, Value, Var},
};

use super::{Parts, row_runs};
use crate::{
    family::Contraction,
    lower::{
        Builder, Range,
        emit::{Known, emit},
        row_of,
    },
    nest::{Body, Nest},
};

/// Memory of the block for rows of the left operand.
pub(super) struct Copied {
    memory: Memory,
    /// Numbers of a row that are copied at once.
    run: i64,
    /// Numbers from row to row.
    pitch: i64,
    /// Whether rows are copied once for all columns of the block.
    pub whole: bool,
}

/// The most numbers of a part of a row: a tile of them stays in the first-level cache.
const MOST: i64 = 512;

/// Numbers of a line of the cache. Rows that are one more apart do not share its sets.
const LINE: i64 = 16;

/// Whether the left operand can be copied: there is one sum, along which its numbers lie side by side.
pub(in crate::lower) fn can_copy(nest: &Nest, c: &Contraction) -> bool {
    let fold = &nest.stages[0];
    let k = fold.outer;
    let mut loads = c.left.walk().into_iter().filter_map(|b| match b {
        Body::Load { at, .. } => Some(at),
        _ => None,
    });
    fold.sizes.len() == k + 1 && loads.all(|at| at.coefficient(k) == 1)
}

/// Whether the left operand is stored in 16 bits and used as it is.
fn is_narrow(nest: &Nest, c: &Contraction) -> bool {
    let mut left = &c.left;
    while let Body::Cast(DType::F32, x) = left {
        left = x;
    }
    let Body::Load { operand, .. } = left else {
        return false;
    };
    matches!(nest.operands[*operand].0, DType::F16 | DType::Bf16)
}

impl Copied {
    /// If the schedule copies, or the operand is narrow.
    pub fn new(
        b: &mut Builder,
        nest: &Nest,
        c: &Contraction,
        schedule: &ContractSchedule,
    ) -> Option<Self> {
        if !can_copy(nest, c) || schedule.left == Left::InPlace && !is_narrow(nest, c) {
            return None;
        }
        let fold = &nest.stages[0];
        let depth = fold.sizes[fold.outer];
        let whole = schedule.left == Left::Rows;
        let run = if whole {
            depth
        } else {
            (LINE..=MOST).rev().find(|n| depth % n == 0)?
        };
        let pitch = (run as u64).next_multiple_of(LINE as u64) as i64 + LINE;
        let memory = b.local("left", i64::from(schedule.rows) * pitch);
        Some(Self {
            memory,
            run,
            pitch,
            whole,
        })
    }
}

impl Parts<'_> {
    /// Copies `run` numbers, from `start` on, of each of some rows.
    pub(super) fn copy(
        &self,
        b: &mut Builder,
        copied: &Copied,
        (first, rows): (&Index, u32),
        axes: &[Index],
        start: &Index,
    ) {
        b.for_each(Range::below(rows.into()), &[], |b, row, _| {
            let ends = (Index::Const(0), Index::Const(copied.run));
            row_runs(b, ends, copied.run, self.schedule.lanes, |b, at, lanes| {
                let mut axes = axes.to_vec();
                if let Some(r) = self.c.row {
                    axes[r] = first.clone() + row.clone();
                }
                axes.push(start.clone() + at.clone() + Index::Lane);
                let point = self.point(&axes, row_of(lanes));
                let x = emit(b, &point, &mut Known::default(), &self.c.left);
                let x = b.set(Value::Broadcast(x, row_of(lanes)));
                let to = row.clone() * copied.pitch + at + Index::Lane;
                b.store(copied.memory, to, x);
            });
            vec![]
        });
    }

    /// Adds the products over what is copied, which begins at `start`, to `acc`.
    pub(super) fn sum_copied(
        &self,
        b: &mut Builder,
        copied: &Copied,
        axes: &mut Vec<Index>,
        start: &Index,
        (column, shape): (&Index, Shape),
        acc: Var,
    ) -> Var {
        let run = Range::below(copied.run).unrolled(self.schedule.unroll);
        let out = b.for_each(run, &[acc], |b, counter, carried| {
            let at = Index::Row * copied.pitch + counter.clone();
            let left = b.load(copied.memory, at, Shape::new(shape.rows, 1));
            axes.push(start.clone() + counter);
            let next = self.product(b, axes, column, shape, carried[0], Some(left));
            axes.pop();
            vec![next]
        });
        out[0]
    }

    /// The sum over the one axis, a part of the rows from `first` on at a time; `axes` are the tile's.
    pub(super) fn sum_parts(
        &self,
        b: &mut Builder,
        copied: &Copied,
        first: &Index,
        axes: &mut Vec<Index>,
        (column, shape): (&Index, Shape),
        acc: Var,
    ) -> Var {
        let depth = self.nest.stages[0].sizes[axes.len()];
        let parts = Range::below(depth).by(copied.run);
        let out = b.for_each(parts, &[acc], |b, start, carried| {
            self.copy(b, copied, (first, shape.rows), axes, &start);
            let place = (column, shape);
            vec![self.sum_copied(b, copied, axes, &start, place, carried[0])]
        });
        out[0]
    }
}
