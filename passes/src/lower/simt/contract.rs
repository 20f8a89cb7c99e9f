//! Contractions: a block adds the products of tiles of both operands to its tile of the result.

use std::collections::BTreeMap;

use ir::{
    DType, SimtContractSchedule,
    tile::{Index, Program, Shape, Var},
};

use super::{
    Builder, Nest, Point, Range, Span, blocks, bounds, coordinates,
    factor::{dot, factor},
    operand_types,
    split::{Sides, Split},
};
use crate::{family::Contraction, lower::fold::finish, nest::Body};

/// What does not change from tile to tile.
pub(super) struct Parts<'a> {
    pub c: &'a Contraction,
    pub operands: Vec<DType>,
    pub schedule: &'a SimtContractSchedule,
    pub row: Span,
    pub column: Span,
    pub split: Option<Split>,
}

/// How blocks share the depth, if they do.
pub(super) fn split(nest: &Nest, schedule: &SimtContractSchedule) -> Option<Split> {
    Split::of(nest, schedule.block_depth, schedule.splits)
}

pub(super) fn lower(
    name: &str,
    nest: &Nest,
    c: &Contraction,
    schedule: &SimtContractSchedule,
) -> Program {
    let fold = &nest.stages[0];
    let sides = Sides::of(nest, c);
    let split = split(nest, schedule);
    let (block_rows, block_columns) = (schedule.block_rows, schedule.block_columns);
    let grid = vec![
        sides.batch(),
        blocks(sides.columns, block_columns),
        blocks(sides.rows, block_rows),
    ];
    let mut b = sides.builder(name, nest, grid, split);
    let row = b.grid(2) * i64::from(block_rows);
    let column = b.grid(1) * i64::from(block_columns);
    let parts = Parts {
        c,
        operands: operand_types(nest),
        schedule,
        row: Span::new(row, Index::Row, sides.rows, block_rows),
        column: Span::new(column, Index::Lane, sides.columns, block_columns),
        split,
    };
    let mut axes = vec![Index::Const(0); fold.outer];
    for (axis, at) in (sides.batch_axes.iter()).zip(coordinates(&b.grid(0), &sides.batch_sizes)) {
        axes[*axis] = at;
    }
    let shape = Shape::new(block_rows, block_columns);
    let acc = b.splat(0.0, shape);
    let acc = parts.sum(&mut b, &mut axes, &fold.sizes[fold.outer..], acc);
    let bounds = bounds([&parts.row, &parts.column]);
    if split.is_some() {
        sides.store_part(
            &mut b,
            nest,
            [&parts.row.at, &parts.column.at],
            &bounds,
            acc,
        );
    } else {
        parts.place(&mut axes, true, true);
        finish(&mut b, nest, &parts.operands, &axes, shape, acc, &bounds);
    }
    b.finish()
}

impl Parts<'_> {
    /// Puts the coordinates of rows, of columns, or of both into `axes`.
    fn place(&self, axes: &mut [Index], row: bool, column: bool) {
        if let (Some(r), true) = (self.c.row, row) {
            axes[r] = self.row.at.clone();
        }
        if column {
            axes[self.c.lane] = self.column.at.clone();
        }
    }

    /// Adds the products over axes of these sizes to `acc`.
    fn sum(&self, b: &mut Builder, axes: &mut Vec<Index>, sizes: &[i64], acc: Var) -> Var {
        let last = i64::from(self.schedule.block_depth);
        match sizes {
            [] => self.product(b, axes, &0.into(), 1, acc),
            [size] if *size <= last => self.product(b, axes, &0.into(), *size, acc),
            [size] => {
                let range = Split::range(self.split, b, *size).by(last);
                b.for_each(range, &[acc], |b, at, carried| {
                    vec![self.product(b, axes, &at, *size, carried[0])]
                })[0]
            }
            [size, inner @ ..] => b.for_each(Range::below(*size), &[acc], |b, at, carried| {
                axes.push(at);
                let next = self.sum(b, axes, inner, carried[0]);
                axes.pop();
                vec![next]
            })[0],
        }
    }

    /// Adds the products at `start..start + block_depth` of the last folded axis.
    pub fn product(
        &self,
        b: &mut Builder,
        axes: &[Index],
        start: &Index,
        size: i64,
        acc: Var,
    ) -> Var {
        let s = self.schedule;
        let depth = s.block_depth;
        let left = Span::new(start.clone(), Index::Lane, size, depth);
        let shape = Shape::new(s.block_rows, depth);
        let a = self.factor(b, axes, &self.c.left, &left, shape);
        let right = Span::new(start.clone(), Index::Row, size, depth);
        let shape = Shape::new(depth, s.block_columns);
        let y = self.factor(b, axes, &self.c.right, &right, shape);
        dot(b, [a, y], acc)
    }

    fn factor(
        &self,
        b: &mut Builder,
        axes: &[Index],
        body: &Body,
        along: &Span,
        shape: Shape,
    ) -> (Var, DType) {
        let is_left = along.at.mentions(&Index::Lane);
        let mut axes = axes.to_vec();
        self.place(&mut axes, is_left, !is_left);
        let axis = axes.len();
        axes.push(along.at.clone());
        let across = if is_left { &self.row } else { &self.column };
        let bounds = bounds([across, along]);
        let point = Point {
            operands: &self.operands,
            axes: &axes,
            shape,
            stages: &BTreeMap::new(),
            bounds: &bounds,
        };
        factor(b, &point, body, axis, along)
    }
}
