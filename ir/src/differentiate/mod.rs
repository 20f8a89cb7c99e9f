//! Derivatives of meanings, which are meanings again.
//!
//! For `y = meaning(x..)` and a scalar that depends on `y`, the adjoint of `y` is the scalar's derivative
//! by `y`'s elements. The adjoint of an operand follows from it: of a sum of products, another sum of
//! products; of a gather, a scatter that adds.

mod partial;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::{
    BinaryFn, Compute, Dim, Exchange, Expr, Meaning, Monoid, Primitive, Scan, Scatter, TensorType,
};
use partial::{Reach, partial, reach};

/// A meaning without a derivative that is a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DifferentiateError {
    /// A term: its parts are differentiated, not the term.
    #[error("a term is differentiated op by op")]
    Term,
    /// A scatter in which later elements replace earlier ones, or are folded otherwise than by a sum.
    #[error("a scatter has a derivative only where it adds")]
    Scatter,
    /// A collective that folds otherwise than by a sum.
    #[error("a collective has a derivative only where it adds")]
    Exchange,
}

/// Meanings whose sum is the adjoint of operand `operand`; none where it is zero everywhere.
///
/// Their operands are those of the meaning, of the types `operands`, then its result and the adjoint of its
/// result. An exchange takes the adjoint of the result alone.
///
/// The derivative of a maximum goes to every element that equals it; that of a product of elements is exact
/// where none is 0; a rounding, to floats, has derivative 1.
///
/// # Errors
/// The adjoint is no meaning.
pub fn adjoints(
    meaning: &Meaning,
    operand: usize,
    operands: &[TensorType],
) -> Result<Vec<Meaning>, DifferentiateError> {
    if operands.get(operand).is_none_or(|ty| !ty.dtype.is_float()) {
        return Ok(vec![]);
    }
    match meaning {
        Meaning::Leaf => Ok(vec![]),
        Meaning::Term(_) => Err(DifferentiateError::Term),
        Meaning::Compute(compute) => Ok(of_compute(compute, operand, operands)),
        Meaning::Exchange(exchange) => of_exchange(exchange).map(|e| vec![Meaning::Exchange(e)]),
        Meaning::Primitive(Primitive::Scatter(s)) => of_scatter(s, operand, operands),
        Meaning::Primitive(Primitive::TopK(_)) => Ok(vec![]),
        Meaning::Primitive(Primitive::Scan(s)) => Ok(vec![of_scan(s, operands.len())]),
    }
}

/// Where values of a meaning come from and how they count.
struct Flow<'a> {
    /// Sizes of the points' axes.
    points: Vec<Dim>,
    /// The value at a point.
    value: &'a Expr,
    /// The adjoint of that value.
    adjoint: Expr,
}

fn of_compute(compute: &Compute, operand: usize, operands: &[TensorType]) -> Vec<Meaning> {
    let body = compute.body.clone().expand();
    let place = || (0..compute.axes.len()).map(Expr::Axis);
    let result = Expr::load(operands.len(), place());
    let of_result = Expr::load(operands.len() + 1, place());
    let adjoint = match &compute.reduce {
        None | Some((Monoid::Sum, _)) => of_result,
        Some((Monoid::Max | Monoid::Min, _)) => body
            .clone()
            .with(BinaryFn::Eq, result)
            .select(of_result, Expr::num(0.0)),
        Some((Monoid::Prod, _)) => of_result * (result / body.clone()),
    };
    let folded = compute.reduce.iter().flat_map(|(_, sizes)| sizes);
    let points = compute.axes.iter().chain(folded).cloned().collect();
    Flow {
        points,
        value: &body,
        adjoint,
    }
    .adjoints(operand, &operands[operand])
}

