//! Folds and products of tiles. Every order is fixed: halves onto halves, then what is left over.

use ir::{
    DType, Monoid,
    tile::{Axis, Shape},
};

use super::{Emitter, Tile, Unsupported};
use crate::mlir::{binary, text::Value};

impl Emitter<'_> {
    pub(super) fn reduce(
        &mut self,
        monoid: Monoid,
        axis: Axis,
        a: &Tile,
    ) -> Result<Tile, Unsupported> {
        let dtype = a.dtype;
        if !binary::has_code(monoid.function(), dtype) {
            return Err(Unsupported {
                what: monoid.name().into(),
                dtype,
            });
        }
        let (shape, rows) = match axis {
            Axis::Rows => {
                let pieces = a.rows[0].len();
                let column = |piece: usize| a.rows.iter().map(|row| row[piece]).collect::<Vec<_>>();
                let folded = (0..pieces)
                    .map(|p| self.fold(monoid, dtype, column(p)))
                    .collect();
                (Shape::new(1, a.shape.lanes), vec![folded])
            }
            Axis::Lanes => {
                let fold = |row: &Vec<Value>| vec![self.fold_lanes(monoid, dtype, row)];
                (
                    Shape::new(a.shape.rows, 1),
                    a.rows.iter().map(fold).collect(),
                )
            }
        };
        Ok(Tile { shape, dtype, rows })
    }

    /// Registers of one type into one, as a tree.
    fn fold(&mut self, monoid: Monoid, dtype: DType, mut values: Vec<Value>) -> Value {
        while values.len() > 1 {
            let half = values.len().div_ceil(2);
            for i in 0..values.len() - half {
                let (a, b) = (values[i], values[i + half]);
                values[i] = self.binary_value(monoid.function(), dtype, a, b);
            }
            values.truncate(half);
        }
        values[0]
    }

    /// The registers of a row into one scalar.
    fn fold_lanes(&mut self, monoid: Monoid, dtype: DType, row: &[Value]) -> Value {
        let first = row[0];
        let (alike, rest): (Vec<Value>, Vec<Value>) = row.iter().partition(|v| v.ty == first.ty);
        let mut scalars = Vec::new();
        for group in [alike, rest] {
            if group.is_empty() {
                continue;
            }
            let mut vector = self.fold(monoid, dtype, group);
            while let Some(width) = vector.ty.width.filter(|width| *width > 1) {
                let half = width / 2;
                if width % 2 == 1 {
                    scalars.push(self.text.extract(vector, width - 1));
                }
                let low: Vec<u32> = (0..half).collect();
                let high: Vec<u32> = (half..2 * half).collect();
                let a = self.text.shuffle(vector, vector, &low);
                let b = self.text.shuffle(vector, vector, &high);
                vector = self.binary_value(monoid.function(), dtype, a, b);
            }
            scalars.push(match vector.ty.width {
                None => vector,
                Some(_) => self.text.extract(vector, 0),
            });
        }
        self.fold(monoid, dtype, scalars)
    }

    /// `acc + a b` as outer products: a number of `a` times a row of `b`.
    pub(super) fn dot(&mut self, a: &Tile, b: &Tile, acc: &Tile) -> Result<Tile, Unsupported> {
        let dtype = acc.dtype;
        if dtype == DType::Bool {
            return Err(Unsupported {
                what: "dot".into(),
                dtype,
            });
        }
        let (a, b) = (self.cast(dtype, a), self.cast(dtype, b));
        let mut rows = acc.rows.clone();
        for k in 0..a.shape.lanes {
            for (row, sums) in rows.iter_mut().enumerate() {
                let factor = self.lane(&a, row, k);
                for (piece, sum) in sums.iter_mut().enumerate() {
                    let other = b.rows[k as usize][piece];
                    let factor = self.text.broadcast(factor, other.ty.width);
                    *sum = self.multiply_add(dtype, factor, other, *sum);
                }
            }
        }
        Ok(Tile {
            shape: acc.shape,
            dtype,
            rows,
        })
    }

    fn multiply_add(&mut self, dtype: DType, a: Value, b: Value, c: Value) -> Value {
        match dtype {
            DType::F32 => self.text.fma(a, b, c),
            _ => {
                let product = self.binary_value(ir::BinaryFn::Mul, dtype, a, b);
                self.binary_value(ir::BinaryFn::Add, dtype, product, c)
            }
        }
    }

    /// One number of a tile.
    fn lane(&mut self, tile: &Tile, row: usize, lane: u32) -> Value {
        let registers = &tile.rows[row];
        match registers[0].ty.width {
            None => registers[0],
            Some(width) => self
                .text
                .extract(registers[(lane / width) as usize], lane % width),
        }
    }
}
