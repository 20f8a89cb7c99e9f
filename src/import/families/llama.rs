//! LLaMA and its kin: Touvron et al. 2023 (arXiv:2302.13971), section 2.2; Mistral: Jiang et al. 2023
//! (arXiv:2310.06825), section 2; Qwen2: Yang et al. 2024 (arXiv:2407.10671), section 2.2.

use ir::{UnaryFn, ValueId};

use super::{
    decoder::{Absents, Attend, Decoder},
    limit,
};
use crate::import::{ImportError, activation::activation, config::Config, layers::Layers};

const LLAMA: Absents = Absents {
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

/// Writes a LLaMA of `class`.
pub(super) fn build_llama(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let bias = config.flag("attention_bias", false)?;
    let mlp_bias = config.flag("mlp_bias", false)?;
    build(config, class, &LLAMA, mlp_bias, l, |_| Attend {
        bias,
        output_bias: bias,
        window: 0,
        interleaved: false,
    })
}

/// Writes a Mistral of `class`: every layer looks back over a window, if there is one.
pub(super) fn build_mistral(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let window = window(config)?;
    build(config, class, &MISTRAL, false, l, |_| Attend {
        bias: false,
        output_bias: false,
        window,
        interleaved: false,
    })
}

/// Writes a Qwen2 of `class`: layers from `max_window_layers` on look back over a window, if it is in use.
pub(super) fn build_qwen2(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let window = if config.flag("use_sliding_window", false)? {
        window(config)?
    } else {
        0
    };
    let first = config.count("max_window_layers", 28)?;
    let kinds = layer_types(config, window)?;
    let slides = |layer: i64| match &kinds {
        Some(kinds) => kinds.get(layer as usize) == Some(&"sliding_attention"),
        None => layer as u64 >= first,
    };
    build(config, class, &QWEN2, false, l, |layer| {
        let window = if slides(layer) { window } else { 0 };
        Attend {
            bias: true,
            output_bias: false,
            window,
            interleaved: false,
        }
    })
}

/// `layer_types`, if there are any: one for each layer, of kinds that a `window`, or none, allows.
fn layer_types(config: &Config, window: i64) -> Result<Option<Vec<&str>>, ImportError> {
    let key = "layer_types";
    let Some(kinds) = config.texts(key)? else {
        return Ok(None);
    };
    let layers = config.size("num_hidden_layers", QWEN2.layers, limit::LAYERS)?;
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

/// The window: none where it is `null`, 4096 where it is not mentioned.
fn window(config: &Config) -> Result<i64, ImportError> {
    let absent = if config.has("sliding_window") {
        0
    } else {
        4096
    };
    config.size("sliding_window", absent, limit::POSITIONS)
}

/// Each layer: `x + attend(norm(x))`, then `x + W_down (act(W_gate y) * W_up y)` with `y = norm(x)`.
fn build(
    config: &Config,
    class: Option<&str>,
    absent: &Absents,
    mlp_bias: bool,
    l: &mut Layers,
    attend: impl Fn(i64) -> Attend,
) -> Result<ValueId, ImportError> {
    let decoder = Decoder::read(config, class, absent, l)?;
    let act = activation(config, "hidden_act", UnaryFn::Silu)?;
    let (d, inner) = (decoder.hidden, decoder.inner);
    let (mut x, context) = decoder.begin(config, None, l)?;
    for i in 0..decoder.layers {
        let name = format!("{}layers.{i}", decoder.prefix);
        let y = decoder.norm(l, &format!("{name}.input_layernorm"), x)?;
        let y = decoder.attend(l, &format!("{name}.self_attn"), &attend(i), context, y)?;
        x = l.add(x, y);
        let y = decoder.norm(l, &format!("{name}.post_attention_layernorm"), x)?;
        let gate = l.linear(&format!("{name}.mlp.gate_proj"), [d, inner], mlp_bias, y)?;
        let gate = l.unary(act, gate);
        let up = l.linear(&format!("{name}.mlp.up_proj"), [d, inner], mlp_bias, y)?;
        let y = l.mul(gate, up);
        let y = l.linear(&format!("{name}.mlp.down_proj"), [inner, d], mlp_bias, y)?;
        x = l.add(x, y);
    }
    decoder.end(l, x)
}
