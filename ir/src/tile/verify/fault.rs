//! What can be wrong with a tile program.

use std::fmt;

use super::super::{Counter, Memory, Place, Range, Shape, Var};
use crate::{DType, F64, UnaryFn};

/// Most blocks of a grid.
pub(super) const MOST_BLOCKS: i64 = 1 << 48;
/// Most elements of a tile.
pub(super) const MOST_ELEMENTS: u64 = 1 << 20;

/// The first fault of a tile program.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("tile program `{program}`, {place}: {fault}")]
pub struct VerifyError {
    /// Name of the program.
    pub program: String,
    /// Where the fault stands.
    pub place: Place,
    /// What it is.
    pub fault: Fault,
}

/// Something that a tile program must not have.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// A name that C does not take, or of two arrays.
    #[error("name: wanted a C identifier that no other array has, found `{0}`")]
    Name(String),
    /// A grid without blocks.
    #[error("grid axis {axis}: wanted a size above 0, found {size}")]
    Grid {
        /// Which.
        axis: usize,
        /// Its size.
        size: i64,
    },
    /// More blocks than can be counted.
    #[error("grid: wanted at most {MOST_BLOCKS} blocks, found more")]
    Blocks,
    /// A length below 0.
    #[error("array `{array}`: wanted a length of at least 0, found {len}")]
    Length {
        /// Name of the array.
        array: String,
        /// Its length.
        len: i64,
    },
    /// A second assignment.
    #[error("{0} is assigned before; wanted a new variable")]
    Assigned(Var),
    /// A variable that has no value here.
    #[error("{0} has no value here: wanted a variable assigned before, in this scope or around it")]
    Unassigned(Var),
    /// A second loop of one counter.
    #[error("{0} counts a grid axis or another loop; wanted a new counter")]
    Counted(Counter),
    /// A counter that has no value here.
    #[error("{0} has no value here: wanted a grid axis or a loop around")]
    Uncounted(Counter),
    /// A loop bound that differs between the elements of a tile.
    #[error("loop bound: wanted one number for the block, found `row` or `lane`")]
    ElementBound,
    /// A loop that does not advance.
    #[error("loop step: wanted at least 1, found {0}")]
    Step(i64),
    /// A loop whose rounds are written out no time.
    #[error("loop unroll: wanted at least 1, found 0")]
    Unroll,
    /// An array that the program lacks.
    #[error("{0}: the program has no such array")]
    NoArray(Memory),
    /// A store to a parameter that is not written.
    #[error("store: parameter `{0}` is not declared as written")]
    ReadOnly(String),
    /// An access that no element makes within the array.
    #[error("array `{array}`: wanted offsets within 0..{len}, found {} to {}", found.min, found.max)]
    Outside {
        /// Name of the array.
        array: String,
        /// Its length.
        len: i64,
        /// Where the access lies.
        found: Range,
    },
    /// A divisor that may be 0 or below.
    #[error("divisor: wanted a number above 0, found {} to {}", found.min, found.max)]
    Divisor {
        /// What it may be.
        found: Range,
    },
    /// A dividend that is below 0.
    #[error("dividend: wanted a number of at least 0, found {} to {}", found.min, found.max)]
    Dividend {
        /// What it may be.
        found: Range,
    },
    /// Another element type than wanted.
    #[error("{what}: wanted {wanted}, found {found}")]
    DType {
        /// Variable or array.
        what: String,
        /// What fits.
        wanted: String,
        /// What it is.
        found: DType,
    },
    /// A number that the element type does not hold.
    #[error("splat: {dtype} does not hold {}", value.get())]
    Splat {
        /// The number.
        value: F64,
        /// The element type.
        dtype: DType,
    },
    /// A tile without elements, or with more than any device can hold.
    #[error("shape: wanted 1 to {MOST_ELEMENTS} elements, found {0}")]
    Elements(Shape),
    /// Another shape than wanted.
    #[error("{var}: wanted shape {wanted}, found {found}")]
    Shape {
        /// The variable.
        var: Var,
        /// What fits.
        wanted: Shape,
        /// What it is.
        found: Shape,
    },
    /// Shapes that do not repeat to one.
    #[error("{var}: shape {found} does not repeat to {other}, nor the other way round")]
    Join {
        /// The variable.
        var: Var,
        /// Its shape.
        found: Shape,
        /// The shape of the operands before it.
        other: Shape,
    },
    /// A function that is a term over others.
    #[error("{}: wanted a primitive function; help: expand it when lowering", .0.name())]
    Derived(UnaryFn),
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Param(i) => write!(f, "parameter {i}"),
            Self::Local(i) => write!(f, "local {i}"),
        }
    }
}
