//! What a kernel should have computed, and how far off it may be.

use ir::tile::{Arithmetic, Program, evaluate};

use super::super::CliError;
use crate::{
    Artifact,
    manifest::{Kernel, Param},
    measure::{bound, relative_error},
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
        bound: worst.bound.max(largest_error(kernel, param)),
    })
}

/// What rounding explains of an array that the kernel writes.
fn largest_error(kernel: &Kernel, param: &Param) -> f64 {
    let operations = kernel.flops.0 as f64 / param.len.max(1) as f64;
    let stored = kernel.params.iter().map(|p| p.dtype);
    bound(operations, param.dtype, stored)
}
