//! Functions of one or two numbers: one line each, the only place that says what they mean.
//!
//! A *primitive* function is evaluated as Rust does and compiled by every backend; a *derived* one
//! is an expression over primitives, expanded before code is made.

use serde::{Deserialize, Serialize};

use crate::{DType, Expr};

/// How a function of one number is defined.
#[derive(Clone, Copy, Debug)]
pub enum UnaryDef {
    /// Known to every backend; the value in f64.
    Primitive(fn(f64) -> f64),
    /// A term over primitives.
    Derived(fn(Expr) -> Expr),
}

macro_rules! unary_functions {
    ($($(#[doc = $doc:literal])* $name:ident = $word:literal, $kind:ident, $def:expr;)*) => {
        /// A function of one number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum UnaryFn { $($(#[doc = $doc])* $name,)* }

        impl UnaryFn {
            /// Every function, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word used in text forms.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What it is, in Markdown.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc, "\n",)*),)* }
            }

            /// What the function is.
            pub fn def(self) -> UnaryDef {
                match self { $(Self::$name => UnaryDef::$kind($def),)* }
            }
        }
    };
}

macro_rules! binary_functions {
    ($($(#[doc = $doc:literal])* $name:ident = $word:literal, $def:expr;)*) => {
        /// A function of two numbers. Comparisons and logic give 0 or 1.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum BinaryFn { $($(#[doc = $doc])* $name,)* }

        impl BinaryFn {
            /// Every function, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word used in text forms.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What it is, in Markdown.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc, "\n",)*),)* }
            }

            /// The value in f64.
            pub fn eval(self, a: f64, b: f64) -> f64 {
                let f: fn(f64, f64) -> f64 = match self { $(Self::$name => $def,)* };
                f(a, b)
            }
        }
    };
}

const fn truth(b: bool) -> f64 {
    if b { 1.0 } else { 0.0 }
}

unary_functions! {
    /// `-x`
    Neg = "neg", Primitive, |x| -x;
    /// `|x|`
    Abs = "abs", Primitive, f64::abs;
    /// `e^x`
    Exp = "exp", Primitive, f64::exp;
    /// Natural logarithm.
    Log = "log", Primitive, f64::ln;
    /// Square root.
    Sqrt = "sqrt", Primitive, f64::sqrt;
    /// `1 / sqrt(x)`
    Rsqrt = "rsqrt", Primitive, |x| 1.0 / x.sqrt();
    /// `1 / x`
    Recip = "recip", Primitive, |x| 1.0 / x;
    /// Hyperbolic tangent.
    Tanh = "tanh", Primitive, f64::tanh;
    /// Gauss error function.
    Erf = "erf", Primitive, libm::erf;
    /// Sine of radians.
    Sin = "sin", Primitive, f64::sin;
    /// Cosine of radians.
    Cos = "cos", Primitive, f64::cos;
    /// Largest integer not above `x`.
    Floor = "floor", Primitive, f64::floor;
    /// Smallest integer not below `x`.
    Ceil = "ceil", Primitive, f64::ceil;
    /// Nearest integer, ties to even.
    Round = "round", Primitive, f64::round_ties_even;
    /// 1 where `x` is 0, else 0.
    Not = "not", Primitive, |x| truth(x == 0.0);
    /// `max(x, 0)`
    Relu = "relu", Derived, |x| x.max(Expr::num(0.0));
    /// `1 / (1 + e^-x)`
    Sigmoid = "sigmoid", Derived, |x| ((-x).apply(UnaryFn::Exp) + Expr::num(1.0)).apply(UnaryFn::Recip);
    /// `x sigmoid(x)`; Elfwing et al. 2017 (arXiv:1702.03118).
    Silu = "silu", Derived, |x| x.clone() / ((-x).apply(UnaryFn::Exp) + Expr::num(1.0));
    /// `x/2 (1 + erf(x / sqrt 2))`; Hendrycks and Gimpel 2016 (arXiv:1606.08415).
    Gelu = "gelu", Derived, |x| {
        let e = (x.clone() * Expr::num(std::f64::consts::FRAC_1_SQRT_2)).apply(UnaryFn::Erf);
        x * Expr::num(0.5) * (e + Expr::num(1.0))
    };
    /// `x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))`; the same paper, section 2.
    GeluTanh = "gelu_tanh", Derived, |x| {
        let cube = x.clone() * x.clone() * x.clone();
        let inner = (x.clone() + cube * Expr::num(0.044715)) * Expr::num(0.797_884_560_802_865_4);
        x * Expr::num(0.5) * (inner.apply(UnaryFn::Tanh) + Expr::num(1.0))
    };
    /// `x sigmoid(1.702 x)`; the same paper, section 2.
    QuickGelu = "quick_gelu", Derived, |x| {
        x.clone() / ((x * Expr::num(-1.702)).apply(UnaryFn::Exp) + Expr::num(1.0))
    };
    /// `x^2`
    Square = "square", Derived, |x| x.clone() * x;
}

binary_functions! {
    /// `a + b`
    Add = "add", |a, b| a + b;
    /// `a - b`
    Sub = "sub", |a, b| a - b;
    /// `a b`
    Mul = "mul", |a, b| a * b;
    /// `a / b`
    Div = "div", |a, b| a / b;
    /// The larger; NaN if either is.
    Max = "max", |a, b| if a.is_nan() || a > b { a } else { b };
    /// The smaller; NaN if either is.
    Min = "min", |a, b| if a.is_nan() || a < b { a } else { b };
    /// `a^b`
    Pow = "pow", f64::powf;
    /// `floor(a / b)`
    FloorDiv = "floor_div", |a, b| (a / b).floor();
    /// `a - b floor(a / b)`: the sign of `b`.
    Mod = "mod", |a, b| {
        // As remainder of a division towards zero, which is exact, then brought to the sign of `b`.
        let r = a % b;
        if r != 0.0 && (r < 0.0) != (b < 0.0) { r + b } else { r }
    };
    /// `a = b`
    Eq = "eq", |a, b| truth(a == b);
    /// `a != b`
    Ne = "ne", |a, b| truth(a != b);
    /// `a < b`
    Lt = "lt", |a, b| truth(a < b);
    /// `a <= b`
    Le = "le", |a, b| truth(a <= b);
    /// `a > b`
    Gt = "gt", |a, b| truth(a > b);
    /// `a >= b`
    Ge = "ge", |a, b| truth(a >= b);
    /// Both are not 0.
    And = "and", |a, b| truth(a != 0.0 && b != 0.0);
    /// One is not 0.
    Or = "or", |a, b| truth(a != 0.0 || b != 0.0);
}

/// The element types that a function takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// All.
    Any,
    /// All but `bool`.
    Numbers,
    /// `f32`, `f16`, `bf16`.
    Floats,
    /// `bool`.
    Truths,
}

impl Domain {
    /// What is wanted, in words.
    pub const fn name(self) -> &'static str {
        [
            "any element type",
            "a float or an integer",
            "a float",
            "bool",
        ][self as usize]
    }

    /// Whether elements of this type are taken.
    pub fn contains(self, dtype: DType) -> bool {
        match self {
            Self::Any => true,
            Self::Numbers => dtype != DType::Bool,
            Self::Floats => dtype.is_float(),
            Self::Truths => dtype == DType::Bool,
        }
    }
}

