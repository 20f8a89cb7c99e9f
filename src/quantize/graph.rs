//! Which weights are matrices, and graphs in which codes stand for them.

use std::collections::BTreeMap;

use ir::{
    BinaryFn, Build, Compute, DType, Dim, Expr, Graph, GraphError, Meaning, Monoid, Op, TensorType,
    ValueId, ops,
};

use super::Quantize;

/// Matrices of fewer inputs or outputs stay as they are: they take no memory worth saving.
const LEAST: i64 = 16;

/// A weight by which rows are multiplied.
pub(super) struct Matrix {
    pub name: String,
    pub inputs: i64,
    pub outputs: i64,
    /// Stored as `[inputs, outputs]`.
    pub inputs_first: bool,
}

impl Matrix {
    pub fn codes(&self) -> String {
        format!("{}.codes", self.name)
    }

    pub fn scales(&self) -> String {
        format!("{}.scales", self.name)
    }
}

/// What users do with a value: nothing yet, products over this axis alone, or something else.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Unused,
    Product(usize),
    Other,
}

impl Use {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unused, one) | (one, Self::Unused) => one,
            (a, b) if a == b => a,
            _ => Self::Other,
        }
    }
}

/// The weights that nothing else is done with than to multiply rows by them.
pub(super) fn matrices(graph: &Graph, how: Quantize) -> BTreeMap<ValueId, Matrix> {
    let mut uses = vec![Use::Unused; graph.nodes().len()];
    for o in graph.outputs() {
        uses[o.value.index()] = Use::Other;
    }
    trace(graph, &mut uses);
    let matrix = |v: ValueId| {
        let node = graph.node(v);
        let (Op::Weight(weight), Use::Product(axis)) = (&node.op, uses[v.index()]) else {
            return None;
        };
        let shape = <[i64; 2]>::try_from(node.ty.known_shape()?).ok()?;
        let (inputs, outputs) = (shape[axis], shape[1 - axis]);
        let fits = how.fits(inputs) && inputs.min(outputs) >= LEAST && node.ty.dtype.is_float();
        let matrix = Matrix {
            name: weight.name.clone(),
            inputs,
            outputs,
            inputs_first: axis == 0,
        };
        fits.then_some((v, matrix))
    };
    graph.values().filter_map(matrix).collect()
}

/// From users to operands: what all users of a value do with it.
fn trace(graph: &Graph, uses: &mut [Use]) {
    for v in graph.values().rev() {
        let node = graph.node(v);
        if uses[v.index()] == Use::Unused || node.inputs.is_empty() {
            continue;
        }
        let mut scratch = Graph::new("");
        for (symbol, bounds) in graph.symbols() {
            scratch.declare(symbol.name(), *bounds);
        }
        for input in &node.inputs {
            let operand = ops::Input {
                name: String::new(),
                ty: graph.ty(*input).clone(),
                absent: ops::Absent::Required,
                below: 0,
            };
            scratch
                .push(operand, &[])
                .expect("an input has no operands");
        }
        let operands: Vec<_> = scratch.values().collect();
        let found = match node.op.meaning(&operands, &mut Build::new(&mut scratch)) {
            Meaning::Compute(compute) => {
                let of = |operand| of_compute(&compute, operand, uses[v.index()]);
                (0..operands.len()).map(of).collect()
            }
            Meaning::Term(result) => {
                let mut inner = vec![Use::Unused; scratch.nodes().len()];
                inner[result.index()] = uses[v.index()];
                trace(&scratch, &mut inner);
                inner.truncate(operands.len());
                inner
            }
            _ => vec![Use::Other; operands.len()],
        };
        for (input, found) in node.inputs.iter().zip(found) {
            uses[input.index()] = uses[input.index()].and(found);
        }
    }
}

