//! Contractions: sums of products, a tile of accumulators in registers at a time.
//!
//! The loop over the sum is innermost and whole: a column of the left operand against a row of the right
//! one, which lies packed in panels as wide as the tile when it is known at compile time. What follows the
//! sum (bias, activation, residual) is applied to the tile before it is stored.

mod left;

use std::collections::BTreeMap;

use ir::{
    ContractSchedule, DType,
    tile::{Index, Memory, Shape, Value, Var},
};

use super::{
    Builder, Lowered, Range, coordinates,
    emit::{Known, Point, emit},
    fold::finish,
    operand_types, params, row_runs,
};
use crate::{
    Layout,
    family::Contraction,
    nest::{Body, Nest},
};
use left::Copied;
pub(super) use left::can_copy;

/// The operand that the right factor reads and its layout in panels, if it can be packed.
pub(super) fn packing(
    nest: &Nest,
    c: &Contraction,
    constant: &[bool],
    lanes: u32,
) -> Option<(usize, Layout)> {
    // What is stored narrow is packed narrow.
    let mut right = &c.right;
    while let Body::Cast(DType::F32, x) = right {
        right = x;
    }
    let Body::Load { operand, at, guard } = right else {
        return None;
    };
    if !nest.operands[*operand].0.is_float() {
        return None;
    }
    let fold = &nest.stages[0];
    let k = fold.outer;
    let whole = at.is_plain() && at.constant == 0 && guard.is_empty() && fold.sizes.len() == k + 1;
    if !whole || !constant[*operand] || at.axes() != [c.lane, k] {
        return None;
    }
    let (rows, columns) = (fold.sizes[k], fold.sizes[c.lane]);
    let transposed = match (at.coefficient(k), at.coefficient(c.lane)) {
        (step, 1) if step == columns => false,
        (1, step) if step == rows => true,
        _ => return None,
    };
    let others = nest
        .stages
        .iter()
        .filter_map(|s| s.body())
        .flat_map(Body::walk);
    let uses = others
        .filter(|b| matches!(b, Body::Load { operand: o, .. } if o == operand))
        .count();
    let fits = nest.operands[*operand].1 == rows * columns && uses == 1;
    fits.then_some((
        *operand,
        Layout::Panels {
            rows,
            columns,
            transposed,
            lanes,
        },
    ))
}

/// What does not change from tile to tile.
struct Parts<'a> {
    nest: &'a Nest,
    c: &'a Contraction,
    operands: Vec<DType>,
    packed: Option<usize>,
    copied: Option<Copied>,
    schedule: &'a ContractSchedule,
}

pub(super) fn lower(
    name: &str,
    nest: &Nest,
    c: &Contraction,
    constant: &[bool],
    schedule: &ContractSchedule,
) -> Lowered {
    let fold = &nest.stages[0];
    let packing = packing(nest, c, constant, schedule.lanes);
    let mut layouts = vec![Layout::Plain; nest.operands.len()];
    if let Some((operand, layout)) = packing {
        layouts[operand] = layout;
    }
    let rows = c.row.map_or(1, |r| fold.sizes[r]);
    let columns = fold.sizes[c.lane];
    let batch_axes: Vec<usize> = (0..fold.outer)
        .filter(|a| *a != c.lane && Some(*a) != c.row)
        .collect();
    let batch: Vec<i64> = batch_axes.iter().map(|a| fold.sizes[*a]).collect();
    let (block_rows, block_columns) = (
        i64::from(schedule.block_rows),
        i64::from(schedule.block_columns),
    );
    let blocks = |size: i64, block: i64| (size as u64).div_ceil(block as u64) as i64;
    let grid = vec![
        batch.iter().product(),
        blocks(columns, block_columns),
        blocks(rows, block_rows),
    ];
    let mut b = Builder::new(name, params(nest, &layouts), grid);
    let parts = Parts {
        nest,
        c,
        operands: operand_types(nest),
        copied: Copied::new(&mut b, nest, c, schedule),
        packed: packing.map(|(o, _)| o),
        schedule,
    };
    let mut axes = vec![Index::Const(0); fold.outer];
    for (axis, at) in batch_axes.iter().zip(coordinates(&b.grid(0), &batch)) {
        axes[*axis] = at;
    }
    let (row, column) = (b.grid(2) * block_rows, b.grid(1) * block_columns);
    let over_rows = |b: &mut Builder, tile: &mut dyn FnMut(&mut Builder, Index, u32)| {
        let ends = (row.clone(), row.clone() + block_rows);
        row_runs(b, ends, rows, schedule.rows, tile);
    };
    let over_columns = |b: &mut Builder, tile: &mut dyn FnMut(&mut Builder, Index, u32)| {
        let ends = (column.clone(), column.clone() + block_columns);
        row_runs(b, ends, columns, schedule.lanes, tile);
    };
    match &parts.copied {
        Some(copied) if copied.whole => over_rows(&mut b, &mut |b, row, rows| {
            parts.copy(b, copied, (&row, rows), &axes, &0.into());
            over_columns(b, &mut |b, column, lanes| {
                parts.tile(b, &axes, row.clone(), &column, Shape::new(rows, lanes));
            });
        }),
        _ => over_columns(&mut b, &mut |b, column, lanes| {
            over_rows(b, &mut |b, row, rows| {
                parts.tile(b, &axes, row, &column, Shape::new(rows, lanes));
            });
        }),
    }
    Lowered {
        program: b.finish(),
        layouts,
        lane: None,
        combine: None,
        in_place: None,
    }
}