impl UnaryFn {
    /// What it takes.
    pub const fn domain(self) -> Domain {
        use UnaryFn::{Abs, Neg, Not, Relu, Square};
        match self {
            Not => Domain::Truths,
            Neg | Abs | Relu | Square => Domain::Numbers,
            _ => Domain::Floats,
        }
    }
}

impl BinaryFn {
    /// What it takes, on both sides.
    pub const fn domain(self) -> Domain {
        use BinaryFn::{And, Div, Eq, Ge, Gt, Le, Lt, Ne, Or, Pow};
        match self {
            And | Or => Domain::Truths,
            Eq | Ne | Lt | Le | Gt | Ge => Domain::Any,
            Div | Pow => Domain::Floats,
            _ => Domain::Numbers,
        }
    }

    /// Whether the result is `bool`, whatever the operands.
    pub const fn is_predicate(self) -> bool {
        use BinaryFn::{And, Eq, Ge, Gt, Le, Lt, Ne, Or};
        matches!(self, Eq | Ne | Lt | Le | Gt | Ge | And | Or)
    }
}

impl UnaryFn {
    /// The value in f64.
    pub fn eval(self, x: f64) -> f64 {
        match self.def() {
            UnaryDef::Primitive(f) => f(x),
            UnaryDef::Derived(def) => def(Expr::num(x)).eval_closed(),
        }
    }
}

/// What folds many numbers into one; associative and commutative, with an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monoid {
    /// Addition, from 0.
    Sum,
    /// Multiplication, from 1.
    Prod,
    /// Maximum, from minus infinity.
    Max,
    /// Minimum, from infinity.
    Min,
}

impl Monoid {
    /// Every monoid.
    pub const ALL: [Self; 4] = [Self::Sum, Self::Prod, Self::Max, Self::Min];

    /// The word used in text forms.
    pub const fn name(self) -> &'static str {
        ["sum", "prod", "max", "min"][self as usize]
    }

    /// What leaves every number as it is.
    pub const fn identity(self) -> f64 {
        [0.0, 1.0, f64::NEG_INFINITY, f64::INFINITY][self as usize]
    }

    /// The function that combines two numbers.
    pub const fn function(self) -> BinaryFn {
        [BinaryFn::Add, BinaryFn::Mul, BinaryFn::Max, BinaryFn::Min][self as usize]
    }
}
