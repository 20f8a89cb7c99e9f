//! The time that a kernel takes at least.

use ir::{
    Flops, Target,
    lane::Spelling,
    tile::{self, Program},
};
use passes::KernelFamily;

/// How much faster matrix instructions are than the multiply-adds of lanes at most. A100: 312 to 19.5 Tflop/s in f16
/// (NVIDIA A100 Tensor Core GPU data sheet); noted 2026-11-25 from memory. Where a device is less fast, the floor is
/// lower than need be, but still a floor.
const MATRIX_SPEED: f64 = 16.0;

/// Seconds that a kernel of `family` takes at least on `target`, by its tile program: its products at full speed, or what
/// must move once. None if the work depends on what arrays hold.
pub fn floor_seconds(family: &KernelFamily, program: &Program, target: &Target) -> Option<f64> {
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
            (whole.min(counts.dot.0 as i64), operands)
        }
        KernelFamily::Map { .. } | KernelFamily::Rows { .. } | KernelFamily::Fold { .. } => {
            (0, ir::DType::F32)
        }
    };
    let fast = target.simt().is_some_and(|simt| {
        let mut words = (simt.matrix.iter()).filter(|i| i.spelling != Spelling::Outer);
        words.any(|i| i.operands == operands)
    });
    let speed = if fast { MATRIX_SPEED } else { 1.0 };
    let flops = Flops((flops as f64 / speed) as u64);
    let bytes = counts.compulsory(program);
    Some(target.roofline.floor_seconds(flops, bytes))
}
