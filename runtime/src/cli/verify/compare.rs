//! What a kernel should have computed, and how far off it may be.

use ir::{
    DType,
    tile::{Arithmetic, Program, evaluate},
};

use super::super::CliError;
use crate::{
    Artifact,
    manifest::{Kernel, Param},
};

/// A difference relative to the largest value of the reference, and the largest that rounding explains.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Error {
    pub found: f64,
    pub bound: f64,
}

impl Error {
    pub fn is_within(self) -> bool {
        self.found <= self.bound
    }
}

/// The tile program of a kernel.
pub(super) fn tile_program(artifact: &Artifact, kernel: &Kernel) -> Result<Program, CliError> {
    let fail = |reason: String| fail(kernel, reason);
    let tile = kernel
        .tile
        .ok_or_else(|| fail("the artifact has no tile program for it".into()))?;
    serde_json::from_str(artifact.text(tile)?)
        .map_err(|e| fail(format!("its tile program cannot be read: {e}")))
}

/// Runs a kernel's tile program in f64 on these arrays, one for each parameter.
pub(super) fn reference(
    kernel: &Kernel,
    tile: &Program,
    mut arrays: Vec<Vec<f64>>,
) -> Result<Vec<Vec<f64>>, CliError> {
    evaluate(tile, &mut arrays, Arithmetic::Exact).map_err(|e| fail(kernel, e.to_string()))?;
    Ok(arrays)
}

fn fail(kernel: &Kernel, reason: String) -> CliError {
    CliError::Reference {
        kernel: kernel.name.clone(),
        reason,
    }
}

/// Compares what was written, at the elements that `counts` names by parameter and position.
pub(super) fn compare(
    kernel: &Kernel,
    wanted: &[Vec<f64>],
    found: &[Vec<f64>],
    counts: impl Fn(usize, usize) -> bool,
) -> Error {
    let written = kernel.params.iter().enumerate().filter(|(_, p)| p.written);
    written.fold(Error::default(), |worst, (i, param)| Error {
        found: worst
            .found
            .max(relative_error(&wanted[i], &found[i], |at| counts(i, at))),
        bound: worst.bound.max(bound(kernel, param)),
    })
}

/// Sums are kept in f32, where each operation behind an element may round; what is stored, read or handed from one part
/// of the kernel to the next is rounded to the type of storage, at most four times, by half a unit in the last place
/// each. Twice that, since the bound is for the largest value and parts of it may have been larger.
fn bound(kernel: &Kernel, param: &Param) -> f64 {
    let operations = kernel.flops.0 as f64 / param.len.max(1) as f64;
    let narrow = kernel.params.iter().map(|p| rounding(p.dtype));
    let narrow = narrow.fold(0.0, f64::max);
    match param.dtype.is_float() {
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
fn relative_error(wanted: &[f64], found: &[f64], counts: impl Fn(usize) -> bool) -> f64 {
    let largest = wanted
        .iter()
        .filter(|v| v.is_finite())
        .fold(0.0, |m: f64, v| m.max(v.abs()));
    let scale = if largest > 0.0 { largest } else { 1.0 };
    let both = wanted.iter().zip(found).enumerate();
    let errors = both.filter(|(at, _)| counts(*at)).map(|(_, (w, f))| {
        match w == f || (w.is_nan() && f.is_nan()) {
            true => 0.0,
            false => (w - f).abs() / scale,
        }
    });
    errors.fold(
        0.0,
        |m, e| if e.is_nan() { f64::INFINITY } else { m.max(e) },
    )
}
