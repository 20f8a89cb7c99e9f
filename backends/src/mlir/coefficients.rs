//! Polynomials for functions in f32.
//!
//! Each is a weighted least-squares fit at 80 to 150 Chebyshev nodes in 40-digit arithmetic (mpmath), reweighted
//! 25 times after Lawson (1961) towards the least greatest error; weights make the error relative to the
//! function. `error` below is that greatest relative error before coefficients are rounded to f32. From the
//! lowest power up.

/// `(e^r - 1 - r) / r^2` for `|r| <= 1.01 ln(2) / 2`; error 2^-28.2.
pub(super) const EXP: [f64; 5] = [
    0.499999930494,
    0.166665147782,
    0.0416684570587,
    0.00836942003932,
    0.00138131317483,
];

/// `(ln(1 + f) - f + f^2 / 2) / f^3` for `sqrt(1/2) - 1 <= f <= sqrt(2) - 1`; error 2^-30.3.
pub(super) const LOG: [f64; 9] = [
    0.333333119461,
    -0.250000086972,
    0.200021681648,
    -0.166680913822,
    0.142185361812,
    -0.124030619447,
    0.118936131626,
    -0.1169447278,
    0.0675751047087,
];

/// `(tanh(x) - x) / x^3` in `x^2`, for `|x| <= 0.625`; error 2^-27.8.
pub(super) const TANH: [f64; 5] = [
    -0.333332819317,
    0.133314419691,
    -0.0537396985421,
    0.0206390391176,
    -0.0057049381135,
];

/// `erf(x) / x - 1` in `x^2`, for `|x| <= 0.9277`; error 2^-31.1.
pub(super) const ERF: [f64; 7] = [
    0.128379166597,
    -0.37612633348,
    0.112836895977,
    -0.0268590731871,
    0.00520022918288,
    -0.000813362660203,
    8.33186519126e-5,
];

/// `ln(1 - erf(t))` for `0.92 <= t <= 4`; error of the erf that follows from it: 2^-29.3.
pub(super) const LOG_ERFC: [f64; 7] = [
    -0.000195630060085,
    -1.1276758289,
    -0.637181879855,
    -0.103931944663,
    0.0222271012831,
    -0.00304326641413,
    0.000195942635553,
];

/// `(sin(r) - r) / r^3` in `r^2`, for `|r| <= 1.01 pi / 4`; error 2^-27.9.
pub(super) const SIN: [f64; 3] = [-0.166666538623, 0.00833211298214, -0.00019508735085];

/// `(cos(r) - 1 + r^2 / 2) / r^4` in `r^2`, for `|r| <= 1.01 pi / 4`; error 2^-32.9.
pub(super) const COS: [f64; 3] = [0.041666644365, -0.00138872513741, 2.44256707923e-5];
