//! Functions of one number in f32, lane by lane, without calls: within 4 units in the last place.

use std::f64::consts::{FRAC_PI_2, LN_2, LOG2_E};

use ir::UnaryFn;

use super::{
    coefficients as c,
    text::{Elem, Text, Value},
};

/// `ln 2` in a part of 14 bits, exact in products with small whole numbers, and the rest.
const LN_2_HIGH: f64 = 0.693359375;

/// Whether there is code for a function of floating-point numbers.
pub(crate) fn has_code(f: UnaryFn) -> bool {
    matches!(f.def(), ir::UnaryDef::Primitive(_))
}

impl Text {
    pub(crate) fn float_function(&mut self, f: UnaryFn, x: Value) -> Value {
        match f {
            UnaryFn::Neg => self.unary("arith.negf", x),
            UnaryFn::Abs => self.intrinsic("fabs", x),
            UnaryFn::Sqrt => self.intrinsic("sqrt", x),
            UnaryFn::Floor => self.intrinsic("floor", x),
            UnaryFn::Ceil => self.intrinsic("ceil", x),
            UnaryFn::Round => self.intrinsic("roundeven", x),
            UnaryFn::Recip => self.inverse(x),
            UnaryFn::Rsqrt => {
                let root = self.intrinsic("sqrt", x);
                self.inverse(root)
            }
            UnaryFn::Not => {
                let zero = self.float(x.ty, 0.0);
                let is_zero = self.compare("oeq", x, zero);
                self.convert("arith.uitofp", is_zero, x.ty)
            }
            UnaryFn::Exp => self.exp(x),
            UnaryFn::Log => self.log(x),
            UnaryFn::Tanh => self.tanh(x),
            UnaryFn::Erf => self.erf(x),
            UnaryFn::Sin => self.wave(x, 0),
            UnaryFn::Cos => self.wave(x, 1),
            _ => unreachable!("`has_code` says which functions have code"),
        }
    }

    fn inverse(&mut self, x: Value) -> Value {
        let one = self.float(x.ty, 1.0);
        self.binary("arith.divf", one, x)
    }

    /// A polynomial, its coefficients from the lowest power up.
    pub(crate) fn polynomial(&mut self, x: Value, coefficients: &[f64]) -> Value {
        let (last, rest) = coefficients
            .split_last()
            .expect("a polynomial has a coefficient");
        let start = self.float(x.ty, *last);
        rest.iter().rev().fold(start, |sum, coefficient| {
            let coefficient = self.float(x.ty, *coefficient);
            self.fma(sum, x, coefficient)
        })
    }

    /// `x` moved into `lo..=hi`; a NaN stays one.
    pub(crate) fn clamp(&mut self, x: Value, lo: f64, hi: f64) -> Value {
        let lo = self.float(x.ty, lo);
        let below = self.compare("ogt", lo, x);
        let x = self.select(below, lo, x);
        self.at_most(x, hi)
    }

    /// `x`, or `hi` where that is less; a NaN stays one.
    fn at_most(&mut self, x: Value, hi: f64) -> Value {
        let hi = self.float(x.ty, hi);
        let above = self.compare("olt", hi, x);
        self.select(above, hi, x)
    }

    /// `a b + c` for a constant `b`.
    pub(crate) fn fma_by(&mut self, a: Value, b: f64, c: Value) -> Value {
        let b = self.float(a.ty, b);
        self.fma(a, b, c)
    }

    fn by(&mut self, a: Value, b: f64) -> Value {
        let b = self.float(a.ty, b);
        self.binary("arith.mulf", a, b)
    }

    fn square(&mut self, x: Value) -> Value {
        self.binary("arith.mulf", x, x)
    }

    /// The magnitude of `a` with the sign of `b`.
    fn with_sign(&mut self, a: Value, b: Value) -> Value {
        let ty = a.ty;
        self.op(
            ty,
            format_args!("llvm.intr.copysign({a}, {b}) : ({ty}, {ty}) -> {ty}"),
        )
    }

