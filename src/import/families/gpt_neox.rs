//! GPT-NeoX; Black et al. 2022 (arXiv:2204.06745), section 2: a share of each head is turned, attention and
//! feed-forward part stand side by side.

use ir::{UnaryFn, ValueId, ops::Absent};

use super::{
    divides, limit,
    words::{Names, USUAL, Words},
};
use crate::import::{
    ImportError,
    activation::activation,
    attention::Causal,
    config::Config,
    layers::{Heads, Layers},
    rope::{Rope, Turns},
};

/// Buffers, and the head where a base model or a tied one leaves it unused.
pub(super) const IGNORED: &[&str] = &[
    "*.attention.bias",
    "*.attention.masked_bias",
    "*rotary_emb.inv_freq",
    "lm_head.weight",
    "embed_out.weight",
];

const NAMES: Names = Names {
    classes: ["GPTNeoXModel", "GPTNeoXForCausalLM"],
    prefix: "gpt_neox.",
    table: "embed_in",
    count: 50_432,
    tied: false,
    ..USUAL
};

struct NeoX {
    hidden: i64,
    heads: Heads,
    inner: i64,
    act: UnaryFn,
    eps: f64,
    bias: bool,
    /// Attention and feed-forward part both read the layer's input.
    parallel: bool,
}

/// Writes a GPT-NeoX of `class`.
pub(super) fn build(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let neox = NeoX::read(config)?;
    // Until version 5 of transformers the head had another name.
    let head = match l.has("lm_head.weight") || !l.has("embed_out.weight") {
        true => "lm_head",
        false => "embed_out",
    };
    let words = Words::read(config, class, &Names { head, ..NAMES }, neox.hidden, l)?;
    let positions = config.size("max_position_embeddings", 2048, limit::POSITIONS)?;
    let layers = config.size("num_hidden_layers", 44, limit::LAYERS)?;
    let keys = ["rotary_emb_base", "rotary_pct"];
    let rope = Rope::read_as(config, keys, neox.heads.size, Some(0.25), positions)?;
    let (mut x, mask) = words.begin(l, positions)?;
    let position_ids = l.input("position_ids", Absent::Positions, rope.below);
    let turns = rope.turns(l, position_ids);
    let look = Causal::of(neox.heads.size, mask);
    for i in 0..layers {
        x = neox.layer(l, &format!("{}layers.{i}", words.prefix), turns, &look, x)?;
    }
    let x = neox.norm(l, &format!("{}final_layer_norm", words.prefix), x)?;
    words.end(l, x)
}

impl NeoX {
    fn read(config: &Config) -> Result<Self, ImportError> {
        let hidden = config.size("hidden_size", 6144, limit::WIDTH)?;
        let heads = config.size("num_attention_heads", 64, limit::HEADS)?;
        divides(
            config,
            ("hidden_size", hidden),
            ("num_attention_heads", heads),
        )?;
        Ok(Self {
            hidden,
            heads: Heads {
                queries: heads,
                keys: heads,
                size: hidden / heads,
            },
            inner: config.size("intermediate_size", 24_576, limit::WIDTH)?,
            act: activation(config, "hidden_act", UnaryFn::Gelu)?,
            eps: config.number("layer_norm_eps", 1e-5)?,
            bias: config.flag("attention_bias", true)?,
            parallel: config.flag("use_parallel_residual", true)?,
        })
    }

    fn norm(&self, l: &mut Layers, name: &str, x: ValueId) -> Result<ValueId, ImportError> {
        l.layer_norm(name, self.hidden, self.eps, x)
    }

    /// `y = x + attend(norm(x))`, then `y + W2 act(W1 norm(x))` side by side, or `y + W2 act(W1 norm(y))`.
    fn layer(
        &self,
        l: &mut Layers,
        name: &str,
        turns: Turns,
        look: &Causal,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        let (d, inner) = (self.hidden, self.inner);
        let y = self.norm(l, &format!("{name}.input_layernorm"), x)?;
        let part = format!("{name}.attention");
        let all = l.linear(&format!("{part}.query_key_value"), [d, 3 * d], self.bias, y)?;
        let [q, k, v] = l.split_groups(self.heads, all);
        let (q, k) = (turns.turn(l, false, q), turns.turn(l, false, k));
        let y = l.causal_attention([q, k, v], look);
        let y = l.linear(&format!("{part}.dense"), [d, d], self.bias, y)?;
        let attended = l.add(x, y);
        let read = if self.parallel { x } else { attended };
        let y = self.norm(l, &format!("{name}.post_attention_layernorm"), read)?;
        let y = l.linear(&format!("{name}.mlp.dense_h_to_4h"), [d, inner], true, y)?;
        let y = l.unary(self.act, y);
        let y = l.linear(&format!("{name}.mlp.dense_4h_to_h"), [inner, d], true, y)?;
        Ok(l.add(attended, y))
    }
}
