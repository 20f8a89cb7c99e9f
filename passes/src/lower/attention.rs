//! Attention: a block answers some queries of one head.
//!
//! Keys are first laid out in panels, so that scores are a contraction with packed operands. The scores of
//! a tile of queries against all keys stand in local memory, are exponentiated in place relative to
//! their maximum, and weigh the values; the division by their sum comes last.

use std::collections::BTreeMap;

use ir::{
    AttentionSchedule, BinaryFn, DType, Monoid, UnaryFn,
    tile::{Index, Memory, Program, Shape, Value, Var},
};

use super::{
    Builder, Range,
    emit::{Known, Point, emit},
    fold::finish,
    operand_types, params, row_of, row_runs,
};
use crate::{
    Layout,
    nest::{AttentionNest, Body, Nest, StageKind},
};

/// The attention of a nest of that family.
pub(super) fn spec(nest: &Nest) -> &AttentionNest {
    match &nest.stages[0].kind {
        StageKind::Attention(a) => a,
        _ => unreachable!("the family says that the first stage is an attention"),
    }
}

struct Parts<'a> {
    nest: &'a Nest,
    spec: &'a AttentionNest,
    operands: Vec<DType>,
    schedule: &'a AttentionSchedule,
    /// Batch and head.
    place: [Index; 2],
    /// The head of keys and values.
    key_head: Index,
    /// Keys in panels: `[key / lanes][depth][lane]`.
    panels: Memory,
    /// Scores, then weights, of a tile of queries: `[row][key]`.
    scores: Memory,
}

/// The keys that a tile of queries sees.
struct Seen {
    /// A multiple of the lanes of a tile.
    start: Index,
    /// The first key that none of the queries sees.
    end: Index,
}

pub(super) fn lower(name: &str, nest: &Nest, schedule: &AttentionSchedule) -> Program {
    let spec = spec(nest);
    let s = spec.sizes;
    let block = i64::from(schedule.block_queries);
    let layouts = vec![Layout::Plain; nest.operands.len()];
    let query_blocks = (s.queries as u64).div_ceil(block as u64) as i64;
    let mut b = Builder::new(
        name,
        params(nest, &layouts),
        vec![s.batch * s.heads, query_blocks],
    );
    let lanes = i64::from(schedule.lanes);
    let padded = (s.keys as u64).next_multiple_of(lanes as u64) as i64;
    let panels = b.local("keys", padded * s.depth);
    let scores = b.local("scores", i64::from(schedule.rows) * padded);
    let head = b.grid(0).modulo(s.heads);
    let parts = Parts {
        nest,
        spec,
        operands: operand_types(nest),
        schedule,
        place: [b.grid(0).floor_div(s.heads), head.clone()],
        key_head: head.floor_div(s.heads / s.key_heads),
        panels,
        scores,
    };
    let first = b.grid(1) * block;
    parts.lay_out_keys(&mut b, &first);
    row_runs(
        &mut b,
        (first.clone(), first + block),
        s.queries,
        schedule.rows,
        |b, query, rows| {
            parts.answer(b, &query, rows);
        },
    );
    b.finish()
}

