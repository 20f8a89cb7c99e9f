//! Collectives between ranks.

use super::strip::fold_points;
use crate::{Exchange, Monoid, tensor::count};

/// The result on each rank, from the operand on each rank; none if the sizes are for another number of ranks.
pub(super) fn evaluate(
    exchange: &Exchange,
    operands: &[Vec<f64>],
    from: &[i64],
    to: &[i64],
) -> Option<Vec<Vec<f64>>> {
    let ranks = operands.len();
    let split = |axis: usize| from[axis] % ranks as i64 == 0;
    Some(match exchange {
        Exchange::AllReduce(monoid) => vec![fold(*monoid, operands); ranks],
        Exchange::AllGather(axis) => {
            if to[*axis] != from[*axis] * ranks as i64 {
                return None;
            }
            vec![join(operands, from, *axis); ranks]
        }
        Exchange::ReduceScatter(monoid, axis) => {
            if !split(*axis) || to[*axis] * ranks as i64 != from[*axis] {
                return None;
            }
            let all = fold(*monoid, operands);
            (0..ranks)
                .map(|r| part(&all, from, *axis, ranks, r))
                .collect()
        }
        Exchange::AllToAll { split: cut, concat } => {
            let mut piece = from.to_vec();
            piece[*cut] /= ranks as i64;
            let mut wanted = piece.clone();
            wanted[*concat] *= ranks as i64;
            if !split(*cut) || to != wanted {
                return None;
            }
            let of = |r: usize| {
                let parts = operands.iter().map(|x| part(x, from, *cut, ranks, r));
                join(&parts.collect::<Vec<_>>(), &piece, *concat)
            };
            (0..ranks).map(of).collect()
        }
    })
}

/// The fold of all operands, in the order of ranks.
fn fold(monoid: Monoid, operands: &[Vec<f64>]) -> Vec<f64> {
    let mut out = operands[0].clone();
    for x in &operands[1..] {
        fold_points(monoid, &mut out, x);
    }
    out
}

/// Elements of a run that `axis` and those after it span.
fn run_of(shape: &[i64], axis: usize) -> usize {
    count(&shape[axis..]).expect("a tensor has under 2^63 elements")
}

/// Tensors of one shape side by side along `axis`.
fn join(parts: &[Vec<f64>], shape: &[i64], axis: usize) -> Vec<f64> {
    let run = run_of(shape, axis);
    let rows = parts[0].len().checked_div(run).unwrap_or(0);
    (0..rows)
        .flat_map(|row| {
            parts
                .iter()
                .flat_map(move |p| &p[row * run..(row + 1) * run])
        })
        .copied()
        .collect()
}

/// Part `which` of `ranks` equal parts along `axis`.
fn part(values: &[f64], shape: &[i64], axis: usize, ranks: usize, which: usize) -> Vec<f64> {
    let run = run_of(shape, axis);
    let len = run / ranks;
    let rows = values.chunks_exact(run.max(1));
    rows.flat_map(|row| &row[which * len..(which + 1) * len])
        .copied()
        .collect()
}
