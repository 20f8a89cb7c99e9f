//! Positions of the largest: round after round, the first of those that come after the last one found.
//!
//! Nothing is moved or marked. Numbers are ordered by size and then by position, so that each round needs of the last
//! one only what it found; each lane keeps the first of the numbers that it sees, and the first of these is the row's.

use std::collections::BTreeMap;

use ir::{
    BinaryFn, DType, Monoid, RowsSchedule,
    tile::{Index, Program, Shape, Value, Var},
};

use super::{
    Builder, Range, coordinates,
    emit::{Known, Point, emit_full},
    identity, operand_types, params, result, row_of,
};
use crate::{
    Layout,
    nest::{Body, Nest, Stage, StageKind},
};

/// The position of nothing.
const NOWHERE: f64 = i32::MAX as f64;

pub(super) fn lower(name: &str, nest: &Nest, schedule: &RowsSchedule) -> Program {
    let sizes = rows(nest);
    let count: i64 = sizes.iter().product();
    let block = i64::from(schedule.block).max(1);
    let plain = vec![Layout::Plain; nest.operands.len()];
    let grid = vec![(count as u64).div_ceil(block as u64) as i64];
    let mut b = Builder::new(name, params(nest, &plain), grid);
    let first = b.grid(0) * block;
    let range = Range {
        start: first.clone(),
        end: (first + block).min(count),
        step: 1,
        unroll: 1,
    };
    b.for_each(range, &[], |b, row, _| {
        let place = coordinates(&row, sizes);
        Rows::new(nest, place, row_of(schedule.lanes), vec![]).find(b);
        vec![]
    });
    b.finish()
}

/// Sizes of the axes of rows.
pub(super) fn rows(nest: &Nest) -> &[i64] {
    let stage = &nest.stages[0];
    &stage.sizes[..stage.outer - 1]
}

/// Some rows, of which a tile covers a part.
pub(super) struct Rows<'a> {
    nest: &'a Nest,
    stage: &'a Stage,
    largest: bool,
    body: &'a Body,
    operands: Vec<DType>,
    place: Vec<Index>,
    shape: Shape,
    /// Rows are there only where these hold.
    bounds: Vec<(Index, Index)>,
}

/// A number of each row or lane, and its position.
#[derive(Clone, Copy)]
struct Found {
    value: Var,
    at: Var,
}

impl<'a> Rows<'a> {
    pub fn new(
        nest: &'a Nest,
        place: Vec<Index>,
        shape: Shape,
        bounds: Vec<(Index, Index)>,
    ) -> Self {
        let stage = &nest.stages[0];
        let StageKind::TopK(largest, body) = &stage.kind else {
            unreachable!("the caller looked")
        };
        Self {
            nest,
            stage,
            largest: *largest,
            body,
            operands: operand_types(nest),
            place,
            shape,
            bounds,
        }
    }

    /// Stores the positions of every row.
    pub fn find(&self, b: &mut Builder) {
        let one = Shape::new(self.shape.rows, 1);
        let value = b.splat_of(0.0, self.stage.held(), one);
        let at = b.splat_of(-1.0, DType::I32, one);
        let rounds = Range::below(self.stage.sizes[self.stage.outer - 1]);
        b.for_each(rounds, &[value, at], |b, round, last| {
            let last = Found {
                value: last[0],
                at: last[1],
            };
            let found = self.next(b, last);
            let axes = [self.place.as_slice(), &[round]].concat();
            let point = self.point(&axes, &self.bounds);
            let at = b.set(Value::Cast(self.nest.result.0, found.at));
            let to = point.index(&self.stage.store);
            b.store_where(result(self.nest), to, &self.bounds, at);
            vec![found.value, found.at]
        });
    }

