//! Attention: a block answers some queries of one head, key tile by key tile.
//!
//! The maximum and the sum of a row's weights so far are carried from tile to tile, and what was added before is
//! scaled whenever the maximum grows (Milakov and Gimelshein 2018, arXiv:1805.02867; Dao et al. 2022,
//! arXiv:2205.14135). Weights multiply values in the type that values are stored in.

mod ahead;

use std::collections::BTreeMap;

use ir::{
    AttentionRows, BinaryFn, DType, Monoid, Scores, SimtAttentionSchedule, UnaryFn,
    tile::{Index, Program, Shape, Value, Var},
};

use super::{
    Builder, Known, Nest, Point, Range, Span, blocks, bounds, builder, emit,
    factor::{dot, factor},
    merge::Merge,
    operand_types,
    split::Split,
};
use crate::{
    lower::{
        attention::{ahead, drop_where, scaled, spec},
        fold::finish,
    },
    nest::{AttentionNest, Body},
};

struct Parts<'a> {
    spec: &'a AttentionNest,
    operands: Vec<DType>,
    schedule: &'a SimtAttentionSchedule,
    masking: Masking,
    batch: Index,
    /// The head of each row.
    head: Index,
    /// The head of keys and values.
    key_head: Index,
    /// The query of each row.
    query: Index,
    /// The first query.
    first: Index,
    /// The last query is below this.
    past: Index,
    row: Span,
    column: Span,
    split: Option<Split>,
}

/// The maximum and the sum of weights of each row so far, and its sum of weighed values.
struct State {
    max: Var,
    sum: Var,
    acc: Var,
}

/// Whether keys that every query sees have rounds of their own, in which nothing is left out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Masking {
    /// All rounds look.
    Everywhere,
    /// Rounds at the edges look.
    AtEdges(Scores),
}

/// How blocks share the keys, if they do.
pub(super) fn split(nest: &Nest, schedule: &SimtAttentionSchedule) -> Option<Split> {
    let keys = spec(nest).sizes.keys;
    Split::new(keys, schedule.block_keys, schedule.splits, 3)
}

pub(super) fn lower(
    name: &str,
    nest: &Nest,
    schedule: &SimtAttentionSchedule,
    masking: Masking,
) -> Program {
    let spec = spec(nest);
    let s = spec.sizes;
    let split = split(nest, schedule);
    let (block, columns) = (schedule.block_queries, schedule.block_columns);
    let group = s.heads / s.key_heads;
    let (heads, rows) = match schedule.rows {
        AttentionRows::Queries => (s.heads, s.queries),
        AttentionRows::Group => (s.key_heads, group * s.queries),
    };
    let mut grid = vec![
        s.batch * heads,
        blocks(rows, block),
        blocks(s.columns, columns),
    ];
    let merge = split.map(|split| Merge { split, sizes: s });
    let mut b = match merge {
        None => builder(name, nest, grid),
        Some(merge) => {
            grid.push(merge.split.count);
            merge.part_builder(name, nest, grid)
        }
    };
    let first = b.grid(1) * i64::from(block);
    let column = b.grid(2) * i64::from(columns);
    let row = Span::new(first.clone(), Index::Row, rows, block);
    let own = b.grid(0).modulo(heads);
    let (head, key_head, query, first, past) = match schedule.rows {
        AttentionRows::Queries => {
            let past = first.clone() + i64::from(block);
            (
                own.clone(),
                own.floor_div(group),
                row.at.clone(),
                first,
                past,
            )
        }
        AttentionRows::Group => {
            let head = own.clone() * group + row.at.clone().floor_div(s.queries);
            let query = row.at.clone().modulo(s.queries);
            (head, own, query, 0.into(), s.queries.into())
        }
    };
    let parts = Parts {
        spec,
        operands: operand_types(nest),
        schedule,
        masking,
        batch: b.grid(0).floor_div(heads),
        head,
        key_head,
        query,
        first,
        past,
        row,
        column: Span::new(column, Index::Lane, s.columns, columns),
        split,
    };
    let state = parts.answer(&mut b);
    let place = [&parts.batch, &parts.head, &parts.query, &parts.column.at];
    let bounds = bounds([&parts.row, &parts.column]);
    if let Some(merge) = merge {
        merge.store(
            &mut b,
            nest,
            place,
            &bounds,
            [state.max, state.sum, state.acc],
        );
        return b.finish();
    }
    let scale = b.unary(UnaryFn::Recip, state.sum);
    let result = b.binary(BinaryFn::Mul, state.acc, scale);
    let axes = place.map(Clone::clone);
    let shape = Shape::new(block, columns);
    finish(&mut b, nest, &parts.operands, &axes, shape, result, &bounds);
    b.finish()
}

