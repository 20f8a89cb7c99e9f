//! Decoders whose feed-forward parts are mixtures of experts: Mixtral: Jiang et al. 2024 (arXiv:2401.04088), section 2;
//! Qwen2-MoE: Yang et al. 2024 (arXiv:2407.10671), section 2.2.2; Qwen3-MoE: Qwen Team 2025 (arXiv:2505.09388), section 2.

use ir::{BinaryFn, Dim, Monoid, UnaryFn, ValueId, ops};

use super::{
    decoder::{Absents, Attend, Context, Decoder},
    known_as, limit,
    llama::{LLAMA, layer_types, window},
};
use crate::import::{ImportError, activation::activation, config::Config, layers::Layers};

const MIXTRAL: Absents = Absents {
    classes: ["MixtralModel", "MixtralForCausalLM"],
    inner: 14_336,
    heads: (32, Some(8)),
    positions: 131_072,
    eps: 1e-5,
    ..LLAMA
};

const QWEN2: Absents = Absents {
    classes: ["Qwen2MoeModel", "Qwen2MoeForCausalLM"],
    vocabulary: 151_936,
    hidden: 2048,
    inner: 5632,
    layers: 24,
    heads: (16, Some(16)),
    positions: 32_768,
    ..LLAMA
};

const QWEN3: Absents = Absents {
    classes: ["Qwen3MoeModel", "Qwen3MoeForCausalLM"],
    inner: 6144,
    heads: (32, Some(4)),
    ..QWEN2
};

