//! The kernels of a model as tasks.

use std::collections::BTreeMap;

use autotune::{database::Workload, tune::Task};
use ir::{Bytes, Graph, Kernel, Target};
use passes::Rewritten;

use crate::compile::{self, CompileError, CompileOptions};

/// The distinct kernels of a model's programs for its first target, in the order in which they are first launched.
pub(super) fn of_model(graph: &Graph, options: &CompileOptions) -> Result<Vec<Task>, CompileError> {
    let programs = options.sizes.iter();
    let programs = programs.map(|sizes| Ok(compile::rewrite(graph, sizes, options)?.1));
    of_programs(
        &programs.collect::<Result<Vec<_>, CompileError>>()?,
        &options.targets[0],
    )
}

fn of_programs(programs: &[Rewritten], target: &Target) -> Result<Vec<Task>, CompileError> {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut tasks: Vec<Task> = Vec::new();
    for program in programs {
        let groups =
            passes::launches(&program.graph, &program.rules).map_err(passes::PlanError::from)?;
        for (i, kernel) in groups.kernels.iter().enumerate() {
            let calls = groups.launches.iter().filter(|l| l.kernel == i).count() as u64;
            let task = task(kernel, calls, target)?;
            if let Some(at) = known.get(&task.workload.meaning) {
                tasks[*at].calls += calls;
                continue;
            }
            known.insert(task.workload.meaning.clone(), tasks.len());
            tasks.push(task);
        }
    }
    Ok(tasks)
}

/// Kernels, each with how often a run launches it.
pub(super) fn of_kernels(
    kernels: &[(Kernel, u64)],
    target: &Target,
) -> Result<Vec<Task>, CompileError> {
    let all = kernels
        .iter()
        .map(|(kernel, calls)| task(kernel, *calls, target));
    all.collect()
}

fn task(kernel: &Kernel, calls: u64, target: &Target) -> Result<Task, CompileError> {
    Ok(Task {
        workload: Workload::of(kernel).map_err(passes::PlanError::from)?,
        default: autotune::first_choice(kernel, target).map_err(passes::PlanError::from)?,
        kernel: kernel.clone(),
        calls,
    })
}

/// Bytes that a run reads of what weights alone decide.
pub(super) fn constant_bytes(tasks: &[Task]) -> Bytes {
    let of = |task: &Task| task.calls * compile::constant_bytes(&task.kernel);
    Bytes(tasks.iter().map(of).sum())
}
