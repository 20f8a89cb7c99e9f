//! Functions of two numbers.

use ir::{BinaryFn, DType};

use super::{
    Emitter,
    elementwise::{Class, class},
    text::{Elem, Value},
};

impl Emitter<'_> {
    /// Whether there is code for a function of numbers of a type.
    pub(super) fn has_binary(&self, f: BinaryFn, dtype: DType) -> bool {
        match f {
            BinaryFn::Pow => dtype.is_float(),
            BinaryFn::Sub | BinaryFn::Div | BinaryFn::FloorDiv | BinaryFn::Mod => {
                dtype != DType::Bool
            }
            _ => true,
        }
    }

    pub(super) fn binary_value(&mut self, f: BinaryFn, dtype: DType, a: Value, b: Value) -> Value {
        if f.is_predicate() {
            return self.predicate(f, dtype, a, b);
        }
        match class(dtype) {
            Class::Float => {
                let value = self.float_binary(f, a, b);
                self.rounded(dtype, value)
            }
            _ if dtype == DType::Bool => match f {
                BinaryFn::Mul | BinaryFn::Min => self.text.binary("arith.andi", a, b),
                _ => self.text.binary("arith.ori", a, b),
            },
            class => self.int_binary(f, class, a, b),
        }
    }

    fn predicate(&mut self, f: BinaryFn, dtype: DType, a: Value, b: Value) -> Value {
        if matches!(f, BinaryFn::And | BinaryFn::Or) {
            let [a, b] = [a, b].map(|x| self.cast_value(dtype, DType::Bool, x));
            let name = if f == BinaryFn::And {
                "arith.andi"
            } else {
                "arith.ori"
            };
            return self.text.binary(name, a, b);
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
        self.text.compare(names[position], a, b)
    }

    fn float_binary(&mut self, f: BinaryFn, a: Value, b: Value) -> Value {
        match f {
            BinaryFn::Add => self.text.binary("arith.addf", a, b),
            BinaryFn::Sub => self.text.binary("arith.subf", a, b),
            BinaryFn::Mul => self.text.binary("arith.mulf", a, b),
            BinaryFn::Div => self.text.binary("arith.divf", a, b),
            BinaryFn::Max => self.pick("ogt", a, b),
            BinaryFn::Min => self.pick("olt", a, b),
            BinaryFn::FloorDiv => self.whole_and_rest(a, b).0,
            BinaryFn::Mod => self.whole_and_rest(a, b).1,
            BinaryFn::Pow => self.power(a, b),
            _ => unreachable!("predicates are handled before"),
        }
    }

    /// `floor(a / b)` and `a - b floor(a / b)`. A quotient that was rounded up to a whole number leaves a rest
    /// of the other sign, and is one too large.
    fn whole_and_rest(&mut self, a: Value, b: Value) -> (Value, Value) {
        let quotient = self.text.binary("arith.divf", a, b);
        let whole = self.text.intrinsic("floor", quotient);
        let negated = self.text.unary("arith.negf", b);
        let rest = self.text.fma(whole, negated, a);
        let [zero, one] = [0.0, 1.0].map(|n| self.text.float(a.ty, n));
        let product = self.text.binary("arith.mulf", rest, negated);
        let over = self.text.compare("ogt", product, zero);
        let less = self.text.binary("arith.subf", whole, one);
        let more = self.text.binary("arith.addf", rest, b);
        (
            self.text.select(over, less, whole),
            self.text.select(over, more, rest),
        )
    }

    /// `a` if the predicate holds or `a` is a NaN, else `b`: x86's own maximum, and one blend.
    fn pick(&mut self, predicate: &str, a: Value, b: Value) -> Value {
        let better = self.text.compare(predicate, a, b);
        let best = self.text.select(better, a, b);
        let nan = self.text.compare("uno", a, a);
        self.text.select(nan, a, best)
    }

    fn int_binary(&mut self, f: BinaryFn, class: Class, a: Value, b: Value) -> Value {
        let signed = class == Class::Signed;
        match f {
            BinaryFn::Add => self.text.binary("arith.addi", a, b),
            BinaryFn::Sub => self.text.binary("arith.subi", a, b),
            BinaryFn::Mul => self.text.binary("arith.muli", a, b),
            BinaryFn::Max if signed => self.text.binary("arith.maxsi", a, b),
            BinaryFn::Max => self.text.binary("arith.maxui", a, b),
            BinaryFn::Min if signed => self.text.binary("arith.minsi", a, b),
            BinaryFn::Min => self.text.binary("arith.minui", a, b),
            BinaryFn::Div => self.divide(signed, a, b),
            BinaryFn::FloorDiv => self.floor_divide(signed, a, b),
            BinaryFn::Mod => {
                let quotient = self.floor_divide(signed, a, b);
                let whole = self.text.binary("arith.muli", quotient, b);
                self.text.binary("arith.subi", a, whole)
            }
            _ => unreachable!("`has_binary` says which functions have code"),
        }
    }

    /// Towards zero. The processor faults on a divisor of 0 and on the least number by -1: then the quotient
    /// is of 0 and of 1 instead.
    fn divide(&mut self, signed: bool, a: Value, b: Value) -> Value {
        let [zero, one, minus_one] = [0, 1, -1].map(|n| self.text.int(b.ty, n));
        let is_zero = self.text.compare("eq", b, zero);
        let b = self.text.select(is_zero, one, b);
        if !signed {
            return self.text.binary("arith.divui", a, b);
        }
        let negates = self.text.compare("eq", b, minus_one);
        let safe = self.text.select(negates, one, b);
        let quotient = self.text.binary("arith.divsi", a, safe);
        let negated = self.text.binary("arith.subi", zero, a);
        self.text.select(negates, negated, quotient)
    }

    fn floor_divide(&mut self, signed: bool, a: Value, b: Value) -> Value {
        let quotient = self.divide(signed, a, b);
        if !signed {
            return quotient;
        }
        let zero = self.text.int(a.ty, 0);
        let whole = self.text.binary("arith.muli", quotient, b);
        let rest = self.text.binary("arith.subi", a, whole);
        let inexact = self.text.compare("ne", rest, zero);
        let signs = self.text.binary("arith.xori", rest, b);
        let opposite = self.text.compare("slt", signs, zero);
        let below = self.text.binary("arith.andi", inexact, opposite);
        let less = self
            .text
            .convert("arith.extsi", below, a.ty.of(quotient.ty.elem));
        debug_assert_ne!(quotient.ty.elem, Elem::I1, "bool has no division");
        self.text.binary("arith.addi", quotient, less)
    }
}
