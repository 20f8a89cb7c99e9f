//! Graphs as e-graphs: terms, what is known of them, and how rules apply.

mod apply;
mod convert;
mod facts;
mod language;
mod run;

pub use apply::{EGraph, infer_pattern, instances, rewrite_of};
pub(crate) use convert::Interner;
pub use convert::{graph_of, term_of};
pub use facts::{Fact, Facts};
pub use language::{PatternError, Term};
pub(crate) use run::run;
