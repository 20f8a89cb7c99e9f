//! Graphs as text: a model of its own, with the safetensors file of the same name beside it, if there is one.

use std::{collections::BTreeSet, path::Path};

use ir::{Graph, ops::Leaf, text::parse};

use super::{ImportError, config::read, weights::Weights};

/// Most bytes of a text.
const LIMIT: u64 = 64 << 20;

/// The graph that `file` spells.
pub(super) fn read_graph(file: &Path) -> Result<Graph, ImportError> {
    let bytes = read(file, LIMIT)?;
    let text = String::from_utf8(bytes).map_err(|e| ImportError::NotText {
        file: file.into(),
        position: e.utf8_error().valid_up_to(),
    })?;
    parse(&text).map_err(|source| ImportError::Text {
        file: file.into(),
        source: source.into(),
    })
}

/// The weights of `graph`, which `file` spells: none if there is no safetensors file, else exactly those it names.
pub(super) fn open_weights(file: &Path, graph: &Graph) -> Result<Weights, ImportError> {
    let beside = file.with_extension("safetensors");
    if !beside.is_file() {
        return Ok(Weights::default());
    }
    let weights = Weights::of_file(beside)?;
    let mut named = BTreeSet::new();
    for node in graph.nodes() {
        if let Some(Leaf::Weight(weight)) = node.op.leaf() {
            weights.check_type(&weight.name, &weight.ty)?;
            named.insert(weight.name.as_str());
        }
    }
    let extra: Vec<_> = weights
        .names()
        .filter(|name| !named.contains(*name))
        .collect();
    if extra.is_empty() {
        Ok(weights)
    } else {
        Err(weights.extra(&extra))
    }
}