impl Parts<'_> {
    /// `body`, which has the axes of a key or value, at this place.
    fn at(
        &self,
        b: &mut Builder,
        body: &Body,
        head: &Index,
        row: Index,
        column: Index,
        shape: Shape,
    ) -> Var {
        let axes = [self.place[0].clone(), head.clone(), row, column];
        let point = Point {
            operands: &self.operands,
            axes: &axes,
            shape,
            stages: &BTreeMap::new(),
            bounds: &[],
        };
        emit(b, &point, &mut Known::default(), body)
    }

    /// Lays out the keys for queries from `first` on: all of them, or of a cache those that are seen.
    fn lay_out_keys(&self, b: &mut Builder, first: &Index) {
        let s = self.spec.sizes;
        let keys = match self.spec.past {
            None => (Index::Const(0), Index::Const(s.keys)),
            Some(_) => {
                let seen = self.seen(first, self.schedule.block_queries);
                (seen.start, seen.end)
            }
        };
        row_runs(b, keys, s.keys, self.schedule.lanes, |b, key, lanes| {
            b.for_each(Range::below(s.depth), &[], |b, d, _| {
                let x = self.at(
                    b,
                    &self.spec.k,
                    &self.key_head,
                    key.clone() + Index::Lane,
                    d.clone(),
                    row_of(lanes),
                );
                let x = b.set(Value::Broadcast(x, row_of(lanes)));
                let to = key.clone() * s.depth + d * i64::from(self.schedule.lanes) + Index::Lane;
                b.store(self.panels, to, x);
                vec![]
            });
        });
    }

    /// Computes and stores the results of queries `query..query + rows`.
    fn answer(&self, b: &mut Builder, query: &Index, rows: u32) {
        let s = self.spec.sizes;
        let seen = self.seen(query, rows);
        let column = Shape::new(rows, 1);
        let low = b.splat(f64::NEG_INFINITY, column);
        let max = self.over_keys(b, &seen, low, &|b, key, lanes, max| {
            let x = self.score(b, query, &key, Shape::new(rows, lanes));
            b.store(self.scores, self.score_at(&key), x);
            let top = b.fold_lanes(Monoid::Max, x);
            b.set(Value::Binary(BinaryFn::Max, max, top))
        });
        let none = b.splat(0.0, column);
        let sum = self.over_keys(b, &seen, none, &|b, key, lanes, sum| {
            let x = b.load(self.scores, self.score_at(&key), Shape::new(rows, lanes));
            let x = b.set(Value::Binary(BinaryFn::Sub, x, max));
            let x = b.set(Value::Unary(UnaryFn::Exp, x));
            b.store(self.scores, self.score_at(&key), x);
            let part = b.fold_lanes(Monoid::Sum, x);
            b.set(Value::Binary(BinaryFn::Add, sum, part))
        });
        let scale = b.set(Value::Unary(UnaryFn::Recip, sum));
        let lanes = self.schedule.lanes;
        super::runs(b, s.columns, lanes, |b, start, lanes| {
            let shape = Shape::new(rows, lanes);
            let acc = b.splat(0.0, shape);
            let end = self.tile_end(&seen);
            let range = Range {
                start: seen.start.clone(),
                end,
                step: 1,
                unroll: self.schedule.unroll,
            };
            let acc = b.for_each(range, &[acc], |b, key, carried| {
                let at = Index::Row * self.score_stride() + key.clone();
                let weight = b.load(self.scores, at, Shape::new(rows, 1));
                let value = self.at(
                    b,
                    &self.spec.v,
                    &self.key_head,
                    key,
                    start.clone() + Index::Lane,
                    row_of(lanes),
                );
                let value = b.set(Value::Broadcast(value, row_of(lanes)));
                vec![b.set(Value::Dot {
                    a: weight,
                    b: value,
                    acc: carried[0],
                })]
            });
            let result = b.set(Value::Binary(BinaryFn::Mul, acc[0], scale));
            let [batch, head] = self.place.clone();
            let axes = [batch, head, query.clone() + Index::Row, start + Index::Lane];
            finish(b, self.nest, &self.operands, &axes, shape, result, &[]);
        });
    }

    /// How many keys the first query of all is ahead of the first key.
    fn ahead(&self) -> Index {
        ahead(self.spec)
    }

    fn seen(&self, query: &Index, rows: u32) -> Seen {
        let position = query.clone() + self.ahead();
        let lanes = i64::from(self.schedule.lanes);
        let start = match self.spec.window {
            0 => Index::Const(0),
            window => (position.clone() + (1 - window)).max(0).floor_div(lanes) * lanes,
        };
        let end = if self.spec.causal {
            position + i64::from(rows)
        } else {
            self.spec.sizes.keys.into()
        };
        Seen {
            start,
            end: end.min(self.spec.sizes.keys),
        }
    }

    /// Keys in whole tiles of lanes.
    fn full(&self) -> i64 {
        self.spec.sizes.keys - self.spec.sizes.keys % i64::from(self.schedule.lanes)
    }

    /// The end of the last tile of keys that is computed.
    fn tile_end(&self, seen: &Seen) -> Index {
        let lanes = i64::from(self.schedule.lanes);
        match seen.end {
            Index::Const(end) => end.into(),
            ref end => {
                ((end.clone() + (lanes - 1)).floor_div(lanes) * lanes).min(self.spec.sizes.keys)
            }
        }
    }

    fn score_stride(&self) -> i64 {
        (self.spec.sizes.keys as u64).next_multiple_of(self.schedule.lanes.into()) as i64
    }

    fn score_at(&self, key: &Index) -> Index {
        Index::Row * self.score_stride() + key.clone() + Index::Lane
    }

    /// Runs `step` over tiles of the keys that are seen, carrying a value.
    fn over_keys(
        &self,
        b: &mut Builder,
        seen: &Seen,
        init: Var,
        step: &dyn Fn(&mut Builder, Index, u32, Var) -> Var,
    ) -> Var {
        let (full, lanes, keys) = (self.full(), self.schedule.lanes, self.spec.sizes.keys);
        let mut carried = init;
        if full > 0 {
            let range = Range {
                start: seen.start.clone(),
                end: seen.end.clone().min(full),
                step: lanes.into(),
                unroll: 1,
            };
            carried = b.for_each(range, &[carried], |b, key, c| {
                vec![step(b, key, lanes, c[0])]
            })[0];
        }
        if keys > full {
            // One round, for queries that see the last keys.
            let start = seen.start.clone().max(full);
            let range = Range {
                start,
                end: seen.end.clone().min(full + 1),
                step: 1,
                unroll: 1,
            };
            let rest = (keys - full) as u32;
            carried = b.for_each(range, &[carried], |b, _, c| {
                vec![step(b, full.into(), rest, c[0])]
            })[0];
        }
        carried
    }

    /// Scores of a tile of queries against a tile of keys, with all that is added to them.
    fn score(&self, b: &mut Builder, query: &Index, key: &Index, shape: Shape) -> Var {
        let s = self.spec.sizes;
        let [_, head] = &self.place;
        let acc = b.splat(0.0, shape);
        let range = Range::below(s.depth).unrolled(self.schedule.unroll);
        let dot = b.for_each(range, &[acc], |b, d, carried| {
            let q = self.at(
                b,
                &self.spec.q,
                head,
                query.clone() + Index::Row,
                d.clone(),
                Shape::new(shape.rows, 1),
            );
            let q = b.set(Value::Broadcast(q, Shape::new(shape.rows, 1)));
            let at = key.clone() * s.depth + d * i64::from(self.schedule.lanes) + Index::Lane;
            let k = b.load(self.panels, at, row_of(shape.lanes));
            vec![b.set(Value::Dot {
                a: q,
                b: k,
                acc: carried[0],
            })]
        });
        let mut x = scaled(b, dot[0], self.spec.scale);
        if self.spec.softcap > 0.0 {
            x = scaled(b, x, 1.0 / self.spec.softcap);
            x = b.set(Value::Unary(UnaryFn::Tanh, x));
            x = scaled(b, x, self.spec.softcap);
        }
        let (row, column) = (query.clone() + Index::Row, key.clone() + Index::Lane);
        if let Some(mask) = &self.spec.mask {
            let mask = self.at(b, mask, head, row.clone(), column.clone(), shape);
            x = b.set(Value::Binary(BinaryFn::Add, x, mask));
        }
        if self.spec.slope.is_none() && !self.spec.causal && self.spec.window == 0 {
            return x;
        }
        // How far the key lies behind the query.
        let distance = b.set(Value::Coordinate(row + self.ahead() + column * -1, shape));
        if let Some(slope) = &self.spec.slope {
            let slope = self.at(b, slope, head, 0.into(), 0.into(), Shape::ONE);
            let far = b.set(Value::Cast(DType::F32, distance));
            let bias = b.set(Value::Binary(BinaryFn::Mul, slope, far));
            x = b.set(Value::Binary(BinaryFn::Sub, x, bias));
        }
        if self.spec.causal {
            x = drop_where(b, x, distance, BinaryFn::Lt, 0);
        }
        if self.spec.window > 0 {
            x = drop_where(b, x, distance, BinaryFn::Ge, self.spec.window);
        }
        x
    }
}

