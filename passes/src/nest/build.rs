//! From the graph of a kernel to its nest.

mod attention;
mod scatter;

use std::collections::BTreeMap;

use ir::{
    BinaryFn, Build, Expr, Graph, Meaning, Op, Primitive, Template, TensorType, ValueId,
    ops::{Absent, Input},
};

use super::{Affine, Atom, Body, Nest, Stage, StageKind, point::has_load};

/// Why a graph is not one nest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NestError {
    /// A size is still a symbol.
    #[error("{0}: its sizes must be numbers before it becomes a kernel")]
    Symbolic(TensorType),
    /// The op is computed between ranks, or is a weight.
    #[error("op `{0}` is not computed by a kernel")]
    NotComputed(&'static str),
    /// An index that is no integer expression of axes and integer loads.
    #[error("an index is not an integer expression of axes")]
    Index,
}

/// A graph whose ops have index notation or a template: terms are replaced by their definitions.
fn expand(graph: &Graph) -> Graph {
    let mut out = Graph::new(graph.name());
    let mut new = BTreeMap::new();
    for v in graph.values() {
        let node = graph.node(v);
        let inputs: Vec<_> = node.inputs.iter().map(|i| new[i]).collect();
        new.insert(v, expand_node(&mut out, &node.op, &inputs));
    }
    for o in graph.outputs() {
        out.output(&o.name, new[&o.value]);
    }
    out
}

fn expand_node(out: &mut Graph, op: &Op, inputs: &[ValueId]) -> ValueId {
    let mut term = Graph::new("term");
    let leaves: Vec<_> = inputs
        .iter()
        .map(|v| {
            term.push(leaf(out.ty(*v)), &[])
                .expect("a leaf takes any type")
        })
        .collect();
    let derived = matches!(op.template(), Template::Derived);
    match op.meaning(&leaves, &mut Build::new(&mut term)) {
        Meaning::Term(result) if derived => {
            let mut new: BTreeMap<ValueId, ValueId> =
                leaves.iter().copied().zip(inputs.iter().copied()).collect();
            for v in term.values().skip(leaves.len()) {
                let node = term.node(v);
                let inputs: Vec<_> = node.inputs.iter().map(|i| new[i]).collect();
                new.insert(v, expand_node(out, &node.op, &inputs));
            }
            new[&result]
        }
        _ => out
            .push(op.clone(), inputs)
            .expect("operands fitted before"),
    }
}

/// An input that stands for a value of this type.
pub(crate) fn leaf(ty: &TensorType) -> Input {
    Input {
        name: String::new(),
        ty: ty.clone(),
        absent: Absent::Required,
        below: 0,
    }
}

/// The nest of a bound graph with one output; its operands are the graph's inputs, in order.
pub(crate) fn nest(graph: &Graph) -> Result<Nest, NestError> {
    let graph = expand(graph);
    let mut builder = Builder {
        graph: &graph,
        defs: Vec::new(),
        nest: Nest {
            operands: vec![],
            stages: vec![],
            result: (ir::DType::F32, 0),
        },
    };
    let output = graph.outputs()[0].value;
    let live = graph.live();
    for v in graph.values() {
        let def = if live[v.index()] || matches!(graph.node(v).op, Op::Input(_)) {
            builder.define(v)?
        } else {
            Def::Dead
        };
        builder.defs.push(def);
    }
    let sizes = known(graph.ty(output))?;
    if !matches!(builder.defs[output.index()], Def::Stage(_)) {
        let axes: Vec<_> = (0..sizes.len()).map(Affine::axis).collect();
        let body = builder.value(output, &axes, &sizes)?;
        let stage = Stage {
            outer: sizes.len(),
            store: row_major(&sizes, &axes),
            sizes,
            kind: StageKind::Map(body),
            dtype: graph.ty(output).dtype,
        };
        builder.nest.stages.push(stage);
    }
    let ty = graph.ty(output);
    builder.nest.result = (ty.dtype, known(ty)?.iter().product());
    Ok(builder.nest)
}

