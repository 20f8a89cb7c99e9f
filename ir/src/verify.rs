//! What must hold of a graph.

use std::collections::BTreeSet;

use crate::{Attr, Dim, Graph, Op, ShapeError, Symbol, TensorType, ValueId};

/// What does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// An operand does not come before its user.
    #[error("{user}: operand {operand} does not come before it")]
    Order {
        /// The node.
        user: ValueId,
        /// Its operand.
        operand: ValueId,
    },
    /// Operands do not fit.
    #[error("{value}: {op}: {source}")]
    Shape {
        /// The node.
        value: ValueId,
        /// Its op.
        op: &'static str,
        /// What does not fit.
        source: ShapeError,
    },
    /// The type is not the one that follows from the operands.
    #[error("{value}: {op}: the operands give the type {inferred}, found {found}")]
    Type {
        /// The node.
        value: ValueId,
        /// Its op.
        op: &'static str,
        /// What follows from the operands.
        inferred: Box<TensorType>,
        /// What the node says.
        found: Box<TensorType>,
    },
    /// A symbol that the graph does not declare.
    #[error("{value}: size `{symbol}` is not declared")]
    Undeclared {
        /// The node.
        value: ValueId,
        /// The size.
        symbol: Symbol,
    },
    /// A declared symbol that text cannot spell, or whose bounds hold no size.
    #[error(
        "size `{symbol}`: wanted a word, and bounds from 0 on that hold a size; found {min}..{max}"
    )]
    Symbol {
        /// The size.
        symbol: Symbol,
        /// Lower bound.
        min: i64,
        /// Upper bound.
        max: i64,
    },
    /// Two leaves or two outputs of one name.
    #[error("{value}: `{name}` is named before; names are unique")]
    Name {
        /// The second of the two.
        value: ValueId,
        /// The name.
        name: String,
    },
    /// An output that is no value of the graph.
    #[error("output `{name}`: the graph has no value {value}")]
    Output {
        /// Name of the output.
        name: String,
        /// The value.
        value: ValueId,
    },
}

impl VerifyError {
    /// The value it is about, if it is about one of the graph's.
    pub fn value(&self) -> Option<ValueId> {
        match self {
            Self::Order { user: value, .. }
            | Self::Shape { value, .. }
            | Self::Type { value, .. }
            | Self::Undeclared { value, .. }
            | Self::Name { value, .. } => Some(*value),
            Self::Symbol { .. } | Self::Output { .. } => None,
        }
    }
}

/// Checks that operands come before users, that types follow from operands, that symbols are
/// declared, and that names are unique.
///
/// # Errors
/// The first thing that does not hold.
pub fn verify(graph: &Graph) -> Result<(), VerifyError> {
    for (symbol, bounds) in graph.symbols() {
        if !crate::text::is_word(symbol.name()) || bounds.min < 0 || bounds.max < bounds.min {
            let symbol = symbol.clone();
            return Err(VerifyError::Symbol {
                symbol,
                min: bounds.min,
                max: bounds.max,
            });
        }
    }
    let mut leaves = BTreeSet::new();
    for value in graph.values() {
        verify_node(graph, value)?;
        if let Some(leaf) = graph.node(value).op.leaf()
            && !leaves.insert(leaf.key())
        {
            return Err(VerifyError::Name {
                value,
                name: leaf.name().into(),
            });
        }
    }
    let mut outputs = BTreeSet::new();
    for output in graph.outputs() {
        if output.value.index() >= graph.nodes().len() {
            let (name, value) = (output.name.clone(), output.value);
            return Err(VerifyError::Output { name, value });
        }
        if !outputs.insert(&output.name) {
            return Err(VerifyError::Name {
                value: output.value,
                name: output.name.clone(),
            });
        }
    }
    Ok(())
}

fn verify_node(graph: &Graph, value: ValueId) -> Result<(), VerifyError> {
    let node = graph.node(value);
    if let Some(operand) = node.inputs.iter().find(|i| **i >= value) {
        return Err(VerifyError::Order {
            user: value,
            operand: *operand,
        });
    }
    let op = node.op.name();
    let inputs: Vec<_> = node.inputs.iter().map(|v| graph.ty(*v).clone()).collect();
    let inferred = match node.op.infer(&inputs) {
        Ok(ty) => ty,
        Err(source) => return Err(VerifyError::Shape { value, op, source }),
    };
    let undeclared = |s: &Symbol| !graph.symbols().contains_key(s);
    let symbols = inferred.shape.iter().flat_map(Dim::symbols).cloned();
    if let Some(symbol) = symbols.chain(attr_symbols(&node.op)).find(undeclared) {
        return Err(VerifyError::Undeclared { value, symbol });
    }
    if inferred != node.ty {
        let (inferred, found) = (Box::new(inferred), Box::new(node.ty.clone()));
        return Err(VerifyError::Type {
            value,
            op,
            inferred,
            found,
        });
    }
    Ok(())
}

/// The symbols in an op's attributes.
pub(crate) fn attr_symbols(op: &Op) -> Vec<Symbol> {
    let of = |attr: Attr| match attr {
        Attr::Dims(dims) => dims,
        Attr::Type(ty) => ty.shape,
        _ => vec![],
    };
    let dims: Vec<Dim> = op.attrs().into_values().flat_map(of).collect();
    dims.iter().flat_map(Dim::symbols).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A well-formed graph as JSON, with `from` replaced by `to`.
    fn check(from: &str, to: &str) -> String {
        let text = r#"graph "g" (n in 1..4) {
            %x = input {absent = required, below = 0, name = "x", ty = f32[n]} : f32[n]
            %z = input {absent = required, below = 0, name = "z", ty = f32[n]} : f32[n]
            %y = add(%x, %z) : f32[n]
            return y = %y
        }"#;
        let json = serde_json::to_string(&crate::text::parse(text).unwrap()).unwrap();
        assert!(json.contains(from), "{json}");
        let graph: Graph = serde_json::from_str(&json.replacen(from, to, 1)).unwrap();
        verify(&graph).map_or_else(|e| e.to_string(), |()| "holds".into())
    }

    #[test]
    fn what_does_not_hold_is_named() {
        assert_eq!(check("\"x\"", "\"w\""), "holds");
        assert_eq!(
            check("\"x\"", "\"z\""),
            "%1: `z` is named before; names are unique"
        );
        assert_eq!(
            check("[0,1]", "[2,1]"),
            "%2: operand %2 does not come before it"
        );
        assert_eq!(
            check("\"value\":2", "\"value\":3"),
            "output `y`: the graph has no value %3"
        );
        let text = check("\"symbols\":{\"n\"", "\"symbols\":{\"m\"");
        assert_eq!(text, "%0: size `n` is not declared");
        let text = check("\"min\":1,\"max\":4", "\"min\":5,\"max\":4");
        assert!(
            text.contains("size `n`") && text.contains("found 5..4"),
            "{text}"
        );
        let text = check(
            "\"inputs\":[0,1],\"ty\":{\"dtype\":\"f32\"",
            "\"inputs\":[0,1],\"ty\":{\"dtype\":\"f16\"",
        );
        assert_eq!(
            text,
            "%2: add: the operands give the type f32[n], found f16[n]"
        );
    }
}
