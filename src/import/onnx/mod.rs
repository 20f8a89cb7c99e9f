//! ONNX files: the protobuf messages that are read, the tensors in them, and one table from operators to graph ops.
//!
//! A node becomes ops as soon as its operands are known. Whole numbers that follow from shapes stay outside of the graph
//! ([`value::Sizes`]), so that chains of Shape, Gather and Concat vanish into the sizes they compute. Nodes that
//! cannot be imported are all listed in one error. Nothing is allocated for a size before it was checked against
//! the bytes that are there.

mod attention;
mod builder;
mod call;
mod contractions;
mod elementwise;
mod error;
mod file;
mod fold;
mod indexing;
mod inputs;
mod microsoft;
mod norms;
mod order;
mod proto;
mod quantized;
mod reductions;
mod rotary;
mod scatter;
mod shapes;
mod slicing;
mod table;
mod tensor;
mod trigonometric;
mod value;
mod walk;
mod windows;

use std::path::Path;

pub use error::{NodeError, NodeName, NodeProblem, OnnxError, TensorProblem};

use super::{ImportError, Model, Summary};

/// The model in `path`; unless it is `weighted`, files beside it are not opened.
pub(super) fn import(path: &Path, weighted: bool) -> Result<Model, ImportError> {
    let model = file::read_model(path)?;
    let folder = file::Folder::of(path, weighted);
    let (graph, weights) = walk::walk(&model, &folder).map_err(|source| ImportError::Onnx {
        file: path.into(),
        source: source.into(),
    })?;
    let summary = Summary {
        model_type: graph.name().into(),
        class: None,
    };
    Ok(Model {
        graph,
        weights,
        summary,
    })
}
