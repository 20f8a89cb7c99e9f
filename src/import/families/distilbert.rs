//! DistilBERT; Sanh et al. 2019 (arXiv:1910.01108), section 3: BERT with half the layers and no token types.

use ir::{UnaryFn, ValueId, ops::Absent};

use super::{bert, divides, known_as, labels, limit};
use crate::import::{ImportError, activation::activation, config::Config, layers::Layers};

/// Buffers, and heads that a checkpoint holds beside the class that is asked for.
pub(super) const IGNORED: &[&str] = &["*embeddings.position_ids", "vocab_*"];

const CLASSES: &str = "DistilBertModel, DistilBertForMaskedLM, \
    DistilBertForSequenceClassification, DistilBertForTokenClassification, \
    DistilBertForQuestionAnswering";

/// Source: `TransformerBlock` of transformers, where it is no part of the configuration.
const EPS: f64 = 1e-12;

struct DistilBert {
    hidden: i64,
    heads: i64,
    inner: i64,
    act: UnaryFn,
}

/// Writes a DistilBERT of `class`.
pub(super) fn build(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let class = class.unwrap_or("DistilBertModel");
    let model = DistilBert::read(config)?;
    let d = model.hidden;
    let prefix = l.stored_prefix("distilbert.", class != "DistilBertModel");
    let vocabulary = config.size("vocab_size", 30_522, limit::VOCABULARY)?;
    let hidden = model.encode(config, l, prefix, vocabulary)?;
    match class {
        "DistilBertModel" => l.output("last_hidden_state", hidden),
        "DistilBertForMaskedLM" => {
            let y = l.linear("vocab_transform", [d, d], true, hidden)?;
            let y = l.unary(model.act, y);
            let y = l.layer_norm("vocab_layer_norm", d, EPS, y)?;
            let tied = config.flag("tie_word_embeddings", true)?;
            let table = format!("{prefix}embeddings.word_embeddings");
            let head = l.head("vocab_projector", tied.then_some(&table), "weight");
            let y = l.linear(head, [d, vocabulary], false, y)?;
            let logits = l.shift("vocab_projector", vocabulary, y)?;
            l.output("logits", logits);
        }
        "DistilBertForSequenceClassification" => {
            let first = l.first_token(hidden);
            let y = l.linear("pre_classifier", [d, d], true, first)?;
            let y = l.unary(UnaryFn::Relu, y);
            let logits = l.linear("classifier", [d, labels(config)?], true, y)?;
            l.output("logits", logits);
        }
        "DistilBertForTokenClassification" => {
            let logits = l.linear("classifier", [d, labels(config)?], true, hidden)?;
            l.output("logits", logits);
        }
        "DistilBertForQuestionAnswering" => bert::answer(l, d, hidden)?,
        _ => return Err(config.unsupported("architectures", CLASSES)),
    }
    Ok(hidden)
}

impl DistilBert {
    fn read(config: &Config) -> Result<Self, ImportError> {
        let (width, parts) = (
            known_as(config, "dim", "hidden_size"),
            known_as(config, "n_heads", "num_attention_heads"),
        );
        let hidden = config.size(width, 768, limit::WIDTH)?;
        let heads = config.size(parts, 12, limit::HEADS)?;
        Ok(Self {
            hidden,
            heads: divides(config, (width, hidden), (parts, heads))?,
            inner: config.size("hidden_dim", 3072, limit::WIDTH)?,
            act: activation(config, "activation", UnaryFn::Gelu)?,
        })
    }

    /// Embeddings and all layers.
    fn encode(
        &self,
        config: &Config,
        l: &mut Layers,
        prefix: &str,
        vocabulary: i64,
    ) -> Result<ValueId, ImportError> {
        let positions = config.size("max_position_embeddings", 512, limit::POSITIONS)?;
        let layers = known_as(config, "n_layers", "num_hidden_layers");
        let layers = config.size(layers, 6, limit::LAYERS)?;
        l.limit_sequence(positions);
        let ids = l.input("input_ids", Absent::Required, vocabulary);
        let mask = l.attention_mask();
        let mask = l.additive_mask(mask);
        let position_ids = l.input("position_ids", Absent::Positions, positions);
        let (d, name) = (self.hidden, format!("{prefix}embeddings"));
        let words = l.embed(
            &format!("{name}.word_embeddings.weight"),
            [vocabulary, d],
            ids,
        )?;
        let table = format!("{name}.position_embeddings.weight");
        let places = l.embed(&table, [positions, d], position_ids)?;
        let x = l.add(words, places);
        let mut x = l.layer_norm(&format!("{name}.LayerNorm"), d, EPS, x)?;
        for i in 0..layers {
            x = self.layer(l, &format!("{prefix}transformer.layer.{i}"), mask, x)?;
        }
        Ok(x)
    }

    /// `x = norm(x + attend(x))`, then `norm(x + W2 act(W1 x))`.
    fn layer(
        &self,
        l: &mut Layers,
        name: &str,
        mask: ValueId,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        let (d, size) = (self.hidden, self.hidden / self.heads);
        let mut project = |part| {
            let y = l.linear(&format!("{name}.attention.{part}_lin"), [d, d], true, x)?;
            Ok::<_, ImportError>(l.split_heads(self.heads, size, y))
        };
        let parts = [project("q")?, project("k")?, project("v")?];
        let y = l.attention(parts, (size as f64).powf(-0.5), Some(mask));
        let y = l.linear(&format!("{name}.attention.out_lin"), [d, d], true, y)?;
        let y = l.add(y, x);
        let x = l.layer_norm(&format!("{name}.sa_layer_norm"), d, EPS, y)?;
        let y = l.linear(&format!("{name}.ffn.lin1"), [d, self.inner], true, x)?;
        let y = l.unary(self.act, y);
        let y = l.linear(&format!("{name}.ffn.lin2"), [self.inner, d], true, y)?;
        let y = l.add(y, x);
        l.layer_norm(&format!("{name}.output_layer_norm"), d, EPS, y)
    }
}
