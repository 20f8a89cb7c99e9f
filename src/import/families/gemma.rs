//! Gemma; Gemma Team 2024 (arXiv:2403.08295), section 2. Gemma 2 (arXiv:2408.00118), section 2: scores are bent by soft-caps,
//! layers look back over a window in turn, norms stand before and behind each part.

use ir::{BinaryFn, UnaryFn, ValueId, ops::RmsNorm};

use super::{
    decoder::{Absents, Attend, Decoder, FeedForward},
    llama,
};
use crate::import::{ImportError, activation::activation, config::Config, layers::Layers};

const GEMMA: Absents = Absents {
    classes: ["GemmaModel", "GemmaForCausalLM"],
    vocabulary: 256_000,
    hidden: 3072,
    inner: 24_576,
    layers: 28,
    heads: (16, Some(16)),
    head_size: Some(256),
    positions: 8192,
    eps: 1e-6,
};

const GEMMA2: Absents = Absents {
    classes: ["Gemma2Model", "Gemma2ForCausalLM"],
    hidden: 2304,
    inner: 9216,
    layers: 26,
    heads: (8, Some(4)),
    ..GEMMA
};

/// Writes a Gemma of `class`.
pub(super) fn build_gemma(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    // Releases say `gelu` where they mean its approximation; `transformers` reads it so.
    let act = match config.text("hidden_act")? {
        Some("gelu") => UnaryFn::GeluTanh,
        _ => activation(config, "hidden_act", UnaryFn::GeluTanh)?,
    };
    let gemma = Gemma::read(config, class, &GEMMA, act, false, l)?;
    gemma.build(config, 0.0, l, |_| gemma.attend)
}

/// Writes a Gemma 2 of `class`.
pub(super) fn build_gemma2(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let act = activation(config, "hidden_activation", UnaryFn::GeluTanh)?;
    let mut gemma = Gemma::read(config, class, &GEMMA2, act, true, l)?;
    gemma.attend.scale = Some(config.number("query_pre_attn_scalar", 256.0)?.powf(-0.5));
    gemma.attend.softcap = cap(config, "attn_logit_softcapping", 50.0)?;
    let window = llama::window(config, 4096)?;
    let kinds = llama::layer_types(config, gemma.decoder.layers, window)?;
    let slides = |layer: i64| match &kinds {
        Some(kinds) => kinds.get(layer as usize) == Some(&"sliding_attention"),
        None => layer % 2 == 0,
    };
    let softcap = cap(config, "final_logit_softcapping", 30.0)?;
    gemma.build(config, softcap, l, |layer| Attend {
        window: if slides(layer) { window } else { 0 },
        ..gemma.attend
    })
}

/// A soft-cap: none where it is `null`, `absent` where it is not mentioned.
fn cap(config: &Config, key: &str, absent: f64) -> Result<f64, ImportError> {
    config.number(key, if config.has(key) { 0.0 } else { absent })
}

struct Gemma {
    decoder: Decoder,
    forward: FeedForward,
    attend: Attend,
    /// Norms stand behind each part, too.
    norms_behind: bool,
}

impl Gemma {
    fn read(
        config: &Config,
        class: Option<&str>,
        absent: &Absents,
        act: UnaryFn,
        norms_behind: bool,
        l: &Layers,
    ) -> Result<Self, ImportError> {
        let key = "use_bidirectional_attention";
        if config.flag(key, false)? {
            return Err(config.unsupported(key, "false"));
        }
        let bias = config.flag("attention_bias", false)?;
        let mut decoder = Decoder::read(config, class, absent, l)?;
        decoder.tied = config.flag("tie_word_embeddings", true)?;
        Ok(Self {
            decoder,
            forward: FeedForward {
                act,
                bias: false,
                fused: false,
            },
            attend: Attend {
                bias,
                output_bias: bias,
                ..Attend::default()
            },
            norms_behind,
        })
    }

    /// Root-mean-square normalisation, with gains counted from 1.
    fn norm(&self, l: &mut Layers, name: &str, x: ValueId) -> Result<ValueId, ImportError> {
        let gain = l.weight(&format!("{name}.weight"), &[self.decoder.hidden])?;
        let one = l.scalar(1.0);
        let gain = l.binary(BinaryFn::Add, gain, one);
        let eps = self.decoder.eps.into();
        Ok(l.op(RmsNorm { eps }, &[x, gain]))
    }

    /// Words times `sqrt(hidden)`; each layer: `x + norm?(attend(norm(x)))`, then `x + norm?(W_down (act(gate) * up))`.
    fn build(
        &self,
        config: &Config,
        softcap: f64,
        l: &mut Layers,
        attend: impl Fn(i64) -> Attend,
    ) -> Result<ValueId, ImportError> {
        let decoder = &self.decoder;
        let (x, context) = decoder.begin(config, None, l)?;
        // As `transformers`, which keeps the factor in f32.
        let scale = l.scalar(f64::from((decoder.hidden as f64).sqrt() as f32));
        let mut x = l.mul(x, scale);
        let forward = match self.norms_behind {
            true => "pre_feedforward_layernorm",
            false => "post_attention_layernorm",
        };
        for i in 0..decoder.layers {
            let name = format!("{}layers.{i}", decoder.prefix);
            let behind = |l: &mut Layers, norm: &str, y| match self.norms_behind {
                true => self.norm(l, &format!("{name}.{norm}"), y),
                false => Ok(y),
            };
            let y = self.norm(l, &format!("{name}.input_layernorm"), x)?;
            let y = decoder.attend(l, &format!("{name}.self_attn"), &attend(i), context, y)?;
            let y = behind(l, "post_attention_layernorm", y)?;
            x = l.add(x, y);
            let y = self.norm(l, &format!("{name}.{forward}"), x)?;
            let y = decoder.feed_forward(l, &format!("{name}.mlp"), &self.forward, y)?;
            let y = behind(l, "post_feedforward_layernorm", y)?;
            x = l.add(x, y);
        }
        let x = self.norm(l, &format!("{}norm", decoder.prefix), x)?;
        decoder.finish(l, softcap, x)
    }
}
