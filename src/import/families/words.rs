//! What decoders with layers of their own share: tokens in, and scores of the next one out.

use ir::{ValueId, ops::Absent};

use super::limit;
use crate::import::{ImportError, config::Config, layers::Layers};

/// The words of a decoder.
pub(super) struct Words {
    /// Before the names of the base model's tensors.
    pub(super) prefix: &'static str,
    /// How many there are.
    pub(super) count: i64,
    hidden: i64,
    table: String,
    head: &'static str,
    headed: bool,
    tied: bool,
}

/// Names of a family, and what it takes values to be where config.json is silent.
pub(super) struct Names {
    /// Class of the base model, and of the one with a head.
    pub(super) classes: [&'static str; 2],
    /// Before the names of the base model's tensors, where there is a head.
    pub(super) prefix: &'static str,
    /// The table of words.
    pub(super) table: &'static str,
    /// The head.
    pub(super) head: &'static str,
    /// The key of the number of words.
    pub(super) key: &'static str,
    pub(super) count: i64,
    pub(super) tied: bool,
}

/// Most of the decoders.
pub(super) const USUAL: Names = Names {
    classes: ["", ""],
    prefix: "transformer.",
    table: "word_embeddings",
    head: "lm_head",
    key: "vocab_size",
    count: 0,
    tied: true,
};

impl Words {
    /// Words of `hidden` numbers by `config`, for `class`.
    pub(super) fn read(
        config: &Config,
        class: Option<&str>,
        names: &Names,
        hidden: i64,
        l: &Layers,
    ) -> Result<Self, ImportError> {
        let [base, with_head] = names.classes;
        let headed = match class.unwrap_or(base) {
            c if c == base => false,
            c if c == with_head => true,
            _ => return Err(config.unsupported("architectures", names.classes.join(", "))),
        };
        let prefix = l.stored_prefix(names.prefix, headed);
        Ok(Self {
            prefix,
            count: config.size(names.key, names.count, limit::VOCABULARY)?,
            hidden,
            table: format!("{prefix}{}", names.table),
            head: names.head,
            headed,
            tied: config.flag("tie_word_embeddings", names.tied)?,
        })
    }

    /// The inputs `input_ids` and `attention_mask`: words of at most `positions` tokens, and what to add to scores.
    pub(super) fn begin(
        &self,
        l: &mut Layers,
        positions: i64,
    ) -> Result<(ValueId, ValueId), ImportError> {
        l.limit_sequence(positions);
        let ids = l.input("input_ids", Absent::Required, self.count);
        let mask = l.attention_mask();
        let mask = l.additive_mask(mask);
        let x = l.embed(
            &format!("{}.weight", self.table),
            [self.count, self.hidden],
            ids,
        )?;
        Ok((x, mask))
    }

    /// The outputs: `x`, or scores of the next word; gives `x`.
    pub(super) fn end(&self, l: &mut Layers, x: ValueId) -> Result<ValueId, ImportError> {
        if self.headed {
            let head = l.head(self.head, self.tied.then_some(&self.table), "weight");
            let asked = l.asked(x);
            let logits = l.linear(head, [self.hidden, self.count], false, asked)?;
            l.output("logits", logits);
        } else {
            l.output("last_hidden_state", x);
        }
        Ok(x)
    }
}
