//! Rows: folds along a last axis, then a map over it; one row after the other.

use std::collections::BTreeMap;

use ir::{
    DType, RowsSchedule,
    tile::{Index, Program, Shape, Value, Var},
};

use super::{
    Builder, Range, coordinates,
    emit::{Known, Point, emit_as, emit_full},
    identity, operand_types, params, result, row_of, runs,
};
use crate::{
    Layout,
    nest::{Body, Nest, Stage, StageKind},
};

pub(super) fn lower(name: &str, nest: &Nest, rows: usize, schedule: &RowsSchedule) -> Program {
    let last = nest.stages.last().expect("a nest has stages");
    let operands = operand_types(nest);
    let sizes = &last.sizes[..rows];
    let count: i64 = sizes.iter().product();
    let block = i64::from(schedule.block).max(1);
    let layouts = vec![Layout::Plain; nest.operands.len()];
    let mut b = Builder::new(
        name,
        params(nest, &layouts),
        vec![(count as u64).div_ceil(block as u64) as i64],
    );
    let first = b.grid(0) * block;
    let range = Range {
        start: first.clone(),
        end: (first + block).min(count),
        step: 1,
        unroll: 1,
    };
    b.for_each(range, &[], |b, row, _| {
        let place = coordinates(&row, sizes);
        let mut done = BTreeMap::new();
        for (i, stage) in nest.stages.iter().enumerate() {
            if matches!(stage.kind, StageKind::Fold(..)) {
                let value = fold(b, &operands, stage, &place, schedule.lanes, &done);
                done.insert(i, (value, stage.held()));
            }
        }
        give(b, nest, &operands, &place, schedule.lanes, &done);
        vec![]
    });
    b.finish()
}

/// The fold of one row.
fn fold(
    b: &mut Builder,
    operands: &[DType],
    stage: &Stage,
    place: &[Index],
    lanes: u32,
    done: &BTreeMap<usize, (Var, DType)>,
) -> Var {
    let StageKind::Fold(monoid, body) = &stage.kind else {
        unreachable!("the caller looked")
    };
    let (size, dtype) = (stage.sizes[stage.outer], stage.held());
    let start = identity(*monoid, dtype);
    let part = |b: &mut Builder, at: Index, lanes: u32| {
        let axes: Vec<_> = place.iter().cloned().chain([at + Index::Lane]).collect();
        let point = Point {
            operands,
            axes: &axes,
            shape: row_of(lanes),
            stages: done,
            bounds: &[],
        };
        let x = emit_as(b, &point, &mut Known::default(), body, dtype);
        b.set(Value::Broadcast(x, row_of(lanes)))
    };
    let full = size - size % i64::from(lanes);
    let mut total = None;
    if full > 0 {
        let acc = b.splat_of(start, dtype, row_of(lanes));
        let acc = b.for_each(
            Range::below(full).by(lanes.into()),
            &[acc],
            |b, at, carried| {
                let x = part(b, at, lanes);
                vec![b.set(Value::Binary(monoid.function(), carried[0], x))]
            },
        );
        total = Some(b.fold_lanes(*monoid, acc[0]));
    }
    if size > full {
        let x = part(b, full.into(), (size - full) as u32);
        let rest = b.fold_lanes(*monoid, x);
        total = Some(match total {
            Some(total) => b.set(Value::Binary(monoid.function(), total, rest)),
            None => rest,
        });
    }
    total.unwrap_or_else(|| b.splat_of(start, dtype, Shape::ONE))
}

/// Stores what the last stage gives for one row.
fn give(
    b: &mut Builder,
    nest: &Nest,
    operands: &[DType],
    place: &[Index],
    lanes: u32,
    done: &BTreeMap<usize, (Var, DType)>,
) {
    let last = nest.stages.len() - 1;
    let stage = &nest.stages[last];
    let identity = Body::Stage {
        stage: last,
        at: vec![],
    };
    let body = if done.contains_key(&last) {
        &identity
    } else {
        stage.body().expect("the last stage is a map")
    };
    let store = |b: &mut Builder, axes: &[Index], shape| {
        let point = Point {
            operands,
            axes,
            shape,
            stages: done,
            bounds: &[],
        };
        let value = emit_full(b, &point, &mut Known::default(), body, nest.result.0);
        b.store(result(nest), point.index(&stage.store), value);
    };
    if stage.outer == place.len() {
        store(b, place, Shape::ONE);
        return;
    }
    runs(b, stage.sizes[place.len()], lanes, |b, at, lanes| {
        let axes: Vec<_> = place.iter().cloned().chain([at + Index::Lane]).collect();
        store(b, &axes, row_of(lanes));
    });
}