/// The flat offset of the element at `at` in an array of this shape.
pub(crate) fn row_major(shape: &[i64], at: &[Affine]) -> Affine {
    shape
        .iter()
        .zip(at)
        .fold(Affine::default(), |sum, (size, at)| {
            sum.times(*size).plus(1, at)
        })
}

pub(super) fn known(ty: &TensorType) -> Result<Vec<i64>, NestError> {
    ty.known_shape()
        .ok_or_else(|| NestError::Symbolic(ty.clone()))
}

/// What stands for a value where it is used.
pub(super) enum Def {
    Dead,
    Operand(usize),
    Stage(usize),
    Map(Expr),
}

pub(super) struct Builder<'a> {
    pub(super) graph: &'a Graph,
    defs: Vec<Def>,
    pub(super) nest: Nest,
}

impl Builder<'_> {
    fn define(&mut self, v: ValueId) -> Result<Def, NestError> {
        let node = self.graph.node(v);
        let sizes = known(&node.ty)?;
        if let Op::Input(_) = &node.op {
            self.nest
                .operands
                .push((node.ty.dtype, sizes.iter().product()));
            return Ok(Def::Operand(self.nest.operands.len() - 1));
        }
        if let Template::CachedAttention(spec) = node.op.template() {
            let (past, inputs) = node.inputs.split_last().expect("the arity was checked");
            return self.attention(&spec, inputs, Some(*past), sizes);
        }
        if let Template::Attention(spec) = node.op.template() {
            return self.attention(spec, &node.inputs, None, sizes);
        }
        let mut scratch = self.graph.clone();
        let meaning = node.op.meaning(&node.inputs, &mut Build::new(&mut scratch));
        let compute = match meaning {
            Meaning::Compute(compute) => compute,
            Meaning::Primitive(Primitive::Scatter(s)) => return self.scatter(&s, v),
            Meaning::Primitive(p) => return self.primitive(&p, v),
            _ => return Err(NestError::NotComputed(node.op.name())),
        };
        let Some((monoid, folded)) = compute.reduce else {
            return Ok(Def::Map(compute.body.expand()));
        };
        let outer = sizes.len();
        let folded = folded.iter().map(|d| {
            d.known()
                .ok_or_else(|| NestError::Symbolic(node.ty.clone()))
        });
        let all = sizes
            .iter()
            .copied()
            .map(Ok)
            .chain(folded)
            .collect::<Result<Vec<_>, _>>()?;
        let axes: Vec<_> = (0..all.len()).map(Affine::axis).collect();
        let body = self.body(
            &compute.body.expand(),
            &node.inputs,
            &axes,
            &all,
            node.ty.dtype,
        )?;
        let store = row_major(&sizes, &axes[..outer]);
        self.nest.stages.push(Stage {
            sizes: all,
            outer,
            store,
            kind: StageKind::Fold(monoid, body),
            dtype: node.ty.dtype,
        });
        Ok(Def::Stage(self.nest.stages.len() - 1))
    }

    /// The element of `v` at `at`, which is over axes of these `sizes`.
    pub(super) fn value(
        &self,
        v: ValueId,
        at: &[Affine],
        sizes: &[i64],
    ) -> Result<Body, NestError> {
        let node = self.graph.node(v);
        match &self.defs[v.index()] {
            Def::Dead => unreachable!("live values use live values"),
            Def::Operand(operand) => {
                let at = row_major(&known(&node.ty)?, at);
                Ok(Body::Load {
                    operand: *operand,
                    at,
                    guard: vec![],
                })
            }
            Def::Stage(stage) => Ok(Body::Stage {
                stage: *stage,
                at: at.to_vec(),
            }),
            Def::Map(expr) => self.body(expr, &node.inputs, at, sizes, node.ty.dtype),
        }
    }

    /// `expr` with its axes at `at`, as a number of type `dtype`.
    fn body(
        &self,
        expr: &Expr,
        inputs: &[ValueId],
        at: &[Affine],
        sizes: &[i64],
        dtype: ir::DType,
    ) -> Result<Body, NestError> {
        let again = |e: &Expr| self.body(e, inputs, at, sizes, dtype).map(Box::new);
        Ok(match expr {
            Expr::Num(x) => Body::Num(*x),
            Expr::Axis(_) | Expr::Size(_) => {
                let index = self.index(expr, inputs, at, sizes)?;
                match index.known() {
                    Some(n) => Body::Num((n as f64).into()),
                    None => Body::Cast(dtype, Body::Coordinate(index).into()),
                }
            }
            Expr::Load { operand, index } => {
                let index: Result<Vec<_>, _> = index
                    .iter()
                    .map(|e| self.index(e, inputs, at, sizes))
                    .collect();
                self.value(inputs[*operand], &index?, sizes)?
            }
            Expr::Unary(f, x) => Body::Unary(*f, again(x)?),
            Expr::Cast(d, x) => Body::Cast(*d, self.body(x, inputs, at, sizes, *d)?.into()),
            Expr::Binary(f, a, b) => {
                let loads = has_load(expr);
                match self.index(expr, inputs, at, sizes) {
                    Ok(index) if !loads => Body::Cast(dtype, Body::Coordinate(index).into()),
                    _ => Body::Binary(*f, again(a)?, again(b)?),
                }
            }
            Expr::Select(c, a, b) => match self.condition(c, inputs, at, sizes) {
                Some(test) if !has_load(c) => choose(&test, *again(a)?, *again(b)?),
                _ => Body::Select(again(c)?, again(a)?, again(b)?),
            },
        })
    }

    /// `expr` as an integer of the place.
    fn index(
        &self,
        expr: &Expr,
        inputs: &[ValueId],
        at: &[Affine],
        sizes: &[i64],
    ) -> Result<Affine, NestError> {
        let again = |e: &Expr| self.index(e, inputs, at, sizes);
        match expr {
            Expr::Axis(a) => Ok(at[*a].clone()),
            Expr::Size(d) => d.known().map(Affine::constant).ok_or(NestError::Index),
            Expr::Load { operand, index } => {
                let index = index.iter().map(again).collect::<Result<Vec<_>, _>>()?;
                let whole = |b: Body| match b {
                    Body::Load { operand, at, guard } if guard.is_empty() => {
                        Some(Affine::atom(Atom::Load(operand, at)))
                    }
                    Body::Cast(d, x) if d.is_int() => match *x {
                        Body::Coordinate(a) => Some(a),
                        Body::Load { operand, at, guard }
                            if guard.is_empty() && self.nest.operands[operand].0.is_int() =>
                        {
                            Some(Affine::atom(Atom::Load(operand, at)))
                        }
                        _ => None,
                    },
                    _ => None,
                };
                whole(self.value(inputs[*operand], &index, sizes)?).ok_or(NestError::Index)
            }
            Expr::Binary(f, a, b) => {
                let (a, b) = (again(a)?, again(b)?);
                match (f, a.known(), b.known()) {
                    (BinaryFn::Add, ..) => Ok(a.plus(1, &b)),
                    (BinaryFn::Sub, ..) => Ok(a.plus(-1, &b)),
                    (BinaryFn::Mul, _, Some(n)) => Ok(a.times(n)),
                    (BinaryFn::Mul, Some(n), _) => Ok(b.times(n)),
                    (BinaryFn::FloorDiv, _, Some(n)) if n > 0 => Ok(a.div_mod(n, sizes).0),
                    (BinaryFn::Mod, _, Some(n)) if n > 0 => Ok(a.div_mod(n, sizes).1),
                    _ => Err(NestError::Index),
                }
            }
            Expr::Num(_) | Expr::Unary(..) | Expr::Cast(..) | Expr::Select(..) => {
                Err(NestError::Index)
            }
        }
    }

    /// A condition on places.
    fn condition(
        &self,
        c: &Expr,
        inputs: &[ValueId],
        at: &[Affine],
        sizes: &[i64],
    ) -> Option<Test> {
        let Expr::Binary(f, a, b) = c else {
            return None;
        };
        if *f == BinaryFn::And {
            let mut both = self.condition(a, inputs, at, sizes)?;
            both.yes.extend(self.condition(b, inputs, at, sizes)?.yes);
            return Some(Test { no: vec![], ..both });
        }
        let a = self.index(a, inputs, at, sizes).ok()?;
        let b = self.index(b, inputs, at, sizes).ok()?;
        match f {
            BinaryFn::Lt => Some(Test {
                yes: vec![(a.clone(), b.clone())],
                no: vec![not_above(b, a)],
            }),
            BinaryFn::Le => Some(Test {
                yes: vec![not_above(a.clone(), b.clone())],
                no: vec![(b, a)],
            }),
            BinaryFn::Gt => Some(Test {
                yes: vec![(b.clone(), a.clone())],
                no: vec![not_above(a, b)],
            }),
            BinaryFn::Ge => Some(Test {
                yes: vec![not_above(b.clone(), a.clone())],
                no: vec![(a, b)],
            }),
            BinaryFn::Eq => {
                let yes = vec![
                    not_above(a.clone(), b.clone()),
                    not_above(b.clone(), a.clone()),
                ];
                let (low, high) = a.clone().plus(-1, &b).range(sizes);
                let no = match (low, high) {
                    (0, _) => vec![(b, a)],
                    (_, 0) => vec![(a, b)],
                    _ => vec![],
                };
                Some(Test { yes, no })
            }
            _ => None,
        }
    }
}

