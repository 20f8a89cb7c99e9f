//! Scatters: a block owns the part of the result that its points alone reach, starts it, and writes them in order.

use std::collections::BTreeMap;

use ir::{
    DType, MapSchedule, SimtMapSchedule,
    tile::{Index, Program, Shape},
};

use super::{
    Builder, Range, coordinates,
    emit::{Known, Point, emit_full},
    map::over_rows,
    operand_types, result, row_of,
    simt::{Span, blocks, bounds, builder, side},
};
use crate::nest::{Affine, Body, Nest, ScatterNest, StageKind, row_major};

/// The scatter of a nest of that family.
pub(super) fn spec(nest: &Nest) -> &ScatterNest {
    match &nest.stages[0].kind {
        StageKind::Scatter(s) => s,
        _ => unreachable!("the family says that the stage is a scatter"),
    }
}

/// An axis on which a point goes to its own coordinate: points that differ there never meet.
#[derive(Clone, Copy, Debug)]
struct Shared {
    /// Of the result.
    axis: usize,
    /// Of the points.
    of_points: usize,
}

struct Dealt<'a> {
    nest: &'a Nest,
    spec: &'a ScatterNest,
    points: &'a [i64],
    /// In the order of the result's axes.
    shared: Vec<Shared>,
    /// Element types of the operands and of the result.
    types: Vec<DType>,
    in_place: bool,
}

/// Sizes of the axes that are dealt to blocks and lanes.
pub(super) fn shared_sizes(nest: &Nest) -> Vec<i64> {
    let dealt = Dealt::of(nest, false);
    dealt.shared_sizes()
}

/// The program of a processor. `in_place`: the result lies where the state lies that it starts as.
pub(super) fn lower(name: &str, nest: &Nest, schedule: &MapSchedule, in_place: bool) -> Program {
    let dealt = Dealt::of(nest, in_place);
    let sizes = dealt.shared_sizes();
    over_rows(name, nest, &sizes, schedule, |b, row, start, lanes| {
        let mut axes = row.to_vec();
        axes.push(start + Index::Lane);
        axes.truncate(sizes.len());
        dealt.write(b, &axes, row_of(lanes), &[]);
    })
}

/// The program of a device of many lanes.
pub(super) fn lower_simt(
    name: &str,
    nest: &Nest,
    schedule: &SimtMapSchedule,
    in_place: bool,
) -> Program {
    let dealt = Dealt::of(nest, in_place);
    let sizes = dealt.shared_sizes();
    let (outer, columns) = match sizes.as_slice() {
        [outer @ .., columns] => (outer, *columns),
        [] => (&[][..], 1),
    };
    let rows = outer.iter().product();
    let shape = Shape::new(
        side(rows, schedule.block_rows),
        side(columns, schedule.block_columns),
    );
    let grid = vec![blocks(rows, shape.rows), blocks(columns, shape.lanes)];
    let mut b = builder(name, nest, grid);
    let [row, column] = [
        b.grid(0) * i64::from(shape.rows),
        b.grid(1) * i64::from(shape.lanes),
    ];
    let spans = [
        Span::new(row, Index::Row, rows, shape.rows),
        Span::new(column, Index::Lane, columns, shape.lanes),
    ];
    let mut axes = coordinates(&spans[0].at, outer);
    axes.push(spans[1].at.clone());
    axes.truncate(sizes.len());
    dealt.write(&mut b, &axes, shape, &bounds(&spans));
    b.finish()
}

impl<'a> Dealt<'a> {
    fn of(nest: &'a Nest, in_place: bool) -> Self {
        let (spec, points) = (spec(nest), nest.stages[0].sizes.as_slice());
        let mut shared: Vec<Shared> = vec![];
        for (axis, at) in spec.index.iter().enumerate() {
            let own = |p: &usize| *at == Affine::axis(*p) && points[*p] == spec.shape[axis];
            let taken = |p: &usize| shared.iter().any(|s| s.of_points == *p);
            if let Some(of_points) = (0..points.len()).find(|p| own(p) && !taken(p)) {
                shared.push(Shared { axis, of_points });
            }
        }
        let mut types = operand_types(nest);
        types.push(nest.result.0);
        Self {
            nest,
            spec,
            points,
            shared,
            types,
            in_place: in_place && spec.state.is_some(),
        }
    }

    fn shared_sizes(&self) -> Vec<i64> {
        self.shared
            .iter()
            .map(|s| self.spec.shape[s.axis])
            .collect()
    }

