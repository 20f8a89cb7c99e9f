//! Running sums: each lane adds up a row of its own, one number after the other.

use std::collections::BTreeMap;

use ir::{
    BinaryFn, MapSchedule,
    tile::{Index, Program, Shape, Value},
};

use super::{
    Builder, Range,
    emit::{Known, Point, emit_full},
    map::over_rows,
    operand_types, result, row_of,
};
use crate::nest::{Nest, StageKind};

pub(super) fn lower(name: &str, nest: &Nest, schedule: &MapSchedule) -> Program {
    let rows = rows(nest);
    over_rows(name, nest, rows, schedule, |b, row, start, lanes| {
        let mut axes = row.to_vec();
        axes.push(start + Index::Lane);
        axes.truncate(rows.len());
        sums(b, nest, &axes, row_of(lanes), &[]);
    })
}

/// Sizes of the axes along which nothing is added.
pub(super) fn rows(nest: &Nest) -> &[i64] {
    let stage = &nest.stages[0];
    &stage.sizes[..stage.outer - 1]
}

/// The sums of a tile of rows, whose place is `row`.
pub(super) fn sums(
    b: &mut Builder,
    nest: &Nest,
    row: &[Index],
    shape: Shape,
    bounds: &[(Index, Index)],
) {
    let stage = &nest.stages[0];
    let StageKind::Scan(scan, body) = &stage.kind else {
        unreachable!("the caller looked")
    };
    let (size, dtype) = (stage.sizes[stage.outer - 1], stage.held());
    let (operands, stored) = (operand_types(nest), nest.result.0);
    let none = b.splat_of(0.0, dtype, shape);
    b.for_each(Range::below(size), &[none], |b, step, carried| {
        let at = match scan.reverse {
            true => step * -1_i64 + (size - 1),
            false => step,
        };
        let axes = [row, &[at]].concat();
        let point = Point {
            operands: &operands,
            axes: &axes,
            shape,
            stages: &BTreeMap::new(),
            bounds,
        };
        let x = emit_full(b, &point, &mut Known::default(), body, dtype);
        let next = b.binary(BinaryFn::Add, carried[0], x);
        let mut sum = if scan.exclusive { carried[0] } else { next };
        if dtype != stored {
            sum = b.set(Value::Cast(stored, sum));
        }
        b.store_where(result(nest), point.index(&stage.store), bounds, sum);
        vec![next]
    });
}
