//! From a model to an artifact.

mod alone;
mod code;
mod constants;
mod decide;
mod dynamic;
mod error;
mod explain;
mod graphs;
mod manifest;
mod panels;
mod report;
mod texts;

use std::{borrow::Cow, collections::BTreeMap, path::Path, time::Instant};

use autotune::database::meaning;
use backends::cpu::Workers;
use ir::{Bounds, Graph, Kernel, Sizes, Symbol, Target, WeightSource};
use passes::{Plan, PlanError, RewriteOptions, Rewritten, Storage};
use runtime::{Artifact, Writer};

pub(crate) use alone::constant_bytes;
pub use alone::{Copies, NoArtifact, compile_alone, write_alone};
pub use decide::{Choose, Decide, Decision, Defaults, Equal, FromDatabase, Source};
pub use error::CompileError;
pub use explain::{Explained, Launch, explain};
pub use graphs::{GraphChoice, GraphTime, choose_graphs, kernels_of_graphs};
pub use report::{KernelReport, ProgramReport, Report, Stage};

use crate::{
    import::Generation,
    quantize::{Quantize, QuantizeError, quantize},
};
use constants::Constants;
use panels::Panels;

/// What to compile for.
#[derive(Clone, Debug)]
pub struct CompileOptions {
    /// Targets, the preferred first; see [`crate::target`].
    pub targets: Vec<Target>,
    /// Sizes of the model's symbols, one set for each program; those left out take their defaults.
    pub sizes: Vec<Sizes>,
    /// Symbols whose size each run chooses, within these bounds: there are programs for some sizes, which also serve those
    /// below. Set in `sizes`, such a symbol would have two meanings: the range counts.
    pub ranges: BTreeMap<Symbol, Bounds>,
    /// How matrices of weights are stored, if in fewer bits than floats; only with f32 between kernels.
    pub quantize: Option<Quantize>,
    /// The float type of matrices and of most values between kernels.
    pub storage: Storage,
    /// Limits of the rewriting.
    pub rewrite: RewriteOptions,
    /// Where machine code is generated.
    pub workers: Workers,
    /// What runs that continue a text need, if the model is imported for that.
    pub generation: Option<Generation>,
}