    /// Writes the elements whose shared coordinates are `at`, where the `bounds` hold.
    fn write(&self, b: &mut Builder, at: &[Index], shape: Shape, bounds: &[(Index, Index)]) {
        let place = |axis: fn(&Shared) -> usize| {
            let pairs = self.shared.iter().map(axis).zip(at.iter().cloned());
            pairs.collect::<BTreeMap<usize, Index>>()
        };
        if !self.in_place {
            let start = self.spec.start.clone();
            let to: Vec<_> = (0..self.spec.shape.len()).map(Affine::axis).collect();
            over(b, &self.spec.shape, &place(|s| s.axis), &mut |b, axes| {
                self.store(b, axes, shape, bounds, &[], &to, &start);
            });
        }
        over(b, self.points, &place(|s| s.of_points), &mut |b, axes| {
            let inside = self.inside(axes, bounds);
            let value = self.spec.value.clone();
            let to = &self.spec.index;
            let Some(combine) = self.spec.combine else {
                return self.store(b, axes, shape, bounds, &inside, to, &value);
            };
            let there = Body::Load {
                operand: self.nest.operands.len(),
                at: row_major(&self.spec.shape, to),
                guard: vec![],
            };
            let value = Body::Binary(combine.function(), there.into(), value.into());
            let bounds = [bounds, &inside].concat();
            self.store(b, axes, shape, &bounds, &[], to, &value);
        });
    }

    /// Pairs that hold where a point lies within the result: ids that are numbers of a run may lie outside, and then
    /// nothing is written. Where the `bounds` do not hold, they are the ids of the last point.
    fn inside(&self, axes: &[Index], bounds: &[(Index, Index)]) -> Vec<(Index, Index)> {
        let mut pairs = vec![];
        let mut axes = axes.to_vec();
        if !bounds.is_empty() {
            for shared in &self.shared {
                let axis = &mut axes[shared.of_points];
                *axis = axis.clone().min(self.points[shared.of_points] - 1);
            }
        }
        let point = self.point(&axes, Shape::ONE, &[]);
        for (at, size) in self.spec.index.iter().zip(&self.spec.shape) {
            let (low, high) = at.range(self.points);
            if at.loads() || low < 0 || high >= *size {
                let at = point.index(at);
                pairs.push((Index::Const(-1), at.clone()));
                pairs.push((at, (*size).into()));
            }
        }
        pairs
    }

    fn point<'p>(
        &'p self,
        axes: &'p [Index],
        shape: Shape,
        bounds: &'p [(Index, Index)],
    ) -> Point<'p> {
        static NONE: BTreeMap<usize, (ir::tile::Var, DType)> = BTreeMap::new();
        Point {
            operands: &self.types,
            axes,
            shape,
            stages: &NONE,
            bounds,
        }
    }

    /// Writes `body` at the coordinates `to` of the result, where `bounds` and `also` hold.
    #[allow(clippy::too_many_arguments, reason = "what a store is made of")]
    fn store(
        &self,
        b: &mut Builder,
        axes: &[Index],
        shape: Shape,
        bounds: &[(Index, Index)],
        also: &[(Index, Index)],
        to: &[Affine],
        body: &Body,
    ) {
        let point = self.point(axes, shape, bounds);
        let value = emit_full(b, &point, &mut Known::default(), body, self.nest.result.0);
        let at = point.index(&row_major(&self.spec.shape, to));
        b.store_where(result(self.nest), at, &[bounds, also].concat(), value);
    }
}

/// Runs `body` at all coordinates over `sizes`, one after the other, but those axes that are `given`.
fn over(
    b: &mut Builder,
    sizes: &[i64],
    given: &BTreeMap<usize, Index>,
    body: &mut dyn FnMut(&mut Builder, &[Index]),
) {
    fn nested(
        b: &mut Builder,
        sizes: &[i64],
        given: &BTreeMap<usize, Index>,
        axes: &mut Vec<Index>,
        body: &mut dyn FnMut(&mut Builder, &[Index]),
    ) {
        let axis = axes.len();
        if axis == sizes.len() {
            return body(b, axes);
        }
        match given.get(&axis) {
            Some(at) => {
                axes.push(at.clone());
                nested(b, sizes, given, axes, body);
                axes.pop();
            }
            None => {
                b.for_each(Range::below(sizes[axis]), &[], |b, at, _| {
                    axes.push(at);
                    nested(b, sizes, given, axes, body);
                    axes.pop();
                    vec![]
                });
            }
        }
    }
    nested(b, sizes, given, &mut vec![], body);
}
