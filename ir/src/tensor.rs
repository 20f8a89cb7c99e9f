//! Tensors with values.

use std::borrow::Cow;

use half::{bf16, f16};
use serde::{Deserialize, Serialize};

use crate::{DType, TensorType};

/// Element type, shape and values, row-major.
///
/// Values are held as the element type stores them, or, where they come from the evaluator, in f64
/// before any rounding to the element type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tensor {
    dtype: DType,
    shape: Vec<i64>,
    data: Data,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Data {
    /// Little endian, as the element type stores them.
    Stored(Vec<u8>),
    /// Not rounded to the element type.
    Exact(Vec<f64>),
}

/// Values that do not fill a shape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("shape {shape:?}: wanted {wanted}, found {found}")]
pub struct TensorError {
    /// The shape.
    pub shape: Vec<i64>,
    /// How much fills it.
    pub wanted: String,
    /// How much was given.
    pub found: String,
}

/// Number of elements of a shape, if no size is negative and the number is below 2^63.
pub(crate) fn count(shape: &[i64]) -> Option<usize> {
    let n = shape
        .iter()
        .try_fold(1i64, |n, d| if *d < 0 { None } else { n.checked_mul(*d) })?;
    usize::try_from(n).ok()
}

impl Tensor {
    /// From little-endian bytes.
    ///
    /// # Errors
    /// The bytes do not fill the shape exactly.
    pub fn from_bytes(dtype: DType, shape: &[i64], bytes: Vec<u8>) -> Result<Self, TensorError> {
        let wanted = count(shape).and_then(|n| n.checked_mul(dtype.size()));
        if wanted == Some(bytes.len()) {
            return Ok(Self {
                dtype,
                shape: shape.to_vec(),
                data: Data::Stored(bytes),
            });
        }
        Err(TensorError {
            shape: shape.to_vec(),
            wanted: wanted.map_or("fewer elements".into(), |n| format!("{n} bytes of {dtype}")),
            found: format!("{} bytes", bytes.len()),
        })
    }

    /// From values in f64, which are kept as they are.
    ///
    /// # Errors
    /// The values do not fill the shape exactly.
    pub fn from_f64(dtype: DType, shape: &[i64], values: Vec<f64>) -> Result<Self, TensorError> {
        let wanted = count(shape);
        if wanted == Some(values.len()) {
            return Ok(Self {
                dtype,
                shape: shape.to_vec(),
                data: Data::Exact(values),
            });
        }
        Err(TensorError {
            shape: shape.to_vec(),
            wanted: wanted.map_or("fewer elements".into(), |n| format!("{n} values")),
            found: format!("{} values", values.len()),
        })
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Size of each axis.
    pub fn shape(&self) -> &[i64] {
        &self.shape
    }

    /// The type.
    pub fn ty(&self) -> TensorType {
        TensorType::fixed(self.dtype, &self.shape)
    }

    /// Number of elements.
    pub fn elements(&self) -> usize {
        count(&self.shape).expect("the shape was checked when the tensor was made")
    }

    /// The values.
    pub fn values(&self) -> Cow<'_, [f64]> {
        match &self.data {
            Data::Exact(values) => values.into(),
            Data::Stored(bytes) => decode(self.dtype, bytes).into(),
        }
    }

    /// The values, without a copy where they are held in f64.
    pub fn into_values(self) -> Vec<f64> {
        match self.data {
            Data::Exact(values) => values,
            Data::Stored(bytes) => decode(self.dtype, &bytes),
        }
    }

    /// The bytes, rounded to the element type.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match &self.data {
            Data::Stored(bytes) => bytes.into(),
            Data::Exact(values) => encode(self.dtype, values).into(),
        }
    }

    /// The same tensor with its values rounded to the element type.
    pub fn rounded(self) -> Self {
        let data = match self.data {
            Data::Exact(values) => Data::Stored(encode(self.dtype, &values)),
            stored => stored,
        };
        Self { data, ..self }
    }

    /// The bytes, if they are held as the element type stores them.
    pub fn stored(&self) -> Option<&[u8]> {
        match &self.data {
            Data::Stored(bytes) => Some(bytes),
            Data::Exact(_) => None,
        }
    }
}

