//! Models from files: Hugging Face directories, `.onnx` files and `.graph` texts.
//!
//! A family's file reads as its paper's equations; it asks for weights by name and shape, and what is asked for is
//! checked against the files. Nothing is allocated for a size before it was checked: besides the mapped weights, an
//! import takes at most 160 times the bytes of each configuration, 32 times those of an index, 16 times those of a
//! header, and a graph of at most 1024 layers (`tests/import/memory.rs`).

mod activation;
mod attention;
mod cache;
mod config;
mod error;
mod families;
mod generation;
mod layers;
mod onnx;
mod pages;
mod pooling;
mod positions;
mod rope;
mod safetensors;
mod text;
mod weights;

use std::path::Path;

use ir::{DType, Graph, Symbol};

use config::Config;
use families::{FAMILIES, Family};
use layers::{Layers, Source};
use pooling::Modules;

pub use cache::Task;
pub use error::ImportError;
pub use generation::{Generation, generation};
pub use onnx::{NodeError, NodeName, NodeProblem, OnnxError, TensorProblem};
pub use safetensors::SafetensorsError;
pub use weights::Weights;

/// A model: what it computes, and with what.
pub struct Model {
    /// What is computed, over the sizes `batch` and `seq`.
    pub graph: Graph,
    /// The tensors that the graph's weights name.
    pub weights: Weights,
    /// What the model is.
    pub summary: Summary,
}

/// What a model is, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// `model_type` of config.json, or the name of a graph that was given as text.
    pub model_type: String,
    /// The class of `transformers` that the graph equals, if config.json names one.
    pub class: Option<String>,
}

/// The model at `path`: a Hugging Face directory or its config.json, an `.onnx` file, or a `.graph` text, whose weights
/// are in the `.safetensors` file of the same name, if there is one.
///
/// # Errors
/// A file is missing, breaks its format, or asks for what is not supported; the message names it.
pub fn load(path: &Path) -> Result<Model, ImportError> {
    import(path, true, Task::Run)
}

/// The model at `path`, for a task.
///
/// # Errors
/// As [`load`], or the model cannot do it.
pub fn load_for(path: &Path, task: Task) -> Result<Model, ImportError> {
    import(path, true, task)
}

/// The graph of the model at `path`, whose weights may be missing: no weights are read.
///
/// # Errors
/// As [`load`].
pub fn graph_only(path: &Path) -> Result<Graph, ImportError> {
    Ok(import(path, false, Task::Run)?.graph)
}

fn import(path: &Path, weighted: bool, task: Task) -> Result<Model, ImportError> {
    if path.extension().is_some_and(|e| e == "graph") {
        let graph = text::read_graph(path)?;
        let weights = match weighted {
            true => text::open_weights(path, &graph)?,
            false => Weights::default(),
        };
        if task.remembers() {
            return Err(ImportError::NoDecoder {
                path: path.into(),
                model: graph.name().into(),
                reason: "a graph as text does what it says",
            });
        }
        let summary = Summary {
            model_type: graph.name().into(),
            class: None,
        };
        return Ok(Model {
            graph,
            weights,
            summary,
        });
    }
    if path.extension().is_some_and(|e| e == "onnx") && !path.is_dir() {
        let model = onnx::import(path, weighted)?;
        return match task {
            Task::Run => Ok(model),
            _ => Err(ImportError::NoDecoder {
                path: path.into(),
                model: model.graph.name().into(),
                reason: "a graph of ONNX does what it says",
            }),
        };
    }
    let dir = if path.ends_with("config.json") {
        path.parent().unwrap_or(path)
    } else {
        path
    };
    let modules = Modules::read(dir)?;
    let dir = modules.as_ref().map_or(dir, |m| &m.model);
    let file = dir.join("config.json");
    if !file.is_file() {
        let found = if dir.is_dir() {
            "a folder without config.json"
        } else if path.exists() {
            "a file that is neither"
        } else {
            "nothing"
        };
        return Err(ImportError::NotAModel {
            path: modules.map_or_else(|| path.into(), |m| m.model),
            found: found.into(),
        });
    }
    let config = Config::read(&file)?;
    let family = family(&config)?;
    let source = match weighted {
        true => Source::Files(Weights::open(dir)?),
        false => Source::Assumed(stored_type(&config)?),
    };
    build(family, &config, modules.as_ref(), source, task)
}

/// The family that `config` names.
fn family(config: &Config) -> Result<&'static Family, ImportError> {
    let known = || {
        FAMILIES
            .iter()
            .map(|f| f.model_type)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let Some(model_type) = config.text("model_type")? else {
        return Err(config.wrong("model_type", format!("one of {}", known())));
    };
    let family = FAMILIES.iter().find(|f| f.model_type == model_type);
    family.ok_or_else(|| config.unsupported("model_type", known()))
}

/// The model that `config` describes.
fn build(
    family: &Family,
    config: &Config,
    modules: Option<&Modules>,
    source: Source,
    task: Task,
) -> Result<Model, ImportError> {
    // Pooling stands behind the base model, whatever head the checkpoint was trained with.
    let class = match modules {
        Some(_) => None,
        None => config
            .texts("architectures")?
            .and_then(|c| c.first().copied()),
    };
    let mut layers = Layers::new(family.model_type, source, task);
    let hidden = (family.build)(config, class, &mut layers)?;
    if let Some(modules) = modules {
        modules.append(&mut layers, hidden);
    }
    let remembers = layers.remembers();
    let (graph, weights) = layers.finish(family.ignored)?;
    let scores = graph.outputs().iter().any(|o| o.name == "logits");
    if task.remembers() && !(remembers && scores) {
        return Err(ImportError::NoDecoder {
            path: config.file().into(),
            model: class.unwrap_or(family.model_type).into(),
            reason: match remembers {
                true => "it has no head that scores the next token",
                false => "its tokens do not follow from those before",
            },
        });
    }
    let most = graph.symbols().get(&Symbol::new("seq")).map(|b| b.max);
    if let (Some(page), Some(most)) = (task.page(), most)
        && page > most
    {
        return Err(ImportError::NoDecoder {
            path: config.file().into(),
            model: class.unwrap_or(family.model_type).into(),
            reason: "a page has more tokens than the model has positions",
        });
    }
    let summary = Summary {
        model_type: family.model_type.into(),
        class: class.map(Into::into),
    };
    Ok(Model {
        graph,
        weights,
        summary,
    })
}

/// The element type that config.json says weights are stored in.
fn stored_type(config: &Config) -> Result<DType, ImportError> {
    let key = if config.get("dtype").is_some() {
        "dtype"
    } else {
        "torch_dtype"
    };
    match config.text(key)?.unwrap_or("float32") {
        "float32" | "auto" => Ok(DType::F32),
        "float16" => Ok(DType::F16),
        "bfloat16" => Ok(DType::Bf16),
        _ => Err(config.unsupported(key, "float32, float16, bfloat16")),
    }
}
