//! From a model to an artifact.

mod alone;
mod code;
mod constants;
mod error;
mod explain;
mod manifest;
mod texts;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use backends::cpu::Workers;
use ir::{Graph, Kernel, Schedule, Sizes, Symbol, Target, WeightSource};
use passes::{LowerError, Plan, RewriteOptions, Rewritten, Storage};
use runtime::{Artifact, Writer};

pub use alone::{Copies, NoArtifact, compile_alone, write_alone};
pub use error::CompileError;
pub use explain::{Explained, Launch, explain};

use constants::Constants;

/// What to compile for.
#[derive(Clone, Debug)]
pub struct CompileOptions {
    /// Targets, the preferred first; see [`crate::target`].
    pub targets: Vec<Target>,
    /// Sizes of the model's symbols, one set for each program; those left out take their defaults.
    pub sizes: Vec<Sizes>,
    /// The float type of matrices and of most values between kernels.
    pub storage: Storage,
    /// Limits of the rewriting.
    pub rewrite: RewriteOptions,
    /// Where machine code is generated.
    pub workers: Workers,
}

impl CompileOptions {
    /// For one target, at the model's default sizes.
    pub fn new(target: Target) -> Self {
        let rewrite = RewriteOptions::new(target.roofline);
        Self {
            targets: vec![target],
            sizes: vec![Sizes::new()],
            storage: Storage::F32,
            rewrite,
            workers: Workers::InProcess,
        }
    }

    /// The same for a program of these sizes only.
    pub fn with_sizes<'a>(mut self, sizes: impl IntoIterator<Item = (&'a str, i64)>) -> Self {
        self.sizes = vec![
            sizes
                .into_iter()
                .map(|(s, n)| (Symbol::new(s), n))
                .collect(),
        ];
        self
    }
}

/// What a compilation did.
#[derive(Clone, Debug)]
pub struct Report {
    /// The programs, for each target and set of sizes.
    pub programs: Vec<ProgramReport>,
    /// How long each stage took.
    pub stages: Vec<(Stage, Duration)>,
    /// Distinct kernels that machine code was made for.
    pub kernels: usize,
}

/// One program of an artifact.
#[derive(Clone, Debug)]
pub struct ProgramReport {
    /// The target's name.
    pub target: String,
    /// The sizes it is for.
    pub sizes: Sizes,
    /// Kernels launched in one run.
    pub launches: usize,
    /// Bytes of memory for values between launches.
    pub arena_bytes: usize,
}

/// A part of compilation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The graph is rewritten.
    Rewrite,
    /// Kernels are chosen and scheduled.
    Plan,
    /// Machine code is made and weights are laid out.
    Generate,
    /// The artifact is written.
    Write,
}

impl Stage {
    /// The word for it in listings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rewrite => "rewrite",
            Self::Plan => "plan",
            Self::Generate => "generate",
            Self::Write => "write",
        }
    }
}

/// The schedule of a kernel on a target.
pub type Choose<'a> = dyn Fn(&Kernel, &Target) -> Result<Schedule, LowerError> + 'a;

/// Compiles into a new file at `path`, which appears when it is complete.
///
/// # Errors
/// Sizes that the model does not have or allow, ops without a kernel, or a file that cannot be written.
pub fn compile_to(
    graph: &Graph,
    weights: &dyn WeightSource,
    options: &CompileOptions,
    path: &Path,
    progress: &mut dyn FnMut(Stage),
) -> Result<Report, CompileError> {
    compile_with(
        graph,
        weights,
        options,
        &autotune::first_choice,
        path,
        progress,
    )
}

/// As [`compile_to`], with schedules that `choose` gives.
///
/// # Errors
/// As [`compile_to`], or a schedule that a kernel cannot have.
pub fn compile_with(
    graph: &Graph,
    weights: &dyn WeightSource,
    options: &CompileOptions,
    choose: &Choose<'_>,
    path: &Path,
    progress: &mut dyn FnMut(Stage),
) -> Result<Report, CompileError> {
    let writer = Writer::create(path)?;
    let (manifest, writer, report, begun) =
        compile(graph, weights, options, choose, writer, progress)?;
    writer.finish(manifest)?;
    Ok(timed(report, begun))
}

/// Compiles into memory.
///
/// # Errors
/// As [`compile_to`].
pub fn compile_in_memory(
    graph: &Graph,
    weights: &dyn WeightSource,
    options: &CompileOptions,
    progress: &mut dyn FnMut(Stage),
) -> Result<(Artifact, Report), CompileError> {
    let writer = Writer::in_memory()?;
    let choose = &autotune::first_choice;
    let (manifest, writer, report, begun) =
        compile(graph, weights, options, choose, writer, progress)?;
    let artifact = writer.open(manifest)?;
    Ok((artifact, timed(report, begun)))
}

fn timed(mut report: Report, begun: Instant) -> Report {
    report.stages.push((Stage::Write, begun.elapsed()));
    report
}

