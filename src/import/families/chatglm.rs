//! ChatGLM2; `modeling_chatglm.py` beside THUDM's weights: GLM (Du et al. 2021, arXiv:2103.10360) with the first half of each
//! head turned in neighbouring pairs, queries that share keys, and one projection for gate and up.

use ir::{UnaryFn, ValueId, ops::Absent};

use super::{
    divides, limit,
    words::{Names, USUAL, Words},
};
use crate::import::{
    ImportError,
    attention::Causal,
    config::Config,
    layers::{Heads, Layers},
    rope::{Rope, Turns},
};

/// Buffers, and the head where a base model leaves it unused.
pub(super) const IGNORED: &[&str] = &["*rotary_pos_emb.inv_freq", "*output_layer.weight"];

const NAMES: Names = Names {
    classes: ["ChatGLMModel", "ChatGLMForConditionalGeneration"],
    table: "embedding.word_embeddings",
    key: "padded_vocab_size",
    count: 65_024,
    tied: false,
    ..USUAL
};

struct ChatGlm {
    hidden: i64,
    heads: Heads,
    inner: i64,
    eps: f64,
    /// Queries share keys, and lie before all keys and values.
    shared: bool,
    qkv_bias: bool,
    bias: bool,
    /// Residuals start behind the norms.
    normed_residual: bool,
}

/// Writes a ChatGLM2 of `class`.
pub(super) fn build(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let glm = ChatGlm::read(config)?;
    let names = Names {
        head: match l.stored_prefix("transformer.", true) {
            "" => "output_layer",
            _ => "transformer.output_layer",
        },
        ..NAMES
    };
    let words = Words::read(config, class, &names, glm.hidden, l)?;
    let positions = config.size("seq_length", 2048, limit::POSITIONS)?;
    let layers = config.size("num_layers", 28, limit::LAYERS)?;
    let base = 10_000.0 * config.number("rope_ratio", 1.0)?;
    let (mut x, mask) = words.begin(l, positions)?;
    let position_ids = l.input("position_ids", Absent::Positions, 0);
    let turns = Rope::plain(base, glm.heads.size / 2).turns(l, position_ids);
    let look = Causal::of(glm.heads.size, mask);
    for i in 0..layers {
        let name = format!("{}encoder.layers.{i}", words.prefix);
        x = glm.layer(l, &name, turns, &look, x)?;
    }
    let x = glm.norm(l, &format!("{}encoder.final_layernorm", words.prefix), x)?;
    words.end(l, x)
}

impl ChatGlm {
    fn read(config: &Config) -> Result<Self, ImportError> {
        if config.get("position_encoding_2d").is_some() {
            return Err(config.unsupported("position_encoding_2d", "null: ChatGLM2 and later"));
        }
        for (key, wanted) in [
            ("rmsnorm", true),
            ("post_layer_norm", true),
            ("original_rope", true),
        ] {
            if config.flag(key, wanted)? != wanted {
                return Err(config.unsupported(key, wanted.to_string()));
            }
        }
        for key in ["quantization_bit", "pre_seq_len"] {
            if config.count(key, 0)? != 0 {
                return Err(config.unsupported(key, "0"));
            }
        }
        let queries = config.size("num_attention_heads", 32, limit::HEADS)?;
        let shared = config.flag("multi_query_attention", false)?;
        let keys = match shared {
            true => config.size("multi_query_group_num", 1, limit::HEADS)?,
            false => queries,
        };
        divides(
            config,
            ("num_attention_heads", queries),
            ("multi_query_group_num", keys),
        )?;
        let size = config.size("kv_channels", 128, limit::WIDTH / queries)?;
        if size % 4 != 0 {
            return Err(config.wrong(
                "kv_channels",
                "a multiple of 4, so that half of a head is pairs",
            ));
        }
        let bias = config.flag("add_bias_linear", false)?;
        Ok(Self {
            hidden: config.size("hidden_size", 4096, limit::WIDTH)?,
            heads: Heads {
                queries,
                keys,
                size,
            },
            inner: config.size("ffn_hidden_size", 13_696, limit::WIDTH)?,
            eps: config.number("layernorm_epsilon", 1e-5)?,
            shared,
            qkv_bias: bias || config.flag("add_qkv_bias", false)?,
            bias,
            normed_residual: config.flag("apply_residual_connection_post_layernorm", false)?,
        })
    }

    fn norm(&self, l: &mut Layers, name: &str, x: ValueId) -> Result<ValueId, ImportError> {
        l.rms_norm(name, self.hidden, self.eps, x)
    }

    /// `x + attend(norm(x))`, then `x + W2 (silu(gate) * up)` with `[gate, up] = W1 norm(x)`.
    fn layer(
        &self,
        l: &mut Layers,
        name: &str,
        turns: Turns,
        look: &Causal,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        let (d, inner) = (self.hidden, self.inner);
        let residual = |x, normed| if self.normed_residual { normed } else { x };
        let y = self.norm(l, &format!("{name}.input_layernorm"), x)?;
        let kept = residual(x, y);
        let y = self.attend(l, &format!("{name}.self_attention"), turns, look, y)?;
        let x = l.add(kept, y);
        let y = self.norm(l, &format!("{name}.post_attention_layernorm"), x)?;
        let kept = residual(x, y);
        let both = l.linear(
            &format!("{name}.mlp.dense_h_to_4h"),
            [d, 2 * inner],
            self.bias,
            y,
        )?;
        let gate = l.columns(0, inner, both);
        let gate = l.unary(UnaryFn::Silu, gate);
        let up = l.columns(inner, inner, both);
        let y = l.mul(gate, up);
        let y = l.linear(
            &format!("{name}.mlp.dense_4h_to_h"),
            [inner, d],
            self.bias,
            y,
        )?;
        Ok(l.add(kept, y))
    }

    fn attend(
        &self,
        l: &mut Layers,
        name: &str,
        turns: Turns,
        look: &Causal,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        let (
            d,
            Heads {
                queries,
                keys,
                size,
            },
        ) = (self.hidden, self.heads);
        let shape = [d, (queries + 2 * keys) * size];
        let all = l.linear(&format!("{name}.query_key_value"), shape, self.qkv_bias, x)?;
        let [q, k, v] = match self.shared {
            true => l.split_thirds(self.heads, all),
            false => l.split_groups(self.heads, all),
        };
        let (q, k) = (turns.turn(l, true, q), turns.turn(l, true, k));
        let y = l.causal_attention([q, k, v], look);
        l.linear(&format!("{name}.dense"), [queries * size, d], self.bias, y)
    }
}
