//! Numbers of an element type in registers: constants, conversions, functions of one.

use half::{bf16, f16};
use ir::{DType, UnaryFn};

use super::{
    functions,
    text::{Elem, Text, Type, Value},
};

/// How numbers of an element type compare and divide.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Float,
    Signed,
    Unsigned,
}

pub(crate) const fn class(dtype: DType) -> Class {
    match dtype {
        DType::F32 | DType::F16 | DType::Bf16 => Class::Float,
        DType::I8 | DType::I32 | DType::I64 => Class::Signed,
        DType::U8 | DType::Bool => Class::Unsigned,
    }
}

/// The type that holds numbers of an element type in registers; half precision is computed in f32.
pub(crate) const fn register(dtype: DType) -> Elem {
    match dtype {
        DType::F32 | DType::F16 | DType::Bf16 => Elem::F32,
        DType::I8 | DType::U8 => Elem::I8,
        DType::I32 => Elem::I32,
        DType::I64 => Elem::I64,
        DType::Bool => Elem::I1,
    }
}

/// Whether there is code for a function of numbers of a type.
pub(crate) fn has_code(f: UnaryFn, dtype: DType) -> bool {
    match f {
        _ if dtype.is_float() => functions::has_code(f),
        UnaryFn::Floor | UnaryFn::Ceil | UnaryFn::Round | UnaryFn::Not | UnaryFn::Abs => true,
        UnaryFn::Neg => dtype.is_int(),
        _ => false,
    }
}

impl Text {
    /// A constant of an element type, as its register type has it.
    pub(crate) fn number(&mut self, dtype: DType, ty: Type, value: f64) -> Value {
        match dtype {
            DType::F32 => self.float(ty, value),
            DType::F16 => self.float(ty, f16::from_f64(value).to_f64()),
            DType::Bf16 => self.float(ty, bf16::from_f64(value).to_f64()),
            DType::U8 => self.int(ty, i64::from(value as u8)),
            DType::I8 => self.int(ty, i64::from(value as i8)),
            DType::I32 => self.int(ty, i64::from(value as i32)),
            DType::I64 => self.int(ty, value as i64),
            DType::Bool => self.int(ty, i64::from(value != 0.0)),
        }
    }

    /// A function of one number; floats in f32, not rounded to `dtype`.
    pub(crate) fn unary_function(&mut self, f: UnaryFn, dtype: DType, x: Value) -> Value {
        match f {
            _ if dtype.is_float() => self.float_function(f, x),
            UnaryFn::Not => {
                let zero = self.int(x.ty, 0);
                let is_zero = self.compare("eq", x, zero);
                self.convert("arith.extui", is_zero, x.ty)
            }
            UnaryFn::Neg => {
                let zero = self.int(x.ty, 0);
                self.binary("arith.subi", zero, x)
            }
            UnaryFn::Abs if class(dtype) == Class::Signed => {
                let zero = self.int(x.ty, 0);
                let negated = self.binary("arith.subi", zero, x);
                self.binary("arith.maxsi", x, negated)
            }
            // Whole numbers, and what has no sign, stay.
            _ => x,
        }
    }

    /// Another element type; floats in f32, not rounded to `to`.
    pub(crate) fn cast(&mut self, from: DType, to: DType, value: Value) -> Value {
        let ty = value.ty.of(register(to));
        match (class(from), class(to)) {
            _ if from == to => value,
            (_, Class::Float) if class(from) == Class::Float => value,
            (_, _) if to == DType::Bool => {
                let zero = self.number(from, value.ty, 0.0);
                let predicate = if from.is_float() { "une" } else { "ne" };
                self.compare(predicate, value, zero)
            }
            (Class::Float, _) => self.float_to_int(to, value),
            (Class::Signed, Class::Float) => self.convert("arith.sitofp", value, ty),
            (Class::Unsigned, Class::Float) => self.convert("arith.uitofp", value, ty),
            _ if value.ty.elem == ty.elem => value,
            _ if value.ty.elem.bits() > ty.elem.bits() => self.convert("arith.trunci", value, ty),
            (Class::Signed, _) => self.convert("arith.extsi", value, ty),
            (Class::Unsigned, _) => self.convert("arith.extui", value, ty),
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
        let zero = self.float(value.ty, 0.0);
        let number = self.compare("ord", value, value);
        let value = self.select(number, value, zero);
        let int = self.convert("arith.fptosi", value, value.ty.of(Elem::I64));
        self.convert("arith.trunci", int, value.ty.of(register(to)))
    }
}
