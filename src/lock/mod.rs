//! Lock files: the decisions of a compile, so that others make the same artifact of the same model.

mod error;
mod locked;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use autotune::database::{Place, meaning};
use ir::{Graph, Schedule, Sizes};
use passes::Storage;
use serde::{Deserialize, Serialize};

use crate::compile::{CompileOptions, Report};

use error::at;
pub use error::{LockError, LockFault};
pub use locked::Locked;

/// Version of the files.
const VERSION: u64 = 1;

/// The decisions of a compile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The version of the file, by the name that tells what it is.
    #[serde(rename = "tilewright-lock")]
    version: u64,
    /// The model's name.
    model: String,
    /// The float type of matrices and of most values between kernels.
    dtype: String,
    /// Sizes of each program.
    sizes: Vec<BTreeMap<String, i64>>,
    /// The targets, the preferred first.
    targets: Vec<LockedTarget>,
}

/// What was decided for a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LockedTarget {
    /// The target, with its description and tools.
    #[serde(flatten)]
    place: Place,
    /// For each program, the hash of the graph that is run.
    graphs: Vec<String>,
    /// By what they compute.
    kernels: BTreeMap<String, LockedKernel>,
}

/// What was decided for a kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LockedKernel {
    /// Its name, for people.
    kernel: String,
    /// Its schedule, spelled out.
    schedule: Schedule,
}

impl Lock {
    /// The decisions of a compile of `model` that `report` tells of.
    pub fn of(model: &str, options: &CompileOptions, report: &Report) -> Self {
        let mut sizes: Vec<BTreeMap<String, i64>> = vec![];
        let targets = options.targets.iter().map(|target| {
            let programs = report.programs.iter().filter(|p| p.target == target.name);
            sizes = programs.clone().map(|p| spelled(&p.sizes)).collect();
            let kernels = report
                .decisions
                .iter()
                .filter(|d| d.target == target.name)
                .map(|d| {
                    let locked = LockedKernel {
                        kernel: d.kernel.clone(),
                        schedule: d.decision.schedule.clone(),
                    };
                    (d.meaning.clone(), locked)
                });
            LockedTarget {
                place: Place::of(target),
                graphs: programs.map(|p| p.graph.clone()).collect(),
                // Of several programs the first names a kernel.
                kernels: kernels.rev().collect(),
            }
        });
        let targets = targets.collect();
        Self {
            version: VERSION,
            model: model.into(),
            dtype: dtype(options.storage).into(),
            sizes,
            targets,
        }
    }

    /// The text: the same decisions give the same bytes.
    pub fn text(&self) -> String {
        // By way of a value, whose keys are sorted.
        let value = serde_json::to_value(self).expect("plain data becomes JSON");
        serde_json::to_string_pretty(&value).expect("plain data becomes JSON") + "\n"
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, is no lock file, or one of a later version.
    pub fn read(path: &Path) -> Result<Self, LockError> {
        let text = fs::read_to_string(path).map_err(at(path))?;
        /// What lock files of all versions have.
        #[derive(Deserialize)]
        struct Head {
            #[serde(rename = "tilewright-lock")]
            version: u64,
        }
        let head: Head = serde_json::from_str(&text).map_err(at(path))?;
        if head.version != VERSION {
            return Err(at(path)(LockFault::Version(head.version)));
        }
        serde_json::from_str(&text).map_err(at(path))
    }

    /// The names of its targets, the preferred first.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.targets.iter().map(|t| t.place.target.as_str())
    }

    /// Decides as the file says; `path` is where it was read.
    pub fn decide<'a>(&'a self, path: &'a Path) -> Locked<'a> {
        Locked { lock: self, path }
    }
}

/// A lock file that is to be written; it appears when it is complete.
pub struct LockWriter {
    path: PathBuf,
    partial: PathBuf,
}

impl LockWriter {
    /// Fails now rather than when the compile is done, if there is no place for the file.
    ///
    /// # Errors
    /// It cannot be created.
    pub fn create(path: &Path) -> Result<Self, LockError> {
        let file = at::<io::Error>(path);
        if path.is_dir() {
            return Err(file(io::ErrorKind::IsADirectory.into()));
        }
        let partial = path.with_added_extension("part");
        fs::write(&partial, "").map_err(&file)?;
        Ok(Self {
            path: path.into(),
            partial,
        })
    }

    /// Writes it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(self, lock: &Lock) -> Result<(), LockError> {
        let file = at::<io::Error>(&self.path);
        fs::write(&self.partial, lock.text()).map_err(&file)?;
        fs::rename(&self.partial, &self.path).map_err(&file)
    }
}

impl Drop for LockWriter {
    fn drop(&mut self) {
        // It is gone if it was finished.
        let _ = fs::remove_file(&self.partial);
    }
}

/// The hash of a graph.
pub(crate) fn graph_hash(graph: &Graph) -> String {
    meaning(graph, &[])
}

fn spelled(sizes: &Sizes) -> BTreeMap<String, i64> {
    sizes.iter().map(|(s, n)| (s.name().into(), *n)).collect()
}

const fn dtype(storage: Storage) -> &'static str {
    match storage {
        Storage::F32 => "f32",
        Storage::F16 => "f16",
        Storage::Bf16 => "bf16",
    }
}
