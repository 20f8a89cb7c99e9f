//! Graphs: typed tensor ops in an order in which each comes after its operands.

use std::{collections::BTreeMap, fmt};

use petgraph::graphmap::DiGraphMap;
use serde::{Deserialize, Serialize};

use crate::{Bounds, Op, ShapeError, Sizes, Symbol, TensorType};

/// A value of one graph: the result of its node of the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ValueId(pub u32);

impl ValueId {
    /// As a position in [`Graph::nodes`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for ValueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

/// One op applied to values.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Node {
    /// What is computed.
    pub op: Op,
    /// Operands; each comes before the node.
    pub inputs: Vec<ValueId>,
    /// Type of the result.
    pub ty: TensorType,
}

/// A value that the graph gives, and its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Output {
    /// Name, unique among outputs.
    pub name: String,
    /// The value.
    pub value: ValueId,
}

/// What is computed: nodes, each after its operands, and named outputs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graph {
    name: String,
    symbols: BTreeMap<Symbol, Bounds>,
    nodes: Vec<Node>,
    outputs: Vec<Output>,
}

/// Why a graph cannot be made or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Operands that do not fit an op.
    #[error("{op}: {source}")]
    Op {
        /// The op.
        op: &'static str,
        /// What does not fit.
        source: ShapeError,
    },
    /// A size for a symbol that the graph does not have.
    #[error("size `{symbol}`: this graph has no such size; it has {known}")]
    UnknownSymbol {
        /// As given.
        symbol: Symbol,
        /// The graph's symbols.
        known: String,
    },
    /// A size outside its bounds.
    #[error("size `{symbol}`: wanted {} to {}, found {found}", bounds.min, bounds.max)]
    OutOfBounds {
        /// Which size.
        symbol: Symbol,
        /// What is allowed.
        bounds: Bounds,
        /// What was given.
        found: i64,
    },
}

impl Graph {
    /// An empty graph.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The sizes that are known only later, with their bounds.
    pub fn symbols(&self) -> &BTreeMap<Symbol, Bounds> {
        &self.symbols
    }

    /// Declares a size.
    pub fn declare(&mut self, symbol: &str, bounds: Bounds) {
        self.symbols.insert(Symbol::new(symbol), bounds);
    }

