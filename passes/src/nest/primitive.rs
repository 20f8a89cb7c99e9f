//! Positions of the largest and running sums as stages, with the axis that they run along last.

use ir::{Primitive, Scan, TopK, ValueId};

use super::{
    Affine, Body, Stage, StageKind,
    build::{Builder, Def, NestError, known, row_major},
};

impl Builder<'_> {
    /// A primitive as the next stage.
    pub(super) fn primitive(&mut self, p: &Primitive, v: ValueId) -> Result<Def, NestError> {
        let stage = match p {
            Primitive::TopK(top) => self.top_k(top, v)?,
            Primitive::Scan(scan) => self.scan(scan, v)?,
            Primitive::Scatter(_) => {
                return Err(NestError::NotComputed(self.graph.node(v).op.name()));
            }
        };
        self.nest.stages.push(stage);
        Ok(Def::Stage(self.nest.stages.len() - 1))
    }

    fn top_k(&self, top: &TopK, v: ValueId) -> Result<Stage, NestError> {
        let node = self.graph.node(v);
        let shape = known(&node.ty)?;
        let of = known(self.graph.ty(node.inputs[0]))?;
        // Positions are held in 32 bits.
        if of[top.axis] >= i64::from(i32::MAX) {
            return Err(NestError::NotComputed(node.op.name()));
        }
        let (mut sizes, place) = last(&shape, top.axis);
        let rank = shape.len();
        sizes.push(of[top.axis]);
        let mut from = place.clone();
        from[top.axis] = Affine::axis(rank);
        let body = self.value(node.inputs[0], &from, &sizes)?;
        Ok(Stage {
            sizes,
            outer: rank,
            kind: StageKind::TopK(top.largest, body),
            store: row_major(&shape, &place),
            dtype: self.graph.ty(node.inputs[0]).dtype,
        })
    }

    fn scan(&self, scan: &Scan, v: ValueId) -> Result<Stage, NestError> {
        let node = self.graph.node(v);
        let shape = known(&node.ty)?;
        let (sizes, place) = last(&shape, scan.axis);
        let body = self.value(node.inputs[scan.operand], &place, &sizes)?;
        Ok(Stage {
            outer: sizes.len(),
            sizes,
            kind: StageKind::Scan(scan.clone(), body),
            store: row_major(&shape, &place),
            dtype: node.ty.dtype,
        })
    }
}

/// The sizes of `shape` with `axis` moved to the end, and the coordinates of `shape` by them.
fn last(shape: &[i64], axis: usize) -> (Vec<i64>, Vec<Affine>) {
    let mut order: Vec<usize> = (0..shape.len()).filter(|a| *a != axis).collect();
    order.push(axis);
    let sizes = order.iter().map(|a| shape[*a]).collect();
    let at = |a: usize| {
        order
            .iter()
            .position(|b| *b == a)
            .expect("an order of all axes")
    };
    let place = (0..shape.len()).map(|a| Affine::axis(at(a))).collect();
    (sizes, place)
}

/// Whether a number is an element of an operand, perhaps in another type.
pub(crate) fn is_load(b: &Body) -> bool {
    match b {
        Body::Load { .. } => true,
        Body::Cast(_, x) => is_load(x),
        _ => false,
    }
}
