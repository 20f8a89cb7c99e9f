//! Maps: each element of the result by itself.

use std::collections::BTreeMap;

use ir::{
    MapSchedule,
    tile::{Index, Program},
};

use super::{
    Builder, Range, coordinates,
    emit::{Known, Point, emit_full},
    operand_types, params, result, row_of, runs,
};
use crate::{Layout, nest::Nest};

pub(super) fn lower(name: &str, nest: &Nest, schedule: &MapSchedule) -> Program {
    let stage = nest.stages.last().expect("a nest has stages");
    let body = stage.body().expect("a map has a body");
    let operands = operand_types(nest);
    over_rows(
        name,
        nest,
        &stage.sizes,
        schedule,
        |b, row, start, lanes| {
            let mut axes = row.to_vec();
            axes.push(start + Index::Lane);
            axes.truncate(stage.sizes.len());
            let point = Point {
                operands: &operands,
                axes: &axes,
                shape: row_of(lanes),
                stages: &BTreeMap::new(),
                bounds: &[],
            };
            let value = emit_full(b, &point, &mut Known::default(), body, nest.result.0);
            b.store(result(nest), point.index(&stage.store), value);
        },
    )
}

/// A program that runs `body` for each row of `sizes` and each run of lanes of it.
pub(super) fn over_rows(
    name: &str,
    nest: &Nest,
    sizes: &[i64],
    schedule: &MapSchedule,
    mut body: impl FnMut(&mut Builder, &[Index], Index, u32),
) -> Program {
    let (outer, columns) = match sizes {
        [outer @ .., columns] => (outer, *columns),
        [] => (sizes, 1),
    };
    let count: i64 = outer.iter().product();
    let block = i64::from(schedule.block).max(1);
    let layouts = vec![Layout::Plain; nest.operands.len()];
    // Long rows are cut; of short ones a block takes several.
    let (rows, cut) = if columns >= 2 * block {
        (1, block)
    } else {
        ((block / columns.max(1)).max(1), columns)
    };
    let cut = (cut as u64).next_multiple_of(schedule.lanes.into()) as i64;
    let cuts = (columns as u64).div_ceil(cut as u64) as i64;
    let grid = vec![(count as u64).div_ceil(rows as u64) as i64, cuts];
    let mut b = Builder::new(name, params(nest, &layouts), grid);
    let first = b.grid(0) * rows;
    let range = Range {
        start: first.clone(),
        end: (first + rows).min(count),
        step: 1,
        unroll: 1,
    };
    b.for_each(range, &[], |b, row, _| {
        let place = coordinates(&row, outer);
        if cuts == 1 {
            runs(b, columns, schedule.lanes, |b, start, lanes| {
                body(b, &place, start, lanes)
            });
        } else {
            let start = b.grid(1) * cut;
            super::row_runs(
                b,
                (start.clone(), start + cut),
                columns,
                schedule.lanes,
                |b, at, lanes| {
                    body(b, &place, at, lanes);
                },
            );
        }
        vec![]
    });
    b.finish()
}
