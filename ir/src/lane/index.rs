//! Integer expressions of lane programs.

use std::ops::{Add, Mul};

use serde::{Deserialize, Serialize};

use crate::tile::{Counter, Var};

/// An integer known to a lane.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Index {
    /// A constant.
    Const(i64),
    /// A grid axis or a loop.
    Counter(Counter),
    /// The lane's number in its warp.
    Lane,
    /// The warp's number in its block.
    Warp,
    /// A variable of one integer register.
    Var(Var),
    /// `a + b`
    Add(Box<Index>, Box<Index>),
    /// `a b`
    Mul(Box<Index>, Box<Index>),
    /// `floor(a / b)`, for `a >= 0` and `b > 0`
    Div(Box<Index>, Box<Index>),
    /// `a mod b`, for `a >= 0` and `b > 0`
    Mod(Box<Index>, Box<Index>),
    /// The smaller.
    Min(Box<Index>, Box<Index>),
    /// The larger.
    Max(Box<Index>, Box<Index>),
    /// Exclusive or of the bits, for `a >= 0` and `b >= 0`.
    Xor(Box<Index>, Box<Index>),
}

impl Index {
    /// `floor(self / by)`; `self` is not negative.
    pub fn floor_div(self, by: i64) -> Self {
        match (self, by) {
            (a, 1) => a,
            (Self::Const(a), by) => Self::Const(a.div_euclid(by)),
            (a, by) => Self::Div(a.into(), Self::Const(by).into()),
        }
    }

    /// `self mod by`; `self` is not negative.
    pub fn modulo(self, by: i64) -> Self {
        match (self, by) {
            (_, 1) => Self::Const(0),
            (Self::Const(a), by) => Self::Const(a.rem_euclid(by)),
            (a, by) => Self::Mod(a.into(), Self::Const(by).into()),
        }
    }

    /// The smaller of both.
    pub fn min(self, other: impl Into<Self>) -> Self {
        match (self, other.into()) {
            (Self::Const(a), Self::Const(b)) => Self::Const(a.min(b)),
            (a, b) => Self::Min(a.into(), b.into()),
        }
    }

    /// The larger of both.
    pub fn max(self, other: impl Into<Self>) -> Self {
        match (self, other.into()) {
            (Self::Const(a), Self::Const(b)) => Self::Const(a.max(b)),
            (a, b) => Self::Max(a.into(), b.into()),
        }
    }

    /// Exclusive or; neither is negative.
    pub fn xor(self, other: impl Into<Self>) -> Self {
        match (self, other.into()) {
            (Self::Const(a), Self::Const(b)) => Self::Const(a ^ b),
            (a, Self::Const(0)) | (Self::Const(0), a) => a,
            (a, b) => Self::Xor(a.into(), b.into()),
        }
    }

    /// The direct parts.
    pub fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Const(_) | Self::Counter(_) | Self::Lane | Self::Warp | Self::Var(_) => vec![],
            Self::Add(a, b)
            | Self::Mul(a, b)
            | Self::Div(a, b)
            | Self::Mod(a, b)
            | Self::Min(a, b)
            | Self::Max(a, b)
            | Self::Xor(a, b) => vec![a, b],
        }
    }

    /// Whether `part` occurs.
    pub fn mentions(&self, part: &Self) -> bool {
        self == part || self.parts().into_iter().any(|p| p.mentions(part))
    }
}

impl From<i64> for Index {
    fn from(n: i64) -> Self {
        Self::Const(n)
    }
}

impl From<Counter> for Index {
    fn from(c: Counter) -> Self {
        Self::Counter(c)
    }
}

impl<T: Into<Index>> Add<T> for Index {
    type Output = Self;

    fn add(self, other: T) -> Self {
        match (self, other.into()) {
            (Self::Const(a), Self::Const(b)) => Self::Const(a + b),
            (a, Self::Const(0)) | (Self::Const(0), a) => a,
            (a, b) => Self::Add(a.into(), b.into()),
        }
    }
}

impl<T: Into<Index>> Mul<T> for Index {
    type Output = Self;

    fn mul(self, other: T) -> Self {
        match (self, other.into()) {
            (Self::Const(a), Self::Const(b)) => Self::Const(a * b),
            (_, Self::Const(0)) | (Self::Const(0), _) => Self::Const(0),
            (a, Self::Const(1)) | (Self::Const(1), a) => a,
            (a, b) => Self::Mul(a.into(), b.into()),
        }
    }
}
