//! Emits the number at one point of a stage as tiles.

use std::collections::BTreeMap;

use ir::{
    BinaryFn, DType, F64,
    tile::{Access, Index, Memory, Shape, Value, Var},
};

use super::builder::Builder;
use crate::nest::{Affine, Atom, Body};

/// A tile and its element type; a number of no type yet takes that of what it meets.
#[derive(Clone, Copy)]
enum Emitted {
    Tile(Var, DType),
    Num(F64),
}

/// Where a stage's point lies, and what earlier stages gave there.
pub(super) struct Point<'a> {
    /// Element types of the operands, which are the first parameters.
    pub operands: &'a [DType],
    /// The coordinate on each axis; may mention `Row` and `Lane`.
    pub axes: &'a [Index],
    /// Rows and lanes of a tile.
    pub shape: Shape,
    /// Results of earlier stages at this point, in the element types in which they are held.
    pub stages: &'a BTreeMap<usize, (Var, DType)>,
    /// The point is one only where, in every pair, the first is below the second: what a load varies with, it
    /// is guarded by.
    pub bounds: &'a [(Index, Index)],
}

impl Point<'_> {
    /// An offset as an index.
    pub fn index(&self, a: &Affine) -> Index {
        let mut sum = Index::Const(0);
        for (atom, c) in &a.terms {
            sum = sum + self.atom(atom) * *c;
        }
        sum + a.constant
    }

    fn atom(&self, atom: &Atom) -> Index {
        match atom {
            Atom::Axis(a) => self.axes[*a].clone(),
            Atom::Div(a, d) => self.index(a).floor_div(*d),
            Atom::Mod(a, d) => self.index(a).modulo(*d),
            Atom::Load(operand, a) => {
                Index::Load(Memory::Param(*operand as u32), self.index(a).into())
            }
        }
    }

    /// The shape of a tile whose elements lie at `index`.
    fn shape_of<'i>(&self, indices: impl IntoIterator<Item = &'i Index>) -> Shape {
        let mut shape = Shape::ONE;
        for index in indices {
            if index.mentions(&Index::Row) {
                shape.rows = self.shape.rows;
            }
            if index.mentions(&Index::Lane) {
                shape.lanes = self.shape.lanes;
            }
        }
        shape
    }
}

/// Tiles that a scope has already; the same number is computed once.
#[derive(Default)]
pub(super) struct Known(BTreeMap<Body, (Var, DType)>);

/// Emits `body` at `point` as f32. Its shape is the smallest that holds what varies.
pub(super) fn emit(b: &mut Builder, point: &Point<'_>, known: &mut Known, body: &Body) -> Var {
    emit_as(b, point, known, body, DType::F32)
}

/// [`emit`], as `dtype`.
pub(super) fn emit_as(
    b: &mut Builder,
    point: &Point<'_>,
    known: &mut Known,
    body: &Body,
    dtype: DType,
) -> Var {
    let emitted = value(b, point, known, body);
    cast(b, emitted, dtype)
}

/// Emits `body` in the float type that it is stored in, if it is just loaded, else as f32.
pub(super) fn emit_stored(
    b: &mut Builder,
    point: &Point<'_>,
    known: &mut Known,
    body: &Body,
) -> (Var, DType) {
    match body {
        Body::Cast(to, x) if to.is_float() => emit_stored(b, point, known, x),
        Body::Load { operand, at, guard } if point.operands[*operand].is_float() => {
            load(b, point, *operand, at, guard)
        }
        body => (emit(b, point, known, body), DType::F32),
    }
}

/// The type that [`emit_stored`] gives for operands of these types.
pub(super) fn stored_type(operands: &[DType], body: &Body) -> DType {
    match body {
        Body::Cast(to, x) if to.is_float() => stored_type(operands, x),
        Body::Load { operand, .. } if operands[*operand].is_float() => operands[*operand],
        _ => DType::F32,
    }
}

/// Emits `body` as a tile of `dtype` with the point's full shape.
pub(super) fn emit_full(
    b: &mut Builder,
    point: &Point<'_>,
    known: &mut Known,
    body: &Body,
    dtype: DType,
) -> Var {
    let var = emit_as(b, point, known, body, dtype);
    b.set(Value::Broadcast(var, point.shape))
}

fn cast(b: &mut Builder, x: Emitted, to: DType) -> Var {
    match x {
        Emitted::Tile(var, dtype) if dtype == to => var,
        Emitted::Tile(var, _) => b.set(Value::Cast(to, var)),
        Emitted::Num(n) => b.set(Value::Splat(n, to, Shape::ONE)),
    }
}