    /// `e^x`. Two factors make `2^n`, so that results below the least normal number come out rounded once.
    fn exp(&mut self, x: Value) -> Value {
        // e^89 is infinite, e^-105 is 0.
        let x = self.clamp(x, -105.0, 89.0);
        let (power, n) = self.exp_parts(x);
        let shift = self.int(n.ty, 1);
        let first = self.binary("arith.shrsi", n, shift);
        let second = self.binary("arith.subi", n, first);
        let part = self.scaled(power, first);
        self.scaled(part, second)
    }

    /// `e^x` where it is a normal number.
    fn normal_exp(&mut self, x: Value) -> Value {
        let (power, n) = self.exp_parts(x);
        self.scaled(power, n)
    }

    /// `e^r` and whole `n`, where `x = n ln 2 + r` and `|r| <= ln(2) / 2`.
    fn exp_parts(&mut self, x: Value) -> (Value, Value) {
        let n = self.by(x, LOG2_E);
        let n = self.intrinsic("roundeven", n);
        let r = self.fma_by(n, -LN_2_HIGH, x);
        let r = self.fma_by(n, LN_2_HIGH - LN_2, r);
        let q = self.polynomial(r, &c::EXP);
        let square = self.square(r);
        let tail = self.fma(square, q, r);
        let one = self.float(x.ty, 1.0);
        let power = self.binary("arith.addf", tail, one);
        let n = self.convert("arith.fptosi", n, x.ty.of(Elem::I32));
        (power, n)
    }

    /// `x 2^n`, for an `n` that the exponent of a normal number can be.
    fn scaled(&mut self, x: Value, n: Value) -> Value {
        let (bias, place) = (self.int(n.ty, 127), self.int(n.ty, 23));
        let exponent = self.binary("arith.addi", n, bias);
        let bits = self.binary("arith.shli", exponent, place);
        let factor = self.convert("arith.bitcast", bits, x.ty);
        self.binary("arith.mulf", x, factor)
    }

    /// `ln x = e ln 2 + ln(1 + f)`, where `1 + f` lies between `sqrt(1/2)` and `sqrt(2)`.
    fn log(&mut self, x: Value) -> Value {
        let int = x.ty.of(Elem::I32);
        let least = self.float(x.ty, f64::from(f32::MIN_POSITIVE));
        let tiny = self.compare("olt", x, least);
        let grown = self.by(x, 8_388_608.0);
        let normal = self.select(tiny, grown, x);
        let bits = self.convert("arith.bitcast", normal, int);
        let start = self.int(int, i64::from(std::f32::consts::FRAC_1_SQRT_2.to_bits()));
        let place = self.int(int, 23);
        let over = self.binary("arith.subi", bits, start);
        let e = self.binary("arith.shrsi", over, place);
        let scale = self.binary("arith.shli", e, place);
        let mantissa = self.binary("arith.subi", bits, scale);
        let mantissa = self.convert("arith.bitcast", mantissa, x.ty);
        let e = self.convert("arith.sitofp", e, x.ty);
        let less = self.float(x.ty, -23.0);
        let lowered = self.binary("arith.addf", e, less);
        let e = self.select(tiny, lowered, e);

        let minus_one = self.float(x.ty, -1.0);
        let f = self.binary("arith.addf", mantissa, minus_one);
        let q = self.polynomial(f, &c::LOG);
        let square = self.square(f);
        let cube = self.binary("arith.mulf", square, f);
        let tail = self.by(e, LN_2 - LN_2_HIGH);
        let tail = self.fma(cube, q, tail);
        let tail = self.fma_by(square, -0.5, tail);
        let low = self.binary("arith.addf", tail, f);
        let result = self.fma_by(e, LN_2_HIGH, low);

        let [zero, infinity, minus_infinity, nan] =
            [0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN].map(|n| self.float(x.ty, n));
        let finite = self.compare("olt", x, infinity);
        let result = self.select(finite, result, x);
        let is_zero = self.compare("oeq", x, zero);
        let result = self.select(is_zero, minus_infinity, result);
        let negative = self.compare("olt", x, zero);
        self.select(negative, nan, result)
    }

