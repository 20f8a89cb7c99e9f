//! Contractions whose depth several blocks share: each adds up a part, and a second program adds the parts.
//!
//! Parts lie in a workspace, one result after the other, and are added in order: the sum does not depend on who is first.

use ir::{
    BinaryFn, DType,
    tile::{Access, Array, Index, Memory, Program, Shape, Value, Var},
};

use super::{
    Builder, Nest, Range, Span, blocks, bounds, coordinates, operand_types, params, result, side,
};
use crate::{Layout, family::Contraction, lower::fold::finish};

/// Rows and columns of a block that adds parts.
const BLOCK: (u32, u32) = (2, 256);

/// Parts that are read at once.
const UNROLL: u32 = 4;

/// How blocks share an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Split {
    /// Number of parts, at least two.
    pub count: i64,
    /// Elements of a part; the last may have fewer.
    pub part: i64,
    /// The axis of the grid that counts parts.
    axis: usize,
}

impl Split {
    /// An axis of `size` in at most `parts` parts of whole blocks; none if there is but one. `axis` is the grid's.
    pub fn new(size: i64, block: u32, parts: u32, axis: usize) -> Option<Self> {
        let part = (size.max(1) as u64).div_ceil(u64::from(parts.max(1)));
        let part = part.next_multiple_of(block.into()) as i64;
        let count = blocks(size, u32::try_from(part).ok()?);
        (count > 1).then_some(Self { count, part, axis })
    }

    /// The last folded axis of a contraction.
    pub fn of(nest: &Nest, block: u32, parts: u32) -> Option<Self> {
        let fold = &nest.stages[0];
        let size = fold.sizes[fold.outer..].last()?;
        Self::new(*size, block, parts, 3)
    }

    /// What a block runs over of an axis of `size`: its part, or all.
    pub fn range(split: Option<Self>, b: &Builder, size: i64) -> Range {
        let Some(split) = split else {
            return Range::below(size);
        };
        let start = b.grid(split.axis) * split.part;
        let end = start.clone() + split.part;
        let whole = size % split.part == 0;
        Range {
            start,
            end: if whole { end } else { end.min(size) },
            step: 1,
            unroll: 1,
        }
    }
}

/// The array of parts.
pub(super) fn workspace(len: i64, written: bool) -> Array {
    Array {
        name: "parts".into(),
        dtype: DType::F32,
        len,
        written,
    }
}

/// A builder of the program that makes a workspace of so many elements instead of the result.
pub(super) fn part_builder(name: &str, nest: &Nest, grid: Vec<i64>, len: i64) -> Builder {
    let mut all = params(nest, &vec![Layout::Plain; nest.operands.len()]);
    all.pop();
    all.push(workspace(len, true));
    Builder::new(name, all, grid)
}

/// A builder of the program that makes the result of such a workspace, its last parameter.
pub(super) fn whole_builder(name: &str, nest: &Nest, grid: Vec<i64>, len: i64) -> Builder {
    let mut all = params(nest, &vec![Layout::Plain; nest.operands.len()]);
    all.push(workspace(len, false));
    Builder::new(name, all, grid)
}

/// A tile of parts.
pub(super) fn load_part(
    b: &mut Builder,
    nest: &Nest,
    at: Index,
    guard: &[(Index, Index)],
    shape: Shape,
) -> Var {
    b.set(Value::Load {
        from: Access {
            memory: Memory::Param(nest.operands.len() as u32 + 1),
            at,
            guard: guard.to_vec(),
        },
        shape,
        other: 0.0.into(),
    })
}

/// The axes of a contraction.
pub(super) struct Sides {
    /// Axes that are neither rows nor columns, and their sizes.
    pub batch_axes: Vec<usize>,
    pub batch_sizes: Vec<i64>,
    pub rows: i64,
    pub columns: i64,
    row: Option<usize>,
    column: usize,
    outer: usize,
}

impl Sides {
    pub fn of(nest: &Nest, c: &Contraction) -> Self {
        let fold = &nest.stages[0];
        let batch_axes: Vec<usize> = (0..fold.outer)
            .filter(|a| *a != c.lane && Some(*a) != c.row)
            .collect();
        Self {
            batch_sizes: batch_axes.iter().map(|a| fold.sizes[*a]).collect(),
            batch_axes,
            rows: c.row.map_or(1, |r| fold.sizes[r]),
            columns: fold.sizes[c.lane],
            row: c.row,
            column: c.lane,
            outer: fold.outer,
        }
    }

    /// Independent products.
    pub fn batch(&self) -> i64 {
        self.batch_sizes.iter().product()
    }

    fn elements(&self) -> i64 {
        self.batch() * self.rows * self.columns
    }

    /// A builder of a program over `[batch, columns, rows]`, and parts if there are any.
    pub fn builder(
        &self,
        name: &str,
        nest: &Nest,
        mut grid: Vec<i64>,
        split: Option<Split>,
    ) -> Builder {
        match split {
            None => super::builder(name, nest, grid),
            Some(split) => {
                grid.push(split.count);
                part_builder(name, nest, grid, split.count * self.elements())
            }
        }
    }

    /// Where an element of a part lies.
    fn place(&self, part: Index, batch: Index, [row, column]: [&Index; 2]) -> Index {
        let line = (part * self.batch() + batch) * self.rows + row.clone();
        line * self.columns + column.clone()
    }

    /// Stores a tile of the block's part.
    pub fn store_part(
        &self,
        b: &mut Builder,
        nest: &Nest,
        place: [&Index; 2],
        bounds: &[(Index, Index)],
        value: Var,
    ) {
        let at = self.place(b.grid(3), b.grid(0), place);
        b.store_where(result(nest), at, bounds, value);
    }

    /// The program that adds the parts.
    pub fn add_parts(&self, name: &str, nest: &Nest, split: Split) -> Program {
        let shape = Shape::new(side(self.rows, BLOCK.0), side(self.columns, BLOCK.1));
        let grid = vec![
            self.batch(),
            blocks(self.columns, shape.lanes),
            blocks(self.rows, shape.rows),
        ];
        let mut b = whole_builder(name, nest, grid, split.count * self.elements());
        let row = b.grid(2) * i64::from(shape.rows);
        let column = b.grid(1) * i64::from(shape.lanes);
        let row = Span::new(row, Index::Row, self.rows, shape.rows);
        let column = Span::new(column, Index::Lane, self.columns, shape.lanes);
        let bounds = bounds([&row, &column]);
        let acc = b.splat(0.0, shape);
        let range = Range::below(split.count).unrolled(UNROLL);
        let acc = b.for_each(range, &[acc], |b, part, carried| {
            let at = self.place(part, b.grid(0), [&row.at, &column.at]);
            let x = load_part(b, nest, at, &bounds, shape);
            vec![b.binary(BinaryFn::Add, carried[0], x)]
        })[0];
        let mut axes = vec![Index::Const(0); self.outer];
        for (axis, at) in (self.batch_axes.iter()).zip(coordinates(&b.grid(0), &self.batch_sizes)) {
            axes[*axis] = at;
        }
        axes[self.column] = column.at.clone();
        if let Some(axis) = self.row {
            axes[axis] = row.at.clone();
        }
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
