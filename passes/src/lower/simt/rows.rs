//! Rows: folds along a last axis, then a map over it, for some rows at once.
//!
//! Rows that fit a tile are loaded once for all folds and the map; longer ones are read piece by piece.

use std::collections::BTreeMap;

use ir::{
    DType, Monoid, SimtRowsSchedule,
    tile::{Index, Program, Shape, Value, Var},
};

use super::{
    Builder, Known, Nest, Point, Range, Span, blocks, bounds, builder, coordinates, emit_full,
    identity, operand_types, result, side,
};
use crate::nest::{Body, Stage, StageKind};

struct Parts<'a> {
    nest: &'a Nest,
    operands: Vec<DType>,
    schedule: &'a SimtRowsSchedule,
    row: Span,
    /// Coordinates on the axes of rows.
    place: Vec<Index>,
    /// Results of folds.
    done: BTreeMap<usize, (Var, DType)>,
    /// What is known of rows of each size that fit a tile.
    known: BTreeMap<i64, Known>,
}

pub(super) fn lower(name: &str, nest: &Nest, rows: usize, schedule: &SimtRowsSchedule) -> Program {
    let last = nest.stages.last().expect("a nest has stages");
    let sizes = &last.sizes[..rows];
    let count: i64 = sizes.iter().product();
    let block = schedule.block_rows;
    let mut b = builder(name, nest, vec![blocks(count, block)]);
    let row = Span::new(b.grid(0) * i64::from(block), Index::Row, count, block);
    let mut parts = Parts {
        nest,
        operands: operand_types(nest),
        schedule,
        place: coordinates(&row.at, sizes),
        row,
        done: BTreeMap::new(),
        known: BTreeMap::new(),
    };
    for (i, stage) in nest.stages.iter().enumerate() {
        if let StageKind::Fold(monoid, body) = &stage.kind {
            let (size, dtype) = (stage.sizes[stage.outer], stage.held());
            let value = parts.fold(&mut b, (*monoid, dtype), body, size);
            parts.done.insert(i, (value, dtype));
        }
    }
    parts.give(&mut b, last);
    b.finish()
}

impl Parts<'_> {
    /// `body` at the columns of a span, with the point's full shape and this type.
    fn at(
        &self,
        b: &mut Builder,
        known: &mut Known,
        body: &Body,
        column: Option<&Span>,
        (shape, dtype): (Shape, DType),
    ) -> Var {
        let mut axes = self.place.clone();
        axes.extend(column.map(|c| c.at.clone()));
        let bounds = bounds(column.into_iter().chain([&self.row]));
        let point = Point {
            operands: &self.operands,
            axes: &axes,
            shape,
            stages: &self.done,
            bounds: &bounds,
        };
        emit_full(b, &point, known, body, dtype)
    }

    /// The tile that covers rows of `size` columns, or a part of them.
    fn shape(&self, size: i64) -> Shape {
        let columns = side(size, self.schedule.block_columns);
        Shape::new(self.schedule.block_rows, columns)
    }

    /// The fold of each row.
    fn fold(
        &mut self,
        b: &mut Builder,
        (monoid, dtype): (Monoid, DType),
        body: &Body,
        size: i64,
    ) -> Var {
        let start = identity(monoid, dtype);
        let shape = self.shape(size);
        let whole = |b: &mut Builder, x, column: &Span| {
            if !column.ragged {
                return x;
            }
            let inside = column.inside(b, Shape::new(1, shape.lanes));
            let rest = b.splat_of(start, dtype, Shape::ONE);
            b.set(Value::Select(inside, x, rest))
        };
        if size <= i64::from(shape.lanes) {
            let column = Span::new(0.into(), Index::Lane, size, shape.lanes);
            let mut known = self.known.remove(&size).unwrap_or_default();
            let x = self.at(b, &mut known, body, Some(&column), (shape, dtype));
            self.known.insert(size, known);
            let x = whole(b, x, &column);
            return b.fold_lanes(monoid, x);
        }
        let acc = b.splat_of(start, dtype, shape);
        let range = Range::below(size).by(shape.lanes.into());
        let acc = b.for_each(range, &[acc], |b, at, carried| {
            let column = Span::new(at, Index::Lane, size, shape.lanes);
            let known = &mut Known::default();
            let x = self.at(b, known, body, Some(&column), (shape, dtype));
            let x = whole(b, x, &column);
            vec![b.binary(monoid.function(), carried[0], x)]
        });
        b.fold_lanes(monoid, acc[0])
    }

    /// Stores what the last stage gives.
    fn give(&mut self, b: &mut Builder, stage: &Stage) {
        let last = self.nest.stages.len() - 1;
        let identity = Body::Stage {
            stage: last,
            at: vec![],
        };
        let body = if self.done.contains_key(&last) {
            &identity
        } else {
            stage.body().expect("the last stage is a map")
        };
        if stage.outer == self.place.len() {
            let shape = Shape::new(self.schedule.block_rows, 1);
            return self.store(b, &mut Known::default(), body, None, shape);
        }
        let size = stage.sizes[self.place.len()];
        let shape = self.shape(size);
        if size <= i64::from(shape.lanes) {
            let column = Span::new(0.into(), Index::Lane, size, shape.lanes);
            let mut known = self.known.remove(&size).unwrap_or_default();
            return self.store(b, &mut known, body, Some(&column), shape);
        }
        let range = Range::below(size).by(shape.lanes.into());
        b.for_each(range, &[], |b, at, _| {
            let column = Span::new(at, Index::Lane, size, shape.lanes);
            self.store(b, &mut Known::default(), body, Some(&column), shape);
            vec![]
        });
    }

    fn store(
        &self,
        b: &mut Builder,
        known: &mut Known,
        body: &Body,
        column: Option<&Span>,
        shape: Shape,
    ) {
        let dtype = self.nest.result.0;
        let value = self.at(b, known, body, column, (shape, dtype));
        let mut axes = self.place.clone();
        axes.extend(column.map(|c| c.at.clone()));
        let point = Point {
            operands: &self.operands,
            axes: &axes,
            shape,
            stages: &self.done,
            bounds: &[],
        };
        let stage = self.nest.stages.last().expect("a nest has stages");
        let bounds = bounds(column.into_iter().chain([&self.row]));
        b.store_where(result(self.nest), point.index(&stage.store), &bounds, value);
    }
}
