//! A node while it is imported: its operands, its attributes, and the ops that it becomes.

use std::collections::BTreeMap;

use ir::{BinaryFn, DType, Dim, Monoid, Op, TensorType, UnaryFn, ValueId, ops};

use super::{
    builder::Builder,
    error::NodeProblem,
    proto::{self, kind},
    tensor::Constant,
    value::Value,
};

/// One node.
pub(super) struct Call<'a> {
    pub b: &'a mut Builder,
    pub node: &'a proto::Node,
    /// By name; a function's references to its own attributes are replaced by what the caller gave.
    pub attributes: BTreeMap<&'a str, &'a proto::Attribute>,
    pub inputs: Vec<Value>,
}

/// What a node gives.
pub(super) type One = Result<ValueId, NodeProblem>;
/// What a node of several outputs gives.
pub(super) type Many = Result<Vec<Value>, NodeProblem>;

/// The problem of a use that is not known.
pub(super) fn unsupported<T>(what: impl Into<String>) -> Result<T, NodeProblem> {
    Err(NodeProblem::Use(what.into()))
}

/// An axis, counted from the end if below 0, as a position.
pub(super) fn position(axis: i64, rank: usize, name: &str) -> Result<usize, NodeProblem> {
    let from_start = if axis < 0 {
        axis.checked_add(rank as i64)
    } else {
        Some(axis)
    };
    let position = from_start.and_then(|a| usize::try_from(a).ok());
    position
        .filter(|a| *a < rank)
        .ok_or_else(|| NodeProblem::Attribute {
            name: name.into(),
            wanted: format!("an axis of {rank}"),
            found: axis.to_string(),
        })
}

/// Axes as ascending positions.
pub(super) fn positions(axes: &[i64], rank: usize, name: &str) -> Result<Vec<usize>, NodeProblem> {
    let found = axes.iter().map(|a| position(*a, rank, name));
    let mut found = found.collect::<Result<Vec<_>, _>>()?;
    found.sort_unstable();
    if found.windows(2).any(|w| w[0] == w[1]) {
        return Err(NodeProblem::Attribute {
            name: name.into(),
            wanted: "axes that differ".into(),
            found: format!("{axes:?}"),
        });
    }
    Ok(found)
}

