//! Activations by `transformers`' names.

use ir::UnaryFn;

use super::{ImportError, config::Config};

/// Source: `transformers.activations.ACT2CLS`.
const ACTIVATIONS: &[(&str, UnaryFn)] = &[
    ("gelu", UnaryFn::Gelu),
    ("gelu_python", UnaryFn::Gelu),
    ("gelu_new", UnaryFn::GeluTanh),
    ("gelu_fast", UnaryFn::GeluTanh),
    ("gelu_pytorch_tanh", UnaryFn::GeluTanh),
    ("gelu_python_tanh", UnaryFn::GeluTanh),
    ("gelu_accurate", UnaryFn::GeluTanh),
    ("quick_gelu", UnaryFn::QuickGelu),
    ("relu", UnaryFn::Relu),
    ("sigmoid", UnaryFn::Sigmoid),
    ("silu", UnaryFn::Silu),
    ("swish", UnaryFn::Silu),
    ("tanh", UnaryFn::Tanh),
];

/// The function `word`.
pub(super) fn by_name(word: &str) -> Option<UnaryFn> {
    let found = ACTIVATIONS.iter().find(|(name, _)| *name == word);
    found.map(|(_, f)| *f)
}

/// The function that `key` names; `absent` if there is no such key.
pub(super) fn activation(
    config: &Config,
    key: &str,
    absent: UnaryFn,
) -> Result<UnaryFn, ImportError> {
    let Some(word) = config.text(key)? else {
        return Ok(absent);
    };
    by_name(word).ok_or_else(|| {
        let names: Vec<_> = ACTIVATIONS.iter().map(|(name, _)| *name).collect();
        config.unsupported(key, names.join(", "))
    })
}
