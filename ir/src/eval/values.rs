//! The numbers of one tensor, as the evaluator holds them.

use std::borrow::Cow;

use crate::{
    DType, Tensor,
    tensor::{decode, decode_one},
};

/// Numbers, row-major.
#[derive(Clone, Debug)]
pub(crate) enum Values<'a> {
    /// In f64.
    Exact(Cow<'a, [f64]>),
    /// Little endian, as the element type stores them.
    Stored(DType, Cow<'a, [u8]>),
}

impl<'a> Values<'a> {
    /// The values of a tensor that outlives them.
    pub(crate) fn borrowed(tensor: &'a Tensor) -> Self {
        match tensor.stored() {
            Some(bytes) => Self::Stored(tensor.dtype(), bytes.into()),
            None => Self::Exact(tensor.values()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Exact(values) => values.len(),
            Self::Stored(dtype, bytes) => bytes.len() / dtype.size(),
        }
    }

    /// One number.
    pub(crate) fn get(&self, at: usize) -> f64 {
        match self {
            Self::Exact(values) => values[at],
            Self::Stored(dtype, bytes) => decode_one(*dtype, &bytes[at * dtype.size()..]),
        }
    }

    /// All numbers.
    pub(crate) fn to_f64(&self) -> Cow<'_, [f64]> {
        match self {
            Self::Exact(values) => Cow::Borrowed(values),
            Self::Stored(dtype, bytes) => decode(*dtype, bytes).into(),
        }
    }

    /// `out[i]` becomes the number at `base + i stride`.
    pub(crate) fn load(&self, base: i64, stride: i64, out: &mut [f64]) {
        if out.is_empty() {
            return;
        }
        let (base, n) = (position(base), out.len());
        if stride == 0 {
            out.fill(self.get(base));
            return;
        }
        match self {
            Self::Exact(values) if stride == 1 => out.copy_from_slice(&values[base..base + n]),
            Self::Exact(values) => {
                for (i, o) in (0i64..).zip(out) {
                    *o = values[position(base as i64 + i * stride)];
                }
            }
            Self::Stored(dtype, bytes) => load_stored(*dtype, bytes, base, stride, out),
        }
    }

    /// `out[i]` becomes the number at `at[i]`.
    pub(crate) fn gather(&self, at: &[i64], out: &mut [f64]) {
        for (o, at) in out.iter_mut().zip(at) {
            *o = self.get(position(*at));
        }
    }
}

/// An offset that was checked against the operand's shape.
fn position(at: i64) -> usize {
    usize::try_from(at).expect("offsets are checked against the operand's shape")
}

fn load_stored(dtype: DType, bytes: &[u8], base: usize, stride: i64, out: &mut [f64]) {
    // One loop per type, so that each is compiled without a branch inside.
    macro_rules! of {
        ($($Type:ident)*) => {
            match dtype {
                $(DType::$Type => {
                    const SIZE: usize = DType::$Type.size();
                    if stride == 1 {
                        let run = &bytes[base * SIZE..(base + out.len()) * SIZE];
                        for (o, b) in out.iter_mut().zip(run.chunks_exact(SIZE)) {
                            *o = decode_one(DType::$Type, b);
                        }
                    } else {
                        for (i, o) in (0i64..).zip(out) {
                            let at = position(base as i64 + i * stride) * SIZE;
                            *o = decode_one(DType::$Type, &bytes[at..at + SIZE]);
                        }
                    }
                })*
            }
        };
    }
    of!(F32 F16 Bf16 I8 U8 I32 I64 Bool);
}
