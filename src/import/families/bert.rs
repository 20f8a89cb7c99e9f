//! BERT; Devlin et al. 2018 (arXiv:1810.04805), section 3; layers by Vaswani et al. 2017 (arXiv:1706.03762).

use ir::{UnaryFn, ValueId, ops::Absent};

use super::{divides, labels, limit};
use crate::import::{
    ImportError,
    activation::activation,
    config::Config,
    layers::{Heads, Layers},
};

/// Buffers, and heads that a checkpoint holds beside the class that is asked for.
pub(super) const IGNORED: &[&str] = &[
    "*embeddings.position_ids",
    "*embeddings.token_type_ids",
    "cls.*",
    "pooler.*",
    "bert.pooler.*",
];

const CLASSES: &str = "BertModel, BertForMaskedLM, BertForSequenceClassification, \
    BertForTokenClassification, BertForQuestionAnswering, BertForNextSentencePrediction, \
    BertForPreTraining";

/// An encoder of this kind.
pub(super) struct Bert<'a> {
    config: &'a Config,
    /// Elements of a hidden state.
    pub(super) hidden: i64,
    heads: Heads,
    inner: i64,
    act: UnaryFn,
    eps: f64,
    /// Before the names of the base model's tensors.
    pub(super) prefix: &'static str,
}

/// Where tokens stand.
pub(super) enum Places {
    /// By the input `position_ids`: 0, 1, 2, .. unless it says otherwise.
    Given,
    /// Counted from `padding + 1`, over tokens that are not `padding`, which stand at `padding`.
    After { padding: i64 },
}

/// Writes a BERT of `class`.
pub(super) fn build(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let class = class.unwrap_or("BertModel");
    let bert = Bert::read(config, "bert.", class != "BertModel", l)?;
    let hidden = bert.encode(l, &Places::Given)?;
    match class {
        "BertModel" => {
            l.output("last_hidden_state", hidden);
            if l.has(&format!("{}pooler.dense.weight", bert.prefix)) {
                let pooled = bert.pool(l, hidden)?;
                l.output("pooler_output", pooled);
            }
        }
        "BertForMaskedLM" => {
            let logits = bert.predict(l, hidden)?;
            l.output("logits", logits);
        }
        "BertForSequenceClassification" => {
            let pooled = bert.pool(l, hidden)?;
            let logits = bert.classify(l, "classifier", labels(config)?, pooled)?;
            l.output("logits", logits);
        }
        "BertForTokenClassification" => {
            let logits = bert.classify(l, "classifier", labels(config)?, hidden)?;
            l.output("logits", logits);
        }
        "BertForQuestionAnswering" => answer(l, bert.hidden, hidden)?,
        "BertForNextSentencePrediction" => {
            let pooled = bert.pool(l, hidden)?;
            let logits = bert.classify(l, "cls.seq_relationship", 2, pooled)?;
            l.output("logits", logits);
        }
        "BertForPreTraining" => {
            let (pooled, logits) = (bert.pool(l, hidden)?, bert.predict(l, hidden)?);
            l.output("prediction_logits", logits);
            let logits = bert.classify(l, "cls.seq_relationship", 2, pooled)?;
            l.output("seq_relationship_logits", logits);
        }
        _ => return Err(config.unsupported("architectures", CLASSES)),
    }
    Ok(hidden)
}

/// Scores of each token as the first and the last of an answer, for `x` of `hidden` elements.
pub(super) fn answer(l: &mut Layers, hidden: i64, x: ValueId) -> Result<(), ImportError> {
    let both = l.linear("qa_outputs", [hidden, 2], true, x)?;
    for (column, name) in [(0, "start_logits"), (1, "end_logits")] {
        let logits = l.column(column, both);
        l.output(name, logits);
    }
    Ok(())
}

impl<'a> Bert<'a> {
    /// Sizes by `config`; names of tensors may begin with `prefix`, and do if there is a head.
    pub(super) fn read(
        config: &'a Config,
        prefix: &'static str,
        headed: bool,
        l: &Layers,
    ) -> Result<Self, ImportError> {
        for key in ["is_decoder", "add_cross_attention"] {
            if config.flag(key, false)? {
                return Err(config.unsupported(key, "false"));
            }
        }
        if !matches!(
            config.text("position_embedding_type")?,
            None | Some("absolute")
        ) {
            return Err(config.unsupported("position_embedding_type", "absolute"));
        }
        let hidden = config.size("hidden_size", 768, limit::WIDTH)?;
        let heads = config.size("num_attention_heads", 12, limit::HEADS)?;
        divides(
            config,
            ("hidden_size", hidden),
            ("num_attention_heads", heads),
        )?;
        Ok(Self {
            config,
            hidden,
            heads: Heads {
                queries: heads,
                keys: heads,
                size: hidden / heads,
            },
            inner: config.size("intermediate_size", 3072, limit::WIDTH)?,
            act: activation(config, "hidden_act", UnaryFn::Gelu)?,
            eps: config.number("layer_norm_eps", 1e-12)?,
            prefix: l.stored_prefix(prefix, headed),
        })
    }

    /// Layer normalisation.
    pub(super) fn norm(
        &self,
        l: &mut Layers,
        name: &str,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        l.layer_norm(name, self.hidden, self.eps, x)
    }

