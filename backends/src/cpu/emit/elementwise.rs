//! Constants, conversions and functions of one, two or three numbers.

use half::{bf16, f16};
use ir::{
    BinaryFn, DType, UnaryFn,
    tile::{Index, Shape},
};

use super::{
    Emitter, Tile, Unsupported,
    memory::stored,
    register,
    text::{Elem, Type, Value},
    typed,
};

/// How numbers of an element type compare and divide.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Float,
    Signed,
    Unsigned,
}

pub(super) const fn class(dtype: DType) -> Class {
    match dtype {
        DType::F32 | DType::F16 | DType::Bf16 => Class::Float,
        DType::I8 | DType::I32 | DType::I64 => Class::Signed,
        DType::U8 | DType::Bool => Class::Unsigned,
    }
}

impl Emitter<'_> {
    /// A constant of an element type, as its register type has it.
    pub(super) fn number(&mut self, dtype: DType, ty: Type, value: f64) -> Value {
        match dtype {
            DType::F32 => self.text.float(ty, value),
            DType::F16 => self.text.float(ty, f16::from_f64(value).to_f64()),
            DType::Bf16 => self.text.float(ty, bf16::from_f64(value).to_f64()),
            DType::U8 => self.text.int(ty, i64::from(value as u8)),
            DType::I8 => self.text.int(ty, i64::from(value as i8)),
            DType::I32 => self.text.int(ty, i64::from(value as i32)),
            DType::I64 => self.text.int(ty, value as i64),
            DType::Bool => self.text.int(ty, i64::from(value != 0.0)),
        }
    }

    pub(super) fn splat(&mut self, value: f64, dtype: DType, shape: Shape) -> Tile {
        let pieces = self.pieces(shape.lanes);
        let row: Vec<Value> = pieces
            .into_iter()
            .map(|(_, width)| self.number(dtype, typed(register(dtype), width), value))
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
        let ty = value.ty.of(register(to));
        match (class(from), class(to)) {
            _ if from == to => value,
            (_, Class::Float) if class(from) == Class::Float => self.rounded(to, value),
            (_, _) if to == DType::Bool => {
                let zero = self.number(from, value.ty, 0.0);
                let predicate = if from.is_float() { "une" } else { "ne" };
                self.text.compare(predicate, value, zero)
            }
            (Class::Float, _) => self.float_to_int(to, value),
            (Class::Signed, Class::Float) => {
                let number = self.text.convert("arith.sitofp", value, ty);
                self.rounded(to, number)
            }
            (Class::Unsigned, Class::Float) => {
                let number = self.text.convert("arith.uitofp", value, ty);
                self.rounded(to, number)
            }
            _ if value.ty.elem == ty.elem => value,
            _ if value.ty.elem.bits() > ty.elem.bits() => {
                self.text.convert("arith.trunci", value, ty)
            }
            (Class::Signed, _) => self.text.convert("arith.extsi", value, ty),
            (Class::Unsigned, _) => self.text.convert("arith.extui", value, ty),
        }
    }

    /// Towards zero, kept within 64 bits, then wrapped; 0 of a NaN.
    fn float_to_int(&mut self, to: DType, value: Value) -> Value {
        // The largest f32 below the upper bound.
        let value = self.clamp(
            value,
            -9_223_372_036_854_775_808.0,
            9_223_371_487_098_961_920.0,
        );
        let zero = self.text.float(value.ty, 0.0);
        let number = self.text.compare("ord", value, value);
        let value = self.text.select(number, value, zero);
        let int = self
            .text
            .convert("arith.fptosi", value, value.ty.of(Elem::I64));
        self.text
            .convert("arith.trunci", int, value.ty.of(register(to)))
    }

    pub(super) fn unary(&mut self, f: UnaryFn, a: &Tile) -> Result<Tile, Unsupported> {
        let dtype = a.dtype;
        if dtype.is_float() {
            if !self.has_code(f) {
                return Err(Unsupported {
                    what: f.name().into(),
                    dtype,
                });
            }
            return Ok(self.zip([a], a.shape, dtype, |e, [x]| {
                let y = e.float_function(f, x);
                e.rounded(dtype, y)
            }));
        }
        match f {
            UnaryFn::Floor | UnaryFn::Ceil | UnaryFn::Round => Ok(a.clone()),
            UnaryFn::Not => Ok(self.zip([a], a.shape, dtype, |e, [x]| {
                let zero = e.text.int(x.ty, 0);
                let is_zero = e.text.compare("eq", x, zero);
                e.text.convert("arith.extui", is_zero, x.ty)
            })),
            UnaryFn::Neg if dtype.is_int() => Ok(self.zip([a], a.shape, dtype, |e, [x]| {
                let zero = e.text.int(x.ty, 0);
                e.text.binary("arith.subi", zero, x)
            })),
            UnaryFn::Abs => Ok(self.zip([a], a.shape, dtype, |e, [x]| match class(dtype) {
                Class::Signed => {
                    let zero = e.text.int(x.ty, 0);
                    let negated = e.text.binary("arith.subi", zero, x);
                    e.text.binary("arith.maxsi", x, negated)
                }
                _ => x,
            })),
            _ => Err(Unsupported {
                what: f.name().into(),
                dtype,
            }),
        }
    }

    pub(super) fn binary(&mut self, f: BinaryFn, a: &Tile, b: &Tile) -> Result<Tile, Unsupported> {
        let (shape, dtype) = (join(a.shape, b.shape), a.dtype);
        if !self.has_binary(f, dtype) {
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
