//! Floating-point constants that compare and hash by their bits.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A constant; equal if all bits are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct F64(u64);

impl F64 {
    /// The constant with this value.
    pub fn new(value: f64) -> Self {
        Self(value.to_bits())
    }

    /// The value.
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl From<f64> for F64 {
    fn from(value: f64) -> Self {
        Self::new(value)
    }
}

impl From<F64> for String {
    fn from(value: F64) -> Self {
        value.to_string()
    }
}

impl TryFrom<String> for F64 {
    type Error = std::num::ParseFloatError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self::new)
    }
}

impl fmt::Display for F64 {
    /// The shortest decimal that reads back to the same value; always with a point, an exponent, `inf` or `NaN`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.get())
    }
}