/// How a layer's experts are named, and how they are mixed.
struct Experts {
    /// After the layer's name.
    part: &'static str,
    /// Gate, up and down.
    names: [&'static str; 3],
    /// How many there are.
    count: i64,
    /// How many each token chooses.
    chosen: i64,
    /// Elements between the two halves of each.
    inner: i64,
    /// The shares of the chosen add up to 1.
    shared_out: bool,
    /// Elements between the halves of the expert that every token takes; 0: there is none.
    common: i64,
    act: UnaryFn,
}

/// Writes a Mixtral of `class`.
pub(super) fn build_mixtral(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let config = &config.or("rope_theta", 1e6);
    let decoder = Decoder::read(config, class, &MIXTRAL, l)?;
    let attend = Attend {
        window: window(config, 0)?,
        ..Attend::default()
    };
    let (count, chosen) = counts(config, &decoder, [8, 2])?;
    let experts = Experts {
        part: "block_sparse_moe",
        names: ["w1", "w3", "w2"],
        count,
        chosen,
        inner: decoder.inner,
        shared_out: true,
        common: 0,
        act: activation(config, "hidden_act", UnaryFn::Silu)?,
    };
    build(config, &decoder, &experts, l, |_| true, |_| attend)
}

/// Writes a Qwen2-MoE of `class`: besides the chosen experts, every token takes one that all share.
pub(super) fn build_qwen2(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let decoder = Decoder::read(config, class, &QWEN2, l)?;
    let bias = config.flag("qkv_bias", true)?;
    let window = match config.flag("use_sliding_window", false)? {
        true => window(config, 4096)?,
        false => 0,
    };
    let first = config.count("max_window_layers", 28)? as i64;
    let kinds = layer_types(config, decoder.layers, window)?;
    let slides = |layer: i64| match &kinds {
        Some(kinds) => kinds[layer as usize] == "sliding_attention",
        None => layer % 2 == 0 && layer < first,
    };
    let mut experts = qwen(config, &decoder, 60, 4, 1408)?;
    experts.common = config.size("shared_expert_intermediate_size", 5632, limit::WIDTH)?;
    let sparse = sparse(config)?;
    build(config, &decoder, &experts, l, sparse, |layer| Attend {
        bias,
        window: if slides(layer) { window } else { 0 },
        ..Attend::default()
    })
}

/// Writes a Qwen3-MoE of `class`: heads of queries and keys are normalised.
pub(super) fn build_qwen3(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let decoder = Decoder::read(config, class, &QWEN3, l)?;
    let bias = config.flag("attention_bias", false)?;
    let attend = Attend {
        bias,
        output_bias: bias,
        window: match config.flag("use_sliding_window", false)? {
            true => window(config, 4096)?,
            false => 0,
        },
        norms: true,
        ..Attend::default()
    };
    let experts = qwen(config, &decoder, 128, 8, 768)?;
    let sparse = sparse(config)?;
    build(config, &decoder, &experts, l, sparse, |_| attend)
}

/// Qwen's experts, with its sizes where config.json is silent.
fn qwen(
    config: &Config,
    decoder: &Decoder,
    count: i64,
    chosen: i64,
    inner: i64,
) -> Result<Experts, ImportError> {
    let (count, chosen) = counts(config, decoder, [count, chosen])?;
    Ok(Experts {
        part: "mlp",
        names: ["gate_proj", "up_proj", "down_proj"],
        count,
        chosen,
        inner: config.size("moe_intermediate_size", inner, limit::WIDTH)?,
        shared_out: config.flag("norm_topk_prob", false)?,
        common: 0,
        act: activation(config, "hidden_act", UnaryFn::Silu)?,
    })
}

/// Which of Qwen's layers have experts.
fn sparse(config: &Config) -> Result<impl Fn(i64) -> bool, ImportError> {
    let step = config.size("decoder_sparse_step", 1, limit::LAYERS)?;
    let key = "mlp_only_layers";
    let dense = match config.get(key) {
        None => vec![],
        Some(value) => {
            let all = value.as_array().map(|a| a.iter().map(|n| n.as_i64()));
            let all = all.and_then(|mut a| a.by_ref().collect::<Option<Vec<i64>>>());
            all.ok_or_else(|| config.wrong(key, "a list of integers"))?
        }
    };
    Ok(move |layer: i64| (layer + 1) % step == 0 && !dense.contains(&layer))
}

/// How many experts there are, and how many each token chooses: those of `absent` where config.json is silent.
fn counts(config: &Config, decoder: &Decoder, absent: [i64; 2]) -> Result<(i64, i64), ImportError> {
    let most = (limit::EXPERTS / decoder.layers).clamp(1, limit::EXPERTS_OF_A_LAYER);
    let key = known_as(config, "num_experts", "num_local_experts");
    let count = config.size(key, absent[0], most)?;
    let many = "num_experts_per_tok";
    match config.size(many, absent[1], count)? {
        chosen if chosen <= count => Ok((count, chosen)),
        _ => Err(config.wrong(
            many,
            format!("an integer from 1 to {count}, that of `{key}`"),
        )),
    }
}

/// Each layer: `x + attend(norm(x))`, then `x + mix(norm(x))`, or a feed-forward part where the layer is not `sparse`.
fn build(
    config: &Config,
    decoder: &Decoder,
    experts: &Experts,
    l: &mut Layers,
    sparse: impl Fn(i64) -> bool,
    attend: impl Fn(i64) -> Attend,
) -> Result<ValueId, ImportError> {
    let (mut x, context): (ValueId, Context) = decoder.begin(config, None, l)?;
    for i in 0..decoder.layers {
        let name = format!("{}layers.{i}", decoder.prefix);
        let y = decoder.norm(l, &format!("{name}.input_layernorm"), x)?;
        let y = decoder.attend(l, &format!("{name}.self_attn"), &attend(i), context, y)?;
        x = l.add(x, y);
        let y = decoder.norm(l, &format!("{name}.post_attention_layernorm"), x)?;
        let y = if sparse(i) {
            experts.mix(l, &format!("{name}.{}", experts.part), decoder.hidden, y)?
        } else {
            let shape = [decoder.hidden, decoder.inner];
            unit(l, &format!("{name}.mlp"), shape, experts.act, y)?
        };
        x = l.add(x, y);
    }
    decoder.end(l, x)
}

/// `W_down (act(W_gate x) * W_up x)`.
fn unit(
    l: &mut Layers,
    name: &str,
    [d, inner]: [i64; 2],
    act: UnaryFn,
    x: ValueId,
) -> Result<ValueId, ImportError> {
    let gate = l.linear(&format!("{name}.gate_proj"), [d, inner], false, x)?;
    let gate = l.unary(act, gate);
    let up = l.linear(&format!("{name}.up_proj"), [d, inner], false, x)?;
    let y = l.mul(gate, up);
    l.linear(&format!("{name}.down_proj"), [inner, d], false, y)
}

impl Experts {
    /// The sum of what the chosen experts make of `x: [batch, seq, d]`, each by its share.
    fn mix(&self, l: &mut Layers, name: &str, d: i64, x: ValueId) -> Result<ValueId, ImportError> {
        let (ids, shares) = self.route(l, name, d, x)?;
        let each = |l: &mut Layers, axis: usize, x: ValueId| {
            let mut shape = l.shape(x);
            shape.insert(axis, Dim::from(1));
            l.op(ops::Reshape { shape }, &[x])
        };
        let [gate, up, down] = [0, 1, 2].map(|part| self.weights(l, name, d, part));
        let rows = each(l, 2, x);
        let gate = l.op(ops::ExpertLinear {}, &[rows, gate?, ids]);
        let gate = l.unary(self.act, gate);
        let up = l.op(ops::ExpertLinear {}, &[rows, up?, ids]);
        let inner = l.mul(gate, up);
        let y = l.op(ops::ExpertLinear {}, &[inner, down?, ids]);
        let shares = each(l, 3, shares);
        let y = l.mul(y, shares);
        let mut y = l.fold(Monoid::Sum, 2, false, y);
        if self.common > 0 {
            let shape = [d, self.common];
            let all = unit(l, &format!("{name}.shared_expert"), shape, self.act, x)?;
            let gate = l.linear(&format!("{name}.shared_expert_gate"), [d, 1], false, x)?;
            let gate = l.unary(UnaryFn::Sigmoid, gate);
            let all = l.mul(all, gate);
            y = l.add(y, all);
        }
        Ok(y)
    }

