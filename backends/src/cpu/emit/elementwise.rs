//! Constants, conversions and functions of one, two or three numbers.

use ir::{
    BinaryFn, DType, UnaryFn,
    tile::{Index, Shape},
};

use super::{Emitter, Tile, Unsupported, memory::stored, typed};
use crate::mlir::{
    binary,
    numbers::{self, register},
    text::{Elem, Value},
};

impl Emitter<'_> {
    pub(super) fn splat(&mut self, value: f64, dtype: DType, shape: Shape) -> Tile {
        let pieces = self.pieces(shape.lanes);
        let row: Vec<Value> = pieces
            .into_iter()
            .map(|(_, width)| {
                self.text
                    .number(dtype, typed(register(dtype), width), value)
            })
            .collect();
        Tile {
            shape,
            dtype,
            rows: vec![row; shape.rows as usize],
        }
    }

    pub(super) fn coordinate(&mut self, index: &Index, shape: Shape) -> Tile {
        let rows = (0..shape.rows)
            .map(|row| {
                self.at_row(row);
                let pieces = self.pieces(shape.lanes).into_iter();
                pieces
                    .map(|(first, width)| {
                        let value = match width {
                            Some(width) => self.integers(index, first, width),
                            None => {
                                let sum = self.at_lanes(index, first, None);
                                self.integer(&sum)
                            }
                        };
                        self.text
                            .convert("arith.trunci", value, typed(Elem::I32, width))
                    })
                    .collect()
            })
            .collect();
        Tile {
            shape,
            dtype: DType::I32,
            rows,
        }
    }

    pub(super) fn broadcast(&mut self, a: &Tile, shape: Shape) -> Tile {
        self.zip([a], shape, a.dtype, |_, [a]| a)
    }

    pub(super) fn select(&mut self, condition: &Tile, a: &Tile, b: &Tile) -> Tile {
        let shape = join(condition.shape, join(a.shape, b.shape));
        self.zip([condition, a, b], shape, a.dtype, |e, [c, a, b]| {
            e.text.select(c, a, b)
        })
    }

    /// A number in a register from its form in memory.
    pub(super) fn unpacked(&mut self, dtype: DType, raw: Value) -> Value {
        let f32_ty = raw.ty.of(Elem::F32);
        match dtype {
            DType::F16 => {
                let half = self
                    .text
                    .convert("arith.bitcast", raw, raw.ty.of(Elem::F16));
                self.text.convert("arith.extf", half, f32_ty)
            }
            DType::Bf16 => {
                let wide = self.text.convert("arith.extui", raw, raw.ty.of(Elem::I32));
                let sixteen = self.text.int(wide.ty, 16);
                let bits = self.text.binary("arith.shli", wide, sixteen);
                self.text.convert("arith.bitcast", bits, f32_ty)
            }
            DType::Bool => {
                let zero = self.text.int(raw.ty, 0);
                self.text.compare("ne", raw, zero)
            }
            _ => raw,
        }
    }

    /// The form in memory of a number that its element type can hold.
    pub(super) fn packed(&mut self, dtype: DType, value: Value) -> Value {
        let ty = value.ty.of(stored(dtype));
        match dtype {
            DType::F16 => {
                let half = self
                    .text
                    .convert("arith.truncf", value, value.ty.of(Elem::F16));
                self.text.convert("arith.bitcast", half, ty)
            }
            DType::Bf16 => {
                let bits = self
                    .text
                    .convert("arith.bitcast", value, value.ty.of(Elem::I32));
                let sixteen = self.text.int(bits.ty, 16);
                let high = self.text.binary("arith.shrui", bits, sixteen);
                self.text.convert("arith.trunci", high, ty)
            }
            DType::Bool => self.text.convert("arith.extui", value, ty),
            _ => value,
        }
    }

    /// The nearest number that the element type can hold, of one in its register type.
    pub(super) fn rounded(&mut self, dtype: DType, value: Value) -> Value {
        match dtype {
            DType::F16 => {
                let half = self
                    .text
                    .convert("arith.truncf", value, value.ty.of(Elem::F16));
                self.text.convert("arith.extf", half, value.ty)
            }
            // To nearest, ties to even, on the bits: the upper half's last bit decides a tie. A NaN keeps
            // its upper half with the quiet bit set, so that it stays one.
            DType::Bf16 => {
                let ty = value.ty.of(Elem::I32);
                let bits = self.text.convert("arith.bitcast", value, ty);
                let [sixteen, one, half, high, quiet] =
                    [16, 1, 0x7FFF, -0x1_0000, 0x40_0000].map(|n| self.text.int(ty, n));
                let upper = self.text.binary("arith.shrui", bits, sixteen);
                let odd = self.text.binary("arith.andi", upper, one);
                let bias = self.text.binary("arith.addi", odd, half);
                let sum = self.text.binary("arith.addi", bits, bias);
                let nan_bits = self.text.binary("arith.ori", bits, quiet);
                let nan = self.text.compare("uno", value, value);
                let chosen = self.text.select(nan, nan_bits, sum);
                let kept = self.text.binary("arith.andi", chosen, high);
                self.text.convert("arith.bitcast", kept, value.ty)
            }
            _ => value,
        }
    }

    pub(super) fn cast(&mut self, to: DType, a: &Tile) -> Tile {
        let from = a.dtype;
        self.zip([a], a.shape, to, |e, [value]| e.cast_value(from, to, value))
    }

    pub(super) fn cast_value(&mut self, from: DType, to: DType, value: Value) -> Value {
        let value = self.text.cast(from, to, value);
        if from == to {
            return value;
        }
        self.rounded(to, value)
    }

    pub(super) fn unary(&mut self, f: UnaryFn, a: &Tile) -> Result<Tile, Unsupported> {
        let dtype = a.dtype;
        if !numbers::has_code(f, dtype) {
            return Err(Unsupported {
                what: f.name().into(),
                dtype,
            });
        }
        Ok(self.zip([a], a.shape, dtype, |e, [x]| {
            let y = e.text.unary_function(f, dtype, x);
            e.rounded(dtype, y)
        }))
    }

    pub(super) fn binary_value(&mut self, f: BinaryFn, dtype: DType, a: Value, b: Value) -> Value {
        let value = self.text.binary_function(f, dtype, a, b);
        match f.is_predicate() {
            true => value,
            false => self.rounded(dtype, value),
        }
    }

    pub(super) fn binary(&mut self, f: BinaryFn, a: &Tile, b: &Tile) -> Result<Tile, Unsupported> {
        let (shape, dtype) = (join(a.shape, b.shape), a.dtype);
        if !binary::has_code(f, dtype) {
            return Err(Unsupported {
                what: f.name().into(),
                dtype,
            });
        }
        let result = if f.is_predicate() { DType::Bool } else { dtype };
        Ok(self.zip([a, b], shape, result, |e, [a, b]| {
            e.binary_value(f, dtype, a, b)
        }))
    }
}

/// The shape to which operands repeat.
pub(super) fn join(a: Shape, b: Shape) -> Shape {
    a.join(b).expect("operands repeat to one shape")
}