/// How many keys the first query of all is ahead of the first key: those that a run says precede it, or all but as many as
/// there are queries.
pub(super) fn ahead(spec: &AttentionNest) -> Index {
    let most = spec.sizes.keys - spec.sizes.queries;
    match spec.past {
        None => most.into(),
        Some(_) if most == 0 => most.into(),
        Some(operand) => {
            let past = Index::Load(Memory::Param(operand as u32), Index::Const(0).into());
            past.max(0).min(most)
        }
    }
}

pub(super) fn scaled(b: &mut Builder, x: Var, by: f64) -> Var {
    if by == 1.0 {
        return x;
    }
    let by = b.splat(by, Shape::ONE);
    b.set(Value::Binary(BinaryFn::Mul, x, by))
}

/// Minus infinity where `distance` compares so to `limit`, else `x`.
pub(super) fn drop_where(
    b: &mut Builder,
    x: Var,
    distance: Var,
    compare: BinaryFn,
    limit: i64,
) -> Var {
    let limit = b.set(Value::Splat((limit as f64).into(), DType::I32, Shape::ONE));
    let test = b.set(Value::Binary(compare, distance, limit));
    let low = b.splat(f64::NEG_INFINITY, Shape::ONE);
    b.set(Value::Select(test, low, x))
}
