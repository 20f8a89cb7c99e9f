//! What an op does at each point, where it is a map.

use ir::{Build, Compute, Expr, Graph, Meaning, Op, TensorType};

use super::leaf;

/// Whether the op only moves elements: its result holds elements of its operand, each at a place that
/// depends on sizes alone.
pub(crate) fn is_movement(op: &Op, inputs: &[&TensorType]) -> bool {
    matches!(point(op, inputs), Some(Expr::Load { index, .. }) if !index.iter().any(has_load))
}

/// Whether the op gives elements of its operand in another type.
pub(crate) fn is_cast(op: &Op, inputs: &[&TensorType]) -> bool {
    matches!(point(op, inputs), Some(Expr::Cast(_, x)) if matches!(*x, Expr::Load { .. }))
}

/// The number at a point, of an op that is a map.
fn point(op: &Op, inputs: &[&TensorType]) -> Option<Expr> {
    let mut term = Graph::new("term");
    let leaves: Vec<_> = inputs
        .iter()
        .map(|t| term.push(leaf(t), &[]).expect("a leaf takes any type"))
        .collect();
    match op.meaning(&leaves, &mut Build::new(&mut term)) {
        Meaning::Compute(Compute {
            reduce: None, body, ..
        }) => Some(body),
        _ => None,
    }
}

pub(super) fn has_load(e: &Expr) -> bool {
    matches!(e, Expr::Load { .. }) || e.parts().into_iter().any(has_load)
}
