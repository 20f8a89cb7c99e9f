//! The graph while a model is imported, and the tensors that it names.

use std::{collections::BTreeMap, rc::Rc};

use ir::{
    DType, Dim, Graph, Op, TensorType, ValueId,
    ops::{self, Absent},
};

use super::{
    error::NodeProblem,
    tensor::{Constant, Elem},
    value::{Sizes, Value},
};
use crate::import::Weights;

/// Most elements that are computed to know a value.
const KNOWN_LIMIT: i64 = 1 << 20;
/// Most terms of the number of elements of a tensor, as a polynomial of sizes.
const TERM_LIMIT: usize = 4096;

/// A graph and its weights.
pub(super) struct Builder {
    pub graph: Graph,
    pub weights: Weights,
    /// Constants that are in the graph already, by address; holding them keeps addresses apart.
    placed: BTreeMap<usize, (Rc<Constant>, ValueId)>,
    /// Names of weights.
    names: BTreeMap<String, usize>,
}

impl Builder {
    /// An empty graph.
    pub(super) fn new(name: &str) -> Self {
        Self {
            graph: Graph::new(name),
            weights: Weights::default(),
            placed: BTreeMap::new(),
            names: BTreeMap::new(),
        }
    }

    /// Appends an op.
    pub(super) fn op(
        &mut self,
        op: impl Into<Op>,
        inputs: &[ValueId],
    ) -> Result<ValueId, NodeProblem> {
        let made = self.graph.push(op, inputs)?;
        let terms = self
            .graph
            .ty(made)
            .shape
            .iter()
            .map(|d| d.symbols().count().max(1));
        if terms.fold(1, usize::saturating_mul) > TERM_LIMIT {
            let what = "a result whose size is a sum of more than 4096 products";
            return Err(NodeProblem::Use(what.into()));
        }
        Ok(made)
    }

    /// An input of the model.
    pub(super) fn input(
        &mut self,
        name: &str,
        ty: TensorType,
        below: i64,
    ) -> Result<ValueId, NodeProblem> {
        let input = ops::Input {
            name: name.into(),
            ty,
            absent: Absent::Required,
            below,
        };
        self.op(input, &[])
    }

    /// A weight whose values nobody gives.
    pub(super) fn weight(&mut self, name: &str, ty: TensorType) -> Result<ValueId, NodeProblem> {
        let name = self.weight_name(name);
        self.op(ops::Weight { name, ty }, &[])
    }

    /// One number, of any shape.
    pub(super) fn constant(&mut self, value: f64, ty: TensorType) -> Result<ValueId, NodeProblem> {
        let value = ir::round_to(ty.dtype, value).into();
        self.op(ops::Constant { value, ty }, &[])
    }

    /// The value in the graph; operand `operand`, for messages.
    pub(super) fn place(&mut self, value: &Value, operand: usize) -> Result<ValueId, NodeProblem> {
        match value {
            Value::Graph(id) => Ok(*id),
            Value::Constant(constant) => self.place_constant(constant, operand),
            Value::Sizes(sizes) => self.place_sizes(sizes),
            Value::Foreign(found) => Err(NodeProblem::Elem {
                operand,
                found: found.to_string(),
            }),
            Value::Absent | Value::Failed => Err(NodeProblem::Operand {
                operand,
                wanted: "a value".into(),
                found: "none".into(),
            }),
        }
    }

    fn place_constant(
        &mut self,
        constant: &Rc<Constant>,
        operand: usize,
    ) -> Result<ValueId, NodeProblem> {
        let key = Rc::as_ptr(constant) as usize;
        if let Some((_, id)) = self.placed.get(&key) {
            return Ok(*id);
        }
        let Some(dtype) = constant.elem.dtype else {
            return Err(NodeProblem::Elem {
                operand,
                found: constant.elem.name.into(),
            });
        };
        let ty = TensorType::fixed(dtype, &constant.shape);
        let exact = |n: &f64| n.abs() < (1i64 << 53) as f64 || dtype.is_float();
        let single = (constant.len() == 1)
            .then(|| constant.numbers()[0])
            .filter(exact);
        let id = match single {
            Some(number) => self.constant(number, ty)?,
            None => {
                let name = self.weight_name(constant.name.as_deref().unwrap_or("constant"));
                let bytes = constant.bytes.clone();
                self.weights
                    .insert(&name, dtype, constant.shape.clone(), bytes);
                self.op(ops::Weight { name, ty }, &[])?
            }
        };
        self.placed.insert(key, (constant.clone(), id));
        Ok(id)
    }

