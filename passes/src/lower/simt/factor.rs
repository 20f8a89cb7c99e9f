//! Factors of products: tiles that are exactly 0 past the end of the axis that is summed.

use ir::{
    BinaryFn, DType, UnaryFn,
    tile::{Shape, Value, Var},
};

use super::{
    super::emit::{Point, emit_stored},
    Builder, Known, Span,
};
use crate::nest::Body;

/// `body` as a tile of the point's shape, 0 past the end of `along`, the span of axis `axis`.
pub(super) fn factor(
    b: &mut Builder,
    point: &Point<'_>,
    body: &Body,
    axis: usize,
    along: &Span,
) -> (Var, DType) {
    let (mut x, dtype) = emit_stored(b, point, &mut Known::default(), body);
    if along.ragged && !vanishes(body, axis) {
        let shape = if along.at.mentions(&ir::tile::Index::Row) {
            Shape::new(point.shape.rows, 1)
        } else {
            Shape::new(1, point.shape.lanes)
        };
        let inside = along.inside(b, shape);
        let zero = b.set(Value::Splat(0.0.into(), dtype, Shape::ONE));
        x = b.set(Value::Select(inside, x, zero));
    }
    (b.set(Value::Broadcast(x, point.shape)), dtype)
}

/// Adds the product of two factors to `acc`; they are multiplied as f32 unless stored alike.
pub(super) fn dot(b: &mut Builder, factors: [(Var, DType); 2], acc: Var) -> Var {
    let alike = factors[0].1 == factors[1].1;
    let [a, y] = factors.map(|(var, dtype)| match dtype {
        d if alike || d == DType::F32 => var,
        _ => b.set(Value::Cast(DType::F32, var)),
    });
    b.set(Value::Dot { a, b: y, acc })
}

/// Whether `body` is 0 where everything that it loads along `axis` is 0.
fn vanishes(body: &Body, axis: usize) -> bool {
    match body {
        Body::Load { at, guard, .. } => {
            let pairs = guard.iter().flat_map(|(x, y)| [x, y]);
            pairs.chain([at]).any(|a| a.axes().contains(&axis))
        }
        Body::Unary(UnaryFn::Neg, x) | Body::Cast(_, x) => vanishes(x, axis),
        Body::Binary(BinaryFn::Mul, x, y) => vanishes(x, axis) && vanishes(y, axis),
        _ => false,
    }
}
