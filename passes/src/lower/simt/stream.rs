//! Contractions whose rounds a fixed number of blocks share equally, tile after tile (stream-K; Osama et al. 2023,
//! arXiv:2301.03598).
//!
//! Rounds of all tiles are numbered through, and each block takes as many of them as any other: it may begin and end within
//! a tile. What it adds of each tile is a part; a second program adds the parts of each tile in order.

use ir::{
    BinaryFn, SimtStreamSchedule,
    tile::{Index, Program, Shape, Var},
};

use super::{
    Builder, Nest, Range, Span, blocks, bounds, contract, coordinates, operand_types, result,
    split::{Sides, load_part, part_builder, whole_builder},
};
use crate::{family::Contraction, lower::fold::finish};

/// Rows and columns of a block that adds parts.
const BLOCK: (u32, u32) = (8, 128);

/// How blocks share all rounds.
pub(super) struct Stream {
    sides: Sides,
    tile: Shape,
    /// Tiles along batch, columns and rows.
    tiles: [i64; 3],
    /// Rounds of a tile.
    rounds: i64,
    /// Rounds of a block.
    share: i64,
    blocks: i64,
    /// Elements that are summed, and those of a round.
    depth: [i64; 2],
}

impl Stream {
    /// The shares of a schedule; none if its blocks would have nothing to share.
    pub fn of(nest: &Nest, c: &Contraction, schedule: &SimtStreamSchedule) -> Option<Self> {
        let fold = &nest.stages[0];
        let [depth] = fold.sizes[fold.outer..] else {
            return None;
        };
        let s = &schedule.tile;
        let sides = Sides::of(nest, c);
        let tiles = [
            sides.batch(),
            blocks(sides.columns, s.block_columns),
            blocks(sides.rows, s.block_rows),
        ];
        let rounds = blocks(depth, s.block_depth);
        let total = rounds * tiles.iter().product::<i64>();
        let share = blocks(total, schedule.blocks.max(1));
        let shares = blocks(total, u32::try_from(share).ok()?);
        (rounds > 1 && shares > 1).then_some(Self {
            sides,
            tile: Shape::new(s.block_rows, s.block_columns),
            tiles,
            rounds,
            share,
            blocks: shares,
            depth: [depth, s.block_depth.into()],
        })
    }

    fn count(&self) -> i64 {
        self.tiles.iter().product()
    }

    /// The most parts that a tile has.
    fn most(&self) -> i64 {
        (self.rounds - 1) / self.share + 2
    }

    /// Elements of all parts.
    fn len(&self) -> i64 {
        self.count() * self.most() * i64::from(self.tile.rows) * i64::from(self.tile.lanes)
    }

    /// The block that has a tile's first round, and the one that has its last.
    fn ends(&self, tile: &Index) -> [Index; 2] {
        let first = tile.clone() * self.rounds;
        let last = first.clone() + (self.rounds - 1);
        [first, last].map(|round| round.floor_div(self.share))
    }

    /// Where an element of a part of a tile lies.
    fn place(&self, tile: &Index, part: Index, [row, column]: [Index; 2]) -> Index {
        let line = (tile.clone() * self.most() + part) * i64::from(self.tile.rows) + row;
        line * i64::from(self.tile.lanes) + column
    }

    /// Places of a tile along batch, columns and rows.
    fn tile_at(&self, tile: &Index) -> [Index; 3] {
        let at = coordinates(tile, &self.tiles);
        [at[0].clone(), at[1].clone(), at[2].clone()]
    }

    /// The axes of batch at this place.
    fn axes(&self, batch: &Index, outer: usize) -> Vec<Index> {
        let mut axes = vec![Index::Const(0); outer];
        let at = coordinates(batch, &self.sides.batch_sizes);
        for (axis, at) in self.sides.batch_axes.iter().zip(at) {
            axes[*axis] = at;
        }
        axes
    }

    /// The rounds of a tile that are the block's, as elements along the depth.
    fn rounds_of(&self, tile: &Index, first: &Index, past: &Index) -> Range {
        let [size, step] = self.depth;
        let before = tile.clone() * -self.rounds;
        let start = (first.clone() + before.clone()).max(0);
        let end = (past.clone() + before).min(self.rounds);
        Range {
            start: start * step,
            end: (end * step).min(size),
            step,
            unroll: 1,
        }
    }

