//! The loop with the e-graph: the kernels of all equal graphs are tuned, and the graph is chosen again by what was
//! measured.

use autotune::{
    database::{Database, Place},
    tune::{Settings, Standing, Task},
};
use ir::{Graph, WeightSource};

use super::{TuneError, TuneOptions, TuneReport, context::InContext, tasks};
use crate::{
    FromDatabase, GraphChoice,
    compile::{choose_graphs, kernels_of_graphs},
};

/// What tuning several graphs changed.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphsReport {
    /// For each of the model's programs, the choice by what was known before.
    pub before: Vec<GraphChoice>,
    /// The choice by what is known now.
    pub after: Vec<GraphChoice>,
    /// Distinct kernels of all graphs.
    pub kernels: usize,
}

impl GraphsReport {
    /// Whether another graph than the roofline's is run.
    pub fn is_changed(&self) -> bool {
        self.after.iter().any(|choice| choice.chosen != 0)
    }
}

/// Tunes the kernels of all graphs that rewriting finds equal, chooses again, and measures what is compiled now in turn with
/// the default.
///
/// # Errors
/// As [`super::tune`].
pub(super) fn tune_graphs(
    graph: &Graph,
    weights: &dyn WeightSource,
    options: &TuneOptions,
    database: &mut Database,
    watch: &mut dyn FnMut(&Standing),
) -> Result<TuneReport, TuneError> {
    let target = options.target();
    let choose = |database: &Database| {
        let from = FromDatabase {
            database,
            threads: options.settings.threads,
        };
        choose_graphs(graph, &options.compile, &from)
    };
    let before = choose(database)?;
    let kernels = kernels_of_graphs(graph, &options.compile)?;
    let all = tasks::of_kernels(&kernels, target)?;
    let (mut tuned, notes) = super::tune_alone(options, &all, None, database, watch)?;
    let graphs = GraphsReport {
        before,
        after: choose(database)?,
        kernels: all.len(),
    };
    if graphs.is_changed() {
        let mut context = InContext::new(graph, weights, options, &all);
        tuned.context = context.served(database)?;
        return Ok(TuneReport {
            tasks: all,
            tuned,
            place: Place::of(target),
            graphs: Some(graphs),
            notes,
        });
    }
    // The first graph stays: its kernels are measured in the model, as without other graphs.
    let rest = TuneOptions {
        settings: Settings {
            trials: 0,
            ..options.settings.clone()
        },
        ..options.clone()
    };
    let first: Vec<Task> = tasks::of_model(graph, &options.compile)?;
    let mut report = super::tune_tasks(graph, weights, &rest, first, database, watch)?;
    report.tuned.trials = tuned.trials;
    report.graphs = Some(graphs);
    report.notes = notes;
    Ok(report)
}
