//! Attentions.

use ir::ValueId;

use super::{
    super::{Affine, AttentionNest, AttentionSizes, Stage, StageKind, row_major},
    Builder, Def, NestError, known,
};

impl Builder<'_> {
    /// Attention over `inputs`, of which `past`, if it is given, says how many keys precede the first query.
    pub(super) fn attention(
        &mut self,
        spec: &ir::ops::Attention,
        inputs: &[ValueId],
        past: Option<ValueId>,
        out: Vec<i64>,
    ) -> Result<Def, NestError> {
        let past = match past.map(|p| (p, &self.defs[p.index()])) {
            None => None,
            Some((_, Def::Operand(operand))) => Some(*operand),
            Some((p, _)) => return Err(NestError::NotComputed(self.graph.node(p).op.name())),
        };
        let shape = |v: &ValueId| known(self.graph.ty(*v));
        let (q, k) = (shape(&inputs[0])?, shape(&inputs[1])?);
        let sizes = AttentionSizes {
            batch: q[0],
            heads: q[1],
            queries: q[2],
            keys: k[2],
            depth: q[3],
            columns: out[3],
            key_heads: k[1],
        };
        let axes: Vec<_> = (0..4).map(Affine::axis).collect();
        let at = |b: &Self, i: usize, space: &[i64]| b.value(inputs[i], &axes, space);
        let space = [sizes.batch, sizes.heads, sizes.queries, sizes.keys];
        let value_shape = [k[0], k[1], k[2], out[3]];
        let mask = if spec.mask {
            let shape = shape(&inputs[3])?;
            let skip = 4 - shape.len();
            let index: Vec<_> = shape
                .iter()
                .enumerate()
                .map(|(i, n)| {
                    if *n == 1 {
                        Affine::default()
                    } else {
                        Affine::axis(i + skip)
                    }
                })
                .collect();
            Some(self.value(inputs[3], &index, &space)?)
        } else {
            None
        };
        let slope = match spec.alibi {
            true => Some(self.value(inputs[inputs.len() - 1], &axes[1..2], &space)?),
            false => None,
        };
        let attention = AttentionNest {
            scale: spec.scale.get(),
            causal: spec.causal,
            window: spec.window,
            softcap: spec.softcap.get(),
            sizes,
            q: at(self, 0, &q)?,
            k: at(self, 1, &k)?,
            v: at(self, 2, &value_shape)?,
            mask,
            slope,
            past,
        };
        let store = row_major(&out, &axes);
        self.nest.stages.push(Stage {
            outer: 4,
            sizes: out,
            store,
            kind: StageKind::Attention(attention.into()),
            dtype: ir::DType::F32,
        });
        Ok(Def::Stage(self.nest.stages.len() - 1))
    }
}
