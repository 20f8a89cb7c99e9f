//! Folds across rows: lanes run along the result, so that each holds one fold.

use std::collections::BTreeMap;

use ir::{
    MapSchedule,
    tile::{Index, Program, Value, Var},
};

use super::{
    Builder, Range,
    emit::{Known, Point, emit_as, emit_full},
    identity,
    map::over_rows,
    operand_types, result, row_of,
};
use crate::nest::{Body, Nest, StageKind};

pub(super) fn lower(name: &str, nest: &Nest, schedule: &MapSchedule) -> Program {
    let fold = &nest.stages[0];
    let StageKind::Fold(monoid, body) = &fold.kind else {
        unreachable!("the first stage folds")
    };
    let operands = operand_types(nest);
    over_rows(
        name,
        nest,
        &fold.sizes[..fold.outer],
        schedule,
        |b, row, start, lanes| {
            let mut axes = row.to_vec();
            axes.push(start + Index::Lane);
            axes.truncate(fold.outer);
            let shape = row_of(lanes);
            let dtype = fold.held();
            let acc = b.splat_of(identity(*monoid, dtype), dtype, shape);
            let folded = &fold.sizes[fold.outer..];
            let acc = nested(b, &mut axes, folded, acc, &mut |b, axes, acc| {
                let point = Point {
                    operands: &operands,
                    axes,
                    shape,
                    stages: &BTreeMap::new(),
                    bounds: &[],
                };
                let x = emit_as(b, &point, &mut Known::default(), body, dtype);
                b.set(Value::Binary(monoid.function(), acc, x))
            });
            axes.truncate(fold.outer);
            finish(b, nest, &operands, &axes, shape, acc, &[]);
        },
    )
}

/// Loops over axes of these sizes, carrying `acc`; `step` gives its next value.
fn nested(
    b: &mut Builder,
    axes: &mut Vec<Index>,
    sizes: &[i64],
    acc: Var,
    step: &mut dyn FnMut(&mut Builder, &[Index], Var) -> Var,
) -> Var {
    let [size, inner @ ..] = sizes else {
        return step(b, axes, acc);
    };
    let out = b.for_each(Range::below(*size), &[acc], |b, counter, carried| {
        axes.push(counter);
        let next = nested(b, axes, inner, carried[0], step);
        axes.pop();
        vec![next]
    });
    out[0]
}

/// Applies the map that follows the first stage, if there is one, to its result and stores it.
pub(super) fn finish(
    b: &mut Builder,
    nest: &Nest,
    operands: &[ir::DType],
    axes: &[Index],
    shape: ir::tile::Shape,
    value: Var,
    bounds: &[(Index, Index)],
) {
    let last = nest.stages.last().expect("a nest has stages");
    let stages = BTreeMap::from([(0, (value, nest.stages[0].held()))]);
    let point = Point {
        operands,
        axes,
        shape,
        stages: &stages,
        bounds,
    };
    let identity = Body::Stage {
        stage: 0,
        at: vec![],
    };
    let body = if nest.stages.len() == 1 {
        &identity
    } else {
        last.body().expect("a map follows")
    };
    let value = emit_full(b, &point, &mut Known::default(), body, nest.result.0);
    b.store_where(result(nest), point.index(&last.store), bounds, value);
}
