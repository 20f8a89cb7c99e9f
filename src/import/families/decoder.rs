//! What decoders with rotated heads share: inputs, causal attention, and the head.

use ir::{BinaryFn, UnaryFn, ValueId, ops::Absent};

use super::{divides, limit};
use crate::import::{
    ImportError,
    attention::Causal,
    config::Config,
    layers::{Heads, Layers},
    rope::{Rope, Turns},
};

/// Buffers, and the head where a base model or a tied one leaves it unused.
pub(super) const IGNORED: &[&str] = &["*rotary_emb.inv_freq", "lm_head.weight"];

/// Sizes of a decoder.
pub(super) struct Decoder {
    /// Elements of a hidden state.
    pub(super) hidden: i64,
    /// Attention.
    pub(super) heads: Heads,
    /// Elements between the two halves of a feed-forward layer.
    pub(super) inner: i64,
    /// Layers.
    pub(super) layers: i64,
    /// Epsilon of the norms.
    pub(super) eps: f64,
    vocabulary: i64,
    positions: i64,
    /// Before the names of the base model's tensors.
    pub(super) prefix: &'static str,
    headed: bool,
    /// The head's weights are the table of words.
    pub(super) tied: bool,
}

/// What a `model_type` takes sizes to be where config.json is silent.
pub(super) struct Absents {
    /// Class of the base model, and of the one with a head.
    pub(super) classes: [&'static str; 2],
    pub(super) vocabulary: i64,
    pub(super) hidden: i64,
    pub(super) inner: i64,
    pub(super) layers: i64,
    /// Heads of queries and of keys; none: as many keys as queries.
    pub(super) heads: (i64, Option<i64>),
    /// Elements of a head; none: the hidden state's share.
    pub(super) head_size: Option<i64>,
    pub(super) positions: i64,
    pub(super) eps: f64,
}

/// Attention of one layer.
#[derive(Clone, Copy, Default)]
pub(super) struct Attend {
    /// Queries, keys and values have a bias.
    pub(super) bias: bool,
    /// So has the output.
    pub(super) output_bias: bool,
    /// Keys this far behind are left out; 0 leaves out none.
    pub(super) window: i64,
    /// Pairs that are turned are neighbours, not halves apart.
    pub(super) interleaved: bool,
    /// Queries, keys and values are one projection.
    pub(super) fused: bool,
    /// Each head of queries and of keys is normalised.
    pub(super) norms: bool,
    /// Factor of the scores; none: `1 / sqrt(size)`.
    pub(super) scale: Option<f64>,
    /// Scores are bent into `-softcap..softcap`; 0 leaves them as they are.
    pub(super) softcap: f64,
}

/// The feed-forward part of one layer.
pub(super) struct FeedForward {
    pub(super) act: UnaryFn,
    /// Projections have a bias.
    pub(super) bias: bool,
    /// Gate and up are one projection.
    pub(super) fused: bool,
}

/// What every layer reads.
#[derive(Clone, Copy)]
pub(super) struct Context {
    mask: ValueId,
    turns: Turns,
}

impl Decoder {
    /// Sizes by `config`, for `class`.
    pub(super) fn read(
        config: &Config,
        class: Option<&str>,
        absent: &Absents,
        l: &Layers,
    ) -> Result<Self, ImportError> {
        let [base, headed] = absent.classes;
        let headed = match class.unwrap_or(base) {
            c if c == base => false,
            c if c == headed => true,
            _ => return Err(config.unsupported("architectures", absent.classes.join(", "))),
        };
        let hidden = config.size("hidden_size", absent.hidden, limit::WIDTH)?;
        let queries = config.size("num_attention_heads", absent.heads.0, limit::HEADS)?;
        // Where it is `null`, each query has its own.
        let grouped = !config.has("num_key_value_heads");
        let keys = absent.heads.1.filter(|_| grouped).unwrap_or(queries);
        let keys = config.size("num_key_value_heads", keys, limit::HEADS)?;
        divides(
            config,
            ("num_attention_heads", queries),
            ("num_key_value_heads", keys),
        )?;
        let size = match (config.get("head_dim"), absent.head_size) {
            (None, Some(size)) => size,
            (None, None) => {
                hidden
                    / divides(
                        config,
                        ("hidden_size", hidden),
                        ("num_attention_heads", queries),
                    )?
            }
            (Some(_), _) => config.size("head_dim", 1, limit::WIDTH / queries)?,
        };
        Ok(Self {
            hidden,
            heads: Heads {
                queries,
                keys,
                size,
            },
            inner: config.size("intermediate_size", absent.inner, limit::WIDTH)?,
            layers: config.size("num_hidden_layers", absent.layers, limit::LAYERS)?,
            eps: config.number("rms_norm_eps", absent.eps)?,
            vocabulary: config.size("vocab_size", absent.vocabulary, limit::VOCABULARY)?,
            positions: config.size(
                "max_position_embeddings",
                absent.positions,
                limit::POSITIONS,
            )?,
            prefix: l.stored_prefix("model.", headed),
            headed,
            tied: config.flag("tie_word_embeddings", false)?,
        })
    }