/// What index notation does with an operand, if its own users do `after` with the result.
fn of_compute(compute: &Compute, operand: usize, after: Use) -> Use {
    let rank = compute.axes.len();
    match (&compute.body, &compute.reduce) {
        (Expr::Binary(BinaryFn::Mul, a, b), Some((Monoid::Sum, sizes))) if sizes.len() == 1 => {
            let sides = [axes_of(a, operand), axes_of(b, operand)];
            match sides {
                [Some(at), None] | [None, Some(at)] => match at.as_slice() {
                    [row, column] if *row == rank && *column < rank => Use::Product(0),
                    [row, column] if *column == rank && *row < rank => Use::Product(1),
                    _ => Use::Other,
                },
                _ => Use::Other,
            }
        }
        (body, None) => match (axes_of(without_cast(body), operand), after) {
            // A permutation of its axes.
            (Some(at), Use::Product(axis)) if at.len() == 2 && rank == 2 && at[0] != at[1] => {
                Use::Product(at.iter().position(|a| *a == axis).unwrap_or(axis))
            }
            _ => Use::Other,
        },
        _ => Use::Other,
    }
}

fn without_cast(body: &Expr) -> &Expr {
    match body {
        Expr::Cast(to, x) if to.is_float() => x,
        other => other,
    }
}

/// The axes at whose coordinates `body` loads `operand`, if that is all that it does.
fn axes_of(body: &Expr, operand: usize) -> Option<Vec<usize>> {
    let Expr::Load { operand: of, index } = body else {
        return None;
    };
    let axis = |e: &Expr| match e {
        Expr::Axis(axis) => Some(*axis),
        _ => None,
    };
    (*of == operand).then(|| index.iter().map(axis).collect::<Option<_>>())?
}

/// The graph with codes in the place of matrices.
pub(super) fn with_codes(
    graph: &Graph,
    matrices: &BTreeMap<ValueId, Matrix>,
    how: Quantize,
) -> Result<Graph, GraphError> {
    let mut out = Graph::new(graph.name());
    for (symbol, bounds) in graph.symbols() {
        out.declare(symbol.name(), *bounds);
    }
    let mut values: Vec<ValueId> = Vec::with_capacity(graph.nodes().len());
    for v in graph.values() {
        let node = graph.node(v);
        let value = match matrices.get(&v) {
            Some(matrix) => widened(&mut Build::new(&mut out), matrix, how),
            None => {
                let inputs: Vec<_> = node.inputs.iter().map(|v| values[v.index()]).collect();
                out.push(node.op.clone(), &inputs)?
            }
        };
        values.push(value);
    }
    for o in graph.outputs() {
        out.output(&o.name, values[o.value.index()]);
    }
    Ok(out)
}

/// A matrix in f32, with the axes that it was stored with; weights of narrow floats are cast to f32 by their users, which
/// then does nothing.
fn widened(b: &mut Build<'_>, matrix: &Matrix, how: Quantize) -> ValueId {
    let (k, n) = (matrix.inputs, matrix.outputs);
    let group = how.group(k);
    let mut stored = |name: String, dtype, shape: [i64; 3]| {
        let ty = TensorType::fixed(dtype, &shape);
        let weight = b.op(ops::Weight { name, ty }, &[]);
        b.op(ops::Hold {}, &[weight])
    };
    let scales = stored(matrix.scales(), DType::F32, [k / group, 1, n]);
    let codes = match how {
        Quantize::W8 => {
            let codes = stored(matrix.codes(), DType::I8, [1, k, n]);
            b.cast(DType::F32, codes)
        }
        Quantize::W4 { .. } => {
            let bytes = stored(matrix.codes(), DType::U8, [k / group, group / 2, n]);
            let sixteen = b.scalar(bytes, 16.0.into());
            let low = b.binary(BinaryFn::Mod, bytes, sixteen);
            let high = b.binary(BinaryFn::FloorDiv, bytes, sixteen);
            let both = b.op(ops::Concat { axis: 1 }, &[low, high]);
            let codes = b.cast(DType::F32, both);
            b.add_scalar(codes, (-8.0).into())
        }
    };
    let values = b.mul(codes, scales);
    let shape = vec![Dim::from(k), Dim::from(n)];
    let whole = b.op(ops::Reshape { shape }, &[values]);
    if matrix.inputs_first {
        return whole;
    }
    b.op(ops::Permute { axes: vec![1, 0] }, &[whole])
}