    /// `wanted`, or with a number behind it where that is taken.
    fn weight_name(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        while self.names.contains_key(&name) {
            let next = self
                .names
                .get_mut(wanted)
                .expect("the first name is that wanted");
            *next += 1;
            name = format!("{wanted}.{next}");
        }
        self.names.insert(name.clone(), 0);
        name
    }

    fn place_sizes(&mut self, sizes: &Sizes) -> Result<ValueId, NodeProblem> {
        let dtype = sizes.dtype;
        let mut parts = Vec::new();
        for dim in &sizes.dims {
            let scalar = match dim.known() {
                Some(n) => self.constant(n as f64, TensorType::new(dtype, []))?,
                None => {
                    let size = vec![dim.clone()];
                    self.op(ops::Extent { size, dtype }, &[])?
                }
            };
            parts.push(scalar);
        }
        if sizes.shape.is_empty() {
            return Ok(parts[0]);
        }
        let one = ops::Reshape {
            shape: vec![1.into()],
        };
        for part in &mut parts {
            *part = self.op(one.clone(), &[*part])?;
        }
        let list = self.op(ops::Concat { axis: 0 }, &parts)?;
        let shape = sizes.shape.iter().map(|n| Dim::from(*n)).collect();
        self.op(ops::Reshape { shape }, &[list])
    }

    /// The value as numbers, if it follows from the file alone and is small.
    pub(super) fn known(&self, value: &Value) -> Option<Constant> {
        match value {
            Value::Constant(c) if c.len() as i64 <= KNOWN_LIMIT => Some(c.as_ref().clone()),
            Value::Graph(id) => self.evaluate(*id),
            _ => None,
        }
    }

    fn evaluate(&self, id: ValueId) -> Option<Constant> {
        let dtype = self.graph.ty(id).dtype;
        let mut live = vec![false; self.graph.nodes().len()];
        let (mut open, mut elements) = (vec![id], 0);
        while let Some(v) = open.pop() {
            if std::mem::replace(&mut live[v.index()], true) {
                continue;
            }
            let node = self.graph.node(v);
            elements += node.ty.elements().known()?;
            if matches!(node.op, Op::Input(_)) || elements > KNOWN_LIMIT {
                return None;
            }
            open.extend(&node.inputs);
        }
        let mut graph = Graph::new("known");
        let mut new = BTreeMap::new();
        for v in self.graph.values().filter(|v| live[v.index()]) {
            let node = self.graph.node(v);
            let inputs: Vec<_> = node.inputs.iter().map(|i| new[i]).collect();
            new.insert(v, graph.push(node.op.clone(), &inputs).ok()?);
        }
        graph.output("known", new[&id]);
        let mut outputs = ir::eval::evaluate(&graph, &BTreeMap::new(), &self.weights).ok()?;
        let tensor = outputs.remove("known")?.rounded();
        // Whole numbers are evaluated in f64.
        let whole = !dtype.is_float();
        let exact = tensor
            .values()
            .iter()
            .all(|n| n.abs() < (1i64 << 53) as f64);
        let bytes = tensor.bytes().to_vec().into();
        (!whole || exact).then(|| Constant::new(Elem::of(dtype), tensor.shape().to_vec(), bytes))
    }

    /// The number that `id` is everywhere, if it is written so.
    pub(super) fn number(&self, id: ValueId) -> Option<f64> {
        match &self.graph.node(id).op {
            Op::Constant(constant) => Some(constant.value.get()),
            _ => None,
        }
    }

    /// The element type of a value, where it has one here.
    pub(super) fn dtype(&self, value: &Value) -> Option<DType> {
        match value {
            Value::Graph(id) => Some(self.graph.ty(*id).dtype),
            Value::Constant(c) => c.elem.dtype,
            Value::Sizes(s) => Some(s.dtype),
            Value::Absent | Value::Foreign(_) | Value::Failed => None,
        }
    }
}
