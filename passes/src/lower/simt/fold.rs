//! Folds across rows: a tile folds some rows of every column at once.

use std::collections::BTreeMap;

use ir::{
    DType, Monoid, SimtMapSchedule,
    tile::{Axis, Index, Program, Shape, Value, Var},
};

use super::{
    Builder, Known, Nest, Point, Range, Span, blocks, bounds, builder, coordinates, emit_as,
    identity, operand_types, side,
};
use crate::{
    lower::fold::finish,
    nest::{Body, StageKind},
};

struct Parts<'a> {
    operands: Vec<DType>,
    monoid: Monoid,
    body: &'a Body,
    /// The type of the sums.
    dtype: DType,
    column: Span,
    shape: Shape,
}

pub(super) fn lower(name: &str, nest: &Nest, schedule: &SimtMapSchedule) -> Program {
    let fold = &nest.stages[0];
    let StageKind::Fold(monoid, body) = &fold.kind else {
        unreachable!("the first stage folds")
    };
    let (outer, columns) = match &fold.sizes[..fold.outer] {
        [outer @ .., columns] => (outer, *columns),
        [] => (&[][..], 1),
    };
    let folded = &fold.sizes[fold.outer..];
    let shape = Shape::new(
        side(folded.last().copied().unwrap_or(1), schedule.block_rows),
        side(columns, schedule.block_columns),
    );
    let grid = vec![outer.iter().product(), blocks(columns, shape.lanes)];
    let mut b = builder(name, nest, grid);
    let start = b.grid(1) * i64::from(shape.lanes);
    let parts = Parts {
        operands: operand_types(nest),
        monoid: *monoid,
        body,
        dtype: fold.held(),
        column: Span::new(start, Index::Lane, columns, shape.lanes),
        shape,
    };
    let mut axes = coordinates(&b.grid(0), outer);
    axes.push(parts.column.at.clone());
    axes.truncate(fold.outer);
    let acc = b.splat_of(identity(*monoid, parts.dtype), parts.dtype, shape);
    let acc = parts.fold(&mut b, &mut axes, folded, acc);
    let result = b.set(Value::Reduce(*monoid, Axis::Rows, acc));
    let bounds = bounds([&parts.column]);
    let shape = Shape::new(1, shape.lanes);
    finish(&mut b, nest, &parts.operands, &axes, shape, result, &bounds);
    b.finish()
}

impl Parts<'_> {
    /// Folds axes of these sizes into `acc`.
    fn fold(&self, b: &mut Builder, axes: &mut Vec<Index>, sizes: &[i64], acc: Var) -> Var {
        let rows = i64::from(self.shape.rows);
        match sizes {
            // A tile of one row.
            [] => self.step(b, axes, &[], acc),
            [size] => {
                let range = Range::below(*size).by(rows);
                b.for_each(range, &[acc], |b, at, carried| {
                    let along = Span::new(at, Index::Row, *size, self.shape.rows);
                    let mut axes = axes.clone();
                    axes.push(along.at.clone());
                    vec![self.step(b, &axes, &[along], carried[0])]
                })[0]
            }
            [size, inner @ ..] => b.for_each(Range::below(*size), &[acc], |b, at, carried| {
                axes.push(at);
                let next = self.fold(b, axes, inner, carried[0]);
                axes.pop();
                vec![next]
            })[0],
        }
    }

    fn step(&self, b: &mut Builder, axes: &[Index], along: &[Span], acc: Var) -> Var {
        let bounds = bounds(along.iter().chain([&self.column]));
        let point = Point {
            operands: &self.operands,
            axes,
            shape: self.shape,
            stages: &BTreeMap::new(),
            bounds: &bounds,
        };
        let mut x = emit_as(b, &point, &mut Known::default(), self.body, self.dtype);
        for along in along.iter().filter(|a| a.ragged) {
            let inside = along.inside(b, Shape::new(self.shape.rows, 1));
            let rest = b.splat_of(identity(self.monoid, self.dtype), self.dtype, Shape::ONE);
            x = b.set(Value::Select(inside, x, rest));
        }
        let x = b.set(Value::Broadcast(x, self.shape));
        b.binary(self.monoid.function(), acc, x)
    }
}
