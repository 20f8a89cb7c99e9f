//! Functions that the vector unit has no instruction for, from those that it has.

use ir::DType;

use super::{values::number, vector::Vector};

/// The error function as a polynomial, within 1.5e-7: Abramowitz and Stegun 1964, 7.1.26.
const ERF: [&str; 5] = [
    "1.061405429f",
    "-1.453152027f",
    "1.421413741f",
    "-0.284496736f",
    "0.254829592f",
];

/// Terms of the sine's series from the last to the first, without the powers: within 6e-8 up to a quarter turn.
const SINE: [f64; 6] = [
    -1.0 / 39_916_800.0,
    1.0 / 362_880.0,
    -1.0 / 5040.0,
    1.0 / 120.0,
    -1.0 / 6.0,
    1.0,
];

/// Half a turn in three parts, of which the first two have so few bits that products with small integers are exact: Cody and
/// Waite 1980, "Software manual for the elementary functions".
const HALF_TURN: [f64; 3] = [
    3.140625,
    9.675_025_939_941_406e-4,
    1.509_957_990_978_376_4e-7,
];

/// What added and taken away again rounds an f32 to an integer.
const ROUNDS: f64 = 12_582_912.0;

impl Vector<'_> {
    /// `to = number / to`
    pub(super) fn over(&mut self, to: &str, x: f64, n: u64) {
        let top = self.scratch(DType::F32, n);
        self.op(format_args!("Duplicate({top}, {}, {n});", number(x)));
        self.op(format_args!("Div({to}, {top}, {to}, {n});"));
    }

    pub(super) fn erf(&mut self, to: &str, x: &str, n: u64) {
        let [size, t, sum] = [0; 3].map(|_| self.scratch(DType::F32, n));
        let bits = self.scratch(DType::U8, n / 8);
        self.op(format_args!("Abs({size}, {x}, {n});"));
        self.op(format_args!("Muls({t}, {size}, 0.3275911f, {n});"));
        self.op(format_args!("Adds({t}, {t}, 1.0f, {n});"));
        self.over(&t, 1.0, n);
        self.op(format_args!("Duplicate({sum}, {}, {n});", ERF[0]));
        for term in &ERF[1..] {
            self.op(format_args!("Mul({sum}, {sum}, {t}, {n});"));
            self.op(format_args!("Adds({sum}, {sum}, {term}, {n});"));
        }
        self.op(format_args!("Mul({sum}, {sum}, {t}, {n});"));
        self.op(format_args!("Mul({size}, {size}, {size}, {n});"));
        self.op(format_args!("Muls({size}, {size}, -1.0f, {n});"));
        self.op(format_args!("Exp({size}, {size}, {n});"));
        self.op(format_args!("Mul({sum}, {sum}, {size}, {n});"));
        self.op(format_args!("Muls({sum}, {sum}, -1.0f, {n});"));
        self.op(format_args!("Adds({sum}, {sum}, 1.0f, {n});"));
        self.op(format_args!("Muls({t}, {sum}, -1.0f, {n});"));
        self.op(format_args!(
            "CompareScalar({bits}, {x}, 0.0f, CMPMODE::LT, {n});"
        ));
        self.op(format_args!(
            "Select({to}, {bits}, {t}, {sum}, SELMODE::VSEL_TENSOR_TENSOR_MODE, {n});"
        ));
    }

    /// The sine, or the cosine, which is the sine a quarter turn on.
    pub(super) fn wave(&mut self, to: &str, x: &str, n: u64, on: bool) {
        let [turns, sign, rest, part] = [0; 4].map(|_| self.scratch(DType::F32, n));
        let scaled = |v: &mut Self, to: &str, x: &str, by: f64| {
            v.op(format_args!("Muls({to}, {x}, {}, {n});", number(by)));
        };
        let moved = |v: &mut Self, to: &str, by: f64| {
            v.op(format_args!("Adds({to}, {to}, {}, {n});", number(by)));
        };
        let rounded = |v: &mut Self, to: &str| {
            moved(v, to, ROUNDS);
            moved(v, to, -ROUNDS);
        };
        scaled(self, &turns, x, std::f64::consts::FRAC_1_PI);
        if on {
            moved(self, &turns, 0.5);
        }
        rounded(self, &turns);
        // After an odd number of half turns the sign is the other.
        scaled(self, &sign, &turns, 0.5);
        rounded(self, &sign);
        scaled(self, &sign, &sign, -2.0);
        self.op(format_args!("Add({sign}, {sign}, {turns}, {n});"));
        self.op(format_args!("Mul({sign}, {sign}, {sign}, {n});"));
        scaled(self, &sign, &sign, -2.0);
        moved(self, &sign, 1.0);
        if on {
            moved(self, &turns, -0.5);
        }
        for (i, half) in HALF_TURN.into_iter().enumerate() {
            scaled(self, &part, &turns, -half);
            let from = if i == 0 { x } else { &rest };
            self.op(format_args!("Add({rest}, {from}, {part}, {n});"));
        }
        self.op(format_args!("Mul({part}, {rest}, {rest}, {n});"));
        self.op(format_args!("Duplicate({to}, {}, {n});", number(SINE[0])));
        for term in &SINE[1..] {
            self.op(format_args!("Mul({to}, {to}, {part}, {n});"));
            moved(self, to, *term);
        }
        self.op(format_args!("Mul({to}, {to}, {rest}, {n});"));
        self.op(format_args!("Mul({to}, {to}, {sign}, {n});"));
    }
}