impl Call<'_> {
    // Operands.

    /// Whether operand `i` is given.
    pub(super) fn has(&self, i: usize) -> bool {
        !matches!(self.inputs.get(i), None | Some(Value::Absent))
    }

    /// Operand `i`.
    pub(super) fn value(&self, i: usize) -> Value {
        self.inputs.get(i).cloned().unwrap_or(Value::Absent)
    }

    /// Operand `i` in the graph.
    pub(super) fn x(&mut self, i: usize) -> One {
        let value = self.value(i);
        self.b.place(&value, i)
    }

    /// Operand `i` in the graph, if it is given.
    pub(super) fn maybe(&mut self, i: usize) -> Result<Option<ValueId>, NodeProblem> {
        if self.has(i) {
            self.x(i).map(Some)
        } else {
            Ok(None)
        }
    }

    /// All operands in the graph; at least one.
    pub(super) fn all(&mut self) -> Result<Vec<ValueId>, NodeProblem> {
        (0..self.inputs.len().max(1)).map(|i| self.x(i)).collect()
    }

    /// Operand `i` as whole numbers, each a size or known.
    pub(super) fn sizes(&self, i: usize) -> Result<Vec<Dim>, NodeProblem> {
        let value = self.value(i);
        if let Some(sizes) = value.sizes() {
            return Ok(sizes.dims.clone());
        }
        let known = self.b.known(&value).and_then(|c| c.integers());
        known
            .map(|n| n.into_iter().map(Dim::from).collect())
            .ok_or(NodeProblem::Unknown {
                operand: i,
                wanted: "whole numbers that follow from shapes",
            })
    }

    /// Operand `i` as whole numbers.
    pub(super) fn ints(&self, i: usize) -> Result<Vec<i64>, NodeProblem> {
        let known = self.sizes(i)?.iter().map(Dim::known).collect::<Option<_>>();
        known.ok_or(NodeProblem::Unknown {
            operand: i,
            wanted: "whole numbers",
        })
    }

    /// Operand `i` as one whole number.
    pub(super) fn int_of(&self, i: usize) -> Result<i64, NodeProblem> {
        match self.ints(i)?.as_slice() {
            [n] => Ok(*n),
            found => Err(NodeProblem::Operand {
                operand: i,
                wanted: "one number".into(),
                found: format!("{} numbers", found.len()),
            }),
        }
    }

    /// Operand `i` as a constant.
    pub(super) fn known(&self, i: usize) -> Result<Constant, NodeProblem> {
        self.b.known(&self.value(i)).ok_or(NodeProblem::Unknown {
            operand: i,
            wanted: "numbers that follow from the file",
        })
    }

    /// The number that operand `i` is.
    pub(super) fn number(&self, i: usize) -> Result<f64, NodeProblem> {
        let known = self.known(i)?;
        match known.numbers().as_slice() {
            [n] => Ok(*n),
            found => Err(NodeProblem::Operand {
                operand: i,
                wanted: "one number".into(),
                found: format!("{} numbers", found.len()),
            }),
        }
    }

    // Attributes.

    fn attribute(
        &self,
        name: &str,
        kinds: &[i32],
        wanted: &str,
    ) -> Result<Option<&proto::Attribute>, NodeProblem> {
        let Some(attribute) = self.attributes.get(name) else {
            return Ok(None);
        };
        if kinds.contains(&attribute.r#type) {
            return Ok(Some(attribute));
        }
        Err(NodeProblem::Attribute {
            name: name.into(),
            wanted: wanted.into(),
            found: format!("a value of kind {}", attribute.r#type),
        })
    }

    /// A whole number.
    pub(super) fn int(&self, name: &str) -> Result<Option<i64>, NodeProblem> {
        Ok(self
            .attribute(name, &[kind::INT], "a whole number")?
            .map(|a| a.i))
    }

    /// A whole number that is 1 for yes.
    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool, NodeProblem> {
        Ok(self.int(name)?.map_or(default, |n| n != 0))
    }

    /// A number.
    pub(super) fn float(&self, name: &str) -> Result<Option<f64>, NodeProblem> {
        Ok(self
            .attribute(name, &[kind::FLOAT], "a number")?
            .map(|a| a.f.into()))
    }

    /// Whole numbers.
    pub(super) fn list(&self, name: &str) -> Result<Option<Vec<i64>>, NodeProblem> {
        // An empty list has no kind in some writers' files.
        let kinds = [kind::INTS, 0];
        Ok(self
            .attribute(name, &kinds, "whole numbers")?
            .map(|a| a.ints.clone()))
    }

    /// A word.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, NodeProblem> {
        let found = self.attribute(name, &[kind::STRING], "a text")?;
        Ok(found.map(|a| String::from_utf8_lossy(&a.s).into_owned()))
    }

    /// An axis of operand `x`.
    pub(super) fn axis(&self, default: i64, rank: usize) -> Result<usize, NodeProblem> {
        position(self.int("axis")?.unwrap_or(default), rank, "axis")
    }

    /// A problem of an attribute.
    pub(super) fn wrong<T>(
        &self,
        name: &str,
        wanted: impl Into<String>,
        found: impl ToString,
    ) -> Result<T, NodeProblem> {
        Err(NodeProblem::Attribute {
            name: name.into(),
            wanted: wanted.into(),
            found: found.to_string(),
        })
    }

    /// A problem of an operand.
    pub(super) fn misfit<T>(
        &self,
        operand: usize,
        wanted: impl Into<String>,
        found: impl ToString,
    ) -> Result<T, NodeProblem> {
        Err(NodeProblem::Operand {
            operand,
            wanted: wanted.into(),
            found: found.to_string(),
        })
    }

    // Types.

    pub(super) fn ty(&self, x: ValueId) -> TensorType {
        self.b.graph.ty(x).clone()
    }

    pub(super) fn shape(&self, x: ValueId) -> Vec<Dim> {
        self.b.graph.ty(x).shape.clone()
    }

    pub(super) fn rank(&self, x: ValueId) -> usize {
        self.b.graph.ty(x).rank()
    }

    pub(super) fn dtype(&self, x: ValueId) -> DType {
        self.b.graph.ty(x).dtype
    }

    /// Fails unless `x`, operand `operand`, holds floats.
    pub(super) fn require_float(&self, x: ValueId, operand: usize) -> Result<(), NodeProblem> {
        if self.dtype(x).is_float() {
            return Ok(());
        }
        self.misfit(operand, "floats", self.ty(x))
    }

    // Ops.

    /// Any op.
    pub(super) fn op(&mut self, op: impl Into<Op>, inputs: &[ValueId]) -> One {
        self.b.op(op, inputs)
    }

    /// `f(x)`; of a number, the number.
    pub(super) fn unary(&mut self, f: UnaryFn, x: ValueId) -> One {
        match self.b.number(x) {
            Some(n) if f.domain().contains(self.dtype(x)) => {
                let ty = self.ty(x);
                self.b.constant(f.eval(n), ty)
            }
            _ => self.op(ops::Unary { f }, &[x]),
        }
    }

    /// `f(x, y)`; of two numbers, the number.
    pub(super) fn binary(&mut self, f: BinaryFn, x: ValueId, y: ValueId) -> One {
        let made = ops::Binary { f };
        let types = [self.ty(x), self.ty(y)];
        match (self.b.number(x), self.b.number(y)) {
            (Some(a), Some(c)) if types[0].dtype.is_float() => {
                let ty = Op::from(made)
                    .infer(&types)
                    .map_err(|source| ir::GraphError::Op {
                        op: "binary",
                        source,
                    })?;
                self.b.constant(f.eval(a, c), ty)
            }
            _ => self.op(made, &[x, y]),
        }
    }

    pub(super) fn add(&mut self, x: ValueId, y: ValueId) -> One {
        self.binary(BinaryFn::Add, x, y)
    }

    pub(super) fn sub(&mut self, x: ValueId, y: ValueId) -> One {
        self.binary(BinaryFn::Sub, x, y)
    }

    pub(super) fn mul(&mut self, x: ValueId, y: ValueId) -> One {
        self.binary(BinaryFn::Mul, x, y)
    }

    pub(super) fn div(&mut self, x: ValueId, y: ValueId) -> One {
        self.binary(BinaryFn::Div, x, y)
    }

    /// A scalar of the element type of `like`.
    pub(super) fn scalar(&mut self, like: ValueId, value: f64) -> One {
        let ty = TensorType::new(self.dtype(like), []);
        self.b.constant(value, ty)
    }

    /// `f(x, n)`
    pub(super) fn with(&mut self, f: BinaryFn, x: ValueId, n: f64) -> One {
        let n = self.scalar(x, n)?;
        self.binary(f, x, n)
    }

    /// `if c then x else y`
    pub(super) fn select(&mut self, c: ValueId, x: ValueId, y: ValueId) -> One {
        self.op(ops::Select {}, &[c, x, y])
    }

    /// `x` with this element type.
    pub(super) fn cast(&mut self, dtype: DType, x: ValueId) -> One {
        if self.dtype(x) == dtype {
            return Ok(x);
        }
        if let Some(n) = self.b.number(x) {
            let ty = self.ty(x).with_dtype(dtype);
            return self.b.constant(n, ty);
        }
        self.op(ops::Cast { dtype }, &[x])
    }

    /// `x` under another shape.
    pub(super) fn reshape(&mut self, shape: Vec<Dim>, x: ValueId) -> One {
        if self.shape(x) == shape {
            return Ok(x);
        }
        self.op(ops::Reshape { shape }, &[x])
    }

    /// `x` repeated to another shape.
    pub(super) fn broadcast(&mut self, shape: Vec<Dim>, x: ValueId) -> One {
        if self.shape(x) == shape {
            return Ok(x);
        }
        self.op(ops::Broadcast { shape }, &[x])
    }

    /// `x` with its axes in another order.
    pub(super) fn permute(&mut self, axes: &[usize], x: ValueId) -> One {
        if axes.iter().enumerate().all(|(i, a)| i == *a) {
            return Ok(x);
        }
        let axes = axes.iter().map(|a| *a as i64).collect();
        self.op(ops::Permute { axes }, &[x])
    }

    /// A fold of `x`.
    pub(super) fn fold(&mut self, monoid: Monoid, axes: &[usize], keep: bool, x: ValueId) -> One {
        let axes = axes.iter().map(|a| *a as i64).collect();
        self.op(ops::Reduce { monoid, axes, keep }, &[x])
    }

    /// The mean of `x`.
    pub(super) fn mean(&mut self, axes: &[usize], keep: bool, x: ValueId) -> One {
        let axes = axes.iter().map(|a| *a as i64).collect();
        self.op(ops::Mean { axes, keep }, &[x])
    }

    /// `x y`
    pub(super) fn matmul(&mut self, x: ValueId, y: ValueId) -> One {
        let (ta, tb) = (false, false);
        self.op(ops::MatMul { ta, tb }, &[x, y])
    }

    /// `size` elements of `x` on `axis`, from `start` by `step`.
    pub(super) fn cut(&mut self, axis: usize, start: Dim, size: Dim, step: i64, x: ValueId) -> One {
        if start.known() == Some(0) && step == 1 && self.shape(x)[axis] == size {
            return Ok(x);
        }
        let axis = axis as i64;
        let slice = ops::Slice {
            axis,
            start,
            size,
            step,
        };
        self.op(slice, &[x])
    }

    /// Tensors side by side.
    pub(super) fn concat(&mut self, axis: usize, parts: &[ValueId]) -> One {
        match parts {
            [one] => Ok(*one),
            parts => self.op(ops::Concat { axis: axis as i64 }, parts),
        }
    }

    /// Positions along `axis` of a tensor of this type.
    pub(super) fn iota(&mut self, axis: usize, ty: TensorType) -> One {
        self.op(
            ops::Iota {
                axis: axis as i64,
                ty,
            },
            &[],
        )
    }
}
