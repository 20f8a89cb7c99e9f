//! GPT-2; Radford et al. 2019, "Language models are unsupervised multitask learners", section 2.3.

use ir::{UnaryFn, ValueId, ops::Absent};

use super::{divides, limit};
use crate::import::{
    ImportError,
    activation::activation,
    attention::Causal,
    config::Config,
    layers::{Heads, Layers},
};

/// Buffers, and the head where a base model or a tied one leaves it unused.
pub(super) const IGNORED: &[&str] = &["*.attn.bias", "*.attn.masked_bias", "lm_head.weight"];

/// Keys, and the names that other families have for them, which win. Source: `GPT2Config.attribute_map`.
const ALIASES: &[(&str, &str)] = &[
    ("n_embd", "hidden_size"),
    ("n_positions", "max_position_embeddings"),
    ("n_head", "num_attention_heads"),
    ("n_layer", "num_hidden_layers"),
];

struct Gpt2 {
    hidden: i64,
    heads: i64,
    inner: i64,
    act: UnaryFn,
    eps: f64,
    scaled: bool,
    scaled_by_layer: bool,
}

/// Writes a GPT-2 of `class`.
pub(super) fn build(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let headed = match class.unwrap_or("GPT2Model") {
        "GPT2Model" => false,
        "GPT2LMHeadModel" => true,
        _ => return Err(config.unsupported("architectures", "GPT2Model, GPT2LMHeadModel")),
    };
    let gpt2 = Gpt2::read(config)?;
    let vocabulary = config.size("vocab_size", 50_257, limit::VOCABULARY)?;
    let prefix = l.stored_prefix("transformer.", headed);
    let x = gpt2.decode(config, l, prefix, vocabulary)?;
    if headed {
        let tied = config.flag("tie_word_embeddings", true)?;
        let table = format!("{prefix}wte");
        let head = l.head("lm_head", tied.then_some(&table), "weight");
        let x = l.asked(x);
        let logits = l.linear(head, [gpt2.hidden, vocabulary], false, x)?;
        l.output("logits", logits);
    } else {
        l.output("last_hidden_state", x);
    }
    Ok(x)
}

/// `name`, or its alias if `config` has that.
fn key(config: &Config, name: &'static str) -> &'static str {
    let alias = ALIASES.iter().find(|(n, _)| *n == name).map(|a| a.1);
    alias.filter(|a| config.get(a).is_some()).unwrap_or(name)
}

impl Gpt2 {
    fn read(config: &Config) -> Result<Self, ImportError> {
        if config.flag("add_cross_attention", false)? {
            return Err(config.unsupported("add_cross_attention", "false"));
        }
        let (width, parts) = (key(config, "n_embd"), key(config, "n_head"));
        let hidden = config.size(width, 768, limit::WIDTH)?;
        let heads = config.size(parts, 12, limit::HEADS)?;
        Ok(Self {
            hidden,
            heads: divides(config, (width, hidden), (parts, heads))?,
            inner: config.size("n_inner", 4 * hidden, 4 * limit::WIDTH)?,
            act: activation(config, "activation_function", UnaryFn::GeluTanh)?,
            eps: config.number("layer_norm_epsilon", 1e-5)?,
            scaled: config.flag("scale_attn_weights", true)?,
            scaled_by_layer: config.flag("scale_attn_by_inverse_layer_idx", false)?,
        })
    }

    /// Embeddings, all layers and the last norm.
    fn decode(
        &self,
        config: &Config,
        l: &mut Layers,
        prefix: &str,
        vocabulary: i64,
    ) -> Result<ValueId, ImportError> {
        let positions = config.size(key(config, "n_positions"), 1024, limit::POSITIONS)?;
        l.limit_sequence(positions);
        let ids = l.input("input_ids", Absent::Required, vocabulary);
        let mask = l.attention_mask();
        let mask = l.additive_mask(mask);
        let position_ids = l.input("position_ids", Absent::Positions, positions);
        let d = self.hidden;
        let words = l.embed(&format!("{prefix}wte.weight"), [vocabulary, d], ids)?;
        let places = l.embed(&format!("{prefix}wpe.weight"), [positions, d], position_ids)?;
        let mut x = l.add(words, places);
        for i in 0..config.size(key(config, "n_layer"), 12, limit::LAYERS)? {
            x = self.layer(l, &format!("{prefix}h.{i}"), i, mask, x)?;
        }
        l.layer_norm(&format!("{prefix}ln_f"), d, self.eps, x)
    }

    /// `x + attend(norm(x))`, then `x + W2 act(W1 norm(x))`.
    fn layer(
        &self,
        l: &mut Layers,
        name: &str,
        index: i64,
        mask: ValueId,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        let (d, inner) = (self.hidden, self.inner);
        let y = l.layer_norm(&format!("{name}.ln_1"), d, self.eps, x)?;
        let y = self.attend(l, &format!("{name}.attn"), index, mask, y)?;
        let x = l.add(y, x);
        let y = l.layer_norm(&format!("{name}.ln_2"), d, self.eps, x)?;
        let y = l.conv1d(&format!("{name}.mlp.c_fc"), [d, inner], y)?;
        let y = l.unary(self.act, y);
        let y = l.conv1d(&format!("{name}.mlp.c_proj"), [inner, d], y)?;
        Ok(l.add(x, y))
    }

    /// Causal attention; queries, keys and values are the three thirds of one projection.
    fn attend(
        &self,
        l: &mut Layers,
        name: &str,
        index: i64,
        mask: ValueId,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        let (d, size) = (self.hidden, self.hidden / self.heads);
        let all = l.conv1d(&format!("{name}.c_attn"), [d, 3 * d], x)?;
        let heads = Heads {
            queries: self.heads,
            keys: self.heads,
            size,
        };
        let parts = l.split_thirds(heads, all);
        let mut look = Causal::of(size, mask);
        if !self.scaled {
            look.scale = 1.0;
        }
        if self.scaled_by_layer {
            look.scale /= (index + 1) as f64;
        }
        let y = l.causal_attention(parts, &look);
        l.conv1d(&format!("{name}.c_proj"), [d, d], y)
    }
}