    /// The program that makes the parts.
    pub fn parts(
        &self,
        name: &str,
        nest: &Nest,
        c: &Contraction,
        schedule: &SimtStreamSchedule,
    ) -> Program {
        let fold = &nest.stages[0];
        let mut b = part_builder(name, nest, vec![self.blocks], self.len());
        let block = b.grid(0);
        let first = block.clone() * self.share;
        let past = (first.clone() + self.share).min(self.count() * self.rounds);
        let tiles = Range {
            start: first.clone().floor_div(self.rounds),
            end: (past.clone() + -1).floor_div(self.rounds) + 1,
            step: 1,
            unroll: 1,
        };
        b.for_each(tiles, &[], |b, tile, _| {
            let [batch, column, row] = self.tile_at(&tile);
            let row = row * i64::from(self.tile.rows);
            let column = column * i64::from(self.tile.lanes);
            let parts = contract::Parts {
                c,
                operands: operand_types(nest),
                schedule: &schedule.tile,
                row: Span::new(row, Index::Row, self.sides.rows, self.tile.rows),
                column: Span::new(column, Index::Lane, self.sides.columns, self.tile.lanes),
                split: None,
            };
            let axes = self.axes(&batch, fold.outer);
            let acc = b.splat(0.0, self.tile);
            let range = self.rounds_of(&tile, &first, &past);
            let acc: Var = b.for_each(range, &[acc], |b, at, carried| {
                vec![parts.product(b, &axes, &at, self.depth[0], carried[0])]
            })[0];
            let [begins, _] = self.ends(&tile);
            let part = block.clone() + begins * -1;
            let at = self.place(&tile, part, [Index::Row, Index::Lane]);
            b.store_where(result(nest), at, &[], acc);
            vec![]
        });
        b.finish()
    }

    /// The program that adds the parts of each tile.
    pub fn add_parts(&self, name: &str, nest: &Nest, c: &Contraction) -> Program {
        let shape = Shape::new(self.tile.rows.min(BLOCK.0), self.tile.lanes.min(BLOCK.1));
        let grid = vec![
            self.count(),
            i64::from(self.tile.lanes / shape.lanes),
            i64::from(self.tile.rows / shape.rows),
        ];
        let mut b: Builder = whole_builder(name, nest, grid, self.len());
        let tile = b.grid(0);
        let [batch, column, row] = self.tile_at(&tile);
        let down = b.grid(2) * i64::from(shape.rows);
        let across = b.grid(1) * i64::from(shape.lanes);
        // Pieces of a ragged tile may lie outside as a whole.
        let span = |start: Index, element, size: i64, side: u32| Span {
            at: start + element,
            size,
            ragged: size % i64::from(side) != 0,
        };
        let row = row * i64::from(self.tile.rows) + down.clone();
        let row = span(row, Index::Row, self.sides.rows, self.tile.rows);
        let column = column * i64::from(self.tile.lanes) + across.clone();
        let column = span(column, Index::Lane, self.sides.columns, self.tile.lanes);
        let [begins, ends] = self.ends(&tile);
        let range = Range {
            start: 0.into(),
            end: ends + begins * -1 + 1,
            step: 1,
            unroll: 1,
        };
        let acc = b.splat(0.0, shape);
        let acc = b.for_each(range, &[acc], |b, part, carried| {
            let within = [down.clone() + Index::Row, across.clone() + Index::Lane];
            let at = self.place(&tile, part, within);
            let x = load_part(b, nest, at, &[], shape);
            vec![b.binary(BinaryFn::Add, carried[0], x)]
        })[0];
        let mut axes = self.axes(&batch, nest.stages[0].outer);
        axes[c.lane] = column.at.clone();
        if let Some(axis) = c.row {
            axes[axis] = row.at.clone();
        }
        let bounds = bounds([&row, &column]);
        finish(
            &mut b,
            nest,
            &operand_types(nest),
            &axes,
            shape,
            acc,
            &bounds,
        );
        b.finish()
    }
}
