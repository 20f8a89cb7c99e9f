//! T5; Raffel et al. 2019 (arXiv:1910.10683), section 2.1: scores carry a learned bias for each distance, norms neither
//! centre nor shift. Gated feed-forward parts: Shazeer 2020 (arXiv:2002.05202).

use ir::{Dim, UnaryFn, ValueId, ops::Absent};

use super::{known_as, limit};
use crate::import::{
    ImportError,
    activation::{activation, by_name},
    attention::Causal,
    config::Config,
    layers::Layers,
    positions::Buckets,
};

/// Copies of the table of words, the head where it is tied, the decoder where only the encoder is asked for.
pub(super) const IGNORED: &[&str] = &[
    "*.embed_tokens.weight",
    "*EncDecAttention.relative_attention_bias.weight",
    "shared.weight",
    "lm_head.weight",
];

/// Most distances that are told apart: a bias for each is computed.
const FARTHEST: i64 = 1 << 16;
/// Most tokens: no position is stored, but each head has a bias for each pair of them.
const LONGEST: i64 = 1 << 18;

struct T5 {
    hidden: i64,
    heads: i64,
    size: i64,
    inner: i64,
    act: UnaryFn,
    gated: bool,
    eps: f64,
    vocabulary: i64,
    buckets: i64,
    farthest: i64,
}

/// Writes a T5 of `class`.
pub(super) fn build(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    if config.flag("is_decoder", false)? {
        return Err(config.unsupported("is_decoder", "false"));
    }
    let t5 = T5::read(config)?;
    let layers = known_as(config, "num_layers", "num_hidden_layers");
    let layers = config.size(layers, 6, limit::LAYERS)?;
    let class = class.unwrap_or(match l.has("decoder.final_layer_norm.weight") {
        true => "T5Model",
        false => "T5EncoderModel",
    });
    let (memory, mask) = t5.encode(l, layers)?;
    let headed = match class {
        "T5EncoderModel" => {
            l.output("last_hidden_state", memory);
            return Ok(memory);
        }
        "T5Model" => false,
        "T5ForConditionalGeneration" => true,
        _ => {
            let known = "T5Model, T5ForConditionalGeneration, T5EncoderModel";
            return Err(config.unsupported("architectures", known));
        }
    };
    let layers = config.size("num_decoder_layers", layers, limit::LAYERS)?;
    let mut x = t5.decode(l, layers, memory, mask)?;
    if headed {
        // Newer versions always tie, and keep what the key once said under another.
        let tied = config.flag("tie_word_embeddings", true)?;
        if config.flag("scale_decoder_outputs", tied)? {
            let scale = l.scalar((t5.hidden as f64).powf(-0.5));
            x = l.mul(x, scale);
        }
        let head = l.head("lm_head", Some("shared"), "weight");
        let logits = l.linear(head, [t5.hidden, t5.vocabulary], false, x)?;
        l.output("logits", logits);
    } else {
        l.output("last_hidden_state", x);
    }
    l.output("encoder_last_hidden_state", memory);
    Ok(memory)
}

impl T5 {
    fn read(config: &Config) -> Result<Self, ImportError> {
        let width = known_as(config, "d_model", "hidden_size");
        let parts = known_as(config, "num_heads", "num_attention_heads");
        let size = known_as(config, "d_kv", "head_dim");
        let heads = config.size(parts, 8, limit::HEADS)?;
        let (act, gated) = Self::forward(config)?;
        let (count, far) = (
            "relative_attention_num_buckets",
            "relative_attention_max_distance",
        );
        let buckets = config.size(count, 32, FARTHEST)?;
        let farthest = config.size(far, 128, FARTHEST)?;
        if buckets < 4 {
            return Err(config.wrong(count, format!("an integer from 4 to {FARTHEST}")));
        }
        if farthest <= buckets / 2 {
            return Err(config.wrong(far, format!("more than half of {count}, {}", buckets / 2)));
        }
        Ok(Self {
            hidden: config.size(width, 512, limit::WIDTH)?,
            heads,
            size: config.size(size, 64, limit::WIDTH / heads)?,
            inner: config.size("d_ff", 2048, limit::WIDTH)?,
            act,
            gated,
            eps: config.number("layer_norm_epsilon", 1e-6)?,
            vocabulary: config.size("vocab_size", 32_128, limit::VOCABULARY)?,
            buckets,
            farthest,
        })
    }

    /// The activation, and whether it is of a gate. Later keys say more than the one that the paper's authors wrote.
    fn forward(config: &Config) -> Result<(UnaryFn, bool), ImportError> {
        let key = "feed_forward_proj";
        let word = config.text(key)?.unwrap_or("relu");
        let gate = word.strip_prefix("gated-");
        let act = match word {
            "gated-gelu" => Some(UnaryFn::GeluTanh),
            _ => by_name(gate.unwrap_or(word)),
        };
        let known = "an activation, or gated- and an activation";
        let act = act.ok_or_else(|| config.unsupported(key, known))?;
        Ok((
            activation(config, "dense_act_fn", act)?,
            config.flag("is_gated_act", gate.is_some())?,
        ))
    }

