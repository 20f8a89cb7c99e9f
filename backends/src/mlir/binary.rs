//! Functions of two numbers.

use ir::{BinaryFn, DType};

use super::{
    numbers::{Class, class},
    text::{Elem, Text, Value},
};

/// Whether there is code for a function of numbers of a type.
pub(crate) fn has_code(f: BinaryFn, dtype: DType) -> bool {
    match f {
        BinaryFn::Pow => dtype.is_float(),
        BinaryFn::Sub | BinaryFn::Div | BinaryFn::FloorDiv | BinaryFn::Mod => dtype != DType::Bool,
        _ => true,
    }
}

impl Text {
    /// A function of two numbers in registers; floats in f32, not rounded to `dtype`.
    pub(crate) fn binary_function(
        &mut self,
        f: BinaryFn,
        dtype: DType,
        a: Value,
        b: Value,
    ) -> Value {
        if f.is_predicate() {
            return self.predicate(f, dtype, a, b);
        }
        match class(dtype) {
            Class::Float => self.float_binary(f, a, b),
            _ if dtype == DType::Bool => match f {
                BinaryFn::Mul | BinaryFn::Min => self.binary("arith.andi", a, b),
                _ => self.binary("arith.ori", a, b),
            },
            class => self.int_binary(f, class, a, b),
        }
    }

    fn predicate(&mut self, f: BinaryFn, dtype: DType, a: Value, b: Value) -> Value {
        if matches!(f, BinaryFn::And | BinaryFn::Or) {
            let [a, b] = [a, b].map(|x| self.cast(dtype, DType::Bool, x));
            let name = if f == BinaryFn::And {
                "arith.andi"
            } else {
                "arith.ori"
            };
            return self.binary(name, a, b);
        }
        let position = match f {
            BinaryFn::Eq => 0,
            BinaryFn::Ne => 1,
            BinaryFn::Lt => 2,
            BinaryFn::Le => 3,
            BinaryFn::Gt => 4,
            _ => 5,
        };
        let names = match class(dtype) {
            Class::Float => ["oeq", "une", "olt", "ole", "ogt", "oge"],
            Class::Signed => ["eq", "ne", "slt", "sle", "sgt", "sge"],
            Class::Unsigned => ["eq", "ne", "ult", "ule", "ugt", "uge"],
        };
        self.compare(names[position], a, b)
    }

    fn float_binary(&mut self, f: BinaryFn, a: Value, b: Value) -> Value {
        match f {
            BinaryFn::Add => self.binary("arith.addf", a, b),
            BinaryFn::Sub => self.binary("arith.subf", a, b),
            BinaryFn::Mul => self.binary("arith.mulf", a, b),
            BinaryFn::Div => self.binary("arith.divf", a, b),
            BinaryFn::Max => self.pick("ogt", a, b),
            BinaryFn::Min => self.pick("olt", a, b),
            BinaryFn::FloorDiv => self.floor_quotient(a, b),
            BinaryFn::Mod => self.remainder(a, b),
            BinaryFn::Pow => self.power(a, b),
            _ => unreachable!("predicates are handled before"),
        }
    }

    /// `floor(a / b)`. A quotient that was rounded up to a whole number leaves a rest of the other sign, and is one
    /// too large.
    fn floor_quotient(&mut self, a: Value, b: Value) -> Value {
        let quotient = self.binary("arith.divf", a, b);
        let whole = self.intrinsic("floor", quotient);
        let negated = self.unary("arith.negf", b);
        let rest = self.fma(whole, negated, a);
        let [zero, one] = [0.0, 1.0].map(|n| self.float(a.ty, n));
        let product = self.binary("arith.mulf", rest, negated);
        let over = self.compare("ogt", product, zero);
        let less = self.binary("arith.subf", whole, one);
        self.select(over, less, whole)
    }

