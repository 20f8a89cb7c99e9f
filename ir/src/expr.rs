//! Scalar expressions of index notation: the body of a `Compute` meaning.

use std::ops::{Add, Div, Mul, Neg, Sub};

use serde::{Deserialize, Serialize};

use crate::{BinaryFn, DType, Dim, F64, UnaryDef, UnaryFn};

/// A number computed at one point of an iteration space.
///
/// Indices are expressions too, with integer values: a load's index may hold a load, which is how
/// gather and quantised formats are said. Only the chosen side of a `Select` is evaluated, so it
/// may guard a load that would be out of bounds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Expr {
    /// A constant.
    Num(F64),
    /// A size, as a number.
    Size(Dim),
    /// The coordinate on this axis: output axes first, then reduced ones.
    Axis(usize),
    /// An element of an operand, by one index for each of its axes.
    Load {
        /// Position of the operand.
        operand: usize,
        /// One integer expression per axis.
        index: Vec<Expr>,
    },
    /// A function of one number.
    Unary(UnaryFn, Box<Expr>),
    /// The number as this element type holds it: rounded, truncated towards zero or wrapped.
    Cast(DType, Box<Expr>),
    /// A function of two numbers.
    Binary(BinaryFn, Box<Expr>, Box<Expr>),
    /// The second where the first is not 0, else the third.
    Select(Box<Expr>, Box<Expr>, Box<Expr>),
}

impl Expr {
    /// A constant.
    pub fn num(value: f64) -> Self {
        Self::Num(value.into())
    }

    /// An integer constant.
    pub fn int(value: i64) -> Self {
        Self::Size(value.into())
    }

    /// An element of `operand`.
    pub fn load(operand: usize, index: impl IntoIterator<Item = Self>) -> Self {
        Self::Load {
            operand,
            index: index.into_iter().collect(),
        }
    }

    /// `f(self)`
    pub fn apply(self, f: UnaryFn) -> Self {
        Self::Unary(f, self.into())
    }

    /// `f(self, other)`
    pub fn with(self, f: BinaryFn, other: Self) -> Self {
        Self::Binary(f, self.into(), other.into())
    }

    /// The larger of both.
    pub fn max(self, other: Self) -> Self {
        self.with(BinaryFn::Max, other)
    }

    /// The smaller of both.
    pub fn min(self, other: Self) -> Self {
        self.with(BinaryFn::Min, other)
    }

    /// `then` where `self` is not 0, else `other`.
    pub fn select(self, then: Self, other: Self) -> Self {
        Self::Select(self.into(), then.into(), other.into())
    }

    /// The same expression with `f` applied to each direct part.
    pub fn map_parts(self, mut f: impl FnMut(Self) -> Self) -> Self {
        match self {
            Self::Num(_) | Self::Size(_) | Self::Axis(_) => self,
            Self::Load { operand, index } => Self::Load {
                operand,
                index: index.into_iter().map(f).collect(),
            },
            Self::Unary(g, x) => Self::Unary(g, f(*x).into()),
            Self::Cast(d, x) => Self::Cast(d, f(*x).into()),
            Self::Binary(g, a, b) => {
                let a = f(*a);
                Self::Binary(g, a.into(), f(*b).into())
            }
            Self::Select(c, a, b) => {
                let (c, a) = (f(*c), f(*a));
                Self::Select(c.into(), a.into(), f(*b).into())
            }
        }
    }

    /// The direct parts.
    pub fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Num(_) | Self::Size(_) | Self::Axis(_) => vec![],
            Self::Load { index, .. } => index.iter().collect(),
            Self::Unary(_, x) | Self::Cast(_, x) => vec![x],
            Self::Binary(_, a, b) => vec![a, b],
            Self::Select(c, a, b) => vec![c, a, b],
        }
    }

    /// The same expression with derived functions replaced by their definitions.
    pub fn expand(self) -> Self {
        match self.map_parts(Self::expand) {
            Self::Unary(f, x) => match f.def() {
                UnaryDef::Primitive(_) => Self::Unary(f, x),
                UnaryDef::Derived(def) => def(*x).expand(),
            },
            other => other,
        }
    }

    /// The value of an expression without axes and loads.
    pub(crate) fn eval_closed(&self) -> f64 {
        match self {
            Self::Num(x) => x.get(),
            Self::Unary(f, x) => f.eval(x.eval_closed()),
            Self::Binary(f, a, b) => f.eval(a.eval_closed(), b.eval_closed()),
            _ => unreachable!("scalar functions are defined over constants and functions alone"),
        }
    }
}

impl Neg for Expr {
    type Output = Self;

    fn neg(self) -> Self {
        self.apply(UnaryFn::Neg)
    }
}

macro_rules! operators {
    ($($Trait:ident :: $method:ident => $f:ident;)*) => {$(
        impl $Trait for Expr {
            type Output = Self;

            fn $method(self, other: Self) -> Self {
                self.with(BinaryFn::$f, other)
            }
        }
    )*};
}

operators! {
    Add::add => Add;
    Sub::sub => Sub;
    Mul::mul => Mul;
    Div::div => Div;
}