    /// An odd polynomial near 0, else `1 - 2 / (e^(2 |x|) + 1)`.
    fn tanh(&mut self, x: Value) -> Value {
        let square = self.square(x);
        let q = self.polynomial(square, &c::TANH);
        let cube = self.binary("arith.mulf", square, x);
        let near = self.fma(cube, q, x);

        let size = self.intrinsic("fabs", x);
        let twice = self.binary("arith.addf", size, size);
        // Beyond, the nearest number is 1.
        let twice = self.at_most(twice, 20.0);
        let power = self.normal_exp(twice);
        let one = self.float(x.ty, 1.0);
        let below = self.binary("arith.addf", power, one);
        let inverse = self.inverse(below);
        let far = self.fma_by(inverse, -2.0, one);
        let far = self.with_sign(far, x);
        let limit = self.float(x.ty, 0.625);
        let is_near = self.compare("olt", size, limit);
        self.select(is_near, near, far)
    }

    /// An odd polynomial near 0, else `1 - e^p(|x|)`.
    fn erf(&mut self, x: Value) -> Value {
        let square = self.square(x);
        let q = self.polynomial(square, &c::ERF);
        let near = self.fma(x, q, x);

        let size = self.intrinsic("fabs", x);
        // Beyond, the nearest number is 1.
        let t = self.at_most(size, 4.0);
        let p = self.polynomial(t, &c::LOG_ERFC);
        let rest = self.normal_exp(p);
        let one = self.float(x.ty, 1.0);
        let far = self.binary("arith.subf", one, rest);
        let far = self.with_sign(far, x);
        let limit = self.float(x.ty, 0.9277);
        let is_near = self.compare("olt", size, limit);
        self.select(is_near, near, far)
    }

    /// `sin(x + quarters pi / 2)`. The multiple of `pi / 2` is taken off in f64, in two parts: exact enough
    /// up to about 2^30; beyond 2^50 the result is only some number from -1 to 1.
    fn wave(&mut self, x: Value, quarters: i64) -> Value {
        // pi / 2 - FRAC_PI_2
        const REST: f64 = 6.123_233_995_736_766e-17;
        // Adding it leaves a whole number in the low bits.
        const SHIFT: f64 = 6_755_399_441_055_744.0;
        let wide = self.convert("arith.extf", x, x.ty.of(Elem::F64));
        let n = self.by(wide, FRAC_PI_2.recip());
        let n = self.intrinsic("roundeven", n);
        let r = self.fma_by(n, -FRAC_PI_2, wide);
        let r = self.fma_by(n, -REST, r);
        let r = self.convert("arith.truncf", r, x.ty);
        let r = self.clamp(r, -0.8, 0.8);
        let shift = self.float(wide.ty, SHIFT);
        let shifted = self.binary("arith.addf", n, shift);
        let bits = self.convert("arith.bitcast", shifted, x.ty.of(Elem::I64));
        let int = x.ty.of(Elem::I32);
        let n = self.convert("arith.trunci", bits, int);
        let offset = self.int(int, quarters);
        let n = self.binary("arith.addi", n, offset);

        let square = self.square(r);
        let q = self.polynomial(square, &c::SIN);
        let cube = self.binary("arith.mulf", square, r);
        let sine = self.fma(cube, q, r);
        let q = self.polynomial(square, &c::COS);
        let fourth = self.square(square);
        let one = self.float(x.ty, 1.0);
        let start = self.fma_by(square, -0.5, one);
        let cosine = self.fma(fourth, q, start);

        let [zero, one, two] = [0, 1, 2].map(|n| self.int(int, n));
        let odd = self.binary("arith.andi", n, one);
        let is_even = self.compare("eq", odd, zero);
        let value = self.select(is_even, sine, cosine);
        let half = self.binary("arith.andi", n, two);
        let thirty = self.int(int, 30);
        let sign = self.binary("arith.shli", half, thirty);
        let bits = self.convert("arith.bitcast", value, int);
        let bits = self.binary("arith.xori", bits, sign);
        self.convert("arith.bitcast", bits, x.ty)
    }
}
