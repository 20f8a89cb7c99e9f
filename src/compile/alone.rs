//! Single kernels as artifacts, so that schedules can be checked and measured.

use std::path::Path;

use backends::cpu::Failure;
use ir::{Kernel, Schedule, Sizes, Target};
use passes::{Alone, Layout, plan_alone};
use runtime::{
    Writer,
    manifest::{BufferRef, Manifest},
};

use super::{CompileError, Planned, Workers, code, manifest};

/// How often the operands of a kernel are laid into memory: the constants more than once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Copies {
    /// Bytes that constants of all copies should have together: what a run of the model reads of them, where that is
    /// more than caches hold.
    pub reach: u64,
    /// The most copies.
    pub most: usize,
}

/// Why a schedule has no artifact.
#[derive(Debug)]
pub(crate) enum NoArtifact {
    /// The kernel is not lowered so.
    Lower(passes::LowerError),
    /// It has no machine code.
    Code(Failure),
}

/// Writes the artifact of each schedule of a kernel to the path beside it; gives how its operands are laid out.
///
/// # Errors
/// No code can be made at all, or a file cannot be written.
pub(crate) fn compile_alone(
    kernel: &Kernel,
    schedules: &[(Schedule, &Path)],
    target: &Target,
    copies: Copies,
    workers: &Workers,
) -> Result<Vec<Result<Vec<Layout>, NoArtifact>>, CompileError> {
    let copies = copies.of(kernel);
    let planned = schedules
        .iter()
        .map(|(schedule, _)| plan_alone(kernel, schedule, target, &copies));
    let planned: Vec<Result<Alone, passes::LowerError>> = planned.collect();
    let (mut sound, mut layouts) = (Vec::new(), Vec::new());
    for alone in planned.iter().flatten() {
        layouts.push(alone.layouts.clone());
        sound.push(Planned {
            sizes: Sizes::new(),
            graph: alone.graph.clone(),
            plan: alone.plan.clone(),
        });
    }
    let codes = code::generate_each(target, &sound, workers)?;
    let mut made = codes.into_iter().zip(sound).zip(layouts);
    let mut out = Vec::new();
    for (plan, (_, path)) in planned.into_iter().zip(schedules) {
        out.push(match plan {
            Err(error) => Err(NoArtifact::Lower(error)),
            Ok(_) => {
                let ((code, planned), layouts) =
                    made.next().expect("each sound plan has an answer");
                match code {
                    Ok(code) => {
                        write(code, target, planned, path)?;
                        Ok(layouts)
                    }
                    Err(failure) => Err(NoArtifact::Code(failure)),
                }
            }
        });
    }
    Ok(out)
}

impl Copies {
    /// The copies of each operand.
    fn of(self, kernel: &Kernel) -> Vec<usize> {
        let operands = kernel.graph.nodes().iter().filter_map(|n| match &n.op {
            ir::Op::Input(input) => Some(&input.ty),
            _ => None,
        });
        let bytes = |ty: &ir::TensorType| {
            let elements = ty.elements().known().expect("kernels are bound");
            elements.unsigned_abs() * ty.dtype.size() as u64
        };
        let operands: Vec<_> = operands.zip(&kernel.constant).collect();
        let constant = operands
            .iter()
            .filter(|(_, is)| **is)
            .map(|(ty, _)| bytes(ty));
        let constant: u64 = constant.sum();
        let copies = self.reach.checked_div(constant).unwrap_or(1) as usize + 1;
        let copies = copies.clamp(1, self.most.max(1));
        operands
            .iter()
            .map(|(_, is)| if **is { copies } else { 1 })
            .collect()
    }
}

fn write(
    code: code::Code,
    target: &Target,
    planned: Planned,
    path: &Path,
) -> Result<(), CompileError> {
    let mut writer = Writer::create(path)?;
    let written = code.write(target, &mut writer)?;
    let constant = |_, _| -> BufferRef { unreachable!("operands are inputs") };
    let model = planned.plan.kernels[0].kernel.name.clone();
    let planned = [planned];
    let code = manifest::target_code(target, &planned, written, &constant, &mut writer)?;
    let manifest: Manifest = manifest::manifest(&model, &planned[0], vec![code]);
    writer.finish(manifest)?;
    Ok(())
}
