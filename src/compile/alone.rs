//! Single kernels as artifacts, so that schedules can be checked and measured.

use std::path::Path;

use backends::cpu::Failure;
use ir::{Kernel, Schedule, Sizes, Target};
use passes::{Alone, Layout, plan_alone};
use runtime::{Writer, manifest::BufferRef};

use super::{CompileError, Planned, Workers, code, manifest};

/// How often the operands of a kernel are laid into memory: the constants more than once.
#[derive(Clone, Copy, Debug)]
pub struct Copies {
    /// Bytes that constants of all copies should have together: what a run of the model reads of them, where that is
    /// more than caches hold.
    pub reach: u64,
    /// The most copies.
    pub most: usize,
}

/// Why a schedule has no artifact.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoArtifact {
    /// The kernel is not lowered so.
    #[error(transparent)]
    Lower(#[from] passes::LowerError),
    /// It has no machine code.
    #[error(transparent)]
    Code(#[from] Failure),
}

/// Writes the artifact of each schedule of a kernel to the path beside it, for
/// [`runtime::measure`]; gives how the operands are laid out in it.
///
/// # Errors
/// No code can be made at all, or a file cannot be written.
pub fn compile_alone(
    kernel: &Kernel,
    schedules: &[(Schedule, &Path)],
    target: &Target,
    copies: Copies,
    workers: &Workers,
) -> Result<Vec<Result<Vec<Layout>, NoArtifact>>, CompileError> {
    let copies = copies.of(kernel);
    let planned = schedules.iter();
    let planned: Vec<_> = planned
        .map(|(schedule, _)| plan_alone(kernel, schedule, target, &copies))
        .collect();
    let sound: Vec<(&Alone, &Path)> = planned
        .iter()
        .zip(schedules)
        .filter_map(|(alone, (_, path))| Some((alone.as_ref().ok()?, *path)))
        .collect();
    let mut made = write_alone(&sound, target, workers)?.into_iter();
    let mut answer = |alone: Result<Alone, _>| {
        let alone = alone?;
        made.next().expect("each sound plan has an answer")?;
        Ok(alone.layouts)
    };
    Ok(planned.into_iter().map(&mut answer).collect())
}

/// Makes code for planned kernels, and writes the artifact of each to the path beside it.
///
/// # Errors
/// No code can be made at all, or a file cannot be written.
pub fn write_alone(
    planned: &[(&Alone, &Path)],
    target: &Target,
    workers: &Workers,
) -> Result<Vec<Result<(), Failure>>, CompileError> {
    let program = |(alone, _): &(&Alone, &Path)| Planned {
        sizes: Sizes::new(),
        graph: alone.graph.clone(),
        plan: alone.plan.clone(),
    };
    let programs: Vec<Planned> = planned.iter().map(program).collect();
    let codes = code::generate_each(target, &programs, workers)?;
    let made = codes.into_iter().zip(programs).zip(planned);
    made.map(|((code, program), (_, path))| match code {
        Ok(code) => write(code, target, program, path).map(Ok),
        Err(failure) => Ok(Err(failure)),
    })
    .collect()
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
    let manifest = manifest::manifest(&model, &planned[0], vec![code], None, None);
    writer.finish(manifest)?;
    Ok(())
}

impl Copies {
    /// Each operand once.
    pub const ONE: Self = Self { reach: 0, most: 1 };

    /// The copies of each operand.
    fn of(self, kernel: &Kernel) -> Vec<usize> {
        let copies = self.reach.checked_div(constant_bytes(kernel));
        let copies = copies
            .map_or(1, |n| n as usize + 1)
            .clamp(1, self.most.max(1));
        let of = |is: &bool| if *is { copies } else { 1 };
        kernel.constant.iter().map(of).collect()
    }
}

/// Bytes of the operands that are known when a kernel is compiled.
pub(crate) fn constant_bytes(kernel: &Kernel) -> u64 {
    let operands = kernel.graph.nodes().iter().filter_map(|n| match &n.op {
        ir::Op::Input(input) => Some(&input.ty),
        _ => None,
    });
    let constant = operands.zip(&kernel.constant).filter(|(_, is)| **is);
    let bytes = constant.map(|(ty, _)| {
        let elements = ty.elements().known().expect("kernels are bound");
        elements.unsigned_abs() * ty.dtype.size() as u64
    });
    bytes.sum()
}