    fn norm(&self, l: &mut Layers, name: &str, x: ValueId) -> Result<ValueId, ImportError> {
        l.rms_norm(&format!("{name}.layer_norm"), self.hidden, self.eps, x)
    }

    /// `mask` and the bias of distances, which the first layer of `stack` holds for all.
    fn biased(
        &self,
        l: &mut Layers,
        stack: &str,
        length: Dim,
        mask: ValueId,
    ) -> Result<ValueId, ImportError> {
        let name = format!("{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight");
        let table = l.weight(&name, &[self.buckets, self.heads])?;
        let buckets = Buckets {
            count: self.buckets,
            farthest: self.farthest,
            both_sides: stack == "encoder",
        };
        let bias = l.relative_bias(&buckets, &format!("{stack}.buckets"), table, length);
        Ok(l.add(mask, bias))
    }

    /// What the decoder looks at, and the mask of its tokens.
    fn encode(&self, l: &mut Layers, layers: i64) -> Result<(ValueId, ValueId), ImportError> {
        l.limit_sequence(LONGEST);
        let ids = l.input("input_ids", Absent::Required, self.vocabulary);
        let mask = l.attention_mask();
        let mask = l.additive_mask(mask);
        let biased = self.biased(l, "encoder", Dim::symbol("seq"), mask)?;
        let mut x = l.embed("shared.weight", [self.vocabulary, self.hidden], ids)?;
        let look = |l: &mut Layers, parts| l.attention(parts, 1.0, Some(biased));
        for i in 0..layers {
            let name = format!("encoder.block.{i}.layer");
            let y = self.norm(l, &format!("{name}.0"), x)?;
            let y = self.attend(l, &format!("{name}.0.SelfAttention"), look, [y, y])?;
            x = l.add(x, y);
            x = self.feed_forward(l, &format!("{name}.1"), x)?;
        }
        let x = l.rms_norm("encoder.final_layer_norm", self.hidden, self.eps, x)?;
        Ok((x, mask))
    }

    fn decode(
        &self,
        l: &mut Layers,
        layers: i64,
        memory: ValueId,
        memory_mask: ValueId,
    ) -> Result<ValueId, ImportError> {
        let (ids, mask) = l.decoder_inputs(self.vocabulary, LONGEST);
        let mask = self.biased(l, "decoder", Dim::symbol("decoder_seq"), mask)?;
        let mut x = l.embed("shared.weight", [self.vocabulary, self.hidden], ids)?;
        let how = Causal {
            scale: 1.0,
            ..Causal::of(self.size, mask)
        };
        let own = |l: &mut Layers, parts| l.causal_attention(parts, &how);
        let across = |l: &mut Layers, parts| l.attention(parts, 1.0, Some(memory_mask));
        for i in 0..layers {
            let name = format!("decoder.block.{i}.layer");
            let y = self.norm(l, &format!("{name}.0"), x)?;
            let y = self.attend(l, &format!("{name}.0.SelfAttention"), own, [y, y])?;
            x = l.add(x, y);
            let y = self.norm(l, &format!("{name}.1"), x)?;
            let y = self.attend(l, &format!("{name}.1.EncDecAttention"), across, [y, memory])?;
            x = l.add(x, y);
            x = self.feed_forward(l, &format!("{name}.2"), x)?;
        }
        l.rms_norm("decoder.final_layer_norm", self.hidden, self.eps, x)
    }

    /// The attention `name`: `look` gives what queries of `x` find in keys and values of `memory`.
    fn attend(
        &self,
        l: &mut Layers,
        name: &str,
        look: impl Fn(&mut Layers, [ValueId; 3]) -> ValueId,
        [x, memory]: [ValueId; 2],
    ) -> Result<ValueId, ImportError> {
        let (d, wide) = (self.hidden, self.heads * self.size);
        let mut project = |part, x| {
            let y = l.linear(&format!("{name}.{part}"), [d, wide], false, x)?;
            Ok::<_, ImportError>(l.split_heads(self.heads, self.size, y))
        };
        let parts = [
            project("q", x)?,
            project("k", memory)?,
            project("v", memory)?,
        ];
        let y = look(l, parts);
        l.linear(&format!("{name}.o"), [wide, d], false, y)
    }

    /// `x + W_o act(W_i norm(x))`, or with a gate `x + W_o (act(W_0 norm(x)) * W_1 norm(x))`.
    fn feed_forward(&self, l: &mut Layers, name: &str, x: ValueId) -> Result<ValueId, ImportError> {
        let (d, inner) = (self.hidden, self.inner);
        let y = self.norm(l, name, x)?;
        let name = format!("{name}.DenseReluDense");
        let mut project = |part, x| l.linear(&format!("{name}.{part}"), [d, inner], false, x);
        let y = if self.gated {
            let (gate, up) = (project("wi_0", y)?, project("wi_1", y)?);
            let gate = l.unary(self.act, gate);
            l.mul(gate, up)
        } else {
            let y = project("wi", y)?;
            l.unary(self.act, y)
        };
        let y = l.linear(&format!("{name}.wo"), [inner, d], false, y)?;
        Ok(l.add(x, y))
    }
}
