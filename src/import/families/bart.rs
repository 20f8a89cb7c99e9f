//! BART; Lewis et al. 2019 (arXiv:1910.13461), section 2.1: Vaswani et al. 2017 (arXiv:1706.03762) with learned positions.

use ir::{Dim, UnaryFn, ValueId, ops::Absent};

use super::{
    block::{Block, USUAL},
    limit,
};
use crate::import::{
    ImportError, activation::activation, attention::Causal, config::Config, layers::Layers,
};

/// Copies of the table of words, and the head where it is tied.
pub(super) const IGNORED: &[&str] = &[
    "*encoder.embed_tokens.weight",
    "*decoder.embed_tokens.weight",
    "*shared.weight",
    "lm_head.weight",
    "final_logits_bias",
    "*.version",
];

/// Source: `torch.nn.LayerNorm`.
const EPS: f64 = 1e-5;
/// Rows of the table of positions before the first; source: `BartLearnedPositionalEmbedding` of transformers.
const OFFSET: i64 = 2;

struct Bart<'a> {
    config: &'a Config,
    encoder: Block,
    decoder: Block,
    vocabulary: i64,
    positions: i64,
    /// Words are scaled by the root of their size.
    scaled: bool,
    /// One table of words serves both stacks and the head.
    tied: bool,
    /// Before the names of the base model's tensors.
    prefix: &'static str,
}

/// Writes a BART of `class`.
pub(super) fn build(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let headed = match class.unwrap_or("BartModel") {
        "BartModel" => false,
        "BartForConditionalGeneration" => true,
        _ => {
            let known = "BartModel, BartForConditionalGeneration";
            return Err(config.unsupported("architectures", known));
        }
    };
    let bart = Bart::read(config, headed, l)?;
    let (memory, mask) = bart.encode(l)?;
    let x = bart.decode(l, memory, mask)?;
    if headed {
        let table = format!("{}shared", bart.prefix);
        let head = l.head("lm_head", bart.tied.then_some(&table), "weight");
        let (d, words) = (bart.decoder.hidden, bart.vocabulary);
        let mut logits = l.linear(head, [d, words], false, x)?;
        if l.has("final_logits_bias") {
            let bias = l.weight("final_logits_bias", &[1, words])?;
            let bias = l.reshape([words.into()], bias);
            logits = l.add(logits, bias);
        }
        l.output("logits", logits);
    } else {
        l.output("last_hidden_state", x);
    }
    l.output("encoder_last_hidden_state", memory);
    Ok(memory)
}

impl<'a> Bart<'a> {
    fn read(config: &'a Config, headed: bool, l: &Layers) -> Result<Self, ImportError> {
        let act = activation(config, "activation_function", UnaryFn::Gelu)?;
        let read = |heads, inner| {
            let keys = [("d_model", 1024), (heads, 16), (inner, 4096)];
            Block::read(config, keys, act, EPS, USUAL)
        };
        Ok(Self {
            config,
            encoder: read("encoder_attention_heads", "encoder_ffn_dim")?,
            decoder: read("decoder_attention_heads", "decoder_ffn_dim")?,
            vocabulary: config.size("vocab_size", 50_265, limit::VOCABULARY)?,
            positions: config.size("max_position_embeddings", 1024, limit::POSITIONS)?,
            scaled: config.flag("scale_embedding", false)?,
            tied: config.flag("tie_word_embeddings", true)?,
            prefix: l.stored_prefix("model.", headed),
        })
    }

    /// Words at their positions.
    fn embed(&self, l: &mut Layers, part: &str, ids: ValueId) -> Result<ValueId, ImportError> {
        let d = self.encoder.hidden;
        let (own, shared) = (
            format!("{part}.embed_tokens"),
            format!("{}shared", self.prefix),
        );
        let table = l.head(&own, self.tied.then_some(&shared), "weight");
        let mut x = l.embed(&format!("{table}.weight"), [self.vocabulary, d], ids)?;
        if self.scaled {
            let scale = l.scalar((d as f64).sqrt());
            x = l.mul(x, scale);
        }
        let [_, length] = <[Dim; 2]>::try_from(l.shape(ids)).expect("ids have two axes");
        let places = l.places(OFFSET, length);
        let table = format!("{part}.embed_positions.weight");
        let places = l.embed(&table, [self.positions + OFFSET, d], places)?;
        let x = l.add(x, places);
        self.encoder
            .norm(l, &format!("{part}.layernorm_embedding"), x)
    }

    /// What the decoder looks at, and the mask of its tokens.
    fn encode(&self, l: &mut Layers) -> Result<(ValueId, ValueId), ImportError> {
        l.limit_sequence(self.positions);
        let ids = l.input("input_ids", Absent::Required, self.vocabulary);
        let mask = l.attention_mask();
        let mask = l.additive_mask(mask);
        let part = format!("{}encoder", self.prefix);
        let mut x = self.embed(l, &part, ids)?;
        let scale = self.encoder.scale();
        let look = |l: &mut Layers, parts| l.attention(parts, scale, Some(mask));
        for i in 0..self.config.size("encoder_layers", 12, limit::LAYERS)? {
            x = self
                .encoder
                .layer_normed(l, &format!("{part}.layers.{i}"), look, None, x)?;
        }
        Ok((x, mask))
    }

    fn decode(
        &self,
        l: &mut Layers,
        memory: ValueId,
        memory_mask: ValueId,
    ) -> Result<ValueId, ImportError> {
        let (ids, mask) = l.decoder_inputs(self.vocabulary, self.positions);
        let part = format!("{}decoder", self.prefix);
        let mut x = self.embed(l, &part, ids)?;
        let how = Causal::of(self.decoder.size(), mask);
        let look = |l: &mut Layers, parts| l.causal_attention(parts, &how);
        let memory = Some((memory, memory_mask));
        for i in 0..self.config.size("decoder_layers", 12, limit::LAYERS)? {
            x = self
                .decoder
                .layer_normed(l, &format!("{part}.layers.{i}"), look, memory, x)?;
        }
        Ok(x)
    }
}
