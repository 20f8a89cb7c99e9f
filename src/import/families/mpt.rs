//! MPT; MosaicML 2023, "Introducing MPT-7B": ALiBi, and no biases anywhere (`MptModel` of transformers).

use ir::{
    BinaryFn, DType, TensorType, UnaryFn, ValueId,
    ops::{Constant, LayerNorm},
};

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
    classes: ["MptModel", "MptForCausalLM"],
    table: "wte",
    count: 50_368,
    ..USUAL
};

struct Mpt {
    hidden: i64,
    heads: Heads,
    eps: f64,
    /// Projections are cut off at this.
    clip: Option<f64>,
}

/// Writes an MPT of `class`.
pub(super) fn build(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    refuse(config)?;
    let width = known_as(config, "d_model", "hidden_size");
    let parts = known_as(config, "n_heads", "num_attention_heads");
    let hidden = config.size(width, 2048, limit::WIDTH)?;
    let heads = config.size(parts, 16, limit::HEADS)?;
    divides(config, (width, hidden), (parts, heads))?;
    let size = hidden / heads;
    let attention = config.section("attn_config")?;
    let number = |key: &str| match &attention {
        Some(section) if section.get(key).is_some() => section.number(key, 1.0).map(Some),
        _ => Ok(None),
    };
    let mpt = Mpt {
        hidden,
        heads: Heads {
            queries: heads,
            keys: heads,
            size,
        },
        eps: config.number("layer_norm_epsilon", 1e-5)?,
        clip: number("clip_qkv")?,
    };
    let layers = known_as(config, "n_layers", "num_hidden_layers");
    let layers = config.size(layers, 24, limit::LAYERS)?;
    // As MosaicML's own files call them.
    let class = class.map(|class| match class {
        "MPTModel" => "MptModel",
        "MPTForCausalLM" => "MptForCausalLM",
        class => class,
    });
    let words = Words::read(config, class, &NAMES, hidden, l)?;
    let (mut x, mask) = words.begin(l, config.size("max_seq_len", 2048, limit::POSITIONS)?)?;
    let mut look = Causal::of(size, mask);
    look.slopes = Some(l.made("alibi.slopes", slopes(heads)));
    look.scale = number("softmax_scale")?.unwrap_or(look.scale);
    for i in 0..layers {
        x = mpt.layer(l, &format!("{}blocks.{i}", words.prefix), &look, x)?;
    }
    let x = mpt.norm(l, &format!("{}norm_f", words.prefix), x)?;
    words.end(l, x)
}

/// Refuses what `transformers` does not compute as its configuration says.
fn refuse(config: &Config) -> Result<(), ImportError> {
    if !config.flag("no_bias", true)? {
        return Err(config.unsupported("no_bias", "true"));
    }
    if config.size("expansion_ratio", 4, limit::WIDTH)? != 4 {
        return Err(config.unsupported("expansion_ratio", "4"));
    }
    if config.get("logit_scale").is_some() {
        return Err(config.unsupported("logit_scale", "null"));
    }
    if !matches!(
        config.text("norm_type")?,
        None | Some("low_precision_layernorm" | "layernorm")
    ) {
        return Err(config.unsupported("norm_type", "low_precision_layernorm, layernorm"));
    }
    let Some(attention) = config.section("attn_config")? else {
        return Ok(());
    };
    for (key, wanted) in [
        ("alibi", true),
        ("qk_ln", false),
        ("prefix_lm", false),
        ("attn_uses_sequence_id", false),
    ] {
        if attention.flag(key, wanted)? != wanted {
            return Err(attention.unsupported(key, wanted.to_string()));
        }
    }
    if attention.size("alibi_bias_max", 8, limit::WIDTH)? != 8 {
        return Err(attention.unsupported("alibi_bias_max", "8"));
    }
    match attention.text("attn_type")? {
        None | Some("multihead_attention") => Ok(()),
        _ => Err(attention.unsupported("attn_type", "multihead_attention")),
    }
}

/// ALiBi's slopes; where heads are no power of two, those of the next larger one, the odd ones first.
///
/// Source: `build_mpt_alibi_tensor` of `models/mpt`.
fn slopes(heads: i64) -> Vec<f32> {
    let all = alibi_slopes(heads.unsigned_abs().next_power_of_two().cast_signed());
    let every_other = |start| all.iter().skip(start).step_by(2).copied();
    match heads.count_ones() {
        1 => all,
        _ => every_other(1)
            .chain(every_other(0))
            .take(heads as usize)
            .collect(),
    }
}

impl Mpt {
    /// Layer normalisation without a shift.
    fn norm(&self, l: &mut Layers, name: &str, x: ValueId) -> Result<ValueId, ImportError> {
        let gain = l.weight(&format!("{name}.weight"), &[self.hidden])?;
        let ty = TensorType::fixed(DType::F32, &[self.hidden]);
        let value = 0.0.into();
        let shift = l.op(Constant { value, ty }, &[]);
        Ok(l.op(
            LayerNorm {
                eps: self.eps.into(),
            },
            &[x, gain, shift],
        ))
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
        let y = self.norm(l, &format!("{name}.norm_1"), x)?;
        let mut all = l.linear(&format!("{name}.attn.Wqkv"), [d, 3 * d], false, y)?;
        if let Some(clip) = self.clip {
            let [low, high] = [-clip, clip].map(|c| l.scalar(c));
            all = l.binary(BinaryFn::Max, all, low);
            all = l.binary(BinaryFn::Min, all, high);
        }
        let parts = l.split_thirds(self.heads, all);
        let y = l.causal_attention(parts, look);
        let y = l.linear(&format!("{name}.attn.out_proj"), [d, d], false, y)?;
        let x = l.add(x, y);
        let y = self.norm(l, &format!("{name}.norm_2"), x)?;
        let y = l.linear(&format!("{name}.ffn.up_proj"), [d, 4 * d], false, y)?;
        let y = l.unary(UnaryFn::Gelu, y);
        let y = l.linear(&format!("{name}.ffn.down_proj"), [4 * d, d], false, y)?;
        Ok(l.add(x, y))
    }
}
