//! Powers, computed in f64 so that the exponent may be large.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2, LOG2_E};

use super::text::{Elem, Text, Value};

/// `1 / (2 k + 1)`: `atanh(f) / f` in `f^2`; for `|f| <= 0.172` the next term is below 2^-39.
const ATANH: [f64; 8] = [
    1.0,
    1.0 / 3.0,
    1.0 / 5.0,
    1.0 / 7.0,
    1.0 / 9.0,
    1.0 / 11.0,
    1.0 / 13.0,
    1.0 / 15.0,
];

/// `1 / k!`: `e^r`; for `|r| <= 0.347` the next term is below 2^-36.
const EXP: [f64; 10] = [
    1.0,
    1.0,
    1.0 / 2.0,
    1.0 / 6.0,
    1.0 / 24.0,
    1.0 / 120.0,
    1.0 / 720.0,
    1.0 / 5_040.0,
    1.0 / 40_320.0,
    1.0 / 362_880.0,
];

impl Text {
    /// `a^b`, with C's results for zeros, infinities, NaNs and negative bases.
    pub(crate) fn power(&mut self, a: Value, b: Value) -> Value {
        let size = self.intrinsic("fabs", a);
        let log = self.wide_log(size);
        let exponent = self.convert("arith.extf", b, log.ty);
        let product = self.binary("arith.mulf", exponent, log);
        let result = self.wide_exp(product);
        let result = self.convert("arith.truncf", result, a.ty);

        let [zero, half, one, nan, infinity] =
            [0.0, 0.5, 1.0, f64::NAN, f64::INFINITY].map(|n| self.float(a.ty, n));
        let floor = self.intrinsic("floor", b);
        let whole = self.compare("oeq", floor, b);
        let halved = self.binary("arith.mulf", b, half);
        let floor = self.intrinsic("floor", halved);
        let uneven = self.compare("une", floor, halved);
        let odd = self.binary("arith.andi", whole, uneven);
        let int = a.ty.of(Elem::I32);
        let bits = self.convert("arith.bitcast", a, int);
        let zero_bits = self.int(int, 0);
        let signed = self.compare("slt", bits, zero_bits);
        let flips = self.binary("arith.andi", signed, odd);
        let flipped = self.unary("arith.negf", result);
        let result = self.select(flips, flipped, result);

        let below = self.compare("olt", a, zero);
        let finite = self.compare("olt", size, infinity);
        let truth = self.int(whole.ty, 1);
        let fraction = self.binary("arith.xori", whole, truth);
        let undefined = self.binary("arith.andi", below, finite);
        let undefined = self.binary("arith.andi", undefined, fraction);
        let result = self.select(undefined, nan, result);
        let no_factor = self.compare("oeq", b, zero);
        let unit = self.compare("oeq", a, one);
        let trivial = self.binary("arith.ori", no_factor, unit);
        // (-1)^inf
        let turns = self.compare("oeq", size, one);
        let far = self.intrinsic("fabs", b);
        let endless = self.compare("oeq", far, infinity);
        let endless = self.binary("arith.andi", turns, endless);
        let trivial = self.binary("arith.ori", trivial, endless);
        self.select(trivial, one, result)
    }

    /// `ln x` in f64, of an f32 that is not negative.
    fn wide_log(&mut self, x: Value) -> Value {
        let wide = self.convert("arith.extf", x, x.ty.of(Elem::F64));
        let int = x.ty.of(Elem::I64);
        let bits = self.convert("arith.bitcast", wide, int);
        let start = self.int(int, FRAC_1_SQRT_2.to_bits() as i64);
        let place = self.int(int, 52);
        let over = self.binary("arith.subi", bits, start);
        let e = self.binary("arith.shrsi", over, place);
        let scale = self.binary("arith.shli", e, place);
        let mantissa = self.binary("arith.subi", bits, scale);
        let mantissa = self.convert("arith.bitcast", mantissa, wide.ty);
        let e = self.convert("arith.sitofp", e, wide.ty);

        let one = self.float(wide.ty, 1.0);
        let above = self.binary("arith.subf", mantissa, one);
        let below = self.binary("arith.addf", mantissa, one);
        let f = self.binary("arith.divf", above, below);
        let square = self.binary("arith.mulf", f, f);
        let series = self.polynomial(square, &ATANH);
        let half = self.binary("arith.mulf", f, series);
        let log = self.binary("arith.addf", half, half);
        let log = self.fma_by(e, LN_2, log);

        let [zero, infinity, low] =
            [0.0, f64::INFINITY, f64::NEG_INFINITY].map(|n| self.float(wide.ty, n));
        let finite = self.compare("olt", wide, infinity);
        let log = self.select(finite, log, wide);
        let is_zero = self.compare("oeq", wide, zero);
        self.select(is_zero, low, log)
    }

    /// `e^x` in f64, within what f32 can tell from 0 and infinity.
    fn wide_exp(&mut self, x: Value) -> Value {
        // Adding it leaves a whole number in the low bits.
        const SHIFT: f64 = 6_755_399_441_055_744.0;
        let x = self.clamp(x, -160.0, 160.0);
        let log2_e = self.float(x.ty, LOG2_E);
        let n = self.binary("arith.mulf", x, log2_e);
        let n = self.intrinsic("roundeven", n);
        let r = self.fma_by(n, -LN_2, x);
        let sum = self.polynomial(r, &EXP);
        let int = x.ty.of(Elem::I64);
        let shift = self.float(x.ty, SHIFT);
        let shifted = self.binary("arith.addf", n, shift);
        let bits = self.convert("arith.bitcast", shifted, int);
        // Only the exponent's bits of the shifted sum remain.
        let (bias, place) = (self.int(int, 1023), self.int(int, 52));
        let exponent = self.binary("arith.addi", bits, bias);
        let factor = self.binary("arith.shli", exponent, place);
        let factor = self.convert("arith.bitcast", factor, x.ty);
        self.binary("arith.mulf", sum, factor)
    }
}