/// A planned program of one target.
struct Planned {
    sizes: Sizes,
    graph: Graph,
    plan: Plan,
}

/// The graph at these sizes as it is run: with the sizes that were left out, rewritten, stored as asked.
pub(crate) fn rewrite(
    graph: &Graph,
    sizes: &Sizes,
    options: &CompileOptions,
) -> Result<(Sizes, Rewritten), CompileError> {
    let sizes = crate::sizes::complete(graph, sizes)?;
    let bound = graph.bind(&sizes)?;
    require_elements(&bound)?;
    let mut r = passes::rewrite(&bound, &options.rewrite)?;
    (r.graph, r.rules) =
        passes::split_products(&r.graph, &r.rules).map_err(passes::PlanError::from)?;
    (r.graph, r.rules) =
        passes::store_as(&r.graph, &r.rules, options.storage).map_err(passes::PlanError::from)?;
    Ok((sizes, r))
}

/// Fails unless a bound graph computes something, and every tensor has elements.
fn require_elements(graph: &Graph) -> Result<(), CompileError> {
    let name = || graph.name().to_owned();
    if graph.outputs().is_empty() {
        return Err(CompileError::NoOutputs(name()));
    }
    let live = graph.live();
    let empty =
        |v: &ir::ValueId| live[v.index()] && graph.ty(*v).elements().known().is_none_or(|n| n < 1);
    match graph.values().find(empty) {
        None => Ok(()),
        Some(value) => Err(CompileError::Empty {
            graph: name(),
            value,
            op: graph.node(value).op.name(),
            ty: graph.ty(value).to_string(),
        }),
    }
}

fn plan_rewritten(
    rewritten: &Rewritten,
    target: &Target,
    choose: &Choose<'_>,
    names: &str,
) -> Result<Plan, CompileError> {
    let choose = |k: &Kernel| choose(k, target);
    let mut plan = passes::plan(&rewritten.graph, &rewritten.rules, target, &choose)?;
    for k in &mut plan.kernels {
        k.kernel.name = format!("{names}{}", k.kernel.name);
        k.program.name.clone_from(&k.kernel.name);
        if let Some(lane) = &mut k.lane {
            lane.name.clone_from(&k.kernel.name);
        }
    }
    Ok(plan)
}

fn compile(
    graph: &Graph,
    weights: &dyn WeightSource,
    options: &CompileOptions,
    choose: &Choose<'_>,
    mut writer: Writer,
    progress: &mut dyn FnMut(Stage),
) -> Result<(runtime::manifest::Manifest, Writer, Report, Instant), CompileError> {
    let mut report = Report {
        programs: vec![],
        stages: vec![],
        kernels: 0,
    };
    let mut planned: Vec<Vec<Planned>> = Vec::new();
    let begun = Instant::now();
    progress(Stage::Rewrite);
    let mut rewritten = Vec::new();
    for sizes in &options.sizes {
        rewritten.push(rewrite(graph, sizes, options)?);
    }
    report.stages.push((Stage::Rewrite, begun.elapsed()));

    let begun = Instant::now();
    progress(Stage::Plan);
    for target in &options.targets {
        let mut programs = Vec::new();
        for (i, (sizes, r)) in rewritten.iter().enumerate() {
            let names = if rewritten.len() > 1 {
                format!("p{i}_")
            } else {
                String::new()
            };
            let plan = plan_rewritten(r, target, choose, &names)?;
            report.programs.push(ProgramReport {
                target: target.name.clone(),
                sizes: sizes.clone(),
                launches: plan.steps.len(),
                arena_bytes: plan.arena_bytes,
            });
            report.kernels += plan.kernels.len();
            programs.push(Planned {
                sizes: sizes.clone(),
                graph: r.graph.clone(),
                plan,
            });
        }
        planned.push(programs);
    }
    report.stages.push((Stage::Plan, begun.elapsed()));

    let begun = Instant::now();
    progress(Stage::Generate);
    let all: Vec<&Planned> = planned.iter().flatten().collect();
    let (code, constants) = rayon::join(
        || {
            options
                .targets
                .iter()
                .zip(&planned)
                .map(|(t, p)| code::generate(t, p, &options.workers))
                .collect::<Result<Vec<_>, _>>()
        },
        || Constants::compute(&all, weights),
    );
    let (code, constants) = (code?, constants?);
    report.stages.push((Stage::Generate, begun.elapsed()));

    let begun = Instant::now();
    progress(Stage::Write);
    let places = constants.write(&mut writer, weights)?;
    let mut targets = Vec::new();
    for (t, (target, code)) in options.targets.iter().zip(code).enumerate() {
        let written = code.write(target, &mut writer)?;
        let constant = |program: usize, at: usize| places[&(t * options.sizes.len() + program, at)];
        targets.push(manifest::target_code(
            target,
            &planned[t],
            written,
            &constant,
            &mut writer,
        )?);
    }
    let manifest = manifest::manifest(graph.name(), &planned[0][0], targets);
    Ok((manifest, writer, report, begun))
}
