//! Evaluates index notation over a whole tensor.

use rayon::prelude::{IndexedParallelIterator, ParallelIterator, ParallelSliceMut};

use super::{
    contract,
    point::{Operand, Outside, at_point},
    program::Program,
    strip::{Machine, STRIP, Strip, fold_points, fold_strip},
};
use crate::{Compute, Dim, Monoid, tensor::count};

/// Points that a thread takes at a time.
const CHUNK: usize = 1 << 15;
/// A fold shorter than this runs across strips of the output instead of along itself.
const SHORT: i64 = 32;

/// A meaning that gives no value somewhere.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("at {coordinates:?}: {outside}")]
pub struct Fault {
    /// The point: axes of the result, then folded axes.
    pub coordinates: Vec<i64>,
    /// The index.
    pub outside: Outside,
}

/// The sizes as numbers.
pub(crate) fn known(dims: &[Dim]) -> Vec<i64> {
    let size = |d: &Dim| {
        d.known()
            .expect("graphs are bound before they are evaluated")
    };
    dims.iter().map(size).collect()
}

/// All elements, row-major.
///
/// # Errors
/// A point at which an index lies outside its axis, always the same one.
pub(crate) fn evaluate(compute: &Compute, operands: &[Operand<'_>]) -> Result<Vec<f64>, Fault> {
    match contract::find(compute) {
        // An error is found again, with its place, by going through all points.
        Some(contraction) => match contraction.evaluate(operands) {
            Ok(values) => Ok(values),
            Err(_) => evaluate_points(compute, operands),
        },
        None => evaluate_points(compute, operands),
    }
}

/// [`evaluate`], one strip after another, whatever the body is.
pub(super) fn evaluate_points(
    compute: &Compute,
    operands: &[Operand<'_>],
) -> Result<Vec<f64>, Fault> {
    let out = known(&compute.axes);
    let folded = compute
        .reduce
        .as_ref()
        .map_or(vec![], |(_, sizes)| known(sizes));
    let sizes = [out.as_slice(), &folded].concat();
    let elements = count(&out).expect("a tensor has under 2^63 elements");
    let points = count(&folded).expect("a fold has under 2^63 points");
    let monoid = compute.reduce.as_ref().map(|(m, _)| *m);
    let mut values = vec![monoid.map_or(0.0, Monoid::identity); elements];
    if elements == 0 || points == 0 {
        return Ok(values);
    }

    let shapes: Vec<_> = operands.iter().map(|(_, shape)| *shape).collect();
    let program = Program::new(&compute.body, &sizes, out.len(), &shapes);
    let data: Vec<_> = operands.iter().map(|(values, _)| *values).collect();
    let run = Run {
        program: &program,
        monoid,
    };
    let chunk = if elements.saturating_mul(points) < CHUNK {
        elements
    } else {
        (CHUNK / points).max(1)
    };
    let lost = values
        .par_chunks_mut(chunk)
        .enumerate()
        .map_init(
            || Machine::new(&program, &data),
            |machine, (i, chunk_out)| run.chunk(machine, i * chunk, chunk_out),
        )
        .find_map_first(Result::err);
    match lost {
        None => Ok(values),
        Some((element, point)) => {
            let mut coordinates = unravel(element, &out);
            coordinates.extend(unravel(point, &folded));
            let outside = at_point(&compute.body, operands, &coordinates)
                .expect_err("strips lack a value only where the definition does");
            Err(Fault {
                coordinates,
                outside,
            })
        }
    }
}

/// The coordinates of a position, row-major.
pub(crate) fn unravel(mut position: usize, sizes: &[i64]) -> Vec<i64> {
    let mut coordinates = vec![0; sizes.len()];
    for (c, n) in coordinates.iter_mut().zip(sizes).rev() {
        let n = usize::try_from(*n).expect("sizes are not negative");
        *c = (position % n) as i64;
        position /= n;
    }
    coordinates
}

struct Run<'a> {
    program: &'a Program,
    monoid: Option<Monoid>,
}

/// An output element and a point of its fold.
type Place = (usize, usize);

impl Run<'_> {
    /// Fills `out`, whose first element is number `start` of the output.
    fn chunk(&self, machine: &mut Machine<'_>, start: usize, out: &mut [f64]) -> Result<(), Place> {
        let (outer, inner) = self.program.sizes.split_at(self.program.outer);
        let (&row, &fold) = (outer.last().unwrap_or(&1), inner.last().unwrap_or(&1));
        if self.monoid.is_none() || inner.is_empty() || (fold < SHORT && row > fold) {
            self.across(machine, start, out)
        } else {
            self.along(machine, start, out)
        }
    }

    /// Strips lie along the last output axis; folds go point by point.
    fn across(
        &self,
        machine: &mut Machine<'_>,
        start: usize,
        out: &mut [f64],
    ) -> Result<(), Place> {
        let (outer, inner) = self.program.sizes.split_at(self.program.outer);
        let row = outer.last().map_or(1, |n| *n as usize);
        let points = count(inner).expect("checked by the caller");
        let mut done = 0;
        while done < out.len() {
            let at = start + done;
            let len = STRIP.min(row - at % row).min(out.len() - done);
            let mut coordinates = unravel(at, outer);
            coordinates.resize(self.program.sizes.len(), 0);
            for point in 0..points {
                coordinates[outer.len()..].copy_from_slice(&unravel(point, inner));
                let strip = Strip {
                    coordinates: &coordinates,
                    axis: outer.len().checked_sub(1),
                    len,
                };
                let values = machine.run(strip).map_err(|lane| (at + lane, point))?;
                match self.monoid {
                    None => out[done..done + len].copy_from_slice(values),
                    Some(monoid) => fold_points(monoid, &mut out[done..done + len], values),
                }
            }
            done += len;
        }
        Ok(())
    }

    /// Strips lie along the last folded axis.
    fn along(&self, machine: &mut Machine<'_>, start: usize, out: &mut [f64]) -> Result<(), Place> {
        let (outer, inner) = self.program.sizes.split_at(self.program.outer);
        let monoid = self.monoid.expect("only folds have folded axes");
        let row = inner.last().map_or(1, |n| *n as usize);
        let points = count(inner).expect("checked by the caller");
        for (at, out) in (start..).zip(out) {
            let mut coordinates = unravel(at, outer);
            coordinates.resize(self.program.sizes.len(), 0);
            let mut point = 0;
            while point < points {
                let len = STRIP.min(row - point % row);
                coordinates[outer.len()..].copy_from_slice(&unravel(point, inner));
                let axis = self.program.sizes.len().checked_sub(1);
                let strip = Strip {
                    coordinates: &coordinates,
                    axis,
                    len,
                };
                let values = machine.run(strip).map_err(|lane| (at, point + lane))?;
                *out = monoid.function().eval(*out, fold_strip(monoid, values));
                point += len;
            }
        }
        Ok(())
    }
}