/// The value nearest to `x` that the element type holds: rounded to nearest even, truncated towards
/// zero or wrapped; of `bool`, whether `x` is not 0.
pub fn round_to(dtype: DType, x: f64) -> f64 {
    match dtype {
        DType::F32 => f64::from(x as f32),
        DType::F16 => f16::from_f32(odd(x)).to_f64(),
        DType::Bf16 => bf16::from_f32(odd(x)).to_f64(),
        DType::I8 => f64::from(wrap(x) as i8),
        DType::U8 => f64::from(wrap(x) as u8),
        DType::I32 => f64::from(wrap(x) as i32),
        DType::I64 => wrap(x) as f64,
        DType::Bool => f64::from(u8::from(x != 0.0)),
    }
}

/// `x` in f32, an inexact one towards the neighbour whose last bit is set: rounded once more to 16 bits, it is the
/// nearest there. Source: Boldo and Melquiond, "Emulation of a FMA and Correctly Rounded Sums: Proved Algorithms Using
/// Rounding to Odd", 2008. (`f64` to `bf16` of the crate `half` looks at the upper 32 bits only.)
fn odd(x: f64) -> f32 {
    let near = x as f32;
    if f64::from(near) == x || !near.is_finite() {
        return near;
    }
    let beyond = f64::from(near).abs() > x.abs();
    let towards_zero = near.to_bits() - u32::from(beyond);
    f32::from_bits(towards_zero | 1)
}

/// `x` truncated, and saturated at the ends of 64 bits; NaN is 0.
fn wrap(x: f64) -> i64 {
    x as i64
}

/// The value that `bytes`, as long as one element, stores.
#[inline]
pub(crate) fn decode_one(dtype: DType, bytes: &[u8]) -> f64 {
    match dtype {
        DType::F32 => f64::from(f32::from_le_bytes(array(bytes))),
        DType::F16 => f16::from_le_bytes(array(bytes)).to_f64(),
        DType::Bf16 => bf16::from_le_bytes(array(bytes)).to_f64(),
        DType::I8 => f64::from(i8::from_le_bytes(array(bytes))),
        DType::U8 => f64::from(bytes[0]),
        DType::I32 => f64::from(i32::from_le_bytes(array(bytes))),
        DType::I64 => i64::from_le_bytes(array(bytes)) as f64,
        DType::Bool => f64::from(u8::from(bytes[0] != 0)),
    }
}

#[inline]
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    *bytes
        .first_chunk()
        .expect("an element has as many bytes as its type says")
}

/// Values of little-endian elements.
pub(crate) fn decode(dtype: DType, bytes: &[u8]) -> Vec<f64> {
    // One loop per type, so that each is compiled without a branch inside.
    macro_rules! of {
        ($($Type:ident)*) => {
            match dtype {
                $(DType::$Type => bytes
                    .chunks_exact(DType::$Type.size())
                    .map(|b| decode_one(DType::$Type, b))
                    .collect(),)*
            }
        };
    }
    of!(F32 F16 Bf16 I8 U8 I32 I64 Bool)
}

/// Values as little-endian elements, rounded as by [`round_to`].
pub(crate) fn encode(dtype: DType, values: &[f64]) -> Vec<u8> {
    fn each<const N: usize>(values: &[f64], f: impl Fn(f64) -> [u8; N]) -> Vec<u8> {
        values.iter().flat_map(|x| f(*x)).collect()
    }
    match dtype {
        DType::F32 => each(values, |x| (x as f32).to_le_bytes()),
        DType::F16 => each(values, |x| f16::from_f32(odd(x)).to_le_bytes()),
        DType::Bf16 => each(values, |x| bf16::from_f32(odd(x)).to_le_bytes()),
        DType::I8 => each(values, |x| (wrap(x) as i8).to_le_bytes()),
        DType::U8 => each(values, |x| (wrap(x) as u8).to_le_bytes()),
        DType::I32 => each(values, |x| (wrap(x) as i32).to_le_bytes()),
        DType::I64 => each(values, |x| wrap(x).to_le_bytes()),
        DType::Bool => each(values, |x| [u8::from(x != 0.0)]),
    }
}

