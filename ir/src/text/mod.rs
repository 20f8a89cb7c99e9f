//! The text form of graphs: prints, and parses back to an equal graph.
//!
//! ```text
//! graph "row sums" (batch in 1..64) {
//!   %0 = input {absent = required, below = 0, name = "x", ty = f32[batch,384]} : f32[batch,384]
//!   %1 = sum(%0) {axes = (1), keep = false} : f32[batch]
//!   return y = %1
//! }
//! ```
//!
//! Names of values are free when parsed (`%scores`) and numbers when printed. Each line's type is checked
//! against the one that follows from the operands. `//` starts a comment that ends with the line.

mod cursor;
mod lex;
mod limits;
mod parse;
mod print;
#[cfg(test)]
mod tests;

pub(crate) use cursor::{Cursor, wanted};
pub(crate) use lex::{Token, is_word};
pub use parse::{parse, parse_type};

use crate::{GraphError, OpError, TensorType, verify::VerifyError};

/// What is wrong with a text, and where. Lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct TextError {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What can be wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Something else should stand here.
    #[error("wanted {wanted}, found {found}")]
    Syntax {
        /// What fits.
        wanted: String,
        /// What stands there.
        found: String,
    },
    /// A value that no line before defines.
    #[error("no line before defines `%{0}`")]
    UnknownValue(String),
    /// A name given twice.
    #[error("`{0}` is named before; names are unique")]
    Duplicate(String),
    /// A number or a shape that is larger than any tensor.
    #[error("wanted {wanted}, found {found}")]
    Limit {
        /// The limit.
        wanted: String,
        /// What exceeds it.
        found: String,
    },
    /// The op does not exist or has other attributes.
    #[error(transparent)]
    Op(#[from] OpError),
    /// The op does not take these operands.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The type written is not the type that follows from the operands.
    #[error("this value has the type {inferred}, found {written}")]
    Type {
        /// What follows from the operands.
        inferred: Box<TensorType>,
        /// What is written.
        written: Box<TensorType>,
    },
    /// The graph as a whole does not hold together.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}
