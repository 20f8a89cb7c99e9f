//! Graphs that also serve sizes below those that they are compiled for.
//!
//! A program for `seq = 128` gives what one for `seq = 100` would, if nothing that lies behind the 100th position reaches
//! a result. Each op says by its meaning how its axes go to those of its operands. Where a position goes to itself,
//! nothing is to be done; where elements are folded, those beyond are replaced by what folds to nothing; where a size is
//! a number, it is read from an input. What moves elements along such an axis is refused.
//!
//! What lies beyond are copies of the last elements that are given, so they are numbers as good as those.

mod axes;
mod compute;
mod error;

use std::collections::{BTreeMap, BTreeSet};

use ir::{
    BinaryFn, Build, DType, F64, Graph, GraphError, Meaning, Monoid, Node, Op, Primitive, Symbol,
    Template, TensorType, ValueId, ops,
};

use crate::nest::leaf;
use axes::{Axes, Factor};
pub use error::{PadError, PadReason};

/// The name of the input that says how large a symbol is in a run.
pub fn size_input(symbol: &Symbol) -> String {
    format!("size.{symbol}")
}

/// The graph with an input `size.SYMBOL: i64[]` for each of these symbols: at any sizes that the symbols are bound to, its
/// results begin, along each axis, with those of `graph` at the sizes that are given in these inputs, as long as they are
/// not larger, and every input continues with copies of its last elements.
///
/// # Errors
/// An op whose results depend on these sizes otherwise, with what it does.
pub fn pad(graph: &Graph, symbols: &[Symbol]) -> Result<Graph, PadError> {
    let mut out = Graph::new(graph.name());
    for (symbol, bounds) in graph.symbols() {
        out.declare(symbol.name(), *bounds);
    }
    let mut padder = Padder {
        symbols,
        out,
        axes: vec![],
        sizes: BTreeMap::new(),
        valid: BTreeMap::new(),
        masks: BTreeMap::new(),
        zeros: BTreeSet::new(),
        changed: false,
    };
    let mut values: Vec<ValueId> = Vec::with_capacity(graph.nodes().len());
    for (at, node) in graph.nodes().iter().enumerate() {
        let inputs: Vec<_> = node.inputs.iter().map(|v| values[v.index()]).collect();
        let value = padder.node(node, &inputs).map_err(|reason| PadError {
            value: ValueId(at as u32),
            op: node.op.name(),
            reason,
        })?;
        values.push(value);
    }
    for output in graph.outputs() {
        let value = values[output.value.index()];
        let axes = &padder.axes[value.index()];
        if let Some(axis) = axes.iter().position(|a| !a.is_plain()) {
            return Err(PadError {
                value: output.value,
                op: graph.node(output.value).op.name(),
                reason: PadReason::Output {
                    name: output.name.clone(),
                    size: graph.ty(output.value).shape[axis].clone(),
                },
            });
        }
        padder.out.output(&output.name, value);
    }
    Ok(padder.out)
}

struct Padder<'a> {
    symbols: &'a [Symbol],
    out: Graph,
    /// How the axes of each value of `out` came about.
    axes: Vec<Vec<Axes>>,
    /// The inputs that say sizes.
    sizes: BTreeMap<Symbol, ValueId>,
    /// Which positions are given, by the symbol of the axis, the rank and where in it the axis is.
    valid: BTreeMap<(Symbol, usize, usize), ValueId>,
    /// Masks of attentions, by the mask that they extend, the type of the scores, what says which keys are given, and how far
    /// below the others are.
    masks: BTreeMap<(Option<ValueId>, DType, ValueId, Below), ValueId>,
    /// Values that are 0 beyond what is given along this axis.
    zeros: BTreeSet<(ValueId, usize)>,
    /// Whether anything is other than it was.
    changed: bool,
}

/// How far below scores others are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Below {
    /// Below any number.
    All,
    /// Below any score, and a number.
    Far,
}

