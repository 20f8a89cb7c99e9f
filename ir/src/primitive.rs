//! Meanings that index notation cannot say, or only at quadratic cost: scatter, top-k and scan.
//!
//! Another one needs a decision of its own: see `docs/adr/0004-one-meaning-per-op.md`.

use serde::{Deserialize, Serialize};

use crate::{
    Compute, Dim, Expr, Monoid, TensorType,
    eval::{Fault, Operand, Outside, compute, unravel},
    tensor::count,
};

/// A meaning that is written out by hand.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Primitive {
    /// Elements written at computed places.
    Scatter(Scatter),
    /// Positions of the largest elements.
    TopK(TopK),
    /// Running sums.
    Scan(Scan),
}

/// `out = start`, then for each point `p` of `points` with `when(p)`, in row-major order:
/// `out[index(p)..] = combine(out[index(p)..], value(p))`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scatter {
    /// Sizes of the result's axes.
    pub shape: Vec<Dim>,
    /// The operand that the result starts as; without one it starts as the fold's identity, or 0.
    pub start: Option<usize>,
    /// Sizes of the axes of the points.
    pub points: Vec<Dim>,
    /// Only points at which this is not 0 count; at others nothing else is evaluated.
    pub when: Option<Expr>,
    /// Where a point goes: one integer expression per axis of the result.
    pub index: Vec<Expr>,
    /// What goes there.
    pub value: Expr,
    /// How it meets what is there; without, it replaces it, so that the last point stays.
    pub combine: Option<Monoid>,
}

/// `out[.., j, ..]` is the position along `axis` of the `j`-th largest (or smallest) element, for `j < k`.
///
/// NaN is larger than any number (as in PyTorch); among equals the first comes first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TopK {
    /// Axis of operand 0.
    pub axis: usize,
    /// How many.
    pub k: Dim,
    /// Whether the largest are wanted, or the smallest.
    pub largest: bool,
}

/// `out[.., i, ..]` is the sum of the elements of an operand along `axis` up to the `i`-th.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scan {
    /// The operand.
    pub operand: usize,
    /// Its axis.
    pub axis: usize,
    /// Without the `i`-th.
    pub exclusive: bool,
    /// From the last element on, instead of the first.
    pub reverse: bool,
}

impl Primitive {
    /// Sizes of the result's axes.
    pub fn shape(&self, operands: &[TensorType]) -> Vec<Dim> {
        match self {
            Self::Scatter(scatter) => scatter.shape.clone(),
            Self::TopK(top) => {
                let mut shape = operands[0].shape.clone();
                shape[top.axis] = top.k.clone();
                shape
            }
            Self::Scan(scan) => operands[scan.operand].shape.clone(),
        }
    }

    /// The definition: all elements of the result, row-major.
    ///
    /// # Errors
    /// An index lies outside its axis.
    pub(crate) fn values(&self, operands: &[Operand<'_>]) -> Result<Vec<f64>, Fault> {
        match self {
            Self::Scatter(scatter) => scatter.evaluate(operands),
            Self::TopK(top) => Ok(top.evaluate(operands[0])),
            Self::Scan(scan) => Ok(scan.evaluate(operands[scan.operand])),
        }
    }
}

impl Scatter {
    fn evaluate(&self, operands: &[Operand<'_>]) -> Result<Vec<f64>, Fault> {
        let over = |body: &Expr| {
            let (axes, reduce) = (self.points.clone(), None);
            let body = match &self.when {
                Some(when) => when.clone().select(body.clone(), Expr::num(0.0)),
                None => body.clone(),
            };
            compute::evaluate(&Compute { axes, reduce, body }, operands)
        };
        let indices = self.index.iter().map(over).collect::<Result<Vec<_>, _>>()?;
        let values = over(&self.value)?;
        let counts = self
            .when
            .as_ref()
            .map(|_| over(&Expr::num(1.0)))
            .transpose()?;
        let shape = compute::known(&self.shape);
        let mut out = match self.start {
            Some(operand) => operands[operand].0.to_f64().into_owned(),
            None => {
                let elements = count(&shape).expect("a tensor has under 2^63 elements");
                vec![self.combine.map_or(0.0, Monoid::identity); elements]
            }
        };
        for (point, value) in values.into_iter().enumerate() {
            if counts.as_ref().is_some_and(|c| c[point] == 0.0) {
                continue;
            }
            let mut at = 0usize;
            for (axis, (size, index)) in shape.iter().zip(&indices).enumerate() {
                let (size, index) = (*size, index[point]);
                if !(index >= 0.0 && index < size as f64) {
                    let coordinates = unravel(point, &compute::known(&self.points));
                    let outside = Outside {
                        operand: None,
                        axis,
                        index,
                        size,
                    };
                    return Err(Fault {
                        coordinates,
                        outside,
                    });
                }
                at = at * size as usize + index as usize;
            }
            out[at] = self
                .combine
                .map_or(value, |m| m.function().eval(out[at], value));
        }
        Ok(out)
    }
}

/// How elements along one axis of an array lie: their number, and the offset of the `i`-th of a row.
struct Rows {
    outer: usize,
    size: usize,
    inner: usize,
}

impl Rows {
    fn of(shape: &[i64], axis: usize) -> Self {
        let extent = |sizes: &[i64]| count(sizes).expect("a tensor has under 2^63 elements");
        Self {
            outer: extent(&shape[..axis]),
            size: shape[axis] as usize,
            inner: extent(&shape[axis + 1..]),
        }
    }

    fn count(&self) -> usize {
        self.outer * self.inner
    }

    fn at(&self, row: usize, i: usize) -> usize {
        (row / self.inner * self.size + i) * self.inner + row % self.inner
    }
}

impl TopK {
    fn evaluate(&self, (values, shape): Operand<'_>) -> Vec<f64> {
        let values = values.to_f64();
        let from = Rows::of(shape, self.axis);
        let k = self.k.known();
        let k = k.expect("graphs are bound before they are evaluated") as usize;
        let to = Rows { size: k, ..from };
        let mut out = vec![0.0; from.count() * k];
        for row in 0..from.count() {
            let mut order: Vec<usize> = (0..from.size).collect();
            order.sort_by(|i, j| {
                let (a, b) = (values[from.at(row, *i)], values[from.at(row, *j)]);
                let rising = a
                    .partial_cmp(&b)
                    .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()));
                if self.largest {
                    rising.reverse()
                } else {
                    rising
                }
            });
            for (j, i) in order.into_iter().take(k).enumerate() {
                out[to.at(row, j)] = i as f64;
            }
        }
        out
    }
}

impl Scan {
    fn evaluate(&self, (values, shape): Operand<'_>) -> Vec<f64> {
        let values = values.to_f64();
        let rows = Rows::of(shape, self.axis);
        let mut out = vec![0.0; values.len()];
        for row in 0..rows.count() {
            let mut sum = 0.0;
            for step in 0..rows.size {
                let i = if self.reverse {
                    rows.size - 1 - step
                } else {
                    step
                };
                let at = rows.at(row, i);
                let next = sum + values[at];
                out[at] = if self.exclusive { sum } else { next };
                sum = next;
            }
        }
        out
    }
}
