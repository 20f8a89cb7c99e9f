//! Values of tiles from tiles.

use std::collections::BTreeMap;

use super::Arithmetic;
use crate::{
    DType,
    tile::{Axis, Shape, Types, Value, Var},
};

/// The numbers of a tile, row after row.
#[derive(Clone, Debug)]
pub(super) struct Tile {
    pub shape: Shape,
    values: Vec<f64>,
}

impl Default for Tile {
    fn default() -> Self {
        Self {
            shape: Shape::ONE,
            values: vec![0.0],
        }
    }
}

impl Tile {
    /// Makes this tile the one that has `f(row, lane)` everywhere.
    pub fn fill(&mut self, shape: Shape, mut f: impl FnMut(usize, usize) -> f64) {
        self.shape = shape;
        self.values.clear();
        for row in 0..shape.rows as usize {
            self.values
                .extend((0..shape.lanes as usize).map(|lane| f(row, lane)));
        }
    }

    /// The number at a place of a tile to which this one repeats.
    pub fn at(&self, row: usize, lane: usize) -> f64 {
        let row = if self.shape.rows == 1 { 0 } else { row };
        let lane = if self.shape.lanes == 1 { 0 } else { lane };
        self.values[row * self.shape.lanes as usize + lane]
    }

    /// The number at a place of this tile.
    pub fn at_mut(&mut self, (row, lane): (usize, usize)) -> &mut f64 {
        &mut self.values[row * self.shape.lanes as usize + lane]
    }

    fn row(&self, row: usize) -> &[f64] {
        let lanes = self.shape.lanes as usize;
        &self.values[row * lanes..][..lanes]
    }

    fn row_mut(&mut self, row: usize) -> &mut [f64] {
        let lanes = self.shape.lanes as usize;
        &mut self.values[row * lanes..][..lanes]
    }
}

/// Makes `out` the value, which neither reads memory nor asks for coordinates.
pub(super) fn value(
    arithmetic: Arithmetic,
    tiles: &BTreeMap<Var, Tile>,
    types: &Types,
    value: &Value,
    out: &mut Tile,
) {
    let round = |dtype: DType, x: f64| arithmetic.round(dtype, x);
    let dtype_of = |var: &Var| types[var].0;
    match value {
        Value::Coordinate(..) | Value::Load { .. } => {
            unreachable!("the caller knows counters and memory")
        }
        Value::Splat(x, dtype, shape) => {
            let x = round(*dtype, x.get());
            out.fill(*shape, |_, _| x);
        }
        Value::Unary(f, x) => {
            let (dtype, x) = (dtype_of(x), &tiles[x]);
            out.fill(x.shape, |r, l| round(dtype, f.eval(x.at(r, l))));
        }
        Value::Binary(f, a, b) => {
            let dtype = if f.is_predicate() {
                DType::Bool
            } else {
                dtype_of(a)
            };
            let (a, b) = (&tiles[a], &tiles[b]);
            let shape = join(&[a, b]);
            out.fill(shape, |r, l| round(dtype, f.eval(a.at(r, l), b.at(r, l))));
        }
        Value::Select(test, a, b) => {
            let [test, a, b] = [test, a, b].map(|v| &tiles[v]);
            let pick = |r, l| if test.at(r, l) != 0.0 { a } else { b };
            out.fill(join(&[test, a, b]), |r, l| pick(r, l).at(r, l));
        }
        Value::Cast(dtype, x) => {
            let x = &tiles[x];
            out.fill(x.shape, |r, l| round(*dtype, x.at(r, l)));
        }
        Value::Broadcast(x, shape) => {
            let x = &tiles[x];
            out.fill(*shape, |r, l| x.at(r, l));
        }
        Value::Reduce(monoid, axis, x) => {
            let (dtype, x) = (dtype_of(x), &tiles[x]);
            let step = |acc, x| round(dtype, monoid.function().eval(acc, x));
            let (rows, lanes) = (x.shape.rows as usize, x.shape.lanes as usize);
            let start = monoid.identity();
            match axis {
                Axis::Rows => out.fill(Shape { rows: 1, ..x.shape }, |_, l| {
                    (0..rows).fold(start, |acc, r| step(acc, x.at(r, l)))
                }),
                Axis::Lanes => out.fill(
                    Shape {
                        lanes: 1,
                        ..x.shape
                    },
                    |r, _| (0..lanes).fold(start, |acc, l| step(acc, x.at(r, l))),
                ),
            }
        }
        Value::Dot { a, b, acc } => {
            let (dtype, a, b) = (dtype_of(acc), &tiles[a], &tiles[b]);
            out.clone_from(&tiles[acc]);
            for r in 0..a.shape.rows as usize {
                for k in 0..a.shape.lanes as usize {
                    let x = a.at(r, k);
                    let sums = out.row_mut(r).iter_mut().zip(b.row(k));
                    if arithmetic == Arithmetic::Exact && dtype.is_float() {
                        sums.for_each(|(sum, y)| *sum += x * y);
                    } else {
                        sums.for_each(|(sum, y)| *sum = round(dtype, *sum + x * y));
                    }
                }
            }
        }
    }
}

fn join(tiles: &[&Tile]) -> Shape {
    let shapes = tiles.iter().map(|t| Some(t.shape));
    let joined = shapes.reduce(|a, b| a?.join(b?));
    joined.flatten().expect("verified: shapes repeat to one")
}
