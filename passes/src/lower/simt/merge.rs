//! Attention whose keys several blocks share: what each of them saw, and the program that merges it.
//!
//! A block stores its sum of weighed values, the maximum of its scores and the sum of its weights. Weights were taken
//! relative to that maximum, so parts are scaled to the largest of all (Dao et al. 2023, "Flash-Decoding").

use ir::{
    BinaryFn, DType, Monoid, UnaryFn,
    tile::{Index, Program, Shape, Value, Var},
};

use super::{
    Builder, Nest, Range, Span, blocks, bounds, coordinates, operand_types, result, side,
    split::{Split, load_part, part_builder, whole_builder},
};
use crate::{lower::fold::finish, nest::AttentionSizes};

/// Queries and value columns of a block that merges parts.
const BLOCK: (u32, u32) = (2, 256);

/// Parts of attention in a workspace: all sums of values, then all maxima, then all sums of weights.
#[derive(Clone, Copy)]
pub(super) struct Merge {
    pub split: Split,
    pub sizes: AttentionSizes,
}

impl Merge {
    /// Rows of one part.
    fn rows(&self) -> i64 {
        let s = self.sizes;
        s.batch * s.heads * s.queries
    }

    fn len(&self) -> i64 {
        self.split.count * self.rows() * (self.sizes.columns + 2)
    }

    /// A builder of the program that makes the parts.
    pub fn part_builder(&self, name: &str, nest: &Nest, grid: Vec<i64>) -> Builder {
        part_builder(name, nest, grid, self.len())
    }

    /// Which row of all parts.
    fn row(&self, part: Index, [batch, head, query]: [&Index; 3]) -> Index {
        let s = self.sizes;
        let head = (part * s.batch + batch.clone()) * s.heads + head.clone();
        head * s.queries + query.clone()
    }

    /// Where maxima and sums of weights start.
    fn starts(&self) -> [i64; 2] {
        let rows = self.split.count * self.rows();
        let first = rows * self.sizes.columns;
        [first, first + rows]
    }

    /// Stores what a block saw: maxima, sums of weights, sums of values.
    pub fn store(
        &self,
        b: &mut Builder,
        nest: &Nest,
        [batch, head, query, column]: [&Index; 4],
        bounds: &[(Index, Index)],
        [max, sum, acc]: [Var; 3],
    ) {
        let row = self.row(b.grid(3), [batch, head, query]);
        let at = row.clone() * self.sizes.columns + column.clone();
        b.store_where(result(nest), at, bounds, acc);
        // Once for all blocks of columns.
        let mut once = vec![(b.grid(2), Index::Const(1))];
        once.extend(
            bounds
                .iter()
                .filter(|(x, _)| !x.mentions(&Index::Lane))
                .cloned(),
        );
        for (start, value) in self.starts().into_iter().zip([max, sum]) {
            b.store_where(result(nest), row.clone() + start, &once, value);
        }
    }

    /// The program that merges the parts.
    pub fn merge_parts(&self, name: &str, nest: &Nest) -> Program {
        let s = self.sizes;
        let shape = Shape::new(side(s.queries, BLOCK.0), side(s.columns, BLOCK.1));
        let grid = vec![
            s.batch * s.heads,
            blocks(s.queries, shape.rows),
            blocks(s.columns, shape.lanes),
        ];
        let mut b = whole_builder(name, nest, grid, self.len());
        let place = coordinates(&b.grid(0), &[s.batch, s.heads]);
        let query = b.grid(1) * i64::from(shape.rows);
        let query = Span::new(query, Index::Row, s.queries, shape.rows);
        let column = b.grid(2) * i64::from(shape.lanes);
        let column = Span::new(column, Index::Lane, s.columns, shape.lanes);
        let row = |part: Index| self.row(part, [&place[0], &place[1], &query.at]);
        let one = bounds([&query]);
        // A number of each row, at every column of the tile.
        let number = |b: &mut Builder, at: Index| {
            let x = load_part(b, nest, at, &one, Shape::new(shape.rows, 1));
            b.set(Value::Broadcast(x, shape))
        };
        let [maxima, sums] = self.starts();
        let low = b.splat(Monoid::Max.identity(), shape);
        let max = b.for_each(
            Range::below(self.split.count),
            &[low],
            |b, part, carried| {
                let x = number(b, row(part) + maxima);
                vec![b.binary(BinaryFn::Max, carried[0], x)]
            },
        )[0];
        // Where no part saw a key, differences would have no value.
        let low = b.splat(f64::NEG_INFINITY, Shape::ONE);
        let zero = b.splat(0.0, Shape::ONE);
        let unseen = b.binary(BinaryFn::Eq, max, low);
        let base = b.set(Value::Select(unseen, zero, max));
        let both = bounds([&query, &column]);
        let zeros = [b.splat(0.0, shape), b.splat(0.0, shape)];
        let end = b.for_each(
            Range::below(self.split.count),
            &zeros,
            |b, part, carried| {
                let row = row(part);
                let x = number(b, row.clone() + maxima);
                let x = b.binary(BinaryFn::Sub, x, base);
                let scale = b.unary(UnaryFn::Exp, x);
                let sum = number(b, row.clone() + sums);
                let sum = b.binary(BinaryFn::Mul, sum, scale);
                let acc = load_part(b, nest, row * s.columns + column.at.clone(), &both, shape);
                let acc = b.binary(BinaryFn::Mul, acc, scale);
                vec![
                    b.binary(BinaryFn::Add, carried[0], sum),
                    b.binary(BinaryFn::Add, carried[1], acc),
                ]
            },
        );
        let scale = b.unary(UnaryFn::Recip, end[0]);
        let value = b.binary(BinaryFn::Mul, end[1], scale);
        let [batch, head] = [place[0].clone(), place[1].clone()];
        let axes = [batch, head, query.at.clone(), column.at.clone()];
        let operands: Vec<DType> = operand_types(nest);
        finish(&mut b, nest, &operands, &axes, shape, value, &both);
        b.finish()
    }
}
