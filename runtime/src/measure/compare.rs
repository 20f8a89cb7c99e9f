//! How far results are from the reference, and how far rounding may put them.

use ir::{DType, Tensor};

use crate::executor::POISON;

/// Results beside the reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Largest difference, relative to the largest value of the reference.
    pub error: f64,
    /// Elements that still have the pattern that no kernel makes.
    pub unwritten: u64,
    /// Where the largest difference is, row-major.
    pub at: usize,
}

impl Compared {
    /// Compares the bytes of an output that was poisoned before the run.
    pub(super) fn new(wanted: &[f64], dtype: DType, bytes: &[u8]) -> Self {
        let shape = [(bytes.len() / dtype.size()) as i64];
        let found = Tensor::from_bytes(dtype, &shape, bytes.to_vec());
        let found = found.expect("outputs hold whole elements").into_values();
        let poison: Vec<u8> = POISON.iter().copied().cycle().take(dtype.size()).collect();
        // Of integers any pattern may be a result; there rounding explains nothing, so the value tells.
        let is_poison = |at: usize| {
            dtype.is_float() && bytes[at * dtype.size()..][..dtype.size()] == poison[..]
        };
        let scale = scale(wanted);
        let mut compared = Self {
            error: 0.0,
            unwritten: 0,
            at: 0,
        };
        for (at, (w, f)) in wanted.iter().zip(&found).enumerate() {
            let unwritten = is_poison(at);
            compared.unwritten += u64::from(unwritten);
            let error = if unwritten {
                f64::INFINITY
            } else {
                difference(*w, *f, scale)
            };
            if error > compared.error {
                (compared.error, compared.at) = (error, at);
            }
        }
        compared
    }
}

/// Sums are kept in f32, where each operation behind an element may round; what is stored, read or handed from one part
/// of the kernel to the next is rounded to the type of storage, at most four times, by half a unit in the last place
/// each. Twice that, since the bound is for the largest value and parts of it may have been larger.
///
/// `operations` is for each element of an array of type `dtype`; `stored` are the types of all arrays.
pub(crate) fn bound(operations: f64, dtype: DType, stored: impl Iterator<Item = DType>) -> f64 {
    let narrow = stored.map(rounding).fold(0.0, f64::max);
    match dtype.is_float() {
        true => rounding(DType::F32) * (8.0 + operations) + 8.0 * narrow,
        false => 0.0,
    }
}

/// Half a unit in the last place, relative.
fn rounding(dtype: DType) -> f64 {
    match dtype {
        DType::F32 => 2f64.powi(-24),
        DType::F16 => 2f64.powi(-11),
        DType::Bf16 => 2f64.powi(-8),
        _ => 0.0,
    }
}

/// `max |a - b| / max |b|`; infinite where one is not a number and the other is.
pub(crate) fn relative_error(wanted: &[f64], found: &[f64], counts: impl Fn(usize) -> bool) -> f64 {
    let scale = scale(wanted);
    let both = wanted.iter().zip(found).enumerate();
    let errors = both.filter(|(at, _)| counts(*at));
    errors.fold(0.0, |m: f64, (_, (w, f))| m.max(difference(*w, *f, scale)))
}

/// The largest number, or 1.
fn scale(wanted: &[f64]) -> f64 {
    let finite = wanted.iter().filter(|v| v.is_finite());
    let largest = finite.fold(0.0, |m: f64, v| m.max(v.abs()));
    if largest > 0.0 { largest } else { 1.0 }
}

fn difference(wanted: f64, found: f64, scale: f64) -> f64 {
    if wanted == found || (wanted.is_nan() && found.is_nan()) {
        return 0.0;
    }
    let error = (wanted - found).abs() / scale;
    if error.is_nan() { f64::INFINITY } else { error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|v| v.to_le_bytes()).collect()
    }

    #[test]
    fn what_still_has_the_pattern_was_not_written() {
        for (dtype, wanted) in [
            (DType::F32, f64::NAN),
            (DType::F16, 1.0),
            (DType::Bf16, f64::NAN),
        ] {
            let poison: Vec<u8> = POISON.repeat(8)[..2 * dtype.size()].to_vec();
            let compared = Compared::new(&[wanted; 2], dtype, &poison);
            assert_eq!((compared.error, compared.unwritten), (f64::INFINITY, 2));
        }
        // No integer that a kernel computes here.
        let poison = i64::from_le_bytes(POISON.repeat(4).try_into().unwrap());
        let compared = Compared::new(&[3.0], DType::I64, &poison.to_le_bytes());
        assert!(compared.error > 1e15 && compared.unwritten == 0);
    }

    #[test]
    fn numbers_are_compared_with_the_largest() {
        let compared = Compared::new(&[1.0, -8.0, 0.5], DType::F32, &bytes(&[1.0, -8.0, 1.5]));
        assert_eq!(compared.error, 0.125);
        assert_eq!((compared.at, compared.unwritten), (2, 0));
        let nan = Compared::new(&[f64::NAN, 1.0], DType::F32, &bytes(&[f32::NAN, 1.0]));
        assert_eq!(nan.error, 0.0);
        let none = Compared::new(&[1.0, 1.0], DType::F32, &bytes(&[f32::NAN, 1.0]));
        assert_eq!(none.error, f64::INFINITY);
        let infinite = Compared::new(
            &[f64::INFINITY, 1.0],
            DType::F32,
            &bytes(&[f32::INFINITY, 1.0]),
        );
        assert_eq!(infinite.error, 0.0);
    }

    #[test]
    fn integers_are_right_or_wrong() {
        assert_eq!(bound(100.0, DType::I32, [DType::F16].into_iter()), 0.0);
        let f32 = bound(100.0, DType::F32, [DType::F32].into_iter());
        let f16 = bound(100.0, DType::F32, [DType::F16, DType::F32].into_iter());
        assert!(f32 < f16 && f16 < 1e-2);
    }
}
