//! Attention: one function for layers in which every query sees every key, one for decoders, and how heads lie in
//! projections.

use ir::{
    BinaryFn, Dim, ValueId,
    ops::{self, MatMul, Softmax},
};

use super::layers::{Heads, Layers};

/// How a decoder's queries look back.
pub(super) struct Causal {
    /// Factor of the scores.
    pub(super) scale: f64,
    /// Keys this far behind are left out; 0 leaves out none.
    pub(super) window: i64,
    /// Scores are bent into `-softcap..softcap`; 0 leaves them as they are.
    pub(super) softcap: f64,
    /// Added to the scores.
    pub(super) mask: ValueId,
    /// How much less each step back counts, for each head.
    pub(super) slopes: Option<ValueId>,
}

impl Causal {
    /// `scores / sqrt(size)`, with `mask` added.
    pub(super) fn of(size: i64, mask: ValueId) -> Self {
        Self {
            scale: (size as f64).powf(-0.5),
            window: 0,
            softcap: 0.0,
            mask,
            slopes: None,
        }
    }
}

impl Layers {
    /// `softmax(scale q k^T + mask) v` for each head, as exporters write it; heads `[batch, heads, seq, size]` become
    /// `[batch, seq, heads * size]`.
    pub(super) fn attention(
        &mut self,
        [q, k, v]: [ValueId; 3],
        scale: f64,
        mask: Option<ValueId>,
    ) -> ValueId {
        let product = |tb| MatMul { ta: false, tb };
        let mut scores = self.op(product(true), &[q, k]);
        if scale != 1.0 {
            let scale = self.scalar(scale);
            scores = self.mul(scores, scale);
        }
        if let Some(mask) = mask {
            scores = self.binary(BinaryFn::Add, scores, mask);
        }
        let shares = self.op(Softmax { axis: 3 }, &[scores]);
        let y = self.op(product(false), &[shares, v]);
        self.merge_heads(y)
    }

    /// Attention of a decoder, whose queries see keys up to their own position; shapes as in [`Layers::attention`],
    /// where keys and values may have fewer heads.
    pub(super) fn causal_attention(&mut self, [q, k, v]: [ValueId; 3], how: &Causal) -> ValueId {
        let op = ops::Attention {
            scale: how.scale.into(),
            causal: true,
            window: how.window,
            softcap: how.softcap.into(),
            mask: true,
            alibi: how.slopes.is_some(),
        };
        let y = self.look_back(op, [q, k, v], how.mask, how.slopes);
        self.merge_heads(y)
    }

    /// `[batch, seq, heads * size]` as `[batch, heads, seq, size]`.
    pub(super) fn split_heads(&mut self, heads: i64, size: i64, x: ValueId) -> ValueId {
        let [batch, seq, _] = <[Dim; 3]>::try_from(self.shape(x)).expect("x has three axes");
        let split = self.reshape([batch, seq, heads.into(), size.into()], x);
        self.permute(&[0, 2, 1, 3], split)
    }

    /// `[batch, heads, seq, size]` as `[batch, seq, heads * size]`.
    pub(super) fn merge_heads(&mut self, x: ValueId) -> ValueId {
        let y = self.permute(&[0, 2, 1, 3], x);
        let [batch, seq, heads, size] =
            <[Dim; 4]>::try_from(self.shape(y)).expect("heads have four axes");
        self.reshape([batch, seq, heads * size], y)
    }

    /// Heads of a projection that holds all queries, then all keys, then all values.
    pub(super) fn split_thirds(&mut self, heads: Heads, x: ValueId) -> [ValueId; 3] {
        let Heads {
            queries,
            keys,
            size,
        } = heads;
        [(0, queries), (queries, keys), (queries + keys, keys)].map(|(first, count)| {
            let part = self.columns(first * size, count * size, x);
            self.split_heads(count, size, part)
        })
    }

    /// Heads of a projection that holds, for each key, the queries that read it, the key and its value.
    pub(super) fn split_groups(&mut self, heads: Heads, x: ValueId) -> [ValueId; 3] {
        let Heads {
            queries,
            keys,
            size,
        } = heads;
        let group = queries / keys;
        let [batch, seq, _] = <[Dim; 3]>::try_from(self.shape(x)).expect("x has three axes");
        let shape = |tail: &[i64]| -> Vec<Dim> {
            let lead = [batch.clone(), seq.clone()];
            lead.into_iter()
                .chain(tail.iter().map(|n| Dim::from(*n)))
                .collect()
        };
        let groups = self.reshape(shape(&[keys, group + 2, size]), x);
        [(0, group), (group, 1), (group + 1, 1)].map(|(first, count)| {
            let part = self.slice(3, first, count, groups);
            let part = self.reshape(shape(&[keys * count, size]), part);
            self.permute(&[0, 2, 1, 3], part)
        })
    }
}

/// ALiBi's slopes, `2^(-8 i / n)` for `n` heads, a power of two; for other numbers of heads those of the next smaller
/// power, then every other one of the next larger.
///
/// Source: Press et al. 2021 (arXiv:2108.12409), section 3 and the authors' code; `build_alibi_tensor` of `models/bloom`.
pub(super) fn alibi_slopes(heads: i64) -> Vec<f32> {
    let power = 1 << heads.ilog2();
    let slope = |n: i64, i: i64| (-8.0 * i as f64 / n as f64).exp2() as f32;
    let first = (1..=power).map(|i| slope(power, i));
    let rest = (0..heads - power).map(|i| slope(2 * power, 2 * i + 1));
    first.chain(rest).collect()
}