/// A condition as pairs, the first of each below its second.
struct Test {
    /// All hold where the condition does, and only there.
    yes: Vec<(Affine, Affine)>,
    /// These hold where it does not; none may be known.
    no: Vec<(Affine, Affine)>,
}

/// `a <= b`, as a pair.
fn not_above(a: Affine, b: Affine) -> (Affine, Affine) {
    (a, b.plus(1, &Affine::constant(1)))
}

/// `a` where the test holds, else `b`; loads of either side happen only where it is chosen.
fn choose(test: &Test, a: Body, b: Body) -> Body {
    let pairs = test.yes.iter().map(|(a, b)| {
        let side = |x: &Affine| Body::Coordinate(x.clone()).into();
        Body::Binary(BinaryFn::Lt, side(a), side(b))
    });
    let all = pairs.reduce(|a, b| Body::Binary(BinaryFn::And, a.into(), b.into()));
    let Some(all) = all else { return a };
    Body::Select(
        all.into(),
        guarded(a, &test.yes).into(),
        guarded(b, &test.no).into(),
    )
}

/// The same number, with loads that happen only where all pairs hold.
fn guarded(body: Body, pairs: &[(Affine, Affine)]) -> Body {
    match body {
        Body::Load {
            operand,
            at,
            mut guard,
        } => {
            guard.extend_from_slice(pairs);
            Body::Load { operand, at, guard }
        }
        Body::Unary(f, x) => Body::Unary(f, guarded(*x, pairs).into()),
        Body::Cast(d, x) => Body::Cast(d, guarded(*x, pairs).into()),
        Body::Binary(f, a, b) => {
            Body::Binary(f, guarded(*a, pairs).into(), guarded(*b, pairs).into())
        }
        Body::Select(c, a, b) => Body::Select(
            guarded(*c, pairs).into(),
            guarded(*a, pairs).into(),
            guarded(*b, pairs).into(),
        ),
        other => other,
    }
}
