//! Scatters.

use ir::{Dim, Monoid, Op, ValueId};

use super::{
    super::{Affine, Body, ScatterNest, Stage, StageKind},
    Builder, Def, NestError,
};

impl Builder<'_> {
    /// A scatter without a condition.
    pub(super) fn scatter(&mut self, s: &ir::Scatter, v: ValueId) -> Result<Def, NestError> {
        let node = self.graph.node(v);
        if s.when.is_some() {
            return Err(NestError::NotComputed(node.op.name()));
        }
        let known = |sizes: &[Dim]| -> Result<Vec<i64>, NestError> {
            let sizes = sizes.iter().map(Dim::known).collect::<Option<_>>();
            sizes.ok_or_else(|| NestError::Symbolic(node.ty.clone()))
        };
        let (shape, points) = (known(&s.shape)?, known(&s.points)?);
        let axes = |n: usize| (0..n).map(Affine::axis).collect::<Vec<_>>();
        let places = axes(points.len());
        let index = s
            .index
            .iter()
            .map(|e| self.index(&e.clone().expand(), &node.inputs, &places, &points));
        let start = match s.start {
            Some(operand) => self.value(node.inputs[operand], &axes(shape.len()), &shape)?,
            None => Body::Num(s.combine.map_or(0.0, Monoid::identity).into()),
        };
        let state = s.start.and_then(|operand| {
            let input = node.inputs[operand];
            match (&self.graph.node(input).op, &self.defs[input.index()]) {
                (Op::Input(i), Def::Operand(operand)) if i.is_state() => Some(*operand),
                _ => None,
            }
        });
        let dtype = node.ty.dtype;
        let scatter = ScatterNest {
            index: index.collect::<Result<_, _>>()?,
            value: self.body(
                &s.value.clone().expand(),
                &node.inputs,
                &places,
                &points,
                dtype,
            )?,
            combine: s.combine,
            start,
            state,
            shape,
        };
        self.nest.stages.push(Stage {
            outer: points.len(),
            sizes: points,
            dtype,
            store: Affine::default(),
            kind: StageKind::Scatter(scatter.into()),
        });
        Ok(Def::Stage(self.nest.stages.len() - 1))
    }
}
