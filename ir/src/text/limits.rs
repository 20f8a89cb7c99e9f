//! Bounds on what a text may say, so that no later arithmetic on sizes overflows or explodes.

use super::Problem;
use crate::{Attr, Dim, Graph, Symbol, TensorType};

/// Largest size, and largest number of elements of one tensor: far above any memory, far below 2^63.
pub(super) const LARGEST: i64 = 1 << 48;
/// Most axes of a tensor.
const MOST_AXES: usize = 16;
/// Most terms that the number of elements of a tensor may have as a polynomial.
const MOST_TERMS: usize = 4096;

/// The number, unless it exceeds [`LARGEST`] either way.
pub(super) fn number(n: i64) -> Result<i64, Problem> {
    if (-LARGEST..=LARGEST).contains(&n) {
        return Ok(n);
    }
    Err(Problem::Limit {
        wanted: format!("a number within {LARGEST}"),
        found: n.to_string(),
    })
}

/// Fails unless all polynomials over these sizes stay small at every size the symbols may have.
pub(super) fn shape(graph: &Graph, dims: &[Dim]) -> Result<(), Problem> {
    if dims.len() > MOST_AXES {
        let found = format!("{} axes", dims.len());
        return Err(Problem::Limit {
            wanted: format!("at most {MOST_AXES} axes"),
            found,
        });
    }
    let (mut elements, mut terms) = (1i64, 1usize);
    for d in dims {
        // An axis of size 0 must not hide what the others would overflow to.
        let size = largest(graph, d)?.max(1);
        elements = elements
            .checked_mul(size)
            .filter(|n| *n <= LARGEST)
            .ok_or_else(too_large)?;
        terms = terms.saturating_mul(d.term_count());
    }
    if terms > MOST_TERMS {
        let found = format!("a shape of {terms} terms");
        return Err(Problem::Limit {
            wanted: format!("at most {MOST_TERMS} terms"),
            found,
        });
    }
    Ok(())
}

/// Fails unless the type's shape is small enough.
pub(super) fn ty(graph: &Graph, ty: &TensorType) -> Result<(), Problem> {
    shape(graph, &ty.shape)
}

/// Fails unless every number in the attribute is small enough.
pub(super) fn attr(graph: &Graph, attr: &Attr) -> Result<(), Problem> {
    match attr {
        Attr::Int(n) => number(*n).map(drop),
        Attr::Ints(ints) => ints.iter().try_for_each(|n| number(*n).map(drop)),
        Attr::Dims(dims) => shape(graph, dims),
        Attr::Type(t) => ty(graph, t),
        Attr::Bool(_) | Attr::Num(_) | Attr::Word(_) | Attr::Text(_) => Ok(()),
    }
}

/// Largest magnitude of the size, term by term, at the symbols' largest sizes.
fn largest(graph: &Graph, dim: &Dim) -> Result<i64, Problem> {
    let size_of = |s: &Symbol| graph.symbols().get(s).map(|b| b.max.max(1));
    let sum = dim.magnitude(size_of).map_err(|symbol| Problem::Syntax {
        wanted: "a size that the graph declares".into(),
        found: format!("`{symbol}`"),
    })?;
    sum.filter(|n| *n <= LARGEST).ok_or_else(too_large)
}

fn too_large() -> Problem {
    Problem::Limit {
        wanted: format!("at most {LARGEST} elements"),
        found: "more".into(),
    }
}
