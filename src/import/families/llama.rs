//! LLaMA and its kin: Touvron et al. 2023 (arXiv:2302.13971), section 2.2; Mistral: Jiang et al. 2023
//! (arXiv:2310.06825), section 2; Qwen2: Yang et al. 2024 (arXiv:2407.10671), section 2.2; Qwen3: Qwen Team 2025
//! (arXiv:2505.09388), section 2; Phi-3: Abdin et al. 2024 (arXiv:2404.14219), section 2.

use ir::{UnaryFn, ValueId};

use super::{
    decoder::{Absents, Attend, Decoder, FeedForward},
    limit,
};
use crate::import::{ImportError, activation::activation, config::Config, layers::Layers};

pub(super) const LLAMA: Absents = Absents {
    classes: ["LlamaModel", "LlamaForCausalLM"],
    vocabulary: 32_000,
    hidden: 4096,
    inner: 11_008,
    layers: 32,
    heads: (32, None),
    head_size: None,
    positions: 2048,
    eps: 1e-6,
};

const MISTRAL: Absents = Absents {
    classes: ["MistralModel", "MistralForCausalLM"],
    inner: 14_336,
    heads: (32, Some(8)),
    positions: 131_072,
    ..LLAMA
};

const QWEN2: Absents = Absents {
    classes: ["Qwen2Model", "Qwen2ForCausalLM"],
    vocabulary: 151_936,
    inner: 22_016,
    heads: (32, Some(32)),
    positions: 32_768,
    ..LLAMA
};

const QWEN3: Absents = Absents {
    classes: ["Qwen3Model", "Qwen3ForCausalLM"],
    head_size: Some(128),
    ..QWEN2
};

const PHI3: Absents = Absents {
    classes: ["Phi3Model", "Phi3ForCausalLM"],
    vocabulary: 32_064,
    hidden: 3072,
    inner: 8192,
    positions: 4096,
    eps: 1e-5,
    ..LLAMA
};

/// Writes a LLaMA of `class`.
pub(super) fn build_llama(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let bias = config.flag("attention_bias", false)?;
    let form = Form {
        mlp_bias: config.flag("mlp_bias", false)?,
        ..Form::default()
    };
    build(config, class, &LLAMA, &form, l, |_| Attend {
        bias,
        output_bias: bias,
        ..Attend::default()
    })
}

/// Writes a Mistral of `class`: every layer looks back over a window, if there is one.
pub(super) fn build_mistral(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let window = window(config, 4096)?;
    build(config, class, &MISTRAL, &Form::default(), l, |_| Attend {
        window,
        ..Attend::default()
    })
}

/// Writes a Qwen2 of `class`: layers from `max_window_layers` on look back over a window, if it is in use.
pub(super) fn build_qwen2(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let window = windows(config)?;
    build(config, class, &QWEN2, &Form::default(), l, |layer| Attend {
        bias: true,
        window: window(layer),
        ..Attend::default()
    })
}

/// Writes a Qwen3 of `class`: as Qwen2, with heads of queries and keys normalised.
pub(super) fn build_qwen3(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let bias = config.flag("attention_bias", false)?;
    let window = windows(config)?;
    build(config, class, &QWEN3, &Form::default(), l, |layer| Attend {
        bias,
        output_bias: bias,
        window: window(layer),
        norms: true,
        ..Attend::default()
    })
}

/// Writes a Phi-3 of `class`: projections are fused, and a share of each head may be turned.
pub(super) fn build_phi3(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let window = window(config, 0)?;
    // Its `yarn` is not that of others.
    for key in ["rope_scaling", "rope_parameters"] {
        let Some(section) = config.section(key)? else {
            continue;
        };
        for key in ["rope_type", "type"] {
            let known = ["default", "longrope", "su"];
            if section
                .text(key)?
                .is_some_and(|kind| !known.contains(&kind))
            {
                return Err(section.unsupported(key, known.join(", ")));
            }
        }
    }
    let config = &config.or("original_max_position_embeddings", 4096);
    let form = Form {
        partial: Some(1.0),
        fused: true,
        ..Form::default()
    };
    build(config, class, &PHI3, &form, l, |_| Attend {
        window,
        fused: true,
        ..Attend::default()
    })
}

/// Qwen's windows by layer.
fn windows(config: &Config) -> Result<impl Fn(i64) -> i64 + '_, ImportError> {
    let window = match config.flag("use_sliding_window", false)? {
        true => window(config, 4096)?,
        false => 0,
    };
    let first = config.count("max_window_layers", 28)?;
    let layers = config.size("num_hidden_layers", QWEN2.layers, limit::LAYERS)?;
    let kinds = layer_types(config, layers, window)?;
    Ok(move |layer: i64| {
        let slides = match &kinds {
            Some(kinds) => kinds.get(layer as usize) == Some(&"sliding_attention"),
            None => layer as u64 >= first,
        };
        if slides { window } else { 0 }
    })
}

/// `layer_types`, if there are any: one for each of `layers`, of kinds that a `window`, or none, allows.
pub(super) fn layer_types(
    config: &Config,
    layers: i64,
    window: i64,
) -> Result<Option<Vec<&str>>, ImportError> {
    let key = "layer_types";
    let Some(kinds) = config.texts(key)? else {
        return Ok(None);
    };
    if kinds.len() as i64 != layers {
        return Err(config.wrong(key, format!("one text for each of {layers} layers")));
    }
    let known: &[&str] = match window {
        0 => &["full_attention"],
        _ => &["full_attention", "sliding_attention"],
    };
    if kinds.iter().any(|k| !known.contains(k)) {
        return Err(config.unsupported(key, known.join(", ")));
    }
    Ok(Some(kinds))
}

/// The window: none where it is `null`, `absent` where it is not mentioned.
pub(super) fn window(config: &Config, absent: i64) -> Result<i64, ImportError> {
    let absent = if config.has("sliding_window") {
        0
    } else {
        absent
    };
    config.size("sliding_window", absent, limit::POSITIONS)
}

/// What differs between kin for all layers.
#[derive(Default)]
struct Form {
    /// The feed-forward part has biases.
    mlp_bias: bool,
    /// Gate and up are one projection.
    fused: bool,
    /// Share of each head that is turned where config.json is silent; none: heads are always turned whole.
    partial: Option<f64>,
}

/// Each layer: `x + attend(norm(x))`, then `x + W_down (act(W_gate y) * W_up y)` with `y = norm(x)`.
fn build(
    config: &Config,
    class: Option<&str>,
    absent: &Absents,
    form: &Form,
    l: &mut Layers,
    attend: impl Fn(i64) -> Attend,
) -> Result<ValueId, ImportError> {
    let decoder = Decoder::read(config, class, absent, l)?;
    let forward = FeedForward {
        act: activation(config, "hidden_act", UnaryFn::Silu)?,
        bias: form.mlp_bias,
        fused: form.fused,
    };
    let (mut x, context) = decoder.begin(config, form.partial, l)?;
    for i in 0..decoder.layers {
        let name = format!("{}layers.{i}", decoder.prefix);
        let y = decoder.norm(l, &format!("{name}.input_layernorm"), x)?;
        let y = decoder.attend(l, &format!("{name}.self_attn"), &attend(i), context, y)?;
        x = l.add(x, y);
        let y = decoder.norm(l, &format!("{name}.post_attention_layernorm"), x)?;
        let y = decoder.feed_forward(l, &format!("{name}.mlp"), &forward, y)?;
        x = l.add(x, y);
    }
    decoder.end(l, x)
}
