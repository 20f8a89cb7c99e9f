//! Why a graph serves no other sizes.

use ir::{Dim, GraphError, ValueId};

/// An op whose results depend on the sizes of a run in a way that padding cannot make good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value} = {op}: {reason}; help: give one size instead of a range")]
pub struct PadError {
    /// The value.
    pub value: ValueId,
    /// The op.
    pub op: &'static str,
    /// What it does.
    pub reason: PadReason,
}

/// What an op does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PadReason {
    /// It moves elements along an axis whose size is given at run time.
    #[error("it moves elements along an axis whose size is given at run time")]
    Moves,
    /// It counts with such a size in a way that is not its own value.
    #[error("it computes with the size {size}, which is given at run time")]
    Computes {
        /// The size.
        size: Dim,
    },
    /// It folds an axis that is several of them.
    #[error("it folds {size} elements, of which those that are given do not come first")]
    Folds {
        /// The size.
        size: Dim,
    },
    /// It folds something else than elements or their products.
    #[error("it folds what no element leaves as it is")]
    NotMaskable,
    /// An input or output of another size than a symbol.
    #[error("`{name}` has an axis of size {size}; wanted a number, or a name of its own")]
    Output {
        /// The output.
        name: String,
        /// The size.
        size: Dim,
    },
    /// A size of several symbols that nothing says the order of.
    #[error("it has an axis of size {size}, of which nothing says the order")]
    Order {
        /// The size.
        size: Dim,
    },
    /// A collective.
    #[error("it is a collective")]
    Exchange,
    /// What is put beside it does not fit.
    #[error(transparent)]
    Graph(GraphError),
}
