//! Sums of products: both sides are evaluated into matrices, and these are multiplied in blocks.

use std::collections::BTreeSet;

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use super::{
    compute::{Fault, evaluate_points, known},
    point::Operand,
};
use crate::{BinaryFn, Compute, Dim, Expr, Monoid, tensor::count};

/// Rows and columns of the result that are held in registers.
const TILE: usize = 4;
/// Columns of the result that one task computes.
const COLUMNS: usize = 64;
/// Terms of the sum between two passes over the result, so that a panel stays in the nearest cache.
const DEPTH: usize = 512;
/// The matrices must be this many times smaller than the iteration space to be worth evaluating.
const WORTH: usize = 4;

/// `out = sum over k of left[batch, m, k] right[batch, k, n]`
#[derive(Clone, Debug)]
pub(super) struct Contraction {
    left: Compute,
    right: Compute,
    /// Sizes of the output's axes.
    out: Vec<i64>,
    /// The output's axes, as they follow one another in the product: those of the batch, of the rows, of the columns.
    order: Vec<usize>,
    batch: usize,
    rows: usize,
    columns: usize,
    depth: usize,
}

/// The meaning as a contraction, if it is one that is worth it.
pub(super) fn find(compute: &Compute) -> Option<Contraction> {
    let Some((Monoid::Sum, folded)) = &compute.reduce else {
        return None;
    };
    let (out, outer) = (known(&compute.axes), compute.axes.len());
    let sizes = [out.as_slice(), &known(folded)].concat();
    let mut factors = Vec::new();
    flatten(&compute.body, &mut factors);
    let (left, right) = split(&factors, &sizes, outer)?;
    let (of_left, of_right) = (axes_of(&left, &sizes), axes_of(&right, &sizes));

    let axes = 0..outer;
    let in_both = |a: &usize| of_left.contains(a) && of_right.contains(a);
    let batch: Vec<_> = axes.clone().filter(in_both).collect();
    let columns = axes
        .clone()
        .filter(|a| of_right.contains(a) && !of_left.contains(a));
    let columns: Vec<_> = columns.collect();
    let rows: Vec<_> = axes.filter(|a| !of_right.contains(a)).collect();
    let depth: Vec<_> = (outer..sizes.len()).collect();
    let extent = |axes: &[usize]| count(&axes.iter().map(|a| sizes[*a]).collect::<Vec<_>>());
    let (b, m, n, k) = (
        extent(&batch)?,
        extent(&rows)?,
        extent(&columns)?,
        extent(&depth)?,
    );
    if [b, m, n, k].contains(&0) {
        return None;
    }
    let matrices = b.checked_mul(k)?.checked_mul(m.checked_add(n)?)?;
    if matrices.checked_mul(WORTH)? > b.checked_mul(k)?.checked_mul(m.checked_mul(n)?)? {
        return None;
    }
    Some(Contraction {
        left: side(left, &[&batch, &rows, &depth], &sizes),
        right: side(right, &[&batch, &depth, &columns], &sizes),
        order: [batch, rows, columns].concat(),
        out,
        batch: b,
        rows: m,
        columns: n,
        depth: k,
    })
}

fn flatten<'a>(body: &'a Expr, factors: &mut Vec<&'a Expr>) {
    match body {
        Expr::Binary(BinaryFn::Mul, a, b) => {
            flatten(a, factors);
            flatten(b, factors);
        }
        other => factors.push(other),
    }
}

/// The factors as two products: the first factor and those that vary with its output axes only, and the rest.
fn split(factors: &[&Expr], sizes: &[i64], outer: usize) -> Option<(Expr, Expr)> {
    let output_axes = |f: &Expr| -> BTreeSet<usize> {
        axes_of(f, sizes)
            .into_iter()
            .filter(|a| *a < outer)
            .collect()
    };
    let first = output_axes(factors.first()?);
    let (left, right): (Vec<&Expr>, Vec<&Expr>) = factors
        .iter()
        .partition(|f| output_axes(f).is_subset(&first));
    let product = |f: Vec<&Expr>| f.into_iter().cloned().reduce(|a, b| a * b);
    Some((product(left)?, product(right)?))
}

/// The axes that occur, without those of size 1.
fn axes_of(expr: &Expr, sizes: &[i64]) -> BTreeSet<usize> {
    match expr {
        Expr::Axis(a) if sizes[*a] != 1 => BTreeSet::from([*a]),
        other => other
            .parts()
            .into_iter()
            .flat_map(|p| axes_of(p, sizes))
            .collect(),
    }
}

/// `body` as a tensor over the given axes, in this order.
fn side(body: Expr, groups: &[&[usize]; 3], sizes: &[i64]) -> Compute {
    let axes = groups.concat();
    let body = renumber(body, &axes);
    let axes = axes.iter().map(|a| Dim::from(sizes[*a])).collect();
    Compute {
        axes,
        reduce: None,
        body,
    }
}

