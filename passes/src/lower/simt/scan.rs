//! Running sums: lanes run along the rows.

use ir::{
    SimtMapSchedule,
    tile::{Index, Program, Shape},
};

use super::{Nest, Span, blocks, bounds, builder, coordinates, side};
use crate::lower::scan::{rows, sums};

pub(super) fn lower(name: &str, nest: &Nest, schedule: &SimtMapSchedule) -> Program {
    let rows = rows(nest);
    let (outer, columns) = match rows {
        [outer @ .., columns] => (outer, *columns),
        [] => (rows, 1),
    };
    let shape = Shape::new(1, side(columns, schedule.block_columns));
    let grid = vec![outer.iter().product(), blocks(columns, shape.lanes)];
    let mut b = builder(name, nest, grid);
    let start = b.grid(1) * i64::from(shape.lanes);
    let column = Span::new(start, Index::Lane, columns, shape.lanes);
    let mut place = coordinates(&b.grid(0), outer);
    place.push(column.at.clone());
    place.truncate(rows.len());
    sums(&mut b, nest, &place, shape, &bounds([&column]));
    b.finish()
}
