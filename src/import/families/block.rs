//! Layers of encoders and of models with an encoder and a decoder: attention and a feed-forward part of two projections.

use ir::{UnaryFn, ValueId};

use super::{divides, limit};
use crate::import::{ImportError, config::Config, layers::Layers};

/// A kind of layer.
pub(super) struct Block {
    /// Elements of a hidden state.
    pub(super) hidden: i64,
    /// Heads.
    pub(super) heads: i64,
    /// Elements between the two projections of the feed-forward part.
    pub(super) inner: i64,
    pub(super) act: UnaryFn,
    /// Epsilon of the norms.
    pub(super) eps: f64,
    /// Queries, keys and values have a bias.
    pub(super) bias: [bool; 3],
    pub(super) names: Names,
}

/// Names of a layer's tensors.
#[derive(Clone, Copy)]
pub(super) struct Names {
    /// The attention.
    pub(super) attention: &'static str,
    /// Queries, keys and values, and the output, behind the name of the attention.
    pub(super) parts: [&'static str; 3],
    pub(super) output: &'static str,
    /// The norms of attention and feed-forward part.
    pub(super) norms: [&'static str; 2],
    /// The projections of the feed-forward part.
    pub(super) forward: [&'static str; 2],
}

/// Those of `transformers`' older models.
pub(super) const USUAL: Names = Names {
    attention: "self_attn",
    parts: ["q_proj", "k_proj", "v_proj"],
    output: "out_proj",
    norms: ["self_attn_layer_norm", "final_layer_norm"],
    forward: ["fc1", "fc2"],
};

impl Block {
    /// Sizes by the keys of `config` for hidden state, heads and what lies between projections, with what they are where it is
    /// silent.
    pub(super) fn read(
        config: &Config,
        keys: [(&str, i64); 3],
        act: UnaryFn,
        eps: f64,
        names: Names,
    ) -> Result<Self, ImportError> {
        let [(width, d), (parts, h), (inner, n)] = keys;
        let hidden = config.size(width, d, limit::WIDTH)?;
        let heads = config.size(parts, h, limit::HEADS)?;
        Ok(Self {
            hidden,
            heads: divides(config, (width, hidden), (parts, heads))?,
            inner: config.size(inner, n, limit::WIDTH)?,
            act,
            eps,
            bias: [true; 3],
            names,
        })
    }

    /// Elements of a head.
    pub(super) fn size(&self) -> i64 {
        self.hidden / self.heads
    }

    /// Factor of the scores.
    pub(super) fn scale(&self) -> f64 {
        (self.size() as f64).powf(-0.5)
    }

    /// Layer normalisation.
    pub(super) fn norm(
        &self,
        l: &mut Layers,
        name: &str,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        l.layer_norm(name, self.hidden, self.eps, x)
    }

    /// The attention `name`: `look` gives what queries of `x` find in keys and values of `memory`.
    pub(super) fn attend(
        &self,
        l: &mut Layers,
        name: &str,
        look: impl Fn(&mut Layers, [ValueId; 3]) -> ValueId,
        [x, memory]: [ValueId; 2],
    ) -> Result<ValueId, ImportError> {
        let (d, [q, k, v]) = (self.hidden, self.names.parts);
        let mut project = |part, bias, x| {
            let y = l.linear(&format!("{name}.{part}"), [d, d], bias, x)?;
            Ok::<_, ImportError>(l.split_heads(self.heads, self.size(), y))
        };
        let parts = [
            project(q, self.bias[0], x)?,
            project(k, self.bias[1], memory)?,
            project(v, self.bias[2], memory)?,
        ];
        let y = look(l, parts);
        l.linear(&format!("{name}.{}", self.names.output), [d, d], true, y)
    }

    /// `W2 act(W1 x)`
    pub(super) fn feed_forward(
        &self,
        l: &mut Layers,
        name: &str,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        let (d, inner, [up, down]) = (self.hidden, self.inner, self.names.forward);
        let y = l.linear(&format!("{name}.{up}"), [d, inner], true, x)?;
        let y = l.unary(self.act, y);
        l.linear(&format!("{name}.{down}"), [inner, d], true, y)
    }

    /// The layer `name` with norms in front: `x + attend(norm(x))`, then `x + W2 act(W1 norm(x))`.
    pub(super) fn layer(
        &self,
        l: &mut Layers,
        name: &str,
        look: impl Fn(&mut Layers, [ValueId; 3]) -> ValueId,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        let [first, second] = self.names.norms;
        let y = self.norm(l, &format!("{name}.{first}"), x)?;
        let y = self.attend(l, &format!("{name}.{}", self.names.attention), look, [y, y])?;
        let x = l.add(x, y);
        let y = self.norm(l, &format!("{name}.{second}"), x)?;
        let y = self.feed_forward(l, name, y)?;
        Ok(l.add(x, y))
    }

    /// The layer `name` with norms behind: `x = norm(x + attend(x))`, with `memory` and its mask `norm(x + attend(x, memory))`,
    /// then `norm(x + W2 act(W1 x))`.
    pub(super) fn layer_normed(
        &self,
        l: &mut Layers,
        name: &str,
        look: impl Fn(&mut Layers, [ValueId; 3]) -> ValueId,
        memory: Option<(ValueId, ValueId)>,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        let [first, second] = self.names.norms;
        let y = self.attend(l, &format!("{name}.{}", self.names.attention), look, [x, x])?;
        let y = l.add(x, y);
        let mut x = self.norm(l, &format!("{name}.{first}"), y)?;
        if let Some((memory, mask)) = memory {
            let across = |l: &mut Layers, parts| l.attention(parts, self.scale(), Some(mask));
            let y = self.attend(l, &format!("{name}.encoder_attn"), across, [x, memory])?;
            let y = l.add(x, y);
            x = self.norm(l, &format!("{name}.encoder_attn_layer_norm"), y)?;
        }
        let y = self.feed_forward(l, name, x)?;
        let y = l.add(x, y);
        self.norm(l, &format!("{name}.{second}"), y)
    }
}
