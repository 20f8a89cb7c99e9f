//! The time that a kernel takes at least.

use ir::{
    Bytes, DType, Flops, Target,
    lane::Spelling,
    tile::{self, Counts, Program},
};
use passes::{KernelFamily, Lowered, Lowering};

/// How much faster matrix instructions are than the multiply-adds of lanes at most. A100: 312 to 19.5 Tflop/s in f16
/// (NVIDIA A100 Tensor Core GPU data sheet); noted 2026-11-25 from memory. Where a device is less fast, the floor is
/// lower than need be, but still a floor.
const MATRIX_SPEED: f64 = 16.0;

/// Seconds that a kernel of `family` takes at least on `target`, however it is lowered: its products at full speed, or
/// what must move once. None if the work depends on what arrays hold.
pub fn floor_seconds(family: &KernelFamily, lowered: &Lowered, target: &Target) -> Option<f64> {
    let program = &lowered.program;
    let types = tile::types(program).expect("lowering makes sound programs");
    let counts = tile::count(program, &types)?;
    let (flops, operands) = match *family {
        KernelFamily::Contract {
            batch,
            rows,
            columns,
            depth,
            operands,
            ..
        } => (2 * batch * rows * columns * depth, operands),
        KernelFamily::Attention {
            heads,
            queries,
            keys,
            depth,
            columns,
            operands,
            ..
        } => {
            // Tiles may reach past the edges; masks leave out some of them.
            let whole = 2 * heads * queries * keys * (depth + columns);
            let counted = i64::try_from(counts.dot.0).unwrap_or(i64::MAX);
            (whole.min(counted), operands)
        }
        KernelFamily::Map { .. } | KernelFamily::Rows { .. } | KernelFamily::Fold { .. } => {
            (0, DType::F32)
        }
    };
    let fast = target.simt().is_some_and(|simt| {
        let mut words = (simt.matrix.iter()).filter(|i| i.spelling != Spelling::Outer);
        words.any(|i| i.operands == operands)
    });
    let speed = if fast { MATRIX_SPEED } else { 1.0 };
    let flops = Flops((flops as f64 / speed) as u64);
    let bytes = moved(program, &counts) + lowered.combine.as_ref().map_or(Some(0), finished)?;
    Some(target.roofline.floor_seconds(flops, Bytes(bytes)))
}

/// Bytes that are read from and written to a program's parameters at least, but for parts of a result.
fn moved(program: &Program, counts: &Counts) -> u64 {
    let each = program
        .params
        .iter()
        .zip(&counts.loaded)
        .zip(&counts.stored);
    let whole = each.filter(|((array, _), _)| array.name != passes::PARTS);
    whole
        .map(|((array, loaded), stored)| {
            let most = array.bytes() as u64;
            loaded.0.min(most) + stored.0.min(most)
        })
        .sum()
}

/// The same of the program that combines parts.
fn finished(combine: &Lowering) -> Option<u64> {
    let types = tile::types(&combine.program).expect("lowering makes sound programs");
    let counts = tile::count(&combine.program, &types)?;
    Some(moved(&combine.program, &counts))
}
