//! The whole model under tuned schedules, in turn with the model under defaults.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use autotune::{
    database::Database,
    tune::{Context, Task},
};
use ir::{Graph, Kernel, Schedule, Target, WeightSource};
use runtime::Device;
use serde::Deserialize;

use super::{TuneError, TuneOptions, folder::Folder};
use crate::{
    FromDatabase,
    compile::{compile_by, compile_with},
};

/// Runs of each side.
const ROUNDS: u32 = 60;

/// A model that can be compiled and run as a whole.
pub(super) struct InContext<'a> {
    graph: &'a Graph,
    weights: &'a dyn WeightSource,
    options: &'a TuneOptions,
    /// What each task computes, and how often a run of all programs does.
    tasks: Vec<(String, u64)>,
    /// The model under defaults.
    default: Option<PathBuf>,
}

/// What `bench --against` says.
#[derive(Deserialize)]
struct Compared {
    samples_s: Vec<f64>,
    baseline_s: Vec<f64>,
    device_name: String,
    kernels: BTreeMap<String, Pair>,
}

#[derive(Deserialize)]
struct Pair {
    samples_s: Vec<f64>,
    baseline_s: Vec<f64>,
}

impl<'a> InContext<'a> {
    pub fn new(
        graph: &'a Graph,
        weights: &'a dyn WeightSource,
        options: &'a TuneOptions,
        tasks: &[Task],
    ) -> Self {
        let of = |t: &Task| (t.workload.meaning.clone(), t.calls);
        Self {
            graph,
            weights,
            options,
            tasks: tasks.iter().map(of).collect(),
            default: None,
        }
    }

    /// Runs the model under these schedules, one for each task; none where kernels have no times of their own.
    pub fn run(
        &mut self,
        schedules: &[Schedule],
        folder: &Folder,
    ) -> Result<Option<Context>, TuneError> {
        if self.options.measuring.device != Device::Cpu {
            return Ok(None);
        }
        let default = self.default(folder)?;
        let tuned = folder.file("model-tuned.tw");
        let meanings = self.tasks.iter().map(|(meaning, _)| meaning.as_str());
        self.compile(&meanings.zip(schedules).collect(), &tuned)?;
        self.in_turn(&tuned, &default).map(Some)
    }

    /// Runs the model as a compile with this database makes it, whichever graph that is.
    pub fn served(&mut self, database: &Database) -> Result<Option<Context>, TuneError> {
        if self.options.measuring.device != Device::Cpu {
            return Ok(None);
        }
        let folder = Folder::new()?;
        let default = self.default(&folder)?;
        let tuned = folder.file("model-tuned.tw");
        let from = FromDatabase {
            database,
            threads: self.options.settings.threads,
        };
        let compile = &self.options.compile;
        compile_by(
            self.graph,
            self.weights,
            compile,
            &from,
            &tuned,
            &mut |_| (),
        )?;
        self.in_turn(&tuned, &default).map(Some)
    }

    /// The model under defaults.
    fn default(&mut self, folder: &Folder) -> Result<PathBuf, TuneError> {
        if let Some(path) = &self.default {
            return Ok(path.clone());
        }
        let path = folder.file("model-default.tw");
        self.compile(&BTreeMap::new(), &path)?;
        Ok(self.default.insert(path).clone())
    }

    /// Runs all programs of two artifacts in turn.
    fn in_turn(&self, tuned: &Path, default: &Path) -> Result<Context, TuneError> {
        let mut whole = Context {
            samples_s: vec![0.0; ROUNDS as usize],
            baseline_s: vec![0.0; ROUNDS as usize],
            tasks: vec![(vec![], vec![]); self.tasks.len()],
            device: String::new(),
        };
        for sizes in &self.options.compile.sizes {
            let sizes =
                crate::sizes::complete(self.graph, sizes).map_err(crate::CompileError::from)?;
            let sizes: Vec<String> = sizes
                .iter()
                .map(|(s, n)| format!("{}={n}", s.name()))
                .collect();
            let compared = self.compare(tuned, default, &sizes.join(","))?;
            add(&mut whole.samples_s, &compared.samples_s, 1);
            add(&mut whole.baseline_s, &compared.baseline_s, 1);
            for ((meaning, calls), (samples, baseline)) in self.tasks.iter().zip(&mut whole.tasks) {
                if let Some(pair) = compared.kernels.get(meaning) {
                    add(samples, &pair.samples_s, *calls);
                    add(baseline, &pair.baseline_s, *calls);
                }
            }
            whole.device = compared.device_name;
        }
        Ok(whole)
    }

    /// Writes the model under these schedules, by what kernels compute; others get their defaults.
    fn compile(&self, schedules: &BTreeMap<&str, &Schedule>, path: &Path) -> Result<(), TuneError> {
        let choose = |kernel: &Kernel, target: &Target| {
            let meaning = autotune::database::meaning(&kernel.graph, &kernel.constant);
            match schedules.get(meaning.as_str()) {
                Some(schedule) => Ok((*schedule).clone()),
                None => autotune::first_choice(kernel, target),
            }
        };
        compile_with(
            self.graph,
            self.weights,
            &self.options.compile,
            &choose,
            path,
            &mut |_| (),
        )?;
        Ok(())
    }

    /// Runs two artifacts in turn, in a process of their own.
    fn compare(&self, tuned: &Path, default: &Path, sizes: &str) -> Result<Compared, TuneError> {
        let measuring = &self.options.measuring;
        let mut command = Command::new(&measuring.program);
        command
            .arg("bench")
            .arg(tuned)
            .arg("--against")
            .arg(default);
        command.args(["--kernels", "--json", "--runs", &ROUNDS.to_string()]);
        if !sizes.is_empty() {
            command.args(["--shape", sizes]);
        }
        if let Some(threads) = measuring.threads {
            command.args(["--threads", &threads.to_string()]);
        }
        let done = command.stdin(Stdio::null()).output()?;
        if !done.status.success() {
            let words = String::from_utf8_lossy(&done.stderr).trim().to_owned();
            return Err(TuneError::Context(format!("{}: {words}", done.status)));
        }
        serde_json::from_slice(&done.stdout).map_err(|e| TuneError::Context(e.to_string()))
    }
}

/// Adds seconds of each run, of one call of so many.
fn add(sums: &mut Vec<f64>, seconds: &[f64], calls: u64) {
    sums.resize(seconds.len(), 0.0);
    for (sum, seconds) in sums.iter_mut().zip(seconds) {
        *sum += seconds / calls as f64;
    }
}
