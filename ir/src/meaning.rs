//! What an op means. An op is defined once, by one of these; everything else is derived.

use serde::{Deserialize, Serialize};

use crate::{
    BinaryFn, DType, Dim, Expr, F64, Graph, Monoid, Op, Primitive, ShapeError, TensorType, UnaryFn,
    ValueId, ops,
};

/// The definition of an op over given operands.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// A tensor that comes from outside: an input of the graph or a weight.
    Leaf,
    /// Index notation.
    Compute(Compute),
    /// A term over other ops, built in the [`Build`] that was passed.
    Term(ValueId),
    /// A collective between ranks.
    Exchange(Exchange),
    /// What index notation cannot say well: written out by hand.
    Primitive(Primitive),
}

/// `out[i..] = monoid over r.. of body(i.., r..)`, or `out[i..] = body(i..)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Compute {
    /// Sizes of the output's axes; they are axes `0..` of the body.
    pub axes: Vec<Dim>,
    /// How to fold, and over axes of which sizes; they follow the output's axes in the body.
    pub reduce: Option<(Monoid, Vec<Dim>)>,
    /// The number at one point.
    pub body: Expr,
}

/// A collective between `R` ranks: one operand per rank in, one result per rank out.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Exchange {
    /// Every rank gets the fold of all operands.
    AllReduce(Monoid),
    /// Every rank gets all operands, concatenated along the axis in rank order.
    AllGather(usize),
    /// Rank `i` gets part `i` of the fold of all operands, split along the axis.
    ReduceScatter(Monoid, usize),
    /// Rank `i` gets part `i` of each operand (split along `split`), concatenated along `concat`.
    AllToAll {
        /// Axis that is cut into `R` parts.
        split: usize,
        /// Axis along which the parts received are joined.
        concat: usize,
    },
}

/// How code for an op starts, where its meaning alone does not lead to a good kernel.
#[derive(Clone, Debug)]
pub enum Template<'a> {
    /// From the meaning.
    Derived,
    /// The attention kernels.
    Attention(&'a ops::Attention),
    /// The same, of a cache: how many keys precede the first query is the last operand.
    CachedAttention(ops::Attention),
}

/// Builds the terms of definitions. Types are inferred; a term that has none is a defect of the op.
#[derive(Debug)]
pub struct Build<'a> {
    graph: &'a mut Graph,
}

impl<'a> Build<'a> {
    /// Terms are appended to `graph`.
    pub fn new(graph: &'a mut Graph) -> Self {
        Self { graph }
    }

    /// The type of a value.
    pub fn ty(&self, value: ValueId) -> TensorType {
        self.graph.ty(value).clone()
    }

    /// Any op.
    pub fn op(&mut self, op: impl Into<Op>, inputs: &[ValueId]) -> ValueId {
        let op = op.into();
        let name = op.name();
        self.graph
            .push(op, inputs)
            .unwrap_or_else(|e| panic!("the term of a definition is well typed ({name}: {e})"))
    }

    /// A function of one number, elementwise.
    pub fn unary(&mut self, f: UnaryFn, x: ValueId) -> ValueId {
        self.op(ops::Unary { f }, &[x])
    }

    /// A function of two numbers, elementwise; shapes broadcast.
    pub fn binary(&mut self, f: BinaryFn, a: ValueId, b: ValueId) -> ValueId {
        self.op(ops::Binary { f }, &[a, b])
    }

    /// `a + b`
    pub fn add(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(BinaryFn::Add, a, b)
    }

    /// `a - b`
    pub fn sub(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(BinaryFn::Sub, a, b)
    }

    /// `a b`
    pub fn mul(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(BinaryFn::Mul, a, b)
    }

    /// A scalar of the element type of `like`.
    pub fn scalar(&mut self, like: ValueId, value: F64) -> ValueId {
        let ty = TensorType::new(self.ty(like).dtype, []);
        self.op(ops::Constant { value, ty }, &[])
    }

    /// `x + c`
    pub fn add_scalar(&mut self, x: ValueId, c: F64) -> ValueId {
        let c = self.scalar(x, c);
        self.add(x, c)
    }

    /// `c x`
    pub fn mul_scalar(&mut self, x: ValueId, c: F64) -> ValueId {
        let c = self.scalar(x, c);
        self.mul(x, c)
    }

    /// A fold along `axes`, which stay as size 1.
    pub fn reduce(&mut self, monoid: Monoid, axes: &[usize], x: ValueId) -> ValueId {
        let axes = axes.iter().map(|a| *a as i64).collect();
        self.op(
            ops::Reduce {
                monoid,
                axes,
                keep: true,
            },
            &[x],
        )
    }

    /// The mean along the last axis, which stays as size 1.
    pub fn mean_last(&mut self, x: ValueId) -> ValueId {
        let axis = self.ty(x).rank() as i64 - 1;
        self.op(
            ops::Mean {
                axes: vec![axis],
                keep: true,
            },
            &[x],
        )
    }

    /// `x` with this element type.
    pub fn cast(&mut self, dtype: DType, x: ValueId) -> ValueId {
        self.op(ops::Cast { dtype }, &[x])
    }

    /// `a b`, the last axis of `a` against the one before the last of `b`.
    pub fn matmul(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.op(
            ops::MatMul {
                ta: false,
                tb: false,
            },
            &[a, b],
        )
    }
}

/// What a value of an op needs beyond its operands' types to be inferred and explained.
pub trait OpDef {
    /// Type of the result.
    ///
    /// # Errors
    /// The operands do not fit, with the operand, axis and both sizes.
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError>;

    /// Definition over operands of fitting types; term ops append their term to `b`.
    fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning;

    /// How code for it starts.
    fn template(&self) -> Template<'_> {
        Template::Derived
    }

    /// Whether the result holds the elements of the only operand in the same row-major order.
    fn keeps_order(&self) -> bool {
        false
    }

    /// The axis of the only operand along which elements far below the others do not count, if there is one.
    fn leaves_out(&self) -> Option<usize> {
        None
    }

    /// Whether the result counts as given at each run, though weights alone decide it.
    fn holds(&self) -> bool {
        false
    }
}
