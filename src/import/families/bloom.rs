//! BLOOM; BigScience Workshop 2022 (arXiv:2211.05100), section 3.2: ALiBi instead of positions, a norm behind the words.

use ir::{UnaryFn, ValueId};

use super::{
    divides, known_as, limit,
    words::{Names, USUAL, Words},
};
use crate::import::{
    ImportError,
    attention::{Causal, alibi_slopes},
    config::Config,
    layers::{Heads, Layers},
};

/// The head where a base model or a tied one leaves it unused.
pub(super) const IGNORED: &[&str] = &["lm_head.weight"];

const NAMES: Names = Names {
    classes: ["BloomModel", "BloomForCausalLM"],
    count: 250_880,
    ..USUAL
};

struct Bloom {
    hidden: i64,
    heads: Heads,
    eps: f64,
    /// Residuals start behind the norms.
    normed_residual: bool,
}

/// Writes a BLOOM of `class`.
pub(super) fn build(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let width = known_as(config, "hidden_size", "n_embed");
    let parts = known_as(config, "n_head", "num_attention_heads");
    let hidden = config.size(width, 64, limit::WIDTH)?;
    let heads = config.size(parts, 8, limit::HEADS)?;
    divides(config, (width, hidden), (parts, heads))?;
    let bloom = Bloom {
        hidden,
        heads: Heads {
            queries: heads,
            keys: heads,
            size: hidden / heads,
        },
        eps: config.number("layer_norm_epsilon", 1e-5)?,
        normed_residual: config.flag("apply_residual_connection_post_layernorm", false)?,
    };
    let layers = known_as(config, "n_layer", "num_hidden_layers");
    let layers = config.size(layers, 2, limit::LAYERS)?;
    let words = Words::read(config, class, &NAMES, hidden, l)?;
    let p = words.prefix;
    let (x, mask) = words.begin(l, limit::POSITIONS)?;
    let slopes = l.made("alibi.slopes", alibi_slopes(heads));
    let look = Causal {
        slopes: Some(slopes),
        ..Causal::of(bloom.heads.size, mask)
    };
    let mut x = bloom.norm(l, &format!("{p}word_embeddings_layernorm"), x)?;
    for i in 0..layers {
        x = bloom.layer(l, &format!("{p}h.{i}"), &look, x)?;
    }
    let x = bloom.norm(l, &format!("{p}ln_f"), x)?;
    words.end(l, x)
}

impl Bloom {
    fn norm(&self, l: &mut Layers, name: &str, x: ValueId) -> Result<ValueId, ImportError> {
        l.layer_norm(name, self.hidden, self.eps, x)
    }

    /// `x + attend(norm(x))`, then `x + W2 gelu(W1 norm(x))`.
    fn layer(
        &self,
        l: &mut Layers,
        name: &str,
        look: &Causal,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        let d = self.hidden;
        let residual = |x, normed| if self.normed_residual { normed } else { x };
        let y = self.norm(l, &format!("{name}.input_layernorm"), x)?;
        let kept = residual(x, y);
        let part = format!("{name}.self_attention");
        let all = l.linear(&format!("{part}.query_key_value"), [d, 3 * d], true, y)?;
        let parts = l.split_groups(self.heads, all);
        let y = l.causal_attention(parts, look);
        let y = l.linear(&format!("{part}.dense"), [d, d], true, y)?;
        let x = l.add(kept, y);
        let y = self.norm(l, &format!("{name}.post_attention_layernorm"), x)?;
        let kept = residual(x, y);
        let y = l.linear(&format!("{name}.mlp.dense_h_to_4h"), [d, 4 * d], true, y)?;
        let y = l.unary(UnaryFn::GeluTanh, y);
        let y = l.linear(&format!("{name}.mlp.dense_4h_to_h"), [4 * d, d], true, y)?;
        Ok(l.add(kept, y))
    }
}
