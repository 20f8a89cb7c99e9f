//! Powers, computed in f64 so that the exponent may be large.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2, LOG2_E};

use super::{
    Emitter,
    text::{Elem, Value},
};

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

impl Emitter<'_> {
    /// `a^b`, with C's results for zeros, infinities, NaNs and negative bases.
    pub(super) fn power(&mut self, a: Value, b: Value) -> Value {
        let size = self.text.intrinsic("fabs", a);
        let log = self.wide_log(size);
        let exponent = self.text.convert("arith.extf", b, log.ty);
        let product = self.text.binary("arith.mulf", exponent, log);
        let result = self.wide_exp(product);
        let result = self.text.convert("arith.truncf", result, a.ty);

        let [zero, half, one, nan, infinity] =
            [0.0, 0.5, 1.0, f64::NAN, f64::INFINITY].map(|n| self.text.float(a.ty, n));
        let floor = self.text.intrinsic("floor", b);
        let whole = self.text.compare("oeq", floor, b);
        let halved = self.text.binary("arith.mulf", b, half);
        let floor = self.text.intrinsic("floor", halved);
        let uneven = self.text.compare("une", floor, halved);
        let odd = self.text.binary("arith.andi", whole, uneven);
        let int = a.ty.of(Elem::I32);
        let bits = self.text.convert("arith.bitcast", a, int);
        let zero_bits = self.text.int(int, 0);
        let signed = self.text.compare("slt", bits, zero_bits);
        let flips = self.text.binary("arith.andi", signed, odd);
        let flipped = self.text.unary("arith.negf", result);
        let result = self.text.select(flips, flipped, result);

        let below = self.text.compare("olt", a, zero);
        let finite = self.text.compare("olt", size, infinity);
        let truth = self.text.int(whole.ty, 1);
        let fraction = self.text.binary("arith.xori", whole, truth);
        let undefined = self.text.binary("arith.andi", below, finite);
        let undefined = self.text.binary("arith.andi", undefined, fraction);
        let result = self.text.select(undefined, nan, result);
        let no_factor = self.text.compare("oeq", b, zero);
        let unit = self.text.compare("oeq", a, one);
        let trivial = self.text.binary("arith.ori", no_factor, unit);
        // (-1)^inf
        let turns = self.text.compare("oeq", size, one);
        let far = self.text.intrinsic("fabs", b);
        let endless = self.text.compare("oeq", far, infinity);
        let endless = self.text.binary("arith.andi", turns, endless);
        let trivial = self.text.binary("arith.ori", trivial, endless);
        self.text.select(trivial, one, result)
    }

    /// `ln x` in f64, of an f32 that is not negative.
    fn wide_log(&mut self, x: Value) -> Value {
        let wide = self.text.convert("arith.extf", x, x.ty.of(Elem::F64));
        let int = x.ty.of(Elem::I64);
        let bits = self.text.convert("arith.bitcast", wide, int);
        let start = self.text.int(int, FRAC_1_SQRT_2.to_bits() as i64);
        let place = self.text.int(int, 52);
        let over = self.text.binary("arith.subi", bits, start);
        let e = self.text.binary("arith.shrsi", over, place);
        let scale = self.text.binary("arith.shli", e, place);
        let mantissa = self.text.binary("arith.subi", bits, scale);
        let mantissa = self.text.convert("arith.bitcast", mantissa, wide.ty);
        let e = self.text.convert("arith.sitofp", e, wide.ty);

        let one = self.text.float(wide.ty, 1.0);
        let above = self.text.binary("arith.subf", mantissa, one);
        let below = self.text.binary("arith.addf", mantissa, one);
        let f = self.text.binary("arith.divf", above, below);
        let square = self.text.binary("arith.mulf", f, f);
        let series = self.polynomial(square, &ATANH);
        let half = self.text.binary("arith.mulf", f, series);
        let log = self.text.binary("arith.addf", half, half);
        let log = self.fma_by(e, LN_2, log);

        let [zero, infinity, low] =
            [0.0, f64::INFINITY, f64::NEG_INFINITY].map(|n| self.text.float(wide.ty, n));
        let finite = self.text.compare("olt", wide, infinity);
        let log = self.text.select(finite, log, wide);
        let is_zero = self.text.compare("oeq", wide, zero);
        self.text.select(is_zero, low, log)
    }

    /// `e^x` in f64, within what f32 can tell from 0 and infinity.
    fn wide_exp(&mut self, x: Value) -> Value {
        // Adding it leaves a whole number in the low bits.
        const SHIFT: f64 = 6_755_399_441_055_744.0;
        let x = self.clamp(x, -160.0, 160.0);
        let log2_e = self.text.float(x.ty, LOG2_E);
        let n = self.text.binary("arith.mulf", x, log2_e);
        let n = self.text.intrinsic("roundeven", n);
        let r = self.fma_by(n, -LN_2, x);
        let sum = self.polynomial(r, &EXP);
        let int = x.ty.of(Elem::I64);
        let shift = self.text.float(x.ty, SHIFT);
        let shifted = self.text.binary("arith.addf", n, shift);
        let bits = self.text.convert("arith.bitcast", shifted, int);
        // Only the exponent's bits of the shifted sum remain.
        let (bias, place) = (self.text.int(int, 1023), self.text.int(int, 52));
        let exponent = self.text.binary("arith.addi", bits, bias);
        let factor = self.text.binary("arith.shli", exponent, place);
        let factor = self.text.convert("arith.bitcast", factor, x.ty);
        self.text.binary("arith.mulf", sum, factor)
    }
}
