//! RoBERTa; Liu et al. 2019 (arXiv:1907.11692), section 2: BERT's layers, where positions are counted over tokens that
//! are not padding (`create_position_ids_from_input_ids` of transformers). XLM-RoBERTa: Conneau et al. 2019
//! (arXiv:1911.02116), the same with other words.

use ir::{UnaryFn, ValueId};

use super::{
    bert::{self, Bert, Places},
    labels, limit,
};
use crate::import::{ImportError, config::Config, layers::Layers};

/// Buffers, and heads that a checkpoint holds beside the class that is asked for.
pub(super) const IGNORED: &[&str] = &[
    "*embeddings.position_ids",
    "*embeddings.token_type_ids",
    "lm_head.*",
    "pooler.*",
    "roberta.pooler.*",
];

/// Writes a RoBERTa of `class`.
pub(super) fn build_roberta(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    build(config, class, "Roberta", l)
}

/// Writes an XLM-RoBERTa of `class`.
pub(super) fn build_xlm_roberta(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    build(config, class, "XLMRoberta", l)
}

/// Writes the `class` of `family`.
fn build(
    config: &Config,
    class: Option<&str>,
    family: &str,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let kinds = [
        "Model",
        "ForMaskedLM",
        "ForSequenceClassification",
        "ForTokenClassification",
        "ForQuestionAnswering",
    ];
    let kind = match class {
        None => Some("Model"),
        Some(class) => class.strip_prefix(family),
    };
    let Some(kind) = kind.filter(|k| kinds.contains(k)) else {
        let known = kinds.map(|kind| format!("{family}{kind}")).join(", ");
        return Err(config.unsupported("architectures", known));
    };
    let key = "pad_token_id";
    if config.has(key) && config.get(key).is_none() {
        return Err(config.unsupported(key, "the token that positions are counted from"));
    }
    let padding = config.count(key, 1)?.min(limit::VOCABULARY as u64) as i64;
    let encoder = Bert::read(config, "roberta.", kind != "Model", l)?;
    let hidden = encoder.encode(l, &Places::After { padding })?;
    match kind {
        "Model" => {
            l.output("last_hidden_state", hidden);
            if l.has(&format!("{}pooler.dense.weight", encoder.prefix)) {
                let pooled = encoder.pool(l, hidden)?;
                l.output("pooler_output", pooled);
            }
        }
        "ForMaskedLM" => {
            let logits = predict(config, &encoder, l, hidden)?;
            l.output("logits", logits);
        }
        "ForSequenceClassification" => {
            let d = encoder.hidden;
            let first = l.first_token(hidden);
            let y = l.linear("classifier.dense", [d, d], true, first)?;
            let y = l.unary(UnaryFn::Tanh, y);
            let logits = encoder.classify(l, "classifier.out_proj", labels(config)?, y)?;
            l.output("logits", logits);
        }
        "ForTokenClassification" => {
            let logits = encoder.classify(l, "classifier", labels(config)?, hidden)?;
            l.output("logits", logits);
        }
        _ => bert::answer(l, encoder.hidden, hidden)?,
    }
    Ok(hidden)
}

/// Scores of each token of the vocabulary.
fn predict(
    config: &Config,
    encoder: &Bert<'_>,
    l: &mut Layers,
    x: ValueId,
) -> Result<ValueId, ImportError> {
    let d = encoder.hidden;
    let vocabulary = config.size("vocab_size", 30_522, limit::VOCABULARY)?;
    let y = l.linear("lm_head.dense", [d, d], true, x)?;
    let y = l.unary(UnaryFn::Gelu, y);
    let y = encoder.norm(l, "lm_head.layer_norm", y)?;
    let tied = config.flag("tie_word_embeddings", true)?;
    let table = format!("{}embeddings.word_embeddings", encoder.prefix);
    let head = l.head("lm_head.decoder", tied.then_some(&table), "weight");
    let y = l.linear(head, [d, vocabulary], false, y)?;
    let bias = l.head("lm_head.decoder", tied.then_some("lm_head"), "bias");
    l.shift(bias, vocabulary, y)
}