fn value(b: &mut Builder, point: &Point<'_>, known: &mut Known, body: &Body) -> Emitted {
    if let Some((var, dtype)) = known.0.get(body) {
        return Emitted::Tile(*var, *dtype);
    }
    let emitted = match body {
        Body::Num(n) => return Emitted::Num(*n),
        Body::Coordinate(a) => {
            let index = point.index(a);
            let shape = point.shape_of([&index]);
            Emitted::Tile(b.set(Value::Coordinate(index, shape)), DType::I32)
        }
        Body::Load { operand, at, guard } => {
            let (var, dtype) = load(b, point, *operand, at, guard);
            let held = held_as(dtype);
            Emitted::Tile(cast(b, Emitted::Tile(var, dtype), held), held)
        }
        Body::Stage { stage, .. } => {
            let done = point.stages.get(stage);
            let (var, dtype) = *done.expect("stages are emitted in order");
            return Emitted::Tile(var, dtype);
        }
        Body::Unary(f, x) => match value(b, point, known, x) {
            Emitted::Num(n) => Emitted::Num(f.eval(n.get()).into()),
            Emitted::Tile(var, dtype) => Emitted::Tile(b.set(Value::Unary(*f, var)), dtype),
        },
        Body::Cast(d, x) => {
            let x = value(b, point, known, x);
            let to = held_as(*d);
            match x {
                // Rounding to a narrow float happens where a value is stored.
                Emitted::Num(n) => Emitted::Num(n),
                x => Emitted::Tile(cast(b, x, to), to),
            }
        }
        Body::Binary(f, x, y) => binary(b, point, known, *f, x, y),
        Body::Select(c, x, y) => {
            let c = value(b, point, known, c);
            let c = cast(b, c, DType::Bool);
            let (x, y) = (value(b, point, known, x), value(b, point, known, y));
            let (x, y, dtype) = same_type(b, x, y);
            Emitted::Tile(b.set(Value::Select(c, x, y)), dtype)
        }
    };
    if let Emitted::Tile(var, dtype) = emitted {
        known.0.insert(body.clone(), (var, dtype));
    }
    emitted
}

/// The element type that a value of `dtype` has in registers.
const fn held_as(dtype: DType) -> DType {
    match dtype {
        DType::F16 | DType::Bf16 => DType::F32,
        other => other,
    }
}

fn load(
    b: &mut Builder,
    point: &Point<'_>,
    operand: usize,
    at: &Affine,
    guard: &[(Affine, Affine)],
) -> (Var, DType) {
    let at = point.index(at);
    let mut guard: Vec<_> = guard
        .iter()
        .map(|(x, y)| (point.index(x), point.index(y)))
        .collect();
    let shape = point.shape_of(guard.iter().flat_map(|(x, y)| [x, y]).chain([&at]));
    let varies = |part: &Index| {
        let pairs = guard.iter().flat_map(|(x, y)| [x, y]);
        pairs.chain([&at]).any(|i| i.mentions(part))
    };
    let [by_row, by_lane] = [&Index::Row, &Index::Lane].map(varies);
    let bounds = point.bounds.iter().filter(|(x, _)| {
        (by_row || !x.mentions(&Index::Row)) && (by_lane || !x.mentions(&Index::Lane))
    });
    // Bounds come first: where they do not hold, the other pairs may have no meaning.
    guard.splice(0..0, bounds.cloned());
    let dtype = point.operands[operand];
    let from = Access {
        memory: Memory::Param(operand as u32),
        at,
        guard,
    };
    let var = b.set(Value::Load {
        from,
        shape,
        other: 0.0.into(),
    });
    (var, dtype)
}

fn same_type(b: &mut Builder, x: Emitted, y: Emitted) -> (Var, Var, DType) {
    let dtype = match (x, y) {
        (Emitted::Tile(_, d), Emitted::Tile(_, e)) if d == e => d,
        (Emitted::Tile(_, d), Emitted::Num(_)) | (Emitted::Num(_), Emitted::Tile(_, d)) => d,
        _ => DType::F32,
    };
    (cast(b, x, dtype), cast(b, y, dtype), dtype)
}

fn binary(
    b: &mut Builder,
    point: &Point<'_>,
    known: &mut Known,
    f: BinaryFn,
    x: &Body,
    y: &Body,
) -> Emitted {
    let (x, y) = (value(b, point, known, x), value(b, point, known, y));
    if let (Emitted::Num(x), Emitted::Num(y)) = (x, y) {
        return Emitted::Num(f.eval(x.get(), y.get()).into());
    }
    let (x, y, dtype) = same_type(b, x, y);
    let var = b.set(Value::Binary(f, x, y));
    Emitted::Tile(var, if f.is_predicate() { DType::Bool } else { dtype })
}