impl CompileOptions {
    /// For one target, at the model's default sizes.
    pub fn new(target: Target) -> Self {
        let rewrite = RewriteOptions::new(target.roofline);
        Self {
            targets: vec![target],
            sizes: vec![Sizes::new()],
            ranges: BTreeMap::new(),
            quantize: None,
            storage: Storage::F32,
            rewrite,
            workers: Workers::InProcess,
            generation: None,
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
    compile_by(graph, weights, options, &Defaults, path, progress)
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
    let decide = &decide::Given(choose);
    compile_by(graph, weights, options, decide, path, progress)
}

/// As [`compile_to`], as `decide` decides.
///
/// # Errors
/// As [`compile_to`], or what decides cannot be read or says nothing.
pub fn compile_by(
    graph: &Graph,
    weights: &dyn WeightSource,
    options: &CompileOptions,
    decide: &dyn Decide,
    path: &Path,
    progress: &mut dyn FnMut(Stage),
) -> Result<Report, CompileError> {
    let writer = Writer::create(path)?;
    let (manifest, writer, report, begun) =
        compile(graph, weights, options, decide, writer, progress)?;
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
    let (manifest, writer, report, begun) =
        compile(graph, weights, options, &Defaults, writer, progress)?;
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
    let (sizes, bound) = bind(graph, sizes)?;
    let equal = Equal::new(&bound, options);
    Ok((sizes, equal.first()?.clone()))
}

/// The graph at these sizes, and those that were left out.
pub(crate) fn bind(graph: &Graph, sizes: &Sizes) -> Result<(Sizes, Graph), CompileError> {
    let sizes = crate::sizes::complete(graph, sizes)?;
    let bound = graph.bind(&sizes)?;
    require_elements(&bound)?;
    Ok((sizes, bound))
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

/// The plan of a graph, and what was decided for its kernels.
fn plan_rewritten(
    rewritten: &Rewritten,
    target: &Target,
    decide: &dyn Decide,
    mut panels: Option<&mut Panels>,
    names: &str,
) -> Result<(Plan, Vec<KernelReport>), CompileError> {
    let groups = passes::launches(&rewritten.graph, &rewritten.rules).map_err(PlanError::from)?;
    let mut decisions = Vec::new();
    for (at, kernel) in groups.kernels.iter().enumerate() {
        let mut decision = decide.schedule(kernel, target)?;
        if let Some(panels) = &mut panels {
            let this = (&rewritten.graph, &groups, at);
            decision = panels.agree(decision, this, target)?;
        }
        decisions.push(KernelReport {
            target: target.name.clone(),
            kernel: format!("{names}{}", kernel.name),
            meaning: meaning(&kernel.graph, &kernel.constant),
            decision,
        });
    }
    let choose = |k: &Kernel| {
        let found = groups.kernels.iter().position(|known| known == k);
        let found = found.expect("a plan has the kernels of its graph");
        Ok(decisions[found].decision.schedule.clone())
    };
    let mut plan = passes::plan(&rewritten.graph, &rewritten.rules, target, &choose)?;
    for k in &mut plan.kernels {
        k.kernel.name = format!("{names}{}", k.kernel.name);
        k.program.name.clone_from(&k.kernel.name);
        if let Some(lane) = &mut k.lane {
            lane.name.clone_from(&k.kernel.name);
        }
    }
    Ok((plan, decisions))
}

fn compile(
    graph: &Graph,
    weights: &dyn WeightSource,
    options: &CompileOptions,
    decide: &dyn Decide,
    mut writer: Writer,
    progress: &mut dyn FnMut(Stage),
) -> Result<(runtime::manifest::Manifest, Writer, Report, Instant), CompileError> {
    let mut report = Report {
        programs: vec![],
        stages: vec![],
        kernels: 0,
        decisions: vec![],
        quantized: vec![],
    };
    let mut planned: Vec<Vec<Planned>> = Vec::new();
    let begun = Instant::now();
    progress(Stage::Rewrite);
    let quantized = match options.quantize {
        None => None,
        Some(_) if options.storage != Storage::F32 => {
            let other = options.storage.dtype().name();
            return Err(QuantizeError::Storage(other).into());
        }
        Some(how) => Some(quantize(graph, weights, how)?),
    };
    let (graph, weights): (_, &dyn WeightSource) = match &quantized {
        Some(quantized) => (&quantized.graph, &quantized.weights),
        None => (graph, weights),
    };
    report.quantized = quantized.iter().flat_map(|q| q.matrices.clone()).collect();
    let graph: Cow<'_, Graph> = match options.ranges.is_empty() {
        true => Cow::Borrowed(graph),
        false => Cow::Owned(dynamic::pad(graph, &options.ranges)?),
    };
    let graph = &*graph;
    let all_sizes = dynamic::sizes(options);
    let bound = all_sizes.iter().map(|sizes| bind(graph, sizes));
    let bound = bound.collect::<Result<Vec<_>, _>>()?;
    let mut rewritten = Vec::new();
    for (sizes, bound) in &bound {
        let equal = Equal::new(bound, options);
        equal.first()?;
        rewritten.push((sizes, equal));
    }
    report.stages.push((Stage::Rewrite, begun.elapsed()));

    let begun = Instant::now();
    progress(Stage::Plan);
    for target in &options.targets {
        let mut programs = Vec::new();
        let mut panels = options.generation.as_ref().map(|_| Panels::default());
        for (i, (sizes, equal)) in rewritten.iter().enumerate() {
            let r = decide.graph(equal, target)?;
            let names = if rewritten.len() > 1 {
                format!("p{i}_")
            } else {
                String::new()
            };
            let (plan, decisions) = plan_rewritten(r, target, decide, panels.as_mut(), &names)?;
            report.decisions.extend(decisions);
            report.programs.push(ProgramReport {
                target: target.name.clone(),
                sizes: (*sizes).clone(),
                graph: crate::lock::graph_hash(&r.graph),
                other_graph: r.graph != equal.first()?.graph,
                launches: plan.steps.len(),
                arena_bytes: plan.arena_bytes,
            });
            report.kernels += plan.kernels.len();
            programs.push(Planned {
                sizes: (*sizes).clone(),
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
        let constant = |program: usize, at: usize| places[&(t * all_sizes.len() + program, at)];
        targets.push(manifest::target_code(
            target,
            &planned[t],
            written,
            &constant,
            &mut writer,
        )?);
    }
    let generate = options.generation.as_ref();
    let generate = generate.map(|g| manifest::generate(g, &mut writer));
    let any = &planned[0][0];
    let ranges = dynamic::ranges(graph, &any.plan, &options.ranges);
    let manifest = manifest::manifest(graph.name(), any, targets, ranges, generate.transpose()?);
    Ok((manifest, writer, report, begun))
}