    /// The inputs: embedded tokens, and what every layer reads. A `partial` share of each head is turned, or all of it.
    pub(super) fn begin(
        &self,
        config: &Config,
        partial: Option<f64>,
        l: &mut Layers,
    ) -> Result<(ValueId, Context), ImportError> {
        let rope = Rope::read(config, self.heads.size, partial, self.positions)?;
        l.limit_sequence(match rope.below {
            0 => self.positions,
            below => below,
        });
        let ids = l.input("input_ids", Absent::Required, self.vocabulary);
        let mask = l.attention_mask();
        let mask = l.additive_mask(mask);
        let position_ids = l.input("position_ids", Absent::Positions, rope.below);
        let turns = rope.turns(l, position_ids);
        let table = format!("{}embed_tokens.weight", self.prefix);
        let x = l.embed(&table, [self.vocabulary, self.hidden], ids)?;
        Ok((x, Context { mask, turns }))
    }

    /// Root-mean-square normalisation.
    pub(super) fn norm(
        &self,
        l: &mut Layers,
        name: &str,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        l.rms_norm(name, self.hidden, self.eps, x)
    }

    /// Causal attention over rotated queries and keys, and its output projection.
    pub(super) fn attend(
        &self,
        l: &mut Layers,
        name: &str,
        how: &Attend,
        context: Context,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        let (d, heads) = (self.hidden, self.heads);
        let [q, k, v] = self.project(l, name, how, x)?;
        let turn = |l: &mut Layers, x| context.turns.turn(l, how.interleaved, x);
        let (q, k) = (turn(l, q), turn(l, k));
        let look = Causal {
            window: how.window,
            softcap: how.softcap,
            ..Causal::of(heads.size, context.mask)
        };
        let look = Causal {
            scale: how.scale.unwrap_or(look.scale),
            ..look
        };
        let y = l.causal_attention([q, k, v], &look);
        let shape = [heads.queries * heads.size, d];
        l.linear(&format!("{name}.o_proj"), shape, how.output_bias, y)
    }

    /// Heads of queries, keys and values.
    fn project(
        &self,
        l: &mut Layers,
        name: &str,
        how: &Attend,
        x: ValueId,
    ) -> Result<[ValueId; 3], ImportError> {
        let (d, heads) = (self.hidden, self.heads);
        let Heads {
            queries,
            keys,
            size,
        } = heads;
        if how.fused {
            let shape = [d, (queries + 2 * keys) * size];
            let all = l.linear(&format!("{name}.qkv_proj"), shape, how.bias, x)?;
            return Ok(l.split_thirds(heads, all));
        }
        let mut parts = Vec::new();
        for (part, count) in [("q", queries), ("k", keys), ("v", keys)] {
            let y = l.linear(
                &format!("{name}.{part}_proj"),
                [d, count * size],
                how.bias,
                x,
            )?;
            let y = l.split_heads(count, size, y);
            let normed = how.norms && part != "v";
            parts.push(match normed {
                true => l.rms_norm(&format!("{name}.{part}_norm"), size, self.eps, y)?,
                false => y,
            });
        }
        Ok(parts.try_into().expect("there are three parts"))
    }

    /// `W_down (act(W_gate x) * W_up x)`.
    pub(super) fn feed_forward(
        &self,
        l: &mut Layers,
        name: &str,
        how: &FeedForward,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        let (d, inner) = (self.hidden, self.inner);
        let y = if how.fused {
            let name = format!("{name}.gate_up_proj");
            let both = l.linear(&name, [d, 2 * inner], how.bias, x)?;
            let gate = l.columns(0, inner, both);
            let gate = l.unary(how.act, gate);
            let up = l.columns(inner, inner, both);
            l.mul(up, gate)
        } else {
            let gate = l.linear(&format!("{name}.gate_proj"), [d, inner], how.bias, x)?;
            let gate = l.unary(how.act, gate);
            let up = l.linear(&format!("{name}.up_proj"), [d, inner], how.bias, x)?;
            l.mul(gate, up)
        };
        l.linear(&format!("{name}.down_proj"), [inner, d], how.bias, y)
    }

    /// The last norm and the outputs; gives the last hidden state.
    pub(super) fn end(&self, l: &mut Layers, x: ValueId) -> Result<ValueId, ImportError> {
        let x = self.norm(l, &format!("{}norm", self.prefix), x)?;
        self.finish(l, 0.0, x)
    }

    /// The outputs: `x`, or scores of the next word, bent into `-softcap..softcap` if that is not 0; gives `x`.
    pub(super) fn finish(
        &self,
        l: &mut Layers,
        softcap: f64,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        if self.headed {
            let table = format!("{}embed_tokens", self.prefix);
            let head = l.head("lm_head", self.tied.then_some(&table), "weight");
            let x = l.asked(x);
            let mut logits = l.linear(head, [self.hidden, self.vocabulary], false, x)?;
            if softcap > 0.0 {
                let cap = l.scalar(softcap);
                logits = l.binary(BinaryFn::Div, logits, cap);
                logits = l.unary(UnaryFn::Tanh, logits);
                logits = l.mul(logits, cap);
            }
            l.output("logits", logits);
        } else {
            l.output("last_hidden_state", x);
        }
        Ok(x)
    }
}
