//! GLM-130B; Zeng et al. 2022 (arXiv:2210.02414), section 2.1: DeepNorm (Wang et al. 2022, arXiv:2203.00555), rotary positions,
//! a feed-forward part gated by gelu, and tokens of the context that all tokens see. Its weights come without a config.json;
//! `docs/models.md` says what to write.

use ir::{
    BinaryFn, DType, Dim, UnaryFn, ValueId,
    ops::{Absent, Cast, Distance},
};

use super::{
    divides, limit,
    words::{Names, USUAL, Words},
};
use crate::import::{
    ImportError,
    config::Config,
    layers::{Heads, Layers},
    rope::{Rope, Turns},
};

/// Buffers.
pub(super) const IGNORED: &[&str] = &["*rotary_emb.inv_freq"];

const NAMES: Names = Names {
    classes: ["Glm130bModel", "Glm130bForConditionalGeneration"],
    count: 150_528,
    ..USUAL
};

/// Source: `RotaryEmbeddingMixin` of SwissArmyTransformer.
const BASE: f64 = 10_000.0;

struct Glm {
    hidden: i64,
    heads: Heads,
    inner: i64,
    eps: f64,
    /// How much more a residual counts: `sqrt(2 layers)`.
    alpha: f64,
}

/// Writes a GLM-130B of `class`.
pub(super) fn build(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let hidden = config.size("hidden_size", 12_288, limit::WIDTH)?;
    let heads = config.size("num_attention_heads", 96, limit::HEADS)?;
    divides(
        config,
        ("hidden_size", hidden),
        ("num_attention_heads", heads),
    )?;
    let size = hidden / heads;
    if size % 2 != 0 {
        return Err(config.wrong("num_attention_heads", "heads of an even number of elements"));
    }
    let layers = config.size("num_layers", 70, limit::LAYERS)?;
    let glm = Glm {
        hidden,
        heads: Heads {
            queries: heads,
            keys: heads,
            size,
        },
        inner: config.size("inner_hidden_size", 8 * hidden / 3, 4 * limit::WIDTH)?,
        eps: config.number("layernorm_epsilon", 1e-5)?,
        alpha: (2.0 * layers as f64).sqrt(),
    };
    let words = Words::read(config, class, &NAMES, hidden, l)?;
    let (mut x, mask) = words.begin(
        l,
        config.size("max_sequence_length", 2048, limit::POSITIONS)?,
    )?;
    let mask = seen(l, mask);
    let position_ids = l.input("position_ids", Absent::Positions, 0);
    let turns = Rope::plain(BASE, size).turns(l, position_ids);
    for i in 0..layers {
        x = glm.layer(l, &format!("{}layers.{i}", words.prefix), turns, mask, x)?;
    }
    let x = glm.norm(l, &format!("{}final_layernorm", words.prefix), x)?;
    words.end(l, x)
}

/// `mask`, where tokens do not see those after them either, unless the input `context_mask` says that they are context.
fn seen(l: &mut Layers, mask: ValueId) -> ValueId {
    let context = l.input("context_mask", Absent::Zeros, 2);
    let context = l.op(Cast { dtype: DType::F32 }, &[context]);
    let only_context = l.additive_mask(context);
    let length = Dim::symbol("seq");
    let distance = Distance {
        rows: length.clone(),
        columns: length,
        dtype: DType::F32,
    };
    let behind = l.op(distance, &[]);
    let zero = l.scalar(0.0);
    let ahead = l.binary(BinaryFn::Lt, behind, zero);
    let ahead = l.op(Cast { dtype: DType::F32 }, &[ahead]);
    let hidden = l.mul(ahead, only_context);
    l.binary(BinaryFn::Min, mask, hidden)
}

impl Glm {
    fn norm(&self, l: &mut Layers, name: &str, x: ValueId) -> Result<ValueId, ImportError> {
        l.layer_norm(name, self.hidden, self.eps, x)
    }

    /// `x = norm(x)`, `x = norm(alpha x + attend(x))`, then `alpha x + W2 (up * gelu(gate))` with `[up, gate] = W1 x`: the norm
    /// behind is that in front of the next.
    fn layer(
        &self,
        l: &mut Layers,
        name: &str,
        turns: Turns,
        mask: ValueId,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        let (d, inner) = (self.hidden, self.inner);
        let alpha = l.scalar(self.alpha);
        let x = self.norm(l, &format!("{name}.input_layernorm"), x)?;
        let y = self.attend(l, &format!("{name}.attention"), turns, mask, x)?;
        let kept = l.mul(x, alpha);
        let x = l.add(kept, y);
        let x = self.norm(l, &format!("{name}.post_attention_layernorm"), x)?;
        let both = l.linear(
            &format!("{name}.mlp.dense_h_to_4h"),
            [d, 2 * inner],
            true,
            x,
        )?;
        let up = l.columns(0, inner, both);
        let gate = l.columns(inner, inner, both);
        let gate = l.unary(UnaryFn::Gelu, gate);
        let y = l.mul(up, gate);
        let y = l.linear(&format!("{name}.mlp.dense_4h_to_h"), [inner, d], true, y)?;
        let kept = l.mul(x, alpha);
        Ok(l.add(kept, y))
    }

    fn attend(
        &self,
        l: &mut Layers,
        name: &str,
        turns: Turns,
        mask: ValueId,
        x: ValueId,
    ) -> Result<ValueId, ImportError> {
        let d = self.hidden;
        let all = l.linear(&format!("{name}.query_key_value"), [d, 3 * d], true, x)?;
        let [q, k, v] = l.split_groups(self.heads, all);
        let (q, k) = (turns.turn(l, false, q), turns.turn(l, false, k));
        let y = l.attention([q, k, v], (self.heads.size as f64).powf(-0.5), Some(mask));
        l.linear(&format!("{name}.dense"), [d, d], true, y)
    }
}
