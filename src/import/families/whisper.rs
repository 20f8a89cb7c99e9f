//! Whisper; Radford et al. 2022 (arXiv:2212.04356), section 2.2: two convolutions over a spectrogram, an encoder, and a decoder
//! of what was said.

use ir::{
    Dim, UnaryFn, ValueId,
    ops::{Concat, MatMul, Pad},
};

use super::{
    block::{Block, USUAL},
    limit,
};
use crate::import::{
    ImportError, activation::activation, attention::Causal, config::Config, layers::Layers,
};

/// The head where a base model or a tied one leaves it unused.
pub(super) const IGNORED: &[&str] = &["proj_out.weight"];

const CLASSES: &str = "WhisperModel, WhisperForConditionalGeneration, WhisperEncoder";
/// Source: `torch.nn.LayerNorm`.
const EPS: f64 = 1e-5;
/// Most frames of a spectrogram after the convolutions.
const FRAMES: i64 = 1 << 20;
/// Taps of a convolution.
const TAPS: i64 = 3;

/// Writes a Whisper of `class`.
pub(super) fn build(
    config: &Config,
    class: Option<&str>,
    l: &mut Layers,
) -> Result<ValueId, ImportError> {
    let headed = match class.unwrap_or("WhisperModel") {
        "WhisperEncoder" => {
            let memory = encode(config, l, "")?;
            l.output("last_hidden_state", memory);
            return Ok(memory);
        }
        "WhisperModel" => false,
        "WhisperForConditionalGeneration" => true,
        _ => return Err(config.unsupported("architectures", CLASSES)),
    };
    let p = l.stored_prefix("model.", headed);
    let memory = encode(config, l, &format!("{p}encoder."))?;
    let part = format!("{p}decoder");
    let words = config.size("vocab_size", 51_865, limit::VOCABULARY)?;
    let x = decode(config, l, &part, words, memory)?;
    if headed {
        let tied = config.flag("tie_word_embeddings", true)?;
        let table = format!("{part}.embed_tokens");
        let head = l.head("proj_out", tied.then_some(&table), "weight");
        let d = config.size("d_model", 384, limit::WIDTH)?;
        let logits = l.linear(head, [d, words], false, x)?;
        l.output("logits", logits);
    } else {
        l.output("last_hidden_state", x);
    }
    l.output("encoder_last_hidden_state", memory);
    Ok(memory)
}

/// Layers of one side.
fn block(config: &Config, heads: &str, inner: &str) -> Result<Block, ImportError> {
    let act = activation(config, "activation_function", UnaryFn::Gelu)?;
    let keys = [("d_model", 384), (heads, 6), (inner, 1536)];
    Ok(Block {
        bias: [true, false, true],
        ..Block::read(config, keys, act, EPS, USUAL)?
    })
}

/// The encoder, whose tensors begin with `p`.
fn encode(config: &Config, l: &mut Layers, p: &str) -> Result<ValueId, ImportError> {
    let block = block(config, "encoder_attention_heads", "encoder_ffn_dim")?;
    let d = block.hidden;
    let bins = config.size("num_mel_bins", 80, limit::HEADS)?;
    let frames = config.size("max_source_positions", 1500, FRAMES)?;
    let shape = vec![Dim::symbol("batch"), bins.into(), (2 * frames).into()];
    let x = l.numbers("input_features", shape);
    let x = l.permute(&[0, 2, 1], x);
    let x = convolve(l, &format!("{p}conv1"), [bins, d], [2 * frames, 1], x)?;
    let x = convolve(l, &format!("{p}conv2"), [d, d], [2 * frames, 2], x)?;
    let places = l.weight(&format!("{p}embed_positions.weight"), &[frames, d])?;
    let mut x = l.add(x, places);
    let look = |l: &mut Layers, parts| l.attention(parts, block.scale(), None);
    for i in 0..config.size("encoder_layers", 4, limit::LAYERS)? {
        x = block.layer(l, &format!("{p}layers.{i}"), look, x)?;
    }
    block.norm(l, &format!("{p}layer_norm"), x)
}

/// `gelu` of a convolution with three taps, a frame of zeros on either side: frames `[batch, frames, from]`, of which every
/// `step`-th is in the middle of one, become `[batch, frames / step, to]`.
fn convolve(
    l: &mut Layers,
    name: &str,
    [from, to]: [i64; 2],
    [frames, step]: [i64; 2],
    x: ValueId,
) -> Result<ValueId, ImportError> {
    let sides: Vec<Dim> = [0i64, 1, 0].map(Dim::from).into();
    let pad = Pad {
        lo: sides.clone(),
        hi: sides,
        value: 0.0.into(),
    };
    let x = l.op(pad, &[x]);
    let taps: Vec<ValueId> = (0..TAPS)
        .map(|tap| l.stride(1, [tap, frames / step, step], x))
        .collect();
    let x = l.op(Concat { axis: 2 }, &taps);
    let kernels = l.weight(&format!("{name}.weight"), &[to, from, TAPS])?;
    let kernels = l.permute(&[0, 2, 1], kernels);
    let kernels = l.reshape([to.into(), (TAPS * from).into()], kernels);
    let y = l.op(
        MatMul {
            ta: false,
            tb: true,
        },
        &[x, kernels],
    );
    let y = l.shift(name, to, y)?;
    Ok(l.unary(UnaryFn::Gelu, y))
}

/// The decoder `part` of what the encoder has seen.
fn decode(
    config: &Config,
    l: &mut Layers,
    part: &str,
    words: i64,
    memory: ValueId,
) -> Result<ValueId, ImportError> {
    let block = block(config, "decoder_attention_heads", "decoder_ffn_dim")?;
    let d = block.hidden;
    let positions = config.size("max_target_positions", 448, limit::POSITIONS)?;
    let (ids, mask) = l.decoder_inputs(words, positions);
    let x = l.embed(&format!("{part}.embed_tokens.weight"), [words, d], ids)?;
    let places = l.places(0, Dim::symbol("decoder_seq"));
    let places = l.embed(
        &format!("{part}.embed_positions.weight"),
        [positions, d],
        places,
    )?;
    let mut x = l.add(x, places);
    let how = Causal::of(block.size(), mask);
    let own = |l: &mut Layers, parts| l.causal_attention(parts, &how);
    let across = |l: &mut Layers, parts| l.attention(parts, block.scale(), None);
    for i in 0..config.size("decoder_layers", 4, limit::LAYERS)? {
        let name = format!("{part}.layers.{i}");
        let y = block.norm(l, &format!("{name}.self_attn_layer_norm"), x)?;
        let y = block.attend(l, &format!("{name}.self_attn"), own, [y, y])?;
        x = l.add(x, y);
        let y = block.norm(l, &format!("{name}.encoder_attn_layer_norm"), x)?;
        let y = block.attend(l, &format!("{name}.encoder_attn"), across, [y, memory])?;
        x = l.add(x, y);
        let y = block.norm(l, &format!("{name}.final_layer_norm"), x)?;
        let y = block.feed_forward(l, &name, y)?;
        x = l.add(x, y);
    }
    block.norm(l, &format!("{part}.layer_norm"), x)
}