    /// Which experts each token chooses, and the share of each, `[batch, seq, chosen]`.
    fn route(
        &self,
        l: &mut Layers,
        name: &str,
        d: i64,
        x: ValueId,
    ) -> Result<(ValueId, ValueId), ImportError> {
        let scores = l.linear(&format!("{name}.gate"), [d, self.count], false, x)?;
        let shares = l.op(ops::Softmax { axis: 2 }, &[scores]);
        let top = ops::TopK {
            axis: 2,
            k: self.chosen,
            largest: true,
        };
        let ids = l.op(top, &[shares]);
        let mut shares = l.op(ops::TakeAlong { axis: 2 }, &[shares, ids]);
        if self.shared_out {
            let sum = l.fold(Monoid::Sum, 2, true, shares);
            shares = l.binary(BinaryFn::Div, shares, sum);
        }
        Ok((ids, shares))
    }

    /// One of the three matrices of all experts, `[experts, from, to]`.
    fn weights(
        &self,
        l: &mut Layers,
        name: &str,
        d: i64,
        part: usize,
    ) -> Result<ValueId, ImportError> {
        let [from, to] = if part == 2 {
            [self.inner, d]
        } else {
            [d, self.inner]
        };
        let mut all = Vec::new();
        for expert in 0..self.count {
            let name = format!("{name}.experts.{expert}.{}.weight", self.names[part]);
            all.push(l.weight(&name, &[to, from])?);
        }
        let all = l.op(ops::Concat { axis: 0 }, &all);
        let shape = vec![self.count.into(), to.into(), from.into()];
        let all = l.op(ops::Reshape { shape }, &[all]);
        let axes = vec![0, 2, 1];
        Ok(l.op(ops::Permute { axes }, &[all]))
    }
}
