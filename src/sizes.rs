//! The sizes that a model is compiled for.

use ir::{Graph, GraphError, Sizes};

/// `sizes` with defaults for the symbols that are left out: 128 or the largest allowed for `seq`, the
/// smallest allowed for the others.
///
/// # Errors
/// A size that the graph does not have or allow.
pub(crate) fn complete(graph: &Graph, sizes: &Sizes) -> Result<Sizes, GraphError> {
    let mut all: Sizes = graph
        .symbols()
        .iter()
        .map(|(s, b)| {
            (
                s.clone(),
                if s.name() == "seq" {
                    b.max.min(128)
                } else {
                    b.min
                },
            )
        })
        .collect();
    for (s, n) in sizes {
        all.insert(s.clone(), *n);
    }
    graph.check_sizes(&all)?;
    Ok(all)
}
