//! Why an ONNX file is no model that can be compiled.

use std::{fmt, path::PathBuf};

use ir::GraphError;

/// Why an ONNX file is no model that can be compiled.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// Bytes that are no message of the format.
    #[error("wanted an ONNX model, found bytes that are none: {}", innermost(.0))]
    Message(#[from] prost::DecodeError),
    /// A model without a graph.
    #[error("wanted a graph, found none; help: the file is cut off or no ONNX model")]
    NoGraph,
    /// A version of a domain's operators that is not known.
    #[error("operators of domain `{domain}`: wanted version {wanted}, found {found}")]
    Opset {
        /// The domain.
        domain: String,
        /// The versions that are known.
        wanted: String,
        /// The version that the model asks for.
        found: String,
    },
    /// Two values, or two functions, of one name.
    #[error("{what} `{name}`: wanted one of this name, found two")]
    Duplicate {
        /// Which kind.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Nodes that wait for one another.
    #[error("{node}: wanted operands that come before it, found that it waits for its own result")]
    Cycle {
        /// One of them.
        node: NodeName,
    },
    /// An operand that nothing gives.
    #[error(
        "{node}: operand `{name}`: wanted an input, an initializer or a node's output of this name, found none"
    )]
    Undefined {
        /// The node.
        node: NodeName,
        /// The operand.
        name: String,
    },
    /// An output that nothing gives.
    #[error(
        "output `{0}`: wanted an input, an initializer or a node's output of this name, found none"
    )]
    NoOutput(String),
    /// A tensor that disagrees with itself or with its file.
    #[error("tensor `{name}`: {problem}")]
    Tensor {
        /// Which.
        name: String,
        /// What was wanted and found.
        problem: TensorProblem,
    },
    /// An input that has no type here.
    #[error("input `{name}`: wanted {wanted}, found {found}")]
    Input {
        /// Which.
        name: String,
        /// What fits.
        wanted: String,
        /// What the file says.
        found: String,
    },
    /// An output that is not what the file says.
    #[error("output `{name}`: wanted {wanted}, found {found}")]
    Output {
        /// Which.
        name: String,
        /// What the file says.
        wanted: String,
        /// What the nodes give.
        found: String,
    },
    /// More nodes than any model has, once functions are written out.
    #[error(
        "function `{name}`: wanted at most {limit} nodes in all, or {depth} calls within calls, found more"
    )]
    TooLarge {
        /// The function at which the limit was met.
        name: String,
        /// Most nodes.
        limit: usize,
        /// Most calls within calls.
        depth: usize,
    },
    /// Nodes that have no importer, or do not fit their operands: all of them.
    #[error("{}", listed(.0))]
    Nodes(Vec<NodeError>),
}

/// How a tensor disagrees with itself or with its file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TensorProblem {
    /// Sizes that are none.
    #[error("wanted at most 8 sizes, none below 0, and at most 2^48 elements; found sizes {0:?}")]
    Sizes(Vec<i64>),
    /// Values that do not fill the shape.
    #[error("{elem} of shape {shape:?}: wanted {wanted} bytes, found {found}")]
    Bytes {
        /// Element type.
        elem: &'static str,
        /// Shape.
        shape: Vec<i64>,
        /// Bytes that fill it.
        wanted: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// Values in more than one place, or numbers that the element type does not hold.
    #[error("values: wanted {wanted}, found {found}")]
    Values {
        /// What fits.
        wanted: &'static str,
        /// What is there.
        found: String,
    },
    /// External data that cannot be used.
    #[error("external data, `{key}`: wanted {wanted}, found {found}")]
    External {
        /// The entry.
        key: &'static str,
        /// What fits.
        wanted: String,
        /// What is there.
        found: String,
    },
    /// External data that cannot be read.
    #[error("external data, `{}`: {problem}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        problem: String,
    },
    /// An element type that has no values here.
    #[error("wanted an element type of numbers, found {0}")]
    Elem(String),
}

/// A node, for people: its operator, its name and its first output, which is never without a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeName {
    /// Domain of the operator; empty for the standard one.
    pub domain: String,
    /// The operator.
    pub operator: String,
    /// The node's name; may be empty.
    pub name: String,
    /// The node's first output.
    pub output: String,
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("node ")?;
        if !self.name.is_empty() {
            write!(f, "`{}` ", self.name)?;
        }
        let dot = if self.domain.is_empty() { "" } else { "." };
        let (domain, operator) = (&self.domain, &self.operator);
        write!(f, "({domain}{dot}{operator}, output `{}`)", self.output)
    }
}

/// A node that cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{node}: {problem}")]
pub struct NodeError {
    /// The node.
    pub node: NodeName,
    /// Why.
    pub problem: NodeProblem,
}

/// Why a node cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeProblem {
    /// The operator is not known.
    #[error("unsupported: this operator has no importer")]
    Operator,
    /// A use of the operator that is not known.
    #[error("unsupported: {0}")]
    Use(String),
    /// An element type that nothing computes with.
    #[error("unsupported: operand {operand} has element type {found}")]
    Elem {
        /// Position of the operand.
        operand: usize,
        /// Its element type.
        found: String,
    },
    /// An operand that must be known when the model is imported.
    #[error("unsupported: operand {operand} is computed from the model's inputs, wanted {wanted}")]
    Unknown {
        /// Position of the operand.
        operand: usize,
        /// What it must be.
        wanted: &'static str,
    },
    /// An operand that does not fit.
    #[error("operand {operand}: wanted {wanted}, found {found}")]
    Operand {
        /// Position of the operand.
        operand: usize,
        /// What fits.
        wanted: String,
        /// What is there.
        found: String,
    },
    /// An attribute that does not fit.
    #[error("attribute `{name}`: wanted {wanted}, found {found}")]
    Attribute {
        /// Its name.
        name: String,
        /// What fits.
        wanted: String,
        /// What is there.
        found: String,
    },
    /// Operands that do not fit the op that the node becomes.
    #[error(transparent)]
    Op(#[from] GraphError),
}

impl NodeProblem {
    /// Whether the model may be right, and only this importer cannot take it.
    pub fn is_unsupported(&self) -> bool {
        use NodeProblem::{Elem, Operator, Unknown, Use};
        matches!(self, Operator | Use(_) | Elem { .. } | Unknown { .. })
    }
}

/// What went wrong, and in which field: of messages in messages, the innermost three.
fn innermost(e: &prost::DecodeError) -> String {
    let text = e.to_string();
    let parts: Vec<_> = text.split(": ").collect();
    match parts.split_last() {
        Some((what, [_, fields @ ..])) if fields.len() > 3 => {
            format!("{}: {what}", fields[..3].join(": "))
        }
        _ => text,
    }
}

fn listed(nodes: &[NodeError]) -> String {
    let plural = if nodes.len() == 1 { "" } else { "s" };
    let mut text = format!("{} node{plural} cannot be imported:", nodes.len());
    for node in nodes {
        text.push_str("\n  ");
        text.push_str(&node.to_string());
    }
    text
}
