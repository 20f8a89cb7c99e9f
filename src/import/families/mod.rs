//! Model families: one file each, one line for each `model_type` in the table below.

mod bart;
mod bert;
mod block;
mod bloom;
mod chatglm;
mod clip;
mod decoder;
mod distilbert;
mod falcon;
mod gemma;
mod glm;
mod glm130b;
mod gpt2;
mod gpt_neox;
mod llama;
mod moe;
mod mpt;
mod roberta;
mod t5;
mod vit;
mod whisper;
mod words;

use ir::ValueId;

use super::{ImportError, config::Config, layers::Layers};

/// How one `model_type` becomes a graph.
pub(super) struct Family {
    /// As in config.json.
    pub(super) model_type: &'static str,
    /// Writes the graph of the class named, or of the base model if there is none; gives the last hidden state.
    pub(super) build: fn(&Config, Option<&str>, &mut Layers) -> Result<ValueId, ImportError>,
    /// Stored tensors that a class may leave unused, with a `*` at one end.
    pub(super) ignored: &'static [&'static str],
}

const fn family(
    model_type: &'static str,
    build: fn(&Config, Option<&str>, &mut Layers) -> Result<ValueId, ImportError>,
    ignored: &'static [&'static str],
) -> Family {
    Family {
        model_type,
        build,
        ignored,
    }
}

/// Every `model_type` that can be imported.
pub(super) const FAMILIES: &[Family] = &[
    family("bert", bert::build, bert::IGNORED),
    family("roberta", roberta::build_roberta, roberta::IGNORED),
    family("xlm-roberta", roberta::build_xlm_roberta, roberta::IGNORED),
    family("distilbert", distilbert::build, distilbert::IGNORED),
    family("vit", vit::build, vit::IGNORED),
    family("clip", clip::build, clip::IGNORED),
    family("clip_text_model", clip::build_text, clip::IGNORED),
    family("clip_vision_model", clip::build_vision, clip::IGNORED),
    family("gpt2", gpt2::build, gpt2::IGNORED),
    family("llama", llama::build_llama, decoder::IGNORED),
    family("mistral", llama::build_mistral, decoder::IGNORED),
    family("qwen2", llama::build_qwen2, decoder::IGNORED),
    family("qwen3", llama::build_qwen3, decoder::IGNORED),
    family("phi3", llama::build_phi3, decoder::IGNORED),
    family("mixtral", moe::build_mixtral, decoder::IGNORED),
    family("qwen2_moe", moe::build_qwen2, decoder::IGNORED),
    family("qwen3_moe", moe::build_qwen3, decoder::IGNORED),
    family("gemma", gemma::build_gemma, decoder::IGNORED),
    family("gemma2", gemma::build_gemma2, decoder::IGNORED),
    family("gpt_neox", gpt_neox::build, gpt_neox::IGNORED),
    family("bloom", bloom::build, bloom::IGNORED),
    family("falcon", falcon::build, falcon::IGNORED),
    family("mpt", mpt::build, mpt::IGNORED),
    family("t5", t5::build, t5::IGNORED),
    family("bart", bart::build, bart::IGNORED),
    family("whisper", whisper::build, whisper::IGNORED),
    family("chatglm", chatglm::build, chatglm::IGNORED),
    family("glm130b", glm130b::build, glm130b::IGNORED),
    family("glm", glm::build_glm, decoder::IGNORED),
    family("glm4", glm::build_glm4, decoder::IGNORED),
];

/// Limits on sizes in a configuration, several times those of the largest models known (2026), so that
/// products of sizes stay below 2^63 and a graph below a million nodes.
mod limit {
    /// Elements of a hidden state, and of what a feed-forward layer widens it to.
    pub(super) const WIDTH: i64 = 1 << 20;
    /// Layers.
    pub(super) const LAYERS: i64 = 1024;
    /// Heads.
    pub(super) const HEADS: i64 = 1 << 12;
    /// Tokens of a vocabulary.
    pub(super) const VOCABULARY: i64 = 1 << 24;
    /// Tokens of a sequence.
    pub(super) const POSITIONS: i64 = 1 << 24;
    /// Experts of all layers.
    pub(super) const EXPERTS: i64 = 1 << 17;
    /// Experts of one layer.
    pub(super) const EXPERTS_OF_A_LAYER: i64 = 1 << 12;
    /// Images beside the sequences of one run.
    pub(super) const BATCH: i64 = 1024;
}

/// `alias`, another name of the key `name`, if `config` has it: that of other families wins. Source: `attribute_map`.
fn known_as<'a>(config: &Config, name: &'a str, alias: &'a str) -> &'a str {
    match config.get(alias) {
        Some(_) => alias,
        None => name,
    }
}

/// How many classes a classifier has.
fn labels(config: &Config) -> Result<i64, ImportError> {
    match config.section("id2label")? {
        Some(labels) => Ok(labels.len().max(1)),
        None => config.size("num_labels", 2, limit::WIDTH),
    }
}

/// `parts` after `whole` was found to be a multiple of it.
fn divides(config: &Config, whole: (&str, i64), parts: (&str, i64)) -> Result<i64, ImportError> {
    if whole.1 % parts.1 != 0 {
        let wanted = format!("a multiple of {}, {}", parts.0, parts.1);
        return Err(config.wrong(whole.0, wanted));
    }
    Ok(parts.1)
}