/// No earlier stages.
static NONE: BTreeMap<usize, (Var, DType)> = BTreeMap::new();

impl Parts<'_> {
    /// Computes and stores one tile of the result.
    fn tile(&self, b: &mut Builder, batch: &[Index], row: Index, column: &Index, shape: Shape) {
        let fold = &self.nest.stages[0];
        let mut axes = batch.to_vec();
        axes[self.c.lane] = column.clone() + Index::Lane;
        if let Some(r) = self.c.row {
            axes[r] = row.clone() + Index::Row;
        }
        let acc = b.splat(0.0, shape);
        let acc = match &self.copied {
            Some(copied) if copied.whole => {
                self.sum_copied(b, copied, &mut axes, &0.into(), (column, shape), acc)
            }
            Some(copied) => self.sum_parts(b, copied, &row, &mut axes, (column, shape), acc),
            None => {
                let sizes = &fold.sizes[fold.outer..];
                self.sum(b, &mut axes, sizes, column, shape, acc)
            }
        };
        axes.truncate(fold.outer);
        finish(b, self.nest, &self.operands, &axes, shape, acc, &[]);
    }

    /// Adds the products over axes of these sizes to `acc`.
    fn sum(
        &self,
        b: &mut Builder,
        axes: &mut Vec<Index>,
        sizes: &[i64],
        column: &Index,
        shape: Shape,
        acc: Var,
    ) -> Var {
        let [size, inner @ ..] = sizes else {
            return self.product(b, axes, column, shape, acc, None);
        };
        let unroll = if inner.is_empty() {
            self.schedule.unroll
        } else {
            1
        };
        let range = Range::below(*size).unrolled(unroll);
        let out = b.for_each(range, &[acc], |b, counter, carried| {
            axes.push(counter);
            let next = self.sum(b, axes, inner, column, shape, carried[0]);
            axes.pop();
            vec![next]
        });
        out[0]
    }

    fn point<'p>(&'p self, axes: &'p [Index], shape: Shape) -> Point<'p> {
        Point {
            operands: &self.operands,
            axes,
            shape,
            stages: &NONE,
            bounds: &[],
        }
    }

    /// `acc` and the product at one point of the sum; `left` is the left operand there, if it was read before.
    fn product(
        &self,
        b: &mut Builder,
        axes: &[Index],
        column: &Index,
        shape: Shape,
        acc: Var,
        left: Option<Var>,
    ) -> Var {
        let point = self.point(axes, shape);
        let mut known = Known::default();
        let left = left.unwrap_or_else(|| emit(b, &point, &mut known, &self.c.left));
        let left = b.set(Value::Broadcast(left, Shape::new(shape.rows, 1)));
        let right = match self.packed {
            Some(operand) => {
                let fold = &self.nest.stages[0];
                let (depth, lanes) = (fold.sizes[fold.outer], i64::from(self.schedule.lanes));
                // Panels start at multiples of `lanes` columns: the panel's place is `column * depth`.
                let at = column.clone() * depth + axes[fold.outer].clone() * lanes + Index::Lane;
                let x = b.load(
                    Memory::Param(operand as u32),
                    at,
                    Shape::new(1, shape.lanes),
                );
                if self.operands[operand] == DType::F32 {
                    x
                } else {
                    b.set(Value::Cast(DType::F32, x))
                }
            }
            None => emit(b, &point, &mut known, &self.c.right),
        };
        let right = b.set(Value::Broadcast(right, Shape::new(1, shape.lanes)));
        b.set(Value::Dot {
            a: left,
            b: right,
            acc,
        })
    }
}