    /// What is left of `a`, with the sign of `b`; exact, but that a rest of the other sign is brought over with one rounding.
    ///
    /// The quotient may have 277 bits. In f64, multiples of `2^k b` are taken off for ever smaller `k`, about 50 bits
    /// of the quotient at a time: whole numbers that f64 holds, so that no step rounds.
    fn remainder(&mut self, a: Value, b: Value) -> Value {
        /// More than any finite f32: what takes the place of an infinite `b`, off which nothing is taken.
        const BEYOND: f64 = (1_u128 << 127) as f64 * 1024.0;
        let wide = a.ty.of(Elem::F64);
        let [mut rest, by] = [a, b].map(|x| self.convert("arith.extf", x, wide));
        let size = self.intrinsic("fabs", by);
        let [zero, infinity, beyond] = [0.0, f64::INFINITY, BEYOND].map(|n| self.float(wide, n));
        let endless = self.compare("oeq", size, infinity);
        let unit = self.select(endless, beyond, by);
        for k in [250, 200, 150, 100, 50, 0] {
            let scale = self.float(wide, 2.0_f64.powi(k));
            let multiple = self.binary("arith.mulf", unit, scale);
            let quotient = self.binary("arith.divf", rest, multiple);
            let whole = self.intrinsic("roundeven", quotient);
            let negated = self.unary("arith.negf", whole);
            rest = self.fma(negated, multiple, rest);
        }
        let product = self.binary("arith.mulf", rest, by);
        let other = self.compare("olt", product, zero);
        let over = self.binary("arith.addf", rest, by);
        let rest = self.select(other, over, rest);
        self.convert("arith.truncf", rest, a.ty)
    }

    /// `a` if the predicate holds or `a` is a NaN, else `b`: x86's own maximum, and one blend.
    fn pick(&mut self, predicate: &str, a: Value, b: Value) -> Value {
        let better = self.compare(predicate, a, b);
        let best = self.select(better, a, b);
        let nan = self.compare("uno", a, a);
        self.select(nan, a, best)
    }

    fn int_binary(&mut self, f: BinaryFn, class: Class, a: Value, b: Value) -> Value {
        let signed = class == Class::Signed;
        match f {
            BinaryFn::Add => self.binary("arith.addi", a, b),
            BinaryFn::Sub => self.binary("arith.subi", a, b),
            BinaryFn::Mul => self.binary("arith.muli", a, b),
            BinaryFn::Max if signed => self.binary("arith.maxsi", a, b),
            BinaryFn::Max => self.binary("arith.maxui", a, b),
            BinaryFn::Min if signed => self.binary("arith.minsi", a, b),
            BinaryFn::Min => self.binary("arith.minui", a, b),
            BinaryFn::Div => self.divide(signed, a, b),
            BinaryFn::FloorDiv => self.floor_divide(signed, a, b),
            BinaryFn::Mod => {
                let quotient = self.floor_divide(signed, a, b);
                let whole = self.binary("arith.muli", quotient, b);
                self.binary("arith.subi", a, whole)
            }
            _ => unreachable!("`has_code` says which functions have code"),
        }
    }

    /// Towards zero. The processor faults on a divisor of 0 and on the least number by -1: then the quotient
    /// is of 0 and of 1 instead.
    fn divide(&mut self, signed: bool, a: Value, b: Value) -> Value {
        let [zero, one, minus_one] = [0, 1, -1].map(|n| self.int(b.ty, n));
        let is_zero = self.compare("eq", b, zero);
        let b = self.select(is_zero, one, b);
        if !signed {
            return self.binary("arith.divui", a, b);
        }
        let negates = self.compare("eq", b, minus_one);
        let safe = self.select(negates, one, b);
        let quotient = self.binary("arith.divsi", a, safe);
        let negated = self.binary("arith.subi", zero, a);
        self.select(negates, negated, quotient)
    }

    fn floor_divide(&mut self, signed: bool, a: Value, b: Value) -> Value {
        let quotient = self.divide(signed, a, b);
        if !signed {
            return quotient;
        }
        let zero = self.int(a.ty, 0);
        let whole = self.binary("arith.muli", quotient, b);
        let rest = self.binary("arith.subi", a, whole);
        let inexact = self.compare("ne", rest, zero);
        let signs = self.binary("arith.xori", rest, b);
        let opposite = self.compare("slt", signs, zero);
        let below = self.binary("arith.andi", inexact, opposite);
        let less = self.convert("arith.extsi", below, a.ty.of(quotient.ty.elem));
        debug_assert_ne!(quotient.ty.elem, Elem::I1, "bool has no division");
        self.binary("arith.addi", quotient, less)
    }
}
