//! Positions of the largest, for some rows at once.

use ir::{
    SimtRowsSchedule,
    tile::{Index, Program, Shape},
};

use super::{Nest, Span, blocks, bounds, builder, coordinates, side};
use crate::lower::top_k::{Rows, rows};

pub(super) fn lower(name: &str, nest: &Nest, schedule: &SimtRowsSchedule) -> Program {
    let stage = &nest.stages[0];
    let sizes = rows(nest);
    let (count, block) = (sizes.iter().product(), schedule.block_rows);
    let shape = Shape::new(
        block,
        side(stage.sizes[stage.outer], schedule.block_columns),
    );
    let mut b = builder(name, nest, vec![blocks(count, block)]);
    let row = Span::new(b.grid(0) * i64::from(block), Index::Row, count, block);
    let place = coordinates(&row.at, sizes);
    Rows::new(nest, place, shape, bounds([&row])).find(&mut b);
    b.finish()
}