macro_rules! constructors {
    ($($name:ident, $Type:ty, $DType:ident;)*) => {
        impl Tensor {$(
            /// A tensor of these elements; they fill the shape.
            ///
            /// # Panics
            /// The elements do not fill the shape: for shapes and elements written side by side.
            pub fn $name(shape: &[i64], elements: &[$Type]) -> Self {
                let bytes = elements.iter().flat_map(|x| x.to_le_bytes()).collect();
                Self::from_bytes(DType::$DType, shape, bytes).unwrap_or_else(|e| panic!("{e}"))
            }
        )*}
    };
}

constructors! {
    f32, f32, F32;
    f16, f16, F16;
    bf16, bf16, Bf16;
    i8, i8, I8;
    u8, u8, U8;
    i32, i32, I32;
    i64, i64, I64;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Just above and below the middle of two neighbours, by less than any f32 tells apart, and by a little more.
    #[test]
    fn sixteen_bits_hold_the_nearest_number() {
        for (dtype, step) in [(DType::F16, 2f64.powi(-10)), (DType::Bf16, 2f64.powi(-7))] {
            let middle = 1.0 + step / 2.0;
            for little in [2f64.powi(-50), 2f64.powi(-30), 2f64.powi(-21)] {
                for sign in [1.0, -1.0] {
                    let rounded = |x: f64| sign * round_to(dtype, sign * x);
                    assert_eq!(rounded(middle + little), 1.0 + step);
                    assert_eq!(rounded(middle - little), 1.0);
                    assert_eq!(rounded(middle), 1.0, "ties go to even");
                }
            }
            assert_eq!(round_to(dtype, f64::MAX), f64::INFINITY);
            assert_eq!(round_to(dtype, 1e-300), 0.0);
            assert!(round_to(dtype, f64::NAN).is_nan());
        }
        let bits = f64::from(f32::from_bits(0x0058_8001));
        assert_eq!(
            round_to(DType::Bf16, bits),
            f64::from(f32::from_bits(0x0059_0000))
        );
    }

    #[test]
    fn every_type_holds_what_it_is_given() {
        for dtype in DType::ALL {
            let values = vec![0.0, 1.0, 1.0, 0.0];
            let t = Tensor::from_f64(dtype, &[2, 2], values.clone())
                .unwrap()
                .rounded();
            assert_eq!(t.bytes().len(), 4 * dtype.size());
            assert_eq!(*t.values(), values);
            assert_eq!(
                Tensor::from_bytes(dtype, &[2, 2], t.bytes().into_owned()).unwrap(),
                t
            );
        }
    }

    #[test]
    fn rounding_is_to_even_truncates_or_wraps() {
        assert_eq!(round_to(DType::F16, 2049.0), 2048.0);
        assert_eq!(round_to(DType::F16, 2051.0), 2052.0);
        assert_eq!(round_to(DType::Bf16, 257.0), 256.0);
        assert_eq!(round_to(DType::F32, 16_777_217.0), 16_777_216.0);
        assert_eq!(round_to(DType::I8, -1.9), -1.0);
        assert_eq!(round_to(DType::U8, 257.0), 1.0);
        assert_eq!(round_to(DType::I8, 128.0), -128.0);
        assert_eq!(round_to(DType::Bool, 0.5), 1.0);
        for dtype in DType::ALL {
            let stored = decode(dtype, &encode(dtype, &[2.5, 300.0, -7.0]));
            assert_eq!(stored, [2.5, 300.0, -7.0].map(|x| round_to(dtype, x)));
        }
    }

    #[test]
    fn values_must_fill_the_shape() {
        let e = Tensor::from_bytes(DType::F32, &[2, 3], vec![0; 23]).unwrap_err();
        assert_eq!(
            e.to_string(),
            "shape [2, 3]: wanted 24 bytes of f32, found 23 bytes"
        );
        assert!(Tensor::from_f64(DType::F32, &[-1], vec![]).is_err());
        assert!(Tensor::from_f64(DType::F32, &[1 << 40, 1 << 40], vec![]).is_err());
    }
}
