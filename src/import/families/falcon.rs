//! Falcon; Almazrouei et al. 2023 (arXiv:2311.16867), section 4.3: attention and feed-forward part side by side, queries that
//! share keys. `alibi` is Falcon-RW's form: Penedo et al. 2023 (arXiv:2306.01116), section 4.1.

use half::bf16;
use ir::{UnaryFn, ValueId, ops::Absent};

use super::{
    divides, known_as, limit,
    words::{Names, USUAL, Words},
};
use crate::import::{
    ImportError,
    activation::activation,
    attention::{Causal, alibi_slopes},
    config::Config,
    layers::{Heads, Layers},
    rope::{Rope, Turns},
};

/// Buffers, and the head where a base model or a tied one leaves it unused.
pub(super) const IGNORED: &[&str] = &["*rotary_emb.inv_freq", "lm_head.weight"];

const NAMES: Names = Names {
    classes: ["FalconModel", "FalconForCausalLM"],
    count: 65_024,
    ..USUAL
};

/// What a layer's norms are, and what the feed-forward part reads.
#[derive(Clone, Copy)]
enum Form {
    /// One norm for both parts.
    Shared,
    /// One norm for each part.
    Apart,
    /// The feed-forward part reads what attention leaves, through a norm of its own.
    InTurn,
}

struct Falcon {
    hidden: i64,
    heads: Heads,
    inner: i64,
    act: UnaryFn,
    eps: f64,
    bias: bool,
    form: Form,
}

/// Writes a Falcon of `class`.
pub(super) fn build(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let falcon = Falcon::read(config)?;
    let words = Words::read(config, class, &NAMES, falcon.hidden, l)?;
    let positions = config.size("max_position_embeddings", 2048, limit::POSITIONS)?;
    let layers = config.size("num_hidden_layers", 32, limit::LAYERS)?;
    let size = falcon.heads.size;
    let (mut x, mask) = words.begin(l, positions)?;
    let mut look = Causal::of(size, mask);
    let turns = if config.flag("alibi", false)? {
        // `transformers` rounds slopes to bf16, and scales them as the scores.
        let slopes = alibi_slopes(falcon.heads.queries).into_iter();
        let slopes = slopes.map(|s| bf16::from_f32(s).to_f32() / (size as f32).sqrt());
        look.slopes = Some(l.made("alibi.slopes", slopes.collect()));
        None
    } else {
        let rope = Rope::read(config, size, None, positions)?;
        let position_ids = l.input("position_ids", Absent::Positions, rope.below);
        Some(rope.turns(l, position_ids))
    };
    for i in 0..layers {
        x = falcon.layer(l, &format!("{}h.{i}", words.prefix), turns, &look, x)?;
    }
    let x = falcon.norm(l, &format!("{}ln_f", words.prefix), x)?;
    words.end(l, x)
}

impl Falcon {
    fn read(config: &Config) -> Result<Self, ImportError> {
        let width = known_as(config, "hidden_size", "n_embed");
        let hidden = config.size(width, 4544, limit::WIDTH)?;
        let queries = config.size("num_attention_heads", 71, limit::HEADS)?;
        divides(config, (width, hidden), ("num_attention_heads", queries))?;
        let new = config.flag("new_decoder_architecture", false)?;
        let keys = match (new, config.flag("multi_query", true)?) {
            (true, _) => config.size("num_kv_heads", queries, limit::HEADS)?,
            (false, true) => 1,
            (false, false) => queries,
        };
        divides(
            config,
            ("num_attention_heads", queries),
            ("num_kv_heads", keys),
        )?;
        Ok(Self {
            hidden,
            heads: Heads {
                queries,
                keys,
                size: hidden / queries,
            },
            inner: config.size("ffn_hidden_size", 4 * hidden, 4 * limit::WIDTH)?,
            act: activation(config, "activation", UnaryFn::Gelu)?,
            eps: config.number("layer_norm_epsilon", 1e-5)?,
            bias: config.flag("bias", false)?,
            form: Form::read(config, new)?,
        })
    }

    fn norm(&self, l: &mut Layers, name: &str, x: ValueId) -> Result<ValueId, ImportError> {
        l.layer_norm(name, self.hidden, self.eps, x)
    }

    fn layer(
        &self,
        l: &mut Layers,
        name: &str,
        turns: Option<Turns>,
        look: &Causal,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        let norm = |l: &mut Layers, part: &str, x| self.norm(l, &format!("{name}.{part}"), x);
        let first = match self.form {
            Form::Apart => "ln_attn",
            Form::Shared | Form::InTurn => "input_layernorm",
        };
        let read = norm(l, first, x)?;
        let y = self.attend(l, &format!("{name}.self_attention"), turns, look, read)?;
        let attended = l.add(x, y);
        let read = match self.form {
            Form::Shared => read,
            Form::Apart => norm(l, "ln_mlp", x)?,
            Form::InTurn => norm(l, "post_attention_layernorm", attended)?,
        };
        let (d, inner) = (self.hidden, self.inner);
        let y = l.linear(
            &format!("{name}.mlp.dense_h_to_4h"),
            [d, inner],
            self.bias,
            read,
        )?;
        let y = l.unary(self.act, y);
        let y = l.linear(
            &format!("{name}.mlp.dense_4h_to_h"),
            [inner, d],
            self.bias,
            y,
        )?;
        Ok(l.add(attended, y))
    }

    fn attend(
        &self,
        l: &mut Layers,
        name: &str,
        turns: Option<Turns>,
        look: &Causal,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        let Heads {
            queries,
            keys,
            size,
        } = self.heads;
        let d = self.hidden;
        let shape = [d, (queries + 2 * keys) * size];
        let all = l.linear(&format!("{name}.query_key_value"), shape, self.bias, x)?;
        let [mut q, mut k, v] = l.split_groups(self.heads, all);
        if let Some(turns) = turns {
            (q, k) = (turns.turn(l, false, q), turns.turn(l, false, k));
        }
        let y = l.causal_attention([q, k, v], look);
        l.linear(&format!("{name}.dense"), [d, d], self.bias, y)
    }
}

impl Form {
    /// What `transformers` has no layers for is refused.
    fn read(config: &Config, new: bool) -> Result<Self, ImportError> {
        let parallel = config.flag("parallel_attn", true)?;
        let key = "num_ln_in_parallel_attn";
        let norms = config.size(key, if new { 2 } else { 1 }, 2)?;
        match (new, parallel, norms) {
            (true, true, 2) => Ok(Self::Apart),
            (true, true, _) | (false, true, 1) => Ok(Self::Shared),
            (false, false, _) => Ok(Self::InTurn),
            (true, false, _) => {
                Err(config.unsupported("parallel_attn", "true, with new_decoder_architecture"))
            }
            (false, true, _) => Err(config.unsupported(key, "1, without new_decoder_architecture")),
        }
    }
}
