//! GLM-4; GLM Team 2024 (arXiv:2406.12793), section 2: half of each head is turned, in neighbouring pairs, and
//! the gate and up projections are one. `glm4` adds norms behind attention and feed-forward layer
//! (`Glm4DecoderLayer` of transformers).

use ir::{UnaryFn, ValueId};

use super::decoder::{Absents, Attend, Decoder, FeedForward};
use crate::import::{ImportError, activation::activation, config::Config, layers::Layers};

const GLM: Absents = Absents {
    classes: ["GlmModel", "GlmForCausalLM"],
    vocabulary: 151_552,
    hidden: 4096,
    inner: 13_696,
    layers: 40,
    heads: (32, Some(2)),
    head_size: Some(128),
    positions: 131_072,
    eps: 1.5625e-7,
};

const GLM4: Absents = Absents {
    classes: ["Glm4Model", "Glm4ForCausalLM"],
    ..GLM
};

/// Share of each head that is turned where config.json is silent.
const PARTIAL: f64 = 0.5;

/// Writes a `glm` of `class`.
pub(super) fn build_glm(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    build(config, class, &GLM, false, l)
}

/// Writes a `glm4` of `class`.
pub(super) fn build_glm4(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    build(config, class, &GLM4, true, l)
}

/// Each layer: `x + norm?(attend(norm(x)))`, then `x + norm?(W_down (act(gate) * up))` with `[gate, up] = W norm(x)`.
fn build(
    config: &Config,
    class: Option<&str>,
    absent: &Absents,
    norms_behind: bool,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let decoder = Decoder::read(config, class, absent, l)?;
    let forward = FeedForward {
        act: activation(config, "hidden_act", UnaryFn::Silu)?,
        bias: false,
        fused: true,
    };
    let bias = config.flag("attention_bias", true)?;
    let attend = Attend {
        bias,
        interleaved: true,
        ..Attend::default()
    };
    let (mut x, context) = decoder.begin(config, Some(PARTIAL), l)?;
    for i in 0..decoder.layers {
        let name = format!("{}layers.{i}", decoder.prefix);
        let behind = |l: &mut Layers, norm: &str, y| match norms_behind {
            true => decoder.norm(l, &format!("{name}.{norm}"), y),
            false => Ok(y),
        };
        let y = decoder.norm(l, &format!("{name}.input_layernorm"), x)?;
        let y = decoder.attend(l, &format!("{name}.self_attn"), &attend, context, y)?;
        let y = behind(l, "post_self_attn_layernorm", y)?;
        x = l.add(x, y);
        let y = decoder.norm(l, &format!("{name}.post_attention_layernorm"), x)?;
        let y = decoder.feed_forward(l, &format!("{name}.mlp"), &forward, y)?;
        let y = behind(l, "post_mlp_layernorm", y)?;
        x = l.add(x, y);
    }
    decoder.end(l, x)
}