impl Flow<'_> {
    /// What flows back to the operand: one meaning for each way in which it is loaded.
    fn adjoints(&self, operand: usize, ty: &TensorType) -> Vec<Meaning> {
        let mut loads = BTreeSet::new();
        collect_loads(self.value, operand, &mut loads);
        let of_load = |load: &Expr| {
            let factor = partial(self.value, load)?;
            let Expr::Load { index, .. } = load else {
                unreachable!("only loads are collected")
            };
            let value = self.adjoint.clone() * factor;
            Some(match reach(self.value, load) {
                Reach::Never => return None,
                Reach::Always => self.gathered(index, ty, &value),
                // Elsewhere the index may lie outside.
                Reach::When(condition) => self.scattered(index, ty, value, Some(condition)),
            })
        };
        loads.iter().filter_map(of_load).collect()
    }

    /// `adjoint[index(p)] += value(p)`: as index notation where each element is met by whole axes of points.
    fn gathered(&self, index: &[Expr], ty: &TensorType, value: &Expr) -> Meaning {
        let mut places = Vec::new();
        for (expr, size) in index.iter().zip(&ty.shape) {
            match expr {
                Expr::Axis(a) if self.points[*a] == *size && !places.contains(&Some(*a)) => {
                    places.push(Some(*a));
                }
                _ if *size == Dim::from(1) => places.push(None),
                _ => return self.scattered(index, ty, value.clone(), None),
            }
        }
        let rest = (0..self.points.len()).filter(|a| !places.contains(&Some(*a)));
        let rest: Vec<usize> = rest.collect();
        let new: Vec<Option<usize>> = places
            .iter()
            .copied()
            .chain(rest.iter().map(|a| Some(*a)))
            .collect();
        let sizes: Vec<Dim> = rest.iter().map(|a| self.points[*a].clone()).collect();
        Meaning::Compute(Compute {
            axes: ty.shape.clone(),
            reduce: (!sizes.is_empty()).then_some((Monoid::Sum, sizes)),
            body: renumber(value.clone(), &new),
        })
    }

    fn scattered(
        &self,
        index: &[Expr],
        ty: &TensorType,
        value: Expr,
        when: Option<Expr>,
    ) -> Meaning {
        Meaning::Primitive(Primitive::Scatter(Scatter {
            shape: ty.shape.clone(),
            start: None,
            points: self.points.clone(),
            when,
            index: index.to_vec(),
            value,
            combine: Some(Monoid::Sum),
        }))
    }
}

/// The loads of an operand that are values, not indices.
fn collect_loads(e: &Expr, operand: usize, loads: &mut BTreeSet<Expr>) {
    match e {
        Expr::Load { operand: o, .. } if *o == operand => {
            loads.insert(e.clone());
        }
        Expr::Load { .. } => {}
        other => other
            .parts()
            .into_iter()
            .for_each(|p| collect_loads(p, operand, loads)),
    }
}

/// Axis `a` becomes the axis at whose position `new` has it.
fn renumber(e: Expr, new: &[Option<usize>]) -> Expr {
    match e {
        Expr::Axis(a) => {
            let at = new.iter().position(|n| *n == Some(a));
            Expr::Axis(at.expect("every axis is kept or folded"))
        }
        other => other.map_parts(|p| renumber(p, new)),
    }
}

fn of_exchange(exchange: &Exchange) -> Result<Exchange, DifferentiateError> {
    Ok(match exchange {
        Exchange::AllReduce(Monoid::Sum) => Exchange::AllReduce(Monoid::Sum),
        Exchange::AllGather(axis) => Exchange::ReduceScatter(Monoid::Sum, *axis),
        Exchange::ReduceScatter(Monoid::Sum, axis) => Exchange::AllGather(*axis),
        Exchange::AllToAll { split, concat } => Exchange::AllToAll {
            split: *concat,
            concat: *split,
        },
        Exchange::AllReduce(_) | Exchange::ReduceScatter(..) => {
            return Err(DifferentiateError::Exchange);
        }
    })
}

fn of_scatter(
    scatter: &Scatter,
    operand: usize,
    operands: &[TensorType],
) -> Result<Vec<Meaning>, DifferentiateError> {
    if scatter.combine != Some(Monoid::Sum) {
        return Err(DifferentiateError::Scatter);
    }
    let of_result = operands.len() + 1;
    let adjoint = Expr::load(of_result, scatter.index.iter().cloned());
    let adjoint = match &scatter.when {
        Some(when) => when.clone().select(adjoint, Expr::num(0.0)),
        None => adjoint,
    };
    let value = scatter.value.clone().expand();
    let flow = Flow {
        points: scatter.points.clone(),
        value: &value,
        adjoint,
    };
    let mut adjoints = flow.adjoints(operand, &operands[operand]);
    if scatter.start == Some(operand) {
        let axes = scatter.shape.clone();
        let body = Expr::load(of_result, (0..axes.len()).map(Expr::Axis));
        adjoints.push(Meaning::Compute(Compute {
            axes,
            reduce: None,
            body,
        }));
    }
    Ok(adjoints)
}

/// An element counts in all sums after it: the adjoint is the running sum from the other end.
fn of_scan(scan: &Scan, operands: usize) -> Meaning {
    Meaning::Primitive(Primitive::Scan(Scan {
        operand: operands + 1,
        reverse: !scan.reverse,
        ..scan.clone()
    }))
}
