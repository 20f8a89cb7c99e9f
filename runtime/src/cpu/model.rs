//! An artifact whose code is loaded.

use std::{collections::BTreeMap, io, sync::Arc};

use super::{
    ARCH, Executor, Options, features,
    library::{Code, Entry},
};
use crate::{
    Artifact, ArtifactError,
    manifest::{Program, TargetCode},
};

/// An artifact, made ready for this processor. Programs share its code and weights.
pub struct Model {
    artifact: Arc<Artifact>,
    target: usize,
    entries: Vec<Entry>,
}

/// Why code of an artifact cannot run here.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// No target of the artifact fits this processor.
    #[error(
        "{path}: no code for this processor: {}; help: compile with one more target, `tilewright compile MODEL --target cpu ...` on this machine",
        list(targets)
    )]
    NoTarget {
        /// The artifact.
        path: String,
        /// Each target, with why it does not fit.
        targets: Vec<Unfit>,
    },
    /// The machine code cannot be loaded.
    #[error("{path}: the code for {target} cannot be loaded: {source}")]
    Code {
        /// The artifact.
        path: String,
        /// The target.
        target: String,
        /// What the system's loader says.
        source: io::Error,
    },
    /// The artifact has no program for the sizes.
    #[error("{path}: no program for {wanted}; it has {}; help: see `--shape` of `tilewright compile`", available.join("; "))]
    NoProgram {
        /// The artifact.
        path: String,
        /// What was asked for.
        wanted: String,
        /// The sizes of each program.
        available: Vec<String>,
    },
    /// More threads than make sense.
    #[error("{wanted} threads; wanted at most {most}")]
    Threads {
        /// What was asked for.
        wanted: usize,
        /// The most that may be.
        most: usize,
    },
    /// The system refused memory or threads.
    #[error("{what}: {source}")]
    System {
        /// What was asked for, such as `12 MB for activations`.
        what: String,
        /// What the system says.
        source: io::Error,
    },
    /// The artifact is damaged.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
}

/// A target that does not fit this processor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// The target, such as `cpu:znver4`.
    pub target: String,
    /// The architecture it is for, if this is another one.
    pub arch: Option<String>,
    /// The processor features that are missing.
    pub missing: Vec<String>,
}

fn list(targets: &[Unfit]) -> String {
    if targets.is_empty() {
        return "the artifact holds no targets".into();
    }
    let one = |t: &Unfit| match &t.arch {
        Some(arch) => format!("{} is for {arch}, this is {ARCH}", t.target),
        None => format!(
            "{} needs {}, which this processor lacks",
            t.target,
            t.missing.join(", ")
        ),
    };
    targets.iter().map(one).collect::<Vec<_>>().join("; ")
}

impl Model {
    /// Loads the code of the first target that this processor can run.
    pub fn load(artifact: Arc<Artifact>) -> Result<Self, DeviceError> {
        let targets = &artifact.manifest().targets;
        let path = || artifact.path().display().to_string();
        let unfit: Vec<_> = targets.iter().map_while(unfit).collect();
        let Some(target) = targets.get(unfit.len()) else {
            return Err(DeviceError::NoTarget {
                path: path(),
                targets: unfit,
            });
        };
        let refused = |source| DeviceError::Code {
            path: path(),
            target: target.target.clone(),
            source,
        };
        let code = Code::load(artifact.section(target.code)?).map_err(refused)?;
        let entries: Result<_, _> = target
            .kernels
            .iter()
            .map(|k| code.entry(&k.symbol))
            .collect();
        let (entries, target) = (entries.map_err(refused)?, unfit.len());
        Ok(Self {
            artifact,
            target,
            entries,
        })
    }

    /// The artifact.
    pub fn artifact(&self) -> &Arc<Artifact> {
        &self.artifact
    }

    /// The target whose code is loaded.
    pub fn target(&self) -> &TargetCode {
        &self.artifact.manifest().targets[self.target]
    }

    /// Programs for the loaded target; their positions are the argument of [`Model::executor`].
    pub fn programs(&self) -> &[Program] {
        &self.target().programs
    }

    /// The first program whose inputs have the given shapes; `shape` gives `None` for inputs that may be any.
    pub fn program_for(
        &self,
        shape: impl Fn(&str) -> Option<Vec<usize>>,
    ) -> Result<usize, DeviceError> {
        let inputs = &self.artifact.manifest().inputs;
        let given: Vec<_> = inputs.iter().map(|i| shape(&i.name)).collect();
        let fits = |p: &Program| {
            given
                .iter()
                .zip(&p.input_shapes)
                .all(|(given, own)| match given {
                    Some(given) => given.iter().map(|n| *n as u64).eq(own.iter().copied()),
                    None => true,
                })
        };
        self.programs().iter().position(fits).ok_or_else(|| {
            let named = inputs
                .iter()
                .zip(&given)
                .filter_map(|(i, g)| Some((i, g.as_ref()?)));
            let wanted: Vec<_> = named
                .map(|(i, g)| format!("{} {}", i.name, crate::tensor::type_text(i.dtype, g)))
                .collect();
            self.no_program(wanted.join(", "))
        })
    }

    /// The first program of these sizes; those that are not named may be any.
    pub fn program_of(&self, sizes: &BTreeMap<String, u64>) -> Result<usize, DeviceError> {
        let fits = |p: &Program| {
            sizes
                .iter()
                .all(|(name, size)| p.sizes.get(name) == Some(size))
        };
        let found = self.programs().iter().position(fits);
        found.ok_or_else(|| self.no_program(spell(sizes)))
    }

    /// Allocates everything that runs of a program need, checks its weights and starts its threads.
    pub fn executor(&self, program: usize, options: &Options) -> Result<Executor, DeviceError> {
        let Some(p) = self.programs().get(program) else {
            return Err(self.no_program(format!("position {program}")));
        };
        Executor::new(&self.artifact, self.target(), p, &self.entries, options)
    }

    fn no_program(&self, wanted: String) -> DeviceError {
        DeviceError::NoProgram {
            path: self.artifact.path().display().to_string(),
            wanted,
            available: self.programs().iter().map(|p| spell(&p.sizes)).collect(),
        }
    }
}

/// `batch=1,seq=128`
fn spell(sizes: &BTreeMap<String, u64>) -> String {
    let each = sizes.iter().map(|(name, size)| format!("{name}={size}"));
    each.collect::<Vec<_>>().join(",")
}

/// Why a target does not fit this processor, if it does not.
fn unfit(target: &TargetCode) -> Option<Unfit> {
    let arch = (target.arch != ARCH).then(|| target.arch.clone());
    let missing = features::missing(&target.requires);
    (arch.is_some() || !missing.is_empty()).then(|| Unfit {
        target: target.target.clone(),
        arch,
        missing,
    })
}
