//! Kernels: parts of a graph that run as one.

use serde::{Deserialize, Serialize};

use crate::Graph;

/// A part of a graph that one launch computes. Operands are the inputs of `graph`, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kernel {
    /// Name, a C identifier, after what it computes.
    pub name: String,
    /// What it computes: bound, with one output.
    pub graph: Graph,
    /// Which operands are known when the kernel is compiled, and so may be laid out for it.
    pub constant: Vec<bool>,
    /// The rewrite rules that made its ops.
    pub rules: Vec<String>,
}
