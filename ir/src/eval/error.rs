//! Why a graph cannot be evaluated.

use super::Fault;
use crate::{Symbol, TensorType, ValueId};

/// Why a graph cannot be evaluated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EvalError {
    /// A size is not known.
    #[error("{value}: size `{symbol}` has no value; help: bind the graph first")]
    Unbound {
        /// A value whose type has it.
        value: ValueId,
        /// The size.
        symbol: Symbol,
    },
    /// An input that the graph does not have.
    #[error("input `{name}`: the graph has no such input; it has {known}")]
    UnknownInput {
        /// As given.
        name: String,
        /// The graph's inputs.
        known: String,
    },
    /// An input is not given.
    #[error("input `{name}`: wanted a tensor of {wanted}, found none")]
    MissingInput {
        /// Name of the input.
        name: String,
        /// Its type.
        wanted: Box<TensorType>,
    },
    /// A weight is not given.
    #[error("weight `{name}`: wanted a tensor of {wanted}, found none")]
    MissingWeight {
        /// Name of the weight.
        name: String,
        /// Its type.
        wanted: Box<TensorType>,
    },
    /// An input or a weight has another type.
    #[error("`{name}`: wanted {wanted}, found {found}")]
    LeafType {
        /// Name of the input or weight.
        name: String,
        /// Its type in the graph.
        wanted: Box<TensorType>,
        /// The type of the tensor given.
        found: Box<TensorType>,
    },
    /// An id is too large, or below 0.
    #[error("input `{name}`, element {element}: wanted an id in 0..{below}, found {found}")]
    Id {
        /// Name of the input.
        name: String,
        /// Position of the element, row-major.
        element: usize,
        /// The smallest number that is too large.
        below: i64,
        /// The element.
        found: f64,
    },
    /// An index lies outside its axis.
    #[error("{value}: {op}: {fault}")]
    OutOfRange {
        /// The node.
        value: ValueId,
        /// Its op.
        op: &'static str,
        /// Where; of a term, in the part that fails.
        fault: Fault,
    },
    /// A collective whose sizes are for another number of ranks.
    #[error("{value}: {op}: its sizes do not fit {found} ranks")]
    Ranks {
        /// The node.
        value: ValueId,
        /// Its op.
        op: &'static str,
        /// Number of ranks that run it.
        found: usize,
    },
}
