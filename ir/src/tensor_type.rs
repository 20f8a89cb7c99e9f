//! What is known of a tensor before it is computed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{DType, Dim, Sizes};

/// Element type and size of each axis, outermost first; elements are stored row-major.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TensorType {
    /// Element type.
    pub dtype: DType,
    /// Size of each axis.
    pub shape: Vec<Dim>,
}

/// Why an op cannot take its operands. Axes count from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// Too few or too many operands.
    #[error("wanted {wanted} operands, found {found}")]
    Arity {
        /// A number or a range.
        wanted: String,
        /// How many were given.
        found: usize,
    },
    /// Wrong number of axes.
    #[error("operand {operand}: wanted {wanted} axes, found {found}")]
    Rank {
        /// Position of the operand.
        operand: usize,
        /// A number or a bound, such as `at least 2`.
        wanted: String,
        /// The operand's type.
        found: TensorType,
    },
    /// A size that does not fit.
    #[error("operand {operand}, axis {axis}: wanted size {wanted}, found {found}")]
    Size {
        /// Position of the operand.
        operand: usize,
        /// Axis of the operand.
        axis: usize,
        /// The size that fits.
        wanted: Dim,
        /// The operand's type.
        found: TensorType,
    },
    /// A size that does not fit, where more than one would.
    #[error("operand {operand}, axis {axis}: wanted {wanted}, found {found}")]
    Fit {
        /// Position of the operand.
        operand: usize,
        /// Axis of the operand.
        axis: usize,
        /// What fits.
        wanted: String,
        /// The operand's type.
        found: TensorType,
    },
    /// Wrong element type.
    #[error("operand {operand}: wanted element type {wanted}, found {found}")]
    DType {
        /// Position of the operand.
        operand: usize,
        /// What fits.
        wanted: String,
        /// The operand's type.
        found: TensorType,
    },
    /// A size below 0, or a tensor of more elements than can be counted.
    #[error("operand {operand}: wanted 0 to 2^48 elements, found {found}")]
    TooLarge {
        /// Position of the operand.
        operand: usize,
        /// The operand's type.
        found: TensorType,
    },
    /// As `TooLarge`, of the result.
    #[error("result: wanted 0 to 2^48 elements, found {found}")]
    ResultTooLarge {
        /// The type that the result would have.
        found: TensorType,
    },
    /// An attribute that does not fit the operands.
    #[error("attribute `{attribute}`: wanted {wanted}, found {found}")]
    Attribute {
        /// Name of the attribute.
        attribute: &'static str,
        /// What fits.
        wanted: String,
        /// What was given.
        found: String,
    },
}

impl TensorType {
    /// A type of this element type and these sizes.
    pub fn new(dtype: DType, shape: impl IntoIterator<Item = Dim>) -> Self {
        Self {
            dtype,
            shape: shape.into_iter().collect(),
        }
    }

    /// A type whose sizes are numbers.
    pub fn fixed(dtype: DType, shape: &[i64]) -> Self {
        Self::new(dtype, shape.iter().map(|n| Dim::from(*n)))
    }

    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// Number of elements.
    pub fn elements(&self) -> Dim {
        self.shape.iter().product()
    }

    /// Whether no size is below 0 and the number of elements can be counted.
    pub fn is_storable(&self) -> bool {
        self.elements().is_small() && self.shape.iter().all(|d| d.is_small() && !d.is_below(0))
    }

    /// The sizes as numbers, if all are known.
    pub fn known_shape(&self) -> Option<Vec<i64>> {
        self.shape.iter().map(Dim::known).collect()
    }

    /// The same type with the given symbols replaced.
    pub fn bind(&self, sizes: &Sizes) -> Self {
        Self::new(self.dtype, self.shape.iter().map(|d| d.bind(sizes)))
    }

    /// The same shape with another element type.
    pub fn with_dtype(&self, dtype: DType) -> Self {
        Self {
            dtype,
            shape: self.shape.clone(),
        }
    }

    /// Size of the last axis; an error names `operand`.
    pub fn last_dim(&self, operand: usize) -> Result<&Dim, ShapeError> {
        self.shape
            .last()
            .ok_or_else(|| self.rank_error(operand, "at least 1"))
    }

    /// Fails unless the type has exactly `rank` axes.
    pub fn require_rank(&self, operand: usize, rank: usize) -> Result<(), ShapeError> {
        if self.rank() == rank {
            Ok(())
        } else {
            Err(self.rank_error(operand, &rank.to_string()))
        }
    }

    /// Fails unless the type has exactly these sizes.
    pub fn require_shape(&self, operand: usize, shape: &[Dim]) -> Result<(), ShapeError> {
        self.require_rank(operand, shape.len())?;
        for (axis, size) in shape.iter().enumerate() {
            self.require_size(operand, axis, size)?;
        }
        Ok(())
    }

    /// Fails unless `axis` has this size.
    pub fn require_size(
        &self,
        operand: usize,
        axis: usize,
        wanted: &Dim,
    ) -> Result<(), ShapeError> {
        if self.shape.get(axis) == Some(wanted) {
            return Ok(());
        }
        Err(ShapeError::Size {
            operand,
            axis,
            wanted: wanted.clone(),
            found: self.clone(),
        })
    }

    /// Fails unless the element type satisfies `fits`, which `wanted` describes.
    pub fn require_dtype(
        &self,
        operand: usize,
        wanted: &str,
        fits: impl Fn(DType) -> bool,
    ) -> Result<(), ShapeError> {
        if fits(self.dtype) {
            return Ok(());
        }
        Err(ShapeError::DType {
            operand,
            wanted: wanted.into(),
            found: self.clone(),
        })
    }

    /// The error for a size of which `wanted` says what would fit.
    pub fn size_error(&self, operand: usize, axis: usize, wanted: &str) -> ShapeError {
        ShapeError::Fit {
            operand,
            axis,
            wanted: wanted.into(),
            found: self.clone(),
        }
    }

    /// The error for a wrong number of axes.
    pub fn rank_error(&self, operand: usize, wanted: &str) -> ShapeError {
        ShapeError::Rank {
            operand,
            wanted: wanted.into(),
            found: self.clone(),
        }
    }
}

/// The shape of an elementwise result: axes aligned at the last, sizes equal or one of them 1 (NumPy).
///
/// # Errors
/// Names the axis of operand 1 that fits neither way.
pub fn broadcast_shapes(a: &TensorType, b: &TensorType) -> Result<Vec<Dim>, ShapeError> {
    let rank = a.rank().max(b.rank());
    let one = Dim::from(1);
    let at = |t: &TensorType, axis: usize| {
        (axis + t.rank())
            .checked_sub(rank)
            .map(|i| t.shape[i].clone())
    };
    (0..rank)
        .map(|axis| match (at(a, axis), at(b, axis)) {
            (Some(x), Some(y)) if x == y || y == one => Ok(x),
            (Some(x), Some(y)) if x == one => Ok(y),
            (Some(x), Some(_)) => Err(ShapeError::Size {
                operand: 1,
                axis: axis + b.rank() - rank,
                wanted: x,
                found: b.clone(),
            }),
            (x, y) => Ok(x.or(y).expect("axis lies within the larger rank")),
        })
        .collect()
}

impl fmt::Display for TensorType {
    /// `f32[batch,seq,384]`; a scalar is `f32[]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[", self.dtype)?;
        for (i, d) in self.shape.iter().enumerate() {
            write!(f, "{}{d}", if i > 0 { "," } else { "" })?;
        }
        f.write_str("]")
    }
}