impl Parts<'_> {
    /// How many keys the first query of all is ahead of the first key.
    fn ahead(&self) -> Index {
        ahead(self.spec)
    }

    /// Tiles of keys that some query of the block sees.
    fn keys(&self, b: &Builder) -> Range {
        let (tile, keys) = (i64::from(self.schedule.block_keys), self.spec.sizes.keys);
        let mut range = Split::range(self.split, b, keys).by(tile);
        if self.spec.window > 0 {
            let position = self.first.clone() + self.ahead();
            let seen = (position + (1 - self.spec.window)).max(0).floor_div(tile) * tile;
            range.start = match range.start {
                Index::Const(0) => seen,
                part => part.max(seen),
            };
        }
        if self.spec.causal {
            let seen = self.past.clone() + self.ahead();
            range.end = seen.min(range.end);
        }
        range
    }

    fn at_edges(&self) -> bool {
        matches!(self.masking, Masking::AtEdges(_))
    }

    /// The same in pieces, and whether some query may not see some key of a piece.
    fn pieces(&self, b: &Builder) -> Vec<(Range, bool)> {
        let whole = self.keys(b);
        let (tile, keys) = (whole.step, self.spec.sizes.keys);
        let edges = self.spec.causal || self.spec.window > 0 || keys % tile != 0;
        if !self.at_edges() || !edges {
            return vec![(whole, edges)];
        }
        let position = self.first.clone() + self.ahead();
        let rows = i64::from(self.schedule.block_queries);
        // The first tile that the last query sees from its start, and the tile that the first query does not see to
        // its end.
        let seen = (self.spec.window > 0).then(|| {
            let from = position.clone() + (rows - self.spec.window + tile - 1);
            let from = from.max(0).floor_div(tile) * tile;
            from.min(whole.end.clone()).max(whole.start.clone())
        });
        let end = Index::Const(keys / tile * tile);
        let end = if self.spec.causal {
            ((position + 1).max(0).floor_div(tile) * tile).min(end)
        } else {
            end
        };
        let first = seen.clone().unwrap_or_else(|| whole.start.clone());
        let last = if self.spec.causal || self.spec.window > 0 {
            end.max(first.clone())
        } else {
            end
        };
        let piece = |start: &Index, end: &Index| Range {
            start: start.clone(),
            end: end.clone(),
            ..Range::below(0).by(tile)
        };
        let before = seen.map(|seen| (piece(&whole.start, &seen), true));
        let between = (piece(&first, &last), false);
        let after = (piece(&last, &whole.end), true);
        before.into_iter().chain([between, after]).collect()
    }

    fn answer(&self, b: &mut Builder) -> State {
        let s = self.schedule;
        let one = Shape::new(s.block_queries, 1);
        let init = [
            b.splat(f64::NEG_INFINITY, one),
            b.splat(0.0, one),
            b.splat(0.0, Shape::new(s.block_queries, s.block_columns)),
        ];
        let end = if self.looks_ahead() {
            self.look_ahead(b, &init)
        } else {
            self.one_by_one(b, &init)
        };
        State {
            max: end[0],
            sum: end[1],
            acc: end[2],
        }
    }

    /// Maximum, sum and result after one tile of keys after the other.
    fn one_by_one(&self, b: &mut Builder, init: &[Var]) -> Vec<Var> {
        let pieces = self.pieces(b).into_iter();
        pieces.fold(init.to_vec(), |state, (range, masked)| {
            b.for_each(range, &state, |b, key, carried| {
                let state = State {
                    max: carried[0],
                    sum: carried[1],
                    acc: carried[2],
                };
                let dot = self.products(b, &key);
                let next = self.round(b, (&key, dot), &state, masked);
                vec![next.max, next.sum, next.acc]
            })
        })
    }

    /// Takes a tile of keys in, of whose products with the queries `dot` is the sum.
    fn round(
        &self,
        b: &mut Builder,
        (key, dot): (&Index, Var),
        state: &State,
        masked: bool,
    ) -> State {
        let x = self.score(b, (key, dot), masked);
        let top = b.fold_lanes(Monoid::Max, x);
        let max = b.binary(BinaryFn::Max, state.max, top);
        // Where nothing was seen yet, the maximum is minus infinity, and differences would have no value.
        let low = b.splat(f64::NEG_INFINITY, Shape::ONE);
        let zero = b.splat(0.0, Shape::ONE);
        let unseen = b.binary(BinaryFn::Eq, max, low);
        let base = b.set(Value::Select(unseen, zero, max));
        let relative = |b: &mut Builder, x| {
            let x = b.binary(BinaryFn::Sub, x, base);
            b.unary(UnaryFn::Exp, x)
        };
        let weight = relative(b, x);
        let kept = relative(b, state.max);
        let part = b.fold_lanes(Monoid::Sum, weight);
        let sum = b.binary(BinaryFn::Mul, state.sum, kept);
        let sum = b.binary(BinaryFn::Add, sum, part);
        let acc = b.binary(BinaryFn::Mul, state.acc, kept);
        let acc = self.weigh(b, key, weight, acc);
        State { max, sum, acc }
    }

    /// Adds the values of a tile of keys, weighed, to `acc`.
    fn weigh(&self, b: &mut Builder, key: &Index, weight: Var, acc: Var) -> Var {
        let s = self.schedule;
        let keys = self.spec.sizes.keys;
        let along = Span::new(key.clone(), Index::Row, keys, s.block_keys);
        let shape = Shape::new(s.block_keys, s.block_columns);
        let axes = [&self.key_head, &along.at, &self.column.at];
        let spans = [&along, &self.column];
        let value = self.operand(b, &self.spec.v, axes, spans, (2, shape));
        let weight = match value.1 {
            DType::F32 => weight,
            narrow => b.set(Value::Cast(narrow, weight)),
        };
        dot(b, [(weight, value.1), value], acc)
    }

    /// `body` at axes `[batch, head, x, y]`, 0 past the end of that of these two which is summed.
    fn operand(
        &self,
        b: &mut Builder,
        body: &Body,
        [head, at, to]: [&Index; 3],
        [x, y]: [&Span; 2],
        (summed, shape): (usize, Shape),
    ) -> (Var, DType) {
        let axes = [&self.batch, head, at, to].map(Clone::clone);
        let bounds = bounds([x, y]);
        let point = Point {
            operands: &self.operands,
            axes: &axes,
            shape,
            stages: &BTreeMap::new(),
            bounds: &bounds,
        };
        factor(b, &point, body, summed, if summed == 2 { x } else { y })
    }

    /// Products of queries and keys.
    fn products(&self, b: &mut Builder, key: &Index) -> Var {
        let (s, sizes) = (self.schedule, self.spec.sizes);
        let (rows, keys, depth) = (s.block_queries, s.block_keys, s.block_depth);
        let step = |b: &mut Builder, start: Index, acc| {
            let along = Span::new(start.clone(), Index::Lane, sizes.depth, depth);
            let shape = Shape::new(rows, depth);
            let axes = [&self.head, &self.query, &along.at];
            let q = self.operand(b, &self.spec.q, axes, [&self.row, &along], (3, shape));
            let along = Span::new(start, Index::Row, sizes.depth, depth);
            let key = Span::new(key.clone(), Index::Lane, sizes.keys, keys);
            let shape = Shape::new(depth, keys);
            let axes = [&self.key_head, &key.at, &along.at];
            let k = self.operand(b, &self.spec.k, axes, [&key, &along], (3, shape));
            dot(b, [q, k], acc)
        };
        let acc = b.splat(0.0, Shape::new(rows, keys));
        if sizes.depth <= i64::from(depth) {
            return step(b, 0.into(), acc);
        }
        let range = Range::below(sizes.depth).by(depth.into());
        b.for_each(range, &[acc], |b, at, carried| {
            vec![step(b, at, carried[0])]
        })[0]
    }

    /// Scores of the block's queries against a tile of keys; minus infinity for what is not seen, where that may be.
    fn score(&self, b: &mut Builder, (key, dot): (&Index, Var), masked: bool) -> Var {
        let s = self.schedule;
        let shape = Shape::new(s.block_queries, s.block_keys);
        let key = Span::new(key.clone(), Index::Lane, self.spec.sizes.keys, s.block_keys);
        let mut x = scaled(b, dot, self.spec.scale);
        if self.spec.softcap > 0.0 {
            x = scaled(b, x, 1.0 / self.spec.softcap);
            x = b.unary(UnaryFn::Tanh, x);
            x = scaled(b, x, self.spec.softcap);
        }
        if let Some(mask) = &self.spec.mask {
            let mask = self.bias(b, mask, &key, shape);
            x = b.binary(BinaryFn::Add, x, mask);
        }
        if self.spec.slope.is_some() || masked && (self.spec.causal || self.spec.window > 0) {
            x = self.by_distance(b, x, (&key, masked), shape);
        }
        if masked && key.ragged {
            let inside = key.inside(b, Shape::new(1, shape.lanes));
            let low = b.splat(f64::NEG_INFINITY, Shape::ONE);
            x = b.set(Value::Select(inside, x, low));
        }
        x
    }

    fn by_distance(
        &self,
        b: &mut Builder,
        mut x: Var,
        (key, masked): (&Span, bool),
        shape: Shape,
    ) -> Var {
        // How far the key lies behind the query.
        let distance = self.query.clone() + self.ahead() + key.at.clone() * -1;
        let distance = b.set(Value::Coordinate(distance, shape));
        if let Some(slope) = &self.spec.slope {
            let slope = self.bias(b, slope, key, shape);
            let far = b.set(Value::Cast(DType::F32, distance));
            let bias = b.binary(BinaryFn::Mul, slope, far);
            x = b.binary(BinaryFn::Sub, x, bias);
        }
        if masked && self.spec.causal {
            x = drop_where(b, x, distance, BinaryFn::Lt, 0);
        }
        if masked && self.spec.window > 0 {
            x = drop_where(b, x, distance, BinaryFn::Ge, self.spec.window);
        }
        x
    }

    /// `body` at the axes of scores.
    fn bias(&self, b: &mut Builder, body: &Body, key: &Span, shape: Shape) -> Var {
        let axes = [&self.batch, &self.head, &self.query, &key.at].map(Clone::clone);
        let bounds = bounds([&self.row, key]);
        let point = Point {
            operands: &self.operands,
            axes: &axes,
            shape,
            stages: &BTreeMap::new(),
            bounds: &bounds,
        };
        emit(b, &point, &mut Known::default(), body)
    }
}
