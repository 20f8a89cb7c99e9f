//! Contractions of few rows: lanes run along the depth, each weight is read once and multiplied into every row.
//!
//! A tile of weights lies in registers as it lies in memory; products are added element by element, and what is left
//! is folded over lanes and warps at the end.

use std::collections::BTreeMap;

use ir::{
    BinaryFn, DType, Monoid, SimtGemvSchedule,
    tile::{Axis, Index, Program, Shape, Value, Var},
};

use super::{
    Builder, Nest, Point, Span, blocks, bounds, coordinates,
    factor::factor,
    operand_types,
    split::{Sides, Split},
};
use crate::{
    family::Contraction,
    lower::{Lines, fold::finish},
    nest::{Body, Stage},
};

/// Rounds that are written out, so that loads of one are under way while another is added.
const UNROLL: u32 = 2;

struct Parts<'a> {
    c: &'a Contraction,
    operands: Vec<DType>,
    /// The axis of a tile of weights that runs along the depth.
    along: Axis,
    /// Terms of a round.
    depth: u32,
    /// Rows of the block, each at its coordinate.
    rows: Vec<Span>,
    column: Span,
    shape: Shape,
    split: Option<Split>,
}

/// How blocks share the depth, if they do.
pub(super) fn split(nest: &Nest, schedule: &SimtGemvSchedule) -> Option<Split> {
    Split::of(nest, schedule.block_depth, schedule.splits)
}

/// How the right operand lies in memory.
pub(in crate::lower) fn lines(stage: &Stage, right: &Body) -> Lines {
    let last = stage.sizes.len() - 1;
    let mut parts = right.walk().into_iter();
    let along = |b: &Body| matches!(b, Body::Load { at, .. } if at.coefficient(last) == 1);
    if last >= stage.outer && parts.any(along) {
        Lines::Depth
    } else {
        Lines::Columns
    }
}

pub(super) fn lower(
    name: &str,
    nest: &Nest,
    c: &Contraction,
    schedule: &SimtGemvSchedule,
) -> Program {
    let fold = &nest.stages[0];
    let sides = Sides::of(nest, c);
    let split = split(nest, schedule);
    let (depth, columns) = (schedule.block_depth, schedule.block_columns);
    let (along, shape, element) = match lines(fold, &c.right) {
        Lines::Depth => (Axis::Lanes, Shape::new(columns, depth), Index::Row),
        Lines::Columns => (Axis::Rows, Shape::new(depth, columns), Index::Lane),
    };
    let block_rows = i64::from(schedule.block_rows).min(sides.rows);
    let grid = vec![
        sides.batch(),
        blocks(sides.columns, columns),
        blocks(sides.rows, block_rows as u32),
    ];
    let mut b = sides.builder(name, nest, grid, split);
    let first = b.grid(2) * block_rows;
    let rows = (0..block_rows).map(|r| Span {
        at: first.clone() + r,
        size: sides.rows,
        ragged: sides.rows % block_rows != 0,
    });
    let parts = Parts {
        c,
        operands: operand_types(nest),
        along,
        depth,
        rows: rows.collect(),
        column: Span::new(
            b.grid(1) * i64::from(columns),
            element,
            sides.columns,
            columns,
        ),
        shape,
        split,
    };
    let mut axes = vec![Index::Const(0); fold.outer];
    for (axis, at) in (sides.batch_axes.iter()).zip(coordinates(&b.grid(0), &sides.batch_sizes)) {
        axes[*axis] = at;
    }
    let sums: Vec<Var> = parts.rows.iter().map(|_| b.splat(0.0, shape)).collect();
    let sums = parts.sum(&mut b, &mut axes, &fold.sizes[fold.outer..], sums);
    axes[c.lane] = parts.column.at.clone();
    let shape = match along {
        Axis::Lanes => Shape::new(columns, 1),
        Axis::Rows => Shape::new(1, columns),
    };
    for (row, sum) in parts.rows.iter().zip(sums) {
        let sum = b.set(Value::Reduce(Monoid::Sum, along, sum));
        let bounds = bounds([row, &parts.column]);
        if split.is_some() {
            sides.store_part(&mut b, nest, [&row.at, &parts.column.at], &bounds, sum);
            continue;
        }
        if let Some(axis) = c.row {
            axes[axis] = row.at.clone();
        }
        finish(&mut b, nest, &parts.operands, &axes, shape, sum, &bounds);
    }
    b.finish()
}

impl Parts<'_> {
    /// Adds the products over axes of these sizes to the sums of the rows.
    fn sum(
        &self,
        b: &mut Builder,
        axes: &mut Vec<Index>,
        sizes: &[i64],
        sums: Vec<Var>,
    ) -> Vec<Var> {
        let depth = i64::from(self.depth);
        match sizes {
            [] => self.products(b, axes, &0.into(), 1, &sums),
            [size] if *size <= depth => self.products(b, axes, &0.into(), *size, &sums),
            [size] => {
                let range = Split::range(self.split, b, *size)
                    .by(depth)
                    .unrolled(UNROLL);
                b.for_each(range, &sums, |b, at, carried| {
                    self.products(b, axes, &at, *size, carried)
                })
            }
            [size, inner @ ..] => {
                let range = super::Range::below(*size);
                b.for_each(range, &sums, |b, at, carried| {
                    axes.push(at);
                    let next = self.sum(b, axes, inner, carried.to_vec());
                    axes.pop();
                    next
                })
            }
        }
    }

    /// Adds the products at `start..start + block_depth` of the last folded axis.
    fn products(
        &self,
        b: &mut Builder,
        axes: &[Index],
        start: &Index,
        size: i64,
        sums: &[Var],
    ) -> Vec<Var> {
        let element = match self.along {
            Axis::Lanes => Index::Lane,
            Axis::Rows => Index::Row,
        };
        let along = Span::new(start.clone(), element, size, self.depth);
        let weights = self.factor(b, axes, None, &along);
        let each = self.rows.iter().zip(sums).map(|(row, sum)| {
            let x = self.factor(b, axes, Some(row), &along);
            let product = b.binary(BinaryFn::Mul, weights, x);
            b.binary(BinaryFn::Add, *sum, product)
        });
        each.collect()
    }

    /// The left operand at a row, or the right one, as f32.
    fn factor(&self, b: &mut Builder, axes: &[Index], row: Option<&Span>, along: &Span) -> Var {
        let mut axes = axes.to_vec();
        let (body, across, shape) = match row {
            Some(row) => {
                if let Some(axis) = self.c.row {
                    axes[axis] = row.at.clone();
                }
                let shape = match self.along {
                    Axis::Lanes => Shape::new(1, self.shape.lanes),
                    Axis::Rows => Shape::new(self.shape.rows, 1),
                };
                (&self.c.left, row, shape)
            }
            None => {
                axes[self.c.lane] = self.column.at.clone();
                (&self.c.right, &self.column, self.shape)
            }
        };
        let axis = axes.len();
        axes.push(along.at.clone());
        let bounds = bounds([across, along]);
        let point = Point {
            operands: &self.operands,
            axes: &axes,
            shape,
            stages: &BTreeMap::new(),
            bounds: &bounds,
        };
        match factor(b, &point, body, axis, along) {
            (x, DType::F32) => x,
            (x, _) => b.set(Value::Cast(DType::F32, x)),
        }
    }
}
