//! Tunes the kernels of a model on this machine, or prepares their candidates for another one.

mod context;
mod folder;
mod graphs;
mod lab;
mod page;
mod prepare;
mod records;
mod tasks;

pub(crate) use folder::Folder;
pub use records::page_of_records;

use std::{ffi::OsString, io, num::NonZeroUsize, path::PathBuf};

use autotune::{
    database::{Database, DatabaseError, Place},
    tune::{Settings, Standing, Task, Tuned},
};
use backends::cpu::Workers;
use ir::{Graph, Target, WeightSource};
use runtime::{
    Device,
    measure::{Limits, Runner, RunnerError, bundle::BundleError},
};

use crate::compile::{CompileError, CompileOptions};

pub use graphs::GraphsReport;
pub use prepare::{Prepared, prepare};

/// What to tune, and with what.
#[derive(Clone, Debug)]
pub struct TuneOptions {
    /// The one target, and how the model is compiled for it.
    pub compile: CompileOptions,
    /// How long, and by which seed.
    pub settings: Settings,
    /// How candidates are run.
    pub measuring: Measuring,
    /// Whether the kernels of all equal graphs are tuned, and the graph chosen again.
    pub graphs: bool,
}

/// How candidates are run: in a process of their own.
#[derive(Clone, Debug)]
pub struct Measuring {
    /// The program; it calls [`runtime::measure::serve`], and has the commands of `tilewright-run`.
    pub program: PathBuf,
    /// What makes it do so.
    pub arguments: Vec<OsString>,
    /// What one candidate may take.
    pub limits: Limits,
    /// What runs them.
    pub device: Device,
    /// Threads, on a processor; otherwise as many as the process may use at once.
    pub threads: Option<NonZeroUsize>,
}

/// What came of tuning a model.
#[derive(Clone, Debug)]
pub struct TuneReport {
    /// The kernels, in the order in which they are first launched.
    pub tasks: Vec<Task>,
    /// What came of them, and of the whole.
    pub tuned: Tuned,
    /// Where it holds.
    pub place: Place,
    /// What it changed about the graph, if several were tuned.
    pub graphs: Option<GraphsReport>,
    /// What a user must know beside, a sentence each: kernels that could not be measured.
    pub notes: Vec<String>,
}

/// Why a model is not tuned.
#[derive(Debug, thiserror::Error)]
pub enum TuneError {
    /// It does not compile.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Nothing can be measured.
    #[error(transparent)]
    Runner(#[from] RunnerError),
    /// The default of a kernel has no code.
    #[error("kernel `{kernel}`: its default schedule has no code: {reason}")]
    Default {
        /// The kernel.
        kernel: String,
        /// Why.
        reason: String,
    },
    /// The device does not run what is built for the target.
    #[error("device {device}: the default of kernel `{kernel}` does not run there: {reason}")]
    Device {
        /// The device.
        device: Device,
        /// The kernel.
        kernel: String,
        /// Why.
        reason: String,
    },
    /// There is no folder for what is built.
    #[error("a folder for candidates: {0}; help: TMPDIR names where it is made")]
    Folder(#[from] io::Error),
    /// The whole model does not run.
    #[error("the model in turn with its default: {0}")]
    Context(String),
    /// A bundle cannot be written.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

impl Measuring {
    fn runner(&self) -> Runner {
        Runner::new(&self.program, self.arguments.clone(), self.limits)
    }
}

/// Tunes a model's kernels, and keeps in `database` what is seen; `watch` is told after each batch.
///
/// # Errors
/// The model does not compile, the device does not run it, or the database cannot be used. What was tried before is
/// kept, and the same call goes on there.
pub fn tune(
    graph: &Graph,
    weights: &dyn WeightSource,
    options: &TuneOptions,
    database: &mut Database,
    watch: &mut dyn FnMut(&Standing),
) -> Result<TuneReport, TuneError> {
    if options.graphs {
        return graphs::tune_graphs(graph, weights, options, database, watch);
    }
    let tasks = tasks::of_model(graph, &options.compile)?;
    tune_tasks(graph, weights, options, tasks, database, watch)
}

fn tune_tasks(
    graph: &Graph,
    weights: &dyn WeightSource,
    options: &TuneOptions,
    tasks: Vec<Task>,
    database: &mut Database,
    watch: &mut dyn FnMut(&Standing),
) -> Result<TuneReport, TuneError> {
    let context = context::InContext::new(graph, weights, options, &tasks);
    let (tuned, notes) = tune_alone(options, &tasks, Some(context), database, watch)?;
    Ok(TuneReport {
        tasks,
        tuned,
        place: Place::of(options.target()),
        graphs: None,
        notes,
    })
}

/// Tunes kernels, and measures them in the model, if there is one; says beside which could not be measured.
fn tune_alone(
    options: &TuneOptions,
    tasks: &[Task],
    context: Option<context::InContext<'_>>,
    database: &mut Database,
    watch: &mut dyn FnMut(&Standing),
) -> Result<(Tuned, Vec<String>), TuneError> {
    let target = options.target();
    let constants = tasks::constant_bytes(tasks);
    let mut machine = lab::Machine::new(options, constants.0, context)?;
    machine.require_device(tasks)?;
    let tuned = autotune::tune::tune(
        tasks,
        (target, &Place::of(target)),
        &options.settings,
        database,
        &mut machine,
        watch,
    )?;
    Ok((tuned, machine.notes()))
}

impl TuneOptions {
    fn target(&self) -> &Target {
        &self.compile.targets[0]
    }

    fn workers(&self) -> &Workers {
        &self.compile.workers
    }
}

impl From<autotune::tune::TuneError<Self>> for TuneError {
    fn from(error: autotune::tune::TuneError<Self>) -> Self {
        match error {
            autotune::tune::TuneError::Lab(error) => error,
            autotune::tune::TuneError::Database(error) => Self::Database(error),
            autotune::tune::TuneError::Space(error) => {
                Self::Compile(CompileError::Plan(error.into()))
            }
        }
    }
}