    /// All nodes; each comes after its operands.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// All values, operands first.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = ValueId> + use<> {
        (0..self.nodes.len() as u32).map(ValueId)
    }

    /// The node that computes `value`.
    pub fn node(&self, value: ValueId) -> &Node {
        &self.nodes[value.index()]
    }

    /// The type of `value`.
    pub fn ty(&self, value: ValueId) -> &TensorType {
        &self.node(value).ty
    }

    /// What the graph gives, in order.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// The state of this name, if there is one.
    pub fn state(&self, name: &str) -> Option<ValueId> {
        self.values()
            .find(|v| matches!(&self.node(*v).op, Op::Input(i) if i.is_state() && i.name == name))
    }

    /// The outputs that a run gives: those that are no state's next value.
    pub fn results(&self) -> impl Iterator<Item = &Output> {
        self.outputs
            .iter()
            .filter(|o| self.state(&o.name).is_none())
    }

    /// Appends a node and infers its type.
    ///
    /// # Errors
    /// The operands do not fit the op.
    pub fn push(&mut self, op: impl Into<Op>, inputs: &[ValueId]) -> Result<ValueId, GraphError> {
        let op = op.into();
        let types: Vec<_> = inputs.iter().map(|v| self.ty(*v).clone()).collect();
        let ty = op.infer(&types).map_err(|source| GraphError::Op {
            op: op.name(),
            source,
        })?;
        self.nodes.push(Node {
            op,
            inputs: inputs.to_vec(),
            ty,
        });
        Ok(ValueId(
            u32::try_from(self.nodes.len() - 1).expect("a graph has under 2^32 nodes"),
        ))
    }

    /// Adds an output.
    pub fn output(&mut self, name: &str, value: ValueId) {
        self.outputs.push(Output {
            name: name.into(),
            value,
        });
    }

    /// Removes all outputs; values stay.
    pub fn clear_outputs(&mut self) {
        self.outputs.clear();
    }

    /// Number of nodes that use each value; an output counts as one use.
    pub fn uses(&self) -> Vec<usize> {
        let mut uses = vec![0; self.nodes.len()];
        let inputs = self.nodes.iter().flat_map(|n| &n.inputs);
        for v in inputs.chain(self.outputs.iter().map(|o| &o.value)) {
            uses[v.index()] += 1;
        }
        uses
    }

    /// Which values some output needs.
    pub fn live(&self) -> Vec<bool> {
        let mut live = vec![false; self.nodes.len()];
        for o in &self.outputs {
            live[o.value.index()] = true;
        }
        for v in self.values().rev() {
            if live[v.index()] {
                for i in &self.node(v).inputs {
                    live[i.index()] = true;
                }
            }
        }
        live
    }

    /// The graph without the values for which `keep` is false; every kept node's operands must be kept.
    pub fn keep(&self, keep: &[bool]) -> Self {
        let mut out = Self {
            nodes: Vec::new(),
            outputs: Vec::new(),
            ..self.clone()
        };
        let mut new = vec![None; self.nodes.len()];
        let of = |new: &[Option<ValueId>], v: ValueId| {
            new[v.index()].expect("operands of kept nodes are kept")
        };
        for v in self.values().filter(|v| keep[v.index()]) {
            let node = self.node(v);
            let inputs = node.inputs.iter().map(|i| of(&new, *i)).collect();
            new[v.index()] = Some(ValueId(out.nodes.len() as u32));
            out.nodes.push(Node {
                inputs,
                ..node.clone()
            });
        }
        for o in &self.outputs {
            out.output(&o.name, of(&new, o.value));
        }
        out
    }

    /// Fails unless the graph has these sizes and allows them.
    ///
    /// # Errors
    /// A size is unknown to the graph or outside its bounds.
    pub fn check_sizes(&self, sizes: &Sizes) -> Result<(), GraphError> {
        for (symbol, n) in sizes {
            let Some(bounds) = self.symbols.get(symbol) else {
                let known = self
                    .symbols
                    .keys()
                    .map(Symbol::name)
                    .collect::<Vec<_>>()
                    .join(", ");
                return Err(GraphError::UnknownSymbol {
                    symbol: symbol.clone(),
                    known,
                });
            };
            if !(bounds.min..=bounds.max).contains(n) {
                let (symbol, bounds) = (symbol.clone(), *bounds);
                return Err(GraphError::OutOfBounds {
                    symbol,
                    bounds,
                    found: *n,
                });
            }
        }
        Ok(())
    }

    /// The graph with symbols replaced by sizes.
    ///
    /// # Errors
    /// A size is unknown to the graph or outside its bounds, or the ops do not fit at these sizes.
    pub fn bind(&self, sizes: &Sizes) -> Result<Self, GraphError> {
        self.check_sizes(sizes)?;
        let mut out = Self::new(&self.name);
        out.symbols = self.symbols.clone();
        out.symbols.retain(|s, _| !sizes.contains_key(s));
        for node in &self.nodes {
            out.push(node.op.bind(sizes), &node.inputs)?;
        }
        out.outputs.clone_from(&self.outputs);
        Ok(out)
    }

    /// Operand-to-user edges, for the algorithms of petgraph; weights are positions of operands.
    pub fn edges(&self) -> DiGraphMap<ValueId, usize> {
        let mut edges = DiGraphMap::with_capacity(self.nodes.len(), self.nodes.len() * 2);
        for v in self.values() {
            edges.add_node(v);
            for (i, input) in self.node(v).inputs.iter().enumerate() {
                edges.add_edge(*input, v, i);
            }
        }
        edges
    }
}