    /// Embeddings and all layers.
    pub(super) fn encode(&self, l: &mut Layers, places: &Places) -> Result<ValueId, ImportError> {
        let (c, d, p) = (self.config, self.hidden, self.prefix);
        let vocabulary = c.size("vocab_size", 30_522, limit::VOCABULARY)?;
        let positions = c.size("max_position_embeddings", 512, limit::POSITIONS)?;
        let types = c.size("type_vocab_size", 2, limit::VOCABULARY)?;
        l.limit_sequence(places.left(c, positions)?);
        let ids = l.input("input_ids", Absent::Required, vocabulary);
        let mask = l.attention_mask();
        let mask = l.additive_mask(mask);
        let type_ids = l.input("token_type_ids", Absent::Zeros, types);
        let position_ids = match *places {
            Places::Given => l.input("position_ids", Absent::Positions, positions),
            Places::After { padding } => l.positions_after(padding, ids),
        };

        let words = l.embed(
            &format!("{p}embeddings.word_embeddings.weight"),
            [vocabulary, d],
            ids,
        )?;
        let kinds = l.embed(
            &format!("{p}embeddings.token_type_embeddings.weight"),
            [types, d],
            type_ids,
        )?;
        let places = l.embed(
            &format!("{p}embeddings.position_embeddings.weight"),
            [positions, d],
            position_ids,
        )?;
        let x = l.add(words, kinds);
        let x = l.add(x, places);
        let mut x = self.norm(l, &format!("{p}embeddings.LayerNorm"), x)?;
        for i in 0..c.size("num_hidden_layers", 12, limit::LAYERS)? {
            x = self.layer(l, &format!("{p}encoder.layer.{i}"), mask, x)?;
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
        let (d, inner) = (self.hidden, self.inner);
        let heads = self.attend(l, &format!("{name}.attention.self"), mask, x)?;
        let y = l.linear(
            &format!("{name}.attention.output.dense"),
            [d, d],
            true,
            heads,
        )?;
        let y = l.add(y, x);
        let x = self.norm(l, &format!("{name}.attention.output.LayerNorm"), y)?;
        let y = l.linear(&format!("{name}.intermediate.dense"), [d, inner], true, x)?;
        let y = l.unary(self.act, y);
        let y = l.linear(&format!("{name}.output.dense"), [inner, d], true, y)?;
        let y = l.add(y, x);
        self.norm(l, &format!("{name}.output.LayerNorm"), y)
    }

    /// `softmax(q k^T / sqrt(size) + mask) v` for each head, as exporters write it.
    fn attend(
        &self,
        l: &mut Layers,
        name: &str,
        mask: ValueId,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        let Heads {
            queries: heads,
            size,
            ..
        } = self.heads;
        let mut project = |part| {
            let y = l.linear(
                &format!("{name}.{part}"),
                [self.hidden, self.hidden],
                true,
                x,
            )?;
            Ok::<_, ImportError>(l.split_heads(heads, size, y))
        };
        let (q, k, v) = (project("query")?, project("key")?, project("value")?);
        Ok(l.attention([q, k, v], (size as f64).powf(-0.5), Some(mask)))
    }

    /// `tanh(W x_0 + b)` of the first token.
    pub(super) fn pool(&self, l: &mut Layers, x: ValueId) -> Result<ValueId, ImportError> {
        let (name, d) = (format!("{}pooler.dense", self.prefix), self.hidden);
        let first = l.first_token(x);
        let y = l.linear(&name, [d, d], true, first)?;
        Ok(l.unary(UnaryFn::Tanh, y))
    }

    /// Scores of each token of the vocabulary.
    fn predict(&self, l: &mut Layers, x: ValueId) -> Result<ValueId, ImportError> {
        let d = self.hidden;
        let vocabulary = self.config.size("vocab_size", 30_522, limit::VOCABULARY)?;
        let y = l.linear("cls.predictions.transform.dense", [d, d], true, x)?;
        let y = l.unary(self.act, y);
        let y = self.norm(l, "cls.predictions.transform.LayerNorm", y)?;
        let tied = self.config.flag("tie_word_embeddings", true)?;
        let decoder = "cls.predictions.decoder";
        let table = format!("{}embeddings.word_embeddings", self.prefix);
        let head = l.head(decoder, tied.then_some(&table), "weight");
        let y = l.linear(head, [d, vocabulary], false, y)?;
        let bias = l.head(decoder, tied.then_some("cls.predictions"), "bias");
        l.shift(bias, vocabulary, y)
    }

    /// Scores of classes, for each vector of `x`.
    pub(super) fn classify(
        &self,
        l: &mut Layers,
        name: &str,
        labels: i64,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        l.linear(name, [self.hidden, labels], true, x)
    }
}

impl Places {
    /// How many tokens `positions` are enough for.
    fn left(&self, config: &Config, positions: i64) -> Result<i64, ImportError> {
        match *self {
            Self::Given => Ok(positions),
            Self::After { padding } if padding + 1 < positions => Ok(positions - padding - 1),
            Self::After { padding } => {
                let wanted = format!("more than pad_token_id + 1, {}", padding + 1);
                Err(config.wrong("max_position_embeddings", wanted))
            }
        }
    }
}
