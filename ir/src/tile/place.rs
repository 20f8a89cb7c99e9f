//! Where a statement stands, and how the small parts of a program are written.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Counter, Shape, Var};

/// The place of a statement: its position in the body, then in the body of each loop around it, from 0.
/// Empty for the program as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place(pub Vec<usize>);

impl fmt::Display for Place {
    /// `statement 2.0.1`, `head`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, inner)) = self.0.split_first() else {
            return f.write_str("head");
        };
        write!(f, "statement {first}")?;
        inner.iter().try_for_each(|i| write!(f, ".{i}"))
    }
}

impl fmt::Display for Var {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.rows, self.lanes)
    }
}