    fn point<'p>(&'p self, axes: &'p [Index], bounds: &'p [(Index, Index)]) -> Point<'p> {
        static NONE: BTreeMap<usize, (Var, DType)> = BTreeMap::new();
        Point {
            operands: &self.operands,
            axes,
            shape: self.shape,
            stages: &NONE,
            bounds,
        }
    }

    /// What comes first after `last`.
    fn next(&self, b: &mut Builder, last: Found) -> Found {
        let (size, lanes) = (self.stage.sizes[self.stage.outer], self.shape.lanes);
        let value = b.splat_of(0.0, self.stage.held(), self.shape);
        let at = b.splat_of(NOWHERE, DType::I32, self.shape);
        let range = Range::below(size).by(lanes.into());
        let best = b.for_each(range, &[value, at], |b, start, best| {
            let best = Found {
                value: best[0],
                at: best[1],
            };
            let column = start + Index::Lane;
            let mut bounds = self.bounds.clone();
            bounds.push((column.clone(), size.into()));
            // The axis of rounds does not occur.
            let axes = [self.place.as_slice(), &[0.into(), column.clone()]].concat();
            let point = self.point(&axes, &bounds);
            let known = &mut Known::default();
            let value = emit_full(b, &point, known, self.body, self.stage.held());
            let at = b.set(Value::Coordinate(column, self.shape));
            let x = Found { value, at };
            let takes = self.takes(b, x, last, best, size);
            let value = b.set(Value::Select(takes, x.value, best.value));
            let at = b.set(Value::Select(takes, x.at, best.at));
            vec![value, at]
        });
        self.first(
            b,
            Found {
                value: best[0],
                at: best[1],
            },
        )
    }

    /// Whether `x` comes after `last`, and before the lane's best.
    fn takes(&self, b: &mut Builder, x: Found, last: Found, best: Found, size: i64) -> Var {
        let number = |b: &mut Builder, n: f64| b.splat_of(n, DType::I32, Shape::ONE);
        let [zero, end, nowhere] = [0.0, size as f64, NOWHERE].map(|n| number(b, n));
        let first = b.binary(BinaryFn::Lt, last.at, zero);
        let smaller = self.before(b, last.value, x.value);
        let alike = self.alike(b, last.value, x.value);
        let behind = b.binary(BinaryFn::Gt, x.at, last.at);
        let next = b.binary(BinaryFn::And, alike, behind);
        let after = b.binary(BinaryFn::Or, first, smaller);
        let after = b.binary(BinaryFn::Or, after, next);
        let inside = b.binary(BinaryFn::Lt, x.at, end);
        let after = b.binary(BinaryFn::And, after, inside);
        let alone = b.binary(BinaryFn::Eq, best.at, nowhere);
        let better = self.before(b, x.value, best.value);
        let better = b.binary(BinaryFn::Or, alone, better);
        b.binary(BinaryFn::And, after, better)
    }

    /// The first of all lanes' best.
    fn first(&self, b: &mut Builder, best: Found) -> Found {
        let dtype = self.stage.held();
        let monoid = if self.largest {
            Monoid::Max
        } else {
            Monoid::Min
        };
        let nowhere = b.splat_of(NOWHERE, DType::I32, Shape::ONE);
        let rest = b.splat_of(identity(monoid, dtype), dtype, Shape::ONE);
        let found = b.binary(BinaryFn::Ne, best.at, nowhere);
        let mut value = b.set(Value::Select(found, best.value, rest));
        // A minimum is a NaN if anything is, but here a NaN comes last.
        let nan_last = dtype.is_float() && !self.largest;
        if nan_last {
            let number = b.binary(BinaryFn::Eq, value, value);
            value = b.set(Value::Select(number, value, rest));
        }
        let value = b.fold_lanes(monoid, value);
        let alike = self.alike(b, best.value, value);
        let hit = b.binary(BinaryFn::And, found, alike);
        let at = b.set(Value::Select(hit, best.at, nowhere));
        let at = b.fold_lanes(Monoid::Min, at);
        if !nan_last {
            return Found { value, at };
        }
        // Only NaNs are left.
        let none = b.binary(BinaryFn::Eq, at, nowhere);
        let any = b.fold_lanes(Monoid::Min, best.at);
        let nan = b.splat(f64::NAN, Shape::ONE);
        Found {
            value: b.set(Value::Select(none, nan, value)),
            at: b.set(Value::Select(none, any, at)),
        }
    }

    /// Whether `x` comes before `y`, wherever they are.
    fn before(&self, b: &mut Builder, x: Var, y: Var) -> Var {
        let f = if self.largest {
            BinaryFn::Gt
        } else {
            BinaryFn::Lt
        };
        let further = b.binary(f, x, y);
        if !self.stage.dtype.is_float() {
            return further;
        }
        // NaN is larger than any number.
        let (larger, smaller) = if self.largest { (x, y) } else { (y, x) };
        let nan = b.binary(BinaryFn::Ne, larger, larger);
        let number = b.binary(BinaryFn::Eq, smaller, smaller);
        let beyond = b.binary(BinaryFn::And, nan, number);
        b.binary(BinaryFn::Or, further, beyond)
    }

    fn alike(&self, b: &mut Builder, x: Var, y: Var) -> Var {
        let equal = b.binary(BinaryFn::Eq, x, y);
        if !self.stage.dtype.is_float() {
            return equal;
        }
        let [no_x, no_y] = [x, y].map(|v| b.binary(BinaryFn::Ne, v, v));
        let neither = b.binary(BinaryFn::And, no_x, no_y);
        b.binary(BinaryFn::Or, equal, neither)
    }
}
