//! The structure of a segment: its ops without names, so that equal layers compare equal.

use std::collections::HashMap;

use ir::{Graph, Op, TensorType, ValueId};

use super::segments::{Cut, Home};

/// What a segment takes from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Leaf {
    /// The value of the main path at which the segment starts.
    Stream(ValueId),
    /// A value beside the main path, the same for all layers.
    Side(ValueId),
    /// A value that is known when the model is compiled: each layer may have its own.
    Fixed(ValueId),
    /// A state: each layer may have its own.
    State(ValueId),
}

impl Leaf {
    /// The value.
    pub(super) fn value(self) -> ValueId {
        let (Self::Stream(v) | Self::Side(v) | Self::Fixed(v) | Self::State(v)) = self;
        v
    }
}

/// One op of a segment, or a leaf.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Item {
    /// The start of the segment.
    Stream(TensorType),
    /// A value beside the main path; layers are equal only if they use the same one.
    Side(ValueId),
    /// A value that is known when the model is compiled.
    Fixed(TensorType),
    /// A state.
    State(TensorType),
    /// An op on earlier items.
    Op(Op, Vec<usize>),
}

/// A segment as items, operands first, in the order in which its result needs them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Shape(pub(super) Vec<Item>);

/// The structure of the part of `graph` from cut `first - 1` to cut `last`, and its leaves by item.
///
/// `fixed` says which values depend on no input.
pub(super) fn shape(
    graph: &Graph,
    cut: &Cut,
    fixed: &[bool],
    first: usize,
    last: usize,
) -> (Shape, Vec<Option<Leaf>>) {
    let start = cut.cuts[first - 1];
    let inside = |v: ValueId| match cut.homes[v.index()] {
        Home::Anywhere => true,
        Home::Segment(i) => (first..=last).contains(&i),
        Home::Side | Home::Dead => false,
    };
    let mut items = Vec::new();
    let mut leaves = Vec::new();
    let mut places: HashMap<ValueId, usize> = HashMap::new();
    let mut stack = vec![(cut.cuts[last], 0)];
    while let Some((v, next)) = stack.pop() {
        if places.contains_key(&v) {
            continue;
        }
        let node = graph.node(v);
        let (item, leaf) = if v == start {
            (Item::Stream(node.ty.clone()), Some(Leaf::Stream(v)))
        } else if !inside(v) && fixed[v.index()] {
            (Item::Fixed(node.ty.clone()), Some(Leaf::Fixed(v)))
        } else if matches!(&node.op, Op::Input(i) if i.is_state()) {
            (Item::State(node.ty.clone()), Some(Leaf::State(v)))
        } else if !inside(v) {
            (Item::Side(v), Some(Leaf::Side(v)))
        } else if let Some(operand) = node.inputs.get(next) {
            stack.extend([(v, next + 1), (*operand, 0)]);
            continue;
        } else {
            let inputs = node.inputs.iter().map(|i| places[i]).collect();
            (Item::Op(node.op.clone(), inputs), None)
        };
        places.insert(v, items.len());
        items.push(item);
        leaves.push(leaf);
    }
    (Shape(items), leaves)
}
