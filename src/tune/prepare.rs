//! Candidates for a device that is elsewhere, in one file.

use std::path::{Path, PathBuf};

use autotune::{
    CostModel, Search,
    database::{Database, Place},
    tune::{Stage, Task},
};
use ir::{Graph, KernelCost, Schedule};
use runtime::measure::{
    Policy,
    bundle::{self, Index, Stored},
};
use serde_json::{Map, Value, json};

use super::{TuneError, TuneOptions, folder::Folder, tasks};
use crate::compile::{CompileError, Copies, compile_alone};

/// Candidates that are built at once.
const BATCH: usize = 64;

/// What is in a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// Kernels.
    pub tasks: usize,
    /// Candidates.
    pub candidates: usize,
    /// Schedules that have no code.
    pub failed: usize,
    /// Length of the file.
    pub bytes: u64,
}

/// Builds the most promising schedules of a model's kernels, those known to `database` left out, and writes them to a
/// bundle at `path`, which `tilewright-run measure` takes.
///
/// # Errors
/// The model does not compile, or a file cannot be written.
pub fn prepare(
    graph: &Graph,
    options: &TuneOptions,
    database: Option<&Database>,
    path: &Path,
) -> Result<Prepared, TuneError> {
    let target = options.target();
    let place = Place::of(target);
    let all = tasks::of_model(graph, &options.compile)?;
    let model = match database {
        Some(database) => CostModel::of_database(database, &place, target, options.settings.seed)?,
        None => None,
    };
    let folder = Folder::new()?;
    let mut writer = Writer {
        options,
        folder: &folder,
        artifacts: vec![],
        offset: 0,
        failed: 0,
    };
    let shares = shares(&all, options);
    let mut index = Index {
        target: target.name.clone(),
        tasks: vec![],
    };
    for (task, share) in all.iter().zip(shares) {
        let seed = options.settings.seed;
        let space = autotune::space(&task.kernel, target)
            .map_err(|e| CompileError::from(passes::PlanError::from(e)))?;
        let default = task.default.clone();
        let model = model.as_ref();
        let mut search = Search::new(&task.kernel, target, space, default, seed, model);
        if let Some(database) = database {
            let known = database.trials(&task.workload.meaning, &place)?;
            search.tell(&known.iter().map(autotune::tune::seen).collect::<Vec<_>>());
        }
        let mut schedules = search.propose(share);
        schedules.retain(|s| *s != task.default);
        let baseline = writer.add(task, std::slice::from_ref(&task.default))?;
        let Some(baseline) = baseline.into_iter().next() else {
            return Err(TuneError::Default {
                kernel: task.kernel.name.clone(),
                reason: "see `tilewright compile`".into(),
            });
        };
        let mut candidates = vec![];
        for some in schedules.chunks(BATCH) {
            candidates.extend(writer.add(task, some)?);
        }
        index.tasks.push(bundle::Task {
            graph: task.kernel.graph.clone(),
            workload: object(json!(task.workload)),
            trial: record(task, &place, options),
            seed,
            policy: Policy {
                least: autotune::database::CAREFUL as u32 + 1,
                ..Policy::default()
            },
            baseline,
            candidates,
        });
    }
    let candidates = index.tasks.iter().map(|t| t.candidates.len()).sum();
    let bytes = bundle::write(path, &index, &writer.artifacts)?;
    Ok(Prepared {
        tasks: index.tasks.len(),
        candidates,
        failed: writer.failed,
        bytes,
    })
}

/// Builds artifacts, one behind the other.
struct Writer<'a> {
    options: &'a TuneOptions,
    folder: &'a Folder,
    artifacts: Vec<PathBuf>,
    offset: u64,
    failed: usize,
}

impl Writer<'_> {
    /// Adds those schedules of a task that have code.
    fn add(&mut self, task: &Task, schedules: &[Schedule]) -> Result<Vec<Stored>, TuneError> {
        let first = self.artifacts.len() + self.failed;
        let paths: Vec<PathBuf> = (0..schedules.len())
            .map(|i| self.folder.file(&format!("{}.tw", first + i)))
            .collect();
        let wanted: Vec<(Schedule, &Path)> = schedules
            .iter()
            .cloned()
            .zip(paths.iter().map(PathBuf::as_path))
            .collect();
        let (target, workers) = (self.options.target(), self.options.workers());
        let made = compile_alone(&task.kernel, &wanted, target, Copies::ONE, workers)?;
        let mut all = vec![];
        for ((schedule, path), made) in wanted.iter().zip(made) {
            let Ok(layouts) = made else {
                self.failed += 1;
                continue;
            };
            let stored = bundle::stored(path, json!(schedule), layouts, self.offset)?;
            self.offset += stored.len;
            self.artifacts.push(path.to_path_buf());
            all.push(stored);
        }
        Ok(all)
    }
}

/// Trials of each task: one for each, the others by what the roofline says of their part of a run.
fn shares(tasks: &[Task], options: &TuneOptions) -> Vec<usize> {
    let time = |t: &Task| {
        t.calls as f64
            * ir::AtRoofline
                .time(&t.kernel, options.target())
                .as_secs_f64()
    };
    let whole: f64 = tasks.iter().map(time).sum();
    let rest = options.settings.trials.saturating_sub(tasks.len()) as f64;
    // One more: the default is proposed too.
    tasks
        .iter()
        .map(|t| 2 + (rest * time(t) / whole) as usize)
        .collect()
}

/// What is known of a trial before it is made.
fn record(task: &Task, place: &Place, options: &TuneOptions) -> Map<String, Value> {
    let mut record = object(json!(place));
    let more = json!({
        "workload": task.workload.meaning, "origin": "measured", "seed": options.settings.seed,
        "by": options.settings.by, "stage": Stage::Search.name(),
    });
    record.extend(object(more));
    record
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => unreachable!("records are objects"),
    }
}
