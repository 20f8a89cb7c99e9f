//! Maps: a tile of elements each by itself.

use std::collections::BTreeMap;

use ir::{
    SimtMapSchedule,
    tile::{Index, Program, Shape},
};

use super::{
    Known, Nest, Point, Span, blocks, bounds, builder, coordinates, emit_full, operand_types,
    result, side,
};

/// Rows of fewer elements than this part of a tile's columns are taken side by side.
const NARROW: i64 = 2;

pub(super) fn lower(name: &str, nest: &Nest, schedule: &SimtMapSchedule) -> Program {
    let stage = nest.stages.last().expect("a nest has stages");
    let body = stage.body().expect("a map has a body");
    let operands = operand_types(nest);
    let (outer, columns) = match stage.sizes.as_slice() {
        [outer @ .., columns] => (outer, *columns),
        [] => (&[][..], 1),
    };
    let elements = stage.sizes.iter().product();
    let flat = columns * NARROW <= i64::from(schedule.block_columns);
    let (rows, columns) = if flat {
        (1, elements)
    } else {
        (outer.iter().product(), columns)
    };
    let shape = Shape::new(
        side(rows, schedule.block_rows),
        side(columns, schedule.block_columns),
    );
    let grid = vec![blocks(rows, shape.rows), blocks(columns, shape.lanes)];
    let mut b = builder(name, nest, grid);
    let starts = [
        b.grid(0) * i64::from(shape.rows),
        b.grid(1) * i64::from(shape.lanes),
    ];
    let [row, column] = starts;
    let spans = [
        Span::new(row, Index::Row, rows, shape.rows),
        Span::new(column, Index::Lane, columns, shape.lanes),
    ];
    let axes = if flat {
        coordinates(&spans[1].at, &stage.sizes)
    } else {
        let mut axes = coordinates(&spans[0].at, outer);
        axes.push(spans[1].at.clone());
        axes
    };
    let bounds = bounds(&spans);
    let point = Point {
        operands: &operands,
        axes: &axes,
        shape,
        stages: &BTreeMap::new(),
        bounds: &bounds,
    };
    let value = emit_full(&mut b, &point, &mut Known::default(), body, nest.result.0);
    b.store_where(result(nest), point.index(&stage.store), &bounds, value);
    b.finish()
}