/// Axis `axes[i]` becomes axis `i`; an axis that is not listed has size 1.
fn renumber(expr: Expr, axes: &[usize]) -> Expr {
    match expr {
        Expr::Axis(a) => match axes.iter().position(|b| *b == a) {
            Some(new) => Expr::Axis(new),
            None => Expr::int(0),
        },
        other => other.map_parts(|p| renumber(p, axes)),
    }
}

impl Contraction {
    /// All elements of the output.
    ///
    /// # Errors
    /// Some index lies outside its axis; the place is one of a side's.
    pub(super) fn evaluate(&self, operands: &[Operand<'_>]) -> Result<Vec<f64>, Fault> {
        let left = evaluate_points(&self.left, operands)?;
        let right = evaluate_points(&self.right, operands)?;
        let (m, n, k) = (self.rows, self.columns, self.depth);
        let blocks = n.div_ceil(COLUMNS);
        let tasks: Vec<Vec<f64>> = (0..self.batch * blocks)
            .into_par_iter()
            .map(|task| {
                let (batch, first) = (task / blocks, task % blocks * COLUMNS);
                let a = &left[batch * m * k..(batch + 1) * m * k];
                let b = &right[batch * k * n..(batch + 1) * k * n];
                multiply(a, b, [m, n, k], first..n.min(first + COLUMNS))
            })
            .collect();

        let mut out = vec![0.0; elements(&self.out)];
        let strides = self.strides();
        let [of_batch, of_rows, of_columns] = &strides;
        for (task, block) in tasks.iter().enumerate() {
            let (batch, first) = (task / blocks, task % blocks * COLUMNS);
            let columns = &of_columns[first..n.min(first + COLUMNS)];
            for (row, values) in of_rows.iter().zip(block.chunks_exact(columns.len())) {
                for (column, x) in columns.iter().zip(values) {
                    out[of_batch[batch] + row + column] = *x;
                }
            }
        }
        Ok(out)
    }

    /// Offset in the output of each batch, row and column.
    fn strides(&self) -> [Vec<usize>; 3] {
        let mut strides = vec![1usize; self.out.len()];
        for a in (1..self.out.len()).rev() {
            strides[a - 1] = strides[a] * self.out[a] as usize;
        }
        let mut axes = self.order.iter();
        [self.batch, self.rows, self.columns].map(|extent| {
            let mut offsets = vec![0];
            while offsets.len() < extent {
                let Some(a) = axes.next() else { break };
                let along = |o: &usize| {
                    let (o, stride) = (*o, strides[*a]);
                    (0..self.out[*a] as usize).map(move |i| o + i * stride)
                };
                offsets = offsets.iter().flat_map(along).collect();
            }
            offsets
        })
    }
}

fn elements(out: &[i64]) -> usize {
    count(out).expect("a tensor has under 2^63 elements")
}

/// Columns `columns` of `a b`, for row-major `a: [m, k]` and `b: [k, n]`.
fn multiply(
    a: &[f64],
    b: &[f64],
    [m, n, k]: [usize; 3],
    columns: std::ops::Range<usize>,
) -> Vec<f64> {
    let width = columns.len();
    let panels = width.div_ceil(TILE);
    let mut out = vec![0.0; m * width];
    let mut packed = vec![0.0; panels * TILE * DEPTH.min(k)];
    for from in (0..k).step_by(DEPTH) {
        let depth = DEPTH.min(k - from);
        for (p, panel) in packed
            .chunks_exact_mut(depth * TILE)
            .take(panels)
            .enumerate()
        {
            let first = columns.start + p * TILE;
            let len = TILE.min(columns.end - first);
            for (i, to) in panel.chunks_exact_mut(TILE).enumerate() {
                let at = (from + i) * n + first;
                to[..len].copy_from_slice(&b[at..at + len]);
            }
        }
        for row in (0..m).step_by(TILE) {
            // Rows past the end repeat the last one; their sums are dropped.
            let rows = [0, 1, 2, 3].map(|i| {
                let at = (row + i).min(m - 1) * k + from;
                &a[at..at + depth]
            });
            for (p, panel) in packed.chunks_exact(depth * TILE).take(panels).enumerate() {
                let tile = tile(rows, panel);
                let len = TILE.min(width - p * TILE);
                for (i, sums) in tile.iter().enumerate().take(m - row) {
                    let at = (row + i) * width + p * TILE;
                    for (o, x) in out[at..at + len].iter_mut().zip(sums) {
                        *o += x;
                    }
                }
            }
        }
    }
    out
}

/// Four rows times a panel of four columns.
fn tile(rows: [&[f64]; TILE], panel: &[f64]) -> [[f64; TILE]; TILE] {
    let mut sums = [[0.0; TILE]; TILE];
    let [r0, r1, r2, r3] = rows;
    let terms = panel.chunks_exact(TILE).zip(r0).zip(r1).zip(r2).zip(r3);
    for ((((b, x0), x1), x2), x3) in terms {
        for (sums, x) in sums.iter_mut().zip([x0, x1, x2, x3]) {
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum += x * b;
            }
        }
    }
    sums
}
