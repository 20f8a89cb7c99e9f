//! Why a model cannot be imported.

use std::{io, path::PathBuf};

use ir::text::TextError;

use super::{onnx::OnnxError, safetensors::SafetensorsError};

/// Why a model cannot be imported. Each message names the file, and the key or tensor in it.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be read.
    #[error("{}: {source}", file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The path leads to no model.
    #[error(
        "{}: wanted a Hugging Face directory with config.json, an .onnx file or a .graph file; found {found}",
        path.display()
    )]
    NotAModel {
        /// As given.
        path: PathBuf,
        /// What is there.
        found: String,
    },
    /// A model that continues no text.
    #[error(
        "{}: wanted a model that generates, found {model}: {reason}; \
         help: `--task generate` takes decoders with a language model's head, such as LlamaForCausalLM",
        path.display()
    )]
    NoDecoder {
        /// The model, or its configuration.
        path: PathBuf,
        /// Its class or type.
        model: String,
        /// Why it does not.
        reason: &'static str,
    },
    /// A file larger than any that is read whole.
    #[error("{}: wanted at most {limit} bytes, found {found}", file.display())]
    TooLarge {
        /// Which file.
        file: PathBuf,
        /// Most bytes that are read.
        limit: u64,
        /// Its size.
        found: u64,
    },
    /// Text that is not the JSON it should be.
    #[error("{}: {source}", file.display())]
    Json {
        /// Which file.
        file: PathBuf,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// Bytes that are no UTF-8.
    #[error("{}: byte {position}: wanted UTF-8", file.display())]
    NotText {
        /// Which file.
        file: PathBuf,
        /// The first byte that does not fit.
        position: usize,
    },
    /// Text that spells no graph.
    #[error("{}: {source}", file.display())]
    Text {
        /// Which file.
        file: PathBuf,
        /// What is wrong, with line and column.
        source: Box<TextError>,
    },
    /// A value of a configuration that cannot be.
    #[error("{}: `{key}`: wanted {wanted}, found {found}", file.display())]
    Config {
        /// Which file.
        file: PathBuf,
        /// The key; keys of nested objects are joined by points.
        key: String,
        /// What fits.
        wanted: String,
        /// What is there.
        found: String,
    },
    /// A feature of a model that has no importer.
    #[error("{}: `{key}`: {found} is not supported; supported: {supported}", file.display())]
    Unsupported {
        /// Which file.
        file: PathBuf,
        /// The key that asks for it.
        key: String,
        /// What is asked for.
        found: String,
        /// What could be asked for.
        supported: String,
    },
    /// A safetensors file that breaks its format.
    #[error("{}: {source}", file.display())]
    Safetensors {
        /// Which file.
        file: PathBuf,
        /// How.
        source: Box<SafetensorsError>,
    },
    /// An ONNX file that is no model, or asks for what is not supported.
    #[error("{}: {source}", file.display())]
    Onnx {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: Box<OnnxError>,
    },
    /// The index of sharded weights disagrees with itself or with a shard.
    #[error("{}: tensor `{tensor}`: {problem}", file.display())]
    Index {
        /// The index.
        file: PathBuf,
        /// Which tensor.
        tensor: String,
        /// What was wanted and found.
        problem: String,
    },
    /// A tensor that the model needs is not in its files.
    #[error("{}: tensor `{tensor}`: wanted shape {wanted:?}, found no such tensor", file.display())]
    MissingTensor {
        /// The weights, or their index.
        file: PathBuf,
        /// Which tensor.
        tensor: String,
        /// The shape that the model asks for.
        wanted: Vec<i64>,
    },
    /// A tensor's shape is not the one the model asks for.
    #[error(
        "{}: tensor `{tensor}`: the model asks for shape {wanted:?}, found {found:?}",
        file.display()
    )]
    TensorShape {
        /// The file that holds it.
        file: PathBuf,
        /// Which tensor.
        tensor: String,
        /// The shape that the model asks for.
        wanted: Vec<i64>,
        /// Its shape in the file.
        found: Vec<i64>,
    },
    /// A tensor's element type is none that a model computes with.
    #[error("{}: tensor `{tensor}`: wanted element type {wanted}, found {found}", file.display())]
    TensorType {
        /// The file that holds it.
        file: PathBuf,
        /// Which tensor.
        tensor: String,
        /// What fits.
        wanted: String,
        /// The file's word for it.
        found: String,
    },
    /// Tensors that the model does not have.
    #[error(
        "{}: wanted only the model's tensors, found {count} more: {names}; \
         help: does `architectures` in config.json name the right class?",
        file.display()
    )]
    ExtraTensors {
        /// The weights, or their index.
        file: PathBuf,
        /// How many.
        count: usize,
        /// The first of them.
        names: String,
    },
}