impl Padder<'_> {
    /// The value of a node over operands of `out`.
    fn node(&mut self, node: &Node, inputs: &[ValueId]) -> Result<ValueId, PadReason> {
        if let Template::Attention(attention) = node.op.template() {
            return self.attention(attention, inputs);
        }
        if let (Some(axis), [x]) = (node.op.leaves_out(), inputs)
            && self.is_dynamic(&self.axes[x.index()][axis])
        {
            return self.left_out(&node.op, *x, axis);
        }
        let mut scratch = self.operands(inputs)?;
        let operands: Vec<_> = scratch.values().collect();
        match node.op.meaning(&operands, &mut Build::new(&mut scratch)) {
            Meaning::Leaf => {
                let axes = axes::of_leaf(&node.ty, self.symbols)?;
                self.keep(&node.op, inputs, axes)
            }
            Meaning::Compute(compute) => self.compute(node, &compute, inputs),
            Meaning::Term(result) => self.term(node, inputs, &scratch, result),
            Meaning::Primitive(p) => self.primitive(node, &p, inputs),
            Meaning::Exchange(_) => Err(PadReason::Exchange),
        }
    }

    /// An op that stays as it is, and its axes.
    fn keep(&mut self, op: &Op, inputs: &[ValueId], axes: Vec<Axes>) -> Result<ValueId, PadReason> {
        let value = self.push(op.clone(), inputs)?;
        self.axes[value.index()] = axes;
        Ok(value)
    }

    /// Any op; its axes are whole.
    fn push(&mut self, op: impl Into<Op>, inputs: &[ValueId]) -> Result<ValueId, PadReason> {
        let value = self.out.push(op, inputs).map_err(PadReason::from)?;
        let shape = &self.out.ty(value).shape;
        self.axes.push(shape.iter().map(Axes::whole).collect());
        Ok(value)
    }

    /// Whether the size of an axis is given at run time.
    fn is_dynamic(&self, axes: &Axes) -> bool {
        axes.symbols().any(|s| self.symbols.contains(s))
    }

    /// A graph of inputs of the operands' types.
    fn operands(&self, inputs: &[ValueId]) -> Result<Graph, PadReason> {
        let mut scratch = Graph::new("");
        for (symbol, bounds) in self.out.symbols() {
            scratch.declare(symbol.name(), *bounds);
        }
        for v in inputs {
            scratch.push(leaf(self.out.ty(*v)), &[])?;
        }
        Ok(scratch)
    }

    /// A term: the op itself, if nothing in its definition has to be other, else the definition.
    fn term(
        &mut self,
        node: &Node,
        inputs: &[ValueId],
        definition: &Graph,
        result: ValueId,
    ) -> Result<ValueId, PadReason> {
        let mut trial = Padder {
            symbols: self.symbols,
            out: self.operands(inputs)?,
            axes: inputs
                .iter()
                .map(|v| self.axes[v.index()].clone())
                .collect(),
            sizes: BTreeMap::new(),
            valid: BTreeMap::new(),
            masks: BTreeMap::new(),
            zeros: BTreeSet::new(),
            changed: false,
        };
        let placed: Vec<_> = trial.out.values().collect();
        let value = trial.define(definition, &placed, result)?;
        if !trial.changed {
            let axes = trial.axes[value.index()].clone();
            return self.keep(&node.op, inputs, axes);
        }
        self.define(definition, inputs, result)
    }

    /// The nodes of a definition over operands that are `inputs`.
    fn define(
        &mut self,
        definition: &Graph,
        inputs: &[ValueId],
        result: ValueId,
    ) -> Result<ValueId, PadReason> {
        let mut values = inputs.to_vec();
        for node in &definition.nodes()[inputs.len()..] {
            let operands: Vec<_> = node.inputs.iter().map(|v| values[v.index()]).collect();
            values.push(self.node(node, &operands)?);
        }
        Ok(values[result.index()])
    }

    /// An attention, with a mask that leaves out the keys beyond.
    fn attention(&mut self, op: &ops::Attention, inputs: &[ValueId]) -> Result<ValueId, PadReason> {
        let [q, k, v] = [0, 1, 2].map(|i| self.axes[inputs[i].index()].clone());
        let axes = vec![q[0].clone(), q[1].clone(), q[2].clone(), v[3].clone()];
        let fixed = |a: &Axes| !self.is_dynamic(a);
        if ![&q[1], &q[3], &v[3]].into_iter().all(fixed) || k[0] != q[0] || v[2] != k[2] {
            return Err(PadReason::Moves);
        }
        if fixed(&k[2]) && fixed(&q[2]) {
            return self.keep(&op.clone().into(), inputs, axes);
        }
        if (op.causal || op.window > 0 || op.alibi) && k[2] != q[2] {
            return Err(PadReason::Moves);
        }
        if fixed(&k[2]) {
            return self.keep(&op.clone().into(), inputs, axes);
        }
        let dtype = self.out.ty(inputs[0]).dtype;
        let shown = op.mask.then(|| inputs[3]);
        let below = match op.window {
            0 => self.below(shown),
            _ => Below::Far,
        };
        let mask = self.mask(shown, dtype, &k[2], (4, 3), below)?;
        let mut operands = inputs[..3].to_vec();
        operands.push(mask);
        operands.extend(&inputs[3 + usize::from(op.mask)..]);
        self.changed = true;
        let masked = ops::Attention {
            mask: true,
            ..op.clone()
        };
        self.keep(&masked.into(), &operands, axes)
    }

    /// An op that leaves out what is far below the rest, with elements beyond far below. They get there by a sum, since that
    /// is how scores are masked: if one is there already, its smaller operand is what changes.
    fn left_out(&mut self, op: &Op, x: ValueId, axis: usize) -> Result<ValueId, PadReason> {
        let axes = self.axes[x.index()].clone();
        let ty = self.out.ty(x).clone();
        let place = (ty.rank(), axis);
        let node = self.out.node(x).clone();
        let masked = match node.inputs.as_slice() {
            [scores, mask] if self.is_sum(&node) && self.out.ty(*mask).shape != ty.shape => {
                let below = self.below(Some(*mask));
                let mask = self.mask(Some(*mask), ty.dtype, &axes[axis], place, below)?;
                self.push(node.op.clone(), &[*scores, mask])?
            }
            _ => {
                let mask = self.mask(None, ty.dtype, &axes[axis], place, Below::Far)?;
                let f = BinaryFn::Add;
                self.push(ops::Binary { f }, &[x, mask])?
            }
        };
        self.changed = true;
        self.axes[masked.index()].clone_from(&axes);
        let value = self.keep(op, &[masked], axes)?;
        self.zeros.insert((value, axis));
        Ok(value)
    }

    /// How far below the scores those beyond are: all the way, if a mask hides the same keys from all queries, since then
    /// every query sees the same of those that are given. Where queries see different keys, one beyond may see none of them:
    /// all the way below, its weights would be no numbers, and what is made of them would reach others.
    fn below(&self, shown: Option<ValueId>) -> Below {
        let by_query = |v: ValueId| {
            let shape = &self.out.ty(v).shape;
            let query = shape.len().checked_sub(2).map(|axis| &shape[axis]);
            query.is_some_and(|size| *size != ir::Dim::from(1))
        };
        match shown {
            Some(mask) if by_query(mask) => Below::Far,
            _ => Below::All,
        }
    }

    /// Whether a node adds two operands, elementwise.
    fn is_sum(&self, node: &Node) -> bool {
        let Ok(mut scratch) = self.operands(&node.inputs) else {
            return false;
        };
        let operands: Vec<_> = scratch.values().collect();
        match node.op.meaning(&operands, &mut Build::new(&mut scratch)) {
            Meaning::Compute(c) => {
                c.reduce.is_none() && matches!(c.body, ir::Expr::Binary(BinaryFn::Add, ..))
            }
            _ => false,
        }
    }

    /// A mask to be added to scores that leaves out those beyond, and what `shown` leaves out; the same for all that have the
    /// same. `place`: the rank of the scores, and their axis.
    fn mask(
        &mut self,
        shown: Option<ValueId>,
        dtype: DType,
        keys: &Axes,
        place: (usize, usize),
        below: Below,
    ) -> Result<ValueId, PadReason> {
        let valid = self.valid(keys, place.0, place.1)?;
        let key = (shown, dtype, valid, below);
        if let Some(mask) = self.masks.get(&key) {
            return Ok(*mask);
        }
        let low = match (below, dtype) {
            (Below::All, _) => f64::NEG_INFINITY,
            (Below::Far, DType::F16) => -3e4,
            (Below::Far, _) => -1e30,
        };
        let low = self.scalar(dtype, low.into())?;
        let base = match shown {
            Some(mask) => mask,
            None => self.scalar(dtype, 0.0.into())?,
        };
        let mask = self.push(ops::Select {}, &[valid, base, low])?;
        self.masks.insert(key, mask);
        Ok(mask)
    }

    fn primitive(
        &mut self,
        node: &Node,
        primitive: &Primitive,
        inputs: &[ValueId],
    ) -> Result<ValueId, PadReason> {
        let fixed = |a: &Axes| !self.is_dynamic(a);
        let of = |operand: usize| &self.axes[inputs[operand].index()];
        let axes = match primitive {
            Primitive::TopK(top) if fixed(&of(0)[top.axis]) => {
                let mut axes = of(0).clone();
                axes[top.axis] = Axes::whole(&node.ty.shape[top.axis]);
                axes
            }
            Primitive::Scan(scan) if !scan.reverse || fixed(&of(scan.operand)[scan.axis]) => {
                of(scan.operand).clone()
            }
            Primitive::Scatter(s) if s.points.iter().all(|d| fixed(&Axes::whole(d))) => {
                node.ty.shape.iter().map(Axes::whole).collect()
            }
            _ => return Err(PadReason::Moves),
        };
        self.keep(&node.op, inputs, axes)
    }

    fn scalar(&mut self, dtype: DType, value: F64) -> Result<ValueId, PadReason> {
        let ty = TensorType::new(dtype, []);
        self.push(ops::Constant { value, ty }, &[])
    }

    /// The size of a symbol in a run.
    fn size(&mut self, symbol: &Symbol) -> Result<ValueId, PadReason> {
        if let Some(size) = self.sizes.get(symbol) {
            return Ok(*size);
        }
        let input = ops::Input {
            name: size_input(symbol),
            ty: TensorType::new(DType::I64, []),
            absent: ops::Absent::Size,
            below: 0,
        };
        let size = self.push(input, &[])?;
        self.sizes.insert(symbol.clone(), size);
        Ok(size)
    }

    /// Which positions of an axis are given, as a tensor of that axis and so many of size 1 around it.
    fn valid(&mut self, axis: &Axes, rank: usize, at: usize) -> Result<ValueId, PadReason> {
        let [Factor::Symbol(symbol)] = axis.factors() else {
            return Err(PadReason::Folds { size: axis.size() });
        };
        let key = (symbol.clone(), rank, at);
        if let Some(valid) = self.valid.get(&key) {
            return Ok(*valid);
        }
        let size = self.size(&key.0)?;
        let mut shape = vec![ir::Dim::from(1); rank];
        shape[at] = axis.size();
        let ty = TensorType::new(DType::I64, shape);
        let axis = at as i64;
        let position = self.push(ops::Iota { axis, ty }, &[])?;
        let f = BinaryFn::Lt;
        let valid = self.push(ops::Binary { f }, &[position, size])?;
        self.valid.insert(key, valid);
        Ok(valid)
    }

    /// `x` with what folds to nothing beyond the end of an axis.
    fn masked(&mut self, x: ValueId, at: usize, monoid: Monoid) -> Result<ValueId, PadReason> {
        let axes = self.axes[x.index()].clone();
        let ty = self.out.ty(x).clone();
        let nothing = self.scalar(ty.dtype, nothing(monoid, ty.dtype).into())?;
        let valid = self.valid(&axes[at], ty.rank(), at)?;
        self.changed = true;
        let value = self.push(ops::Select {}, &[valid, x, nothing])?;
        self.axes[value.index()] = axes;
        Ok(value)
    }
}

/// What folds to nothing. The largest i64 is no f64: among those above 2^63 - 1024 a minimum would be too small.
fn nothing(monoid: Monoid, dtype: DType) -> f64 {
    let bits = dtype.size() as i32 * 8;
    let signed = dtype != DType::U8;
    match monoid {
        Monoid::Max if dtype.is_int() && !signed => 0.0,
        Monoid::Max if dtype.is_int() => -2_f64.powi(bits - 1),
        Monoid::Min if dtype == DType::I64 => 2_f64.powi(63) - 1024.0,
        Monoid::Min if dtype.is_int() => 2_f64.powi(bits - i32::from(signed)) - 1.0,
        _ => monoid.identity(),
    }
}

impl From<GraphError> for PadReason {
    fn from(error: GraphError) -> Self {
        Self::Graph(error)
    }
}
