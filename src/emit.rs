//! Kernels of an artifact, written in another language: from the lane programs that it carries.

use backends::{
    cpu::{BackendError, Workers},
    opencl::{self, Dialect, PrintError},
    simt, spirv,
};
use ir::lane;
use runtime::{Artifact, ArtifactError};

/// What kernels are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// OpenCL C 1.2.
    OpenClC,
    /// HIP, for hipcc.
    Hip,
    /// SPIR-V 1.0, for OpenCL drivers that take it.
    SpirV,
}

impl Language {
    /// How names of its files end.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::OpenClC => "cl",
            Self::Hip => "hip",
            Self::SpirV => "spv",
        }
    }

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenClC => "OpenCL C",
            Self::Hip => "HIP",
            Self::SpirV => "SPIR-V",
        }
    }
}

/// One kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emitted {
    /// Text, or words of SPIR-V.
    pub code: Vec<u8>,
    /// Options for the compiler, the preferred first: the first that it takes is right. None stands for no options.
    pub options: Vec<String>,
}

/// Why kernels are not written.
#[derive(Debug, thiserror::Error)]
pub enum EmitError {
    /// The artifact has no code for the target.
    #[error("target: the artifact has no code for `{wanted}`; it has {}; help: compile it with `--target {wanted}` too", found.join(", "))]
    NoTarget {
        /// What was asked for.
        wanted: String,
        /// What there is.
        found: Vec<String>,
    },
    /// The target is a processor.
    #[error("target: kernels for `{target}` have no lane programs; wanted a device of many lanes")]
    NoLanes {
        /// The target.
        target: String,
    },
    /// A text for what is no OpenCL device.
    #[error("target: wanted an `opencl` target for {}, found `{target}`", language.name())]
    NotOpenCl {
        /// The target.
        target: String,
        /// What was asked for.
        language: Language,
    },
    /// The artifact cannot be read.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// A lane program cannot be read.
    #[error("kernel `{kernel}`: its lane program: {reason}")]
    LaneProgram {
        /// The kernel.
        kernel: String,
        /// Why.
        reason: String,
    },
    /// The language has no words for a program.
    #[error(transparent)]
    Print(#[from] PrintError),
    /// A program does not become code.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// The kernels of a target of an artifact, in its order.
///
/// # Errors
/// The artifact has no such target, or a kernel has no form in the language.
pub fn emit(
    artifact: &Artifact,
    target: &str,
    language: Language,
    workers: &Workers,
) -> Result<Vec<Emitted>, EmitError> {
    let programs = programs(artifact, target)?;
    // Lane programs of other devices use what only their own code has words for.
    if !target.starts_with("opencl") {
        return Err(EmitError::NotOpenCl {
            target: target.into(),
            language,
        });
    }
    let dialect = match language {
        Language::OpenClC => Dialect::OpenCl,
        Language::Hip => Dialect::Hip,
        Language::SpirV => return modules(&programs, target, workers),
    };
    let sources = opencl::compile(&programs, dialect)?;
    let emitted = sources.into_iter().map(|source| Emitted {
        code: source.text.into_bytes(),
        options: source.variants,
    });
    Ok(emitted.collect())
}

/// The lane programs of a target.
fn programs(artifact: &Artifact, target: &str) -> Result<Vec<lane::Program>, EmitError> {
    let targets = &artifact.manifest().targets;
    let code = targets.iter().find(|t| t.target == target);
    let code = code.ok_or_else(|| EmitError::NoTarget {
        wanted: target.into(),
        found: targets.iter().map(|t| t.target.clone()).collect(),
    })?;
    let mut programs = Vec::new();
    for kernel in &code.kernels {
        let lane = kernel.launch.as_ref().and_then(|launch| launch.lane);
        let lane = lane.ok_or_else(|| EmitError::NoLanes {
            target: target.into(),
        })?;
        let unreadable = |reason: String| EmitError::LaneProgram {
            kernel: kernel.name.clone(),
            reason,
        };
        let program: lane::Program =
            serde_json::from_str(artifact.text(lane)?).map_err(|e| unreadable(e.to_string()))?;
        lane::verify(&program).map_err(|e| unreadable(e.to_string()))?;
        programs.push(program);
    }
    Ok(programs)
}

fn modules(
    programs: &[lane::Program],
    target: &str,
    workers: &Workers,
) -> Result<Vec<Emitted>, EmitError> {
    let found = crate::target(target).ok();
    let spirv = found.and_then(|t| spirv::target(&t));
    let spirv = spirv.ok_or_else(|| EmitError::NotOpenCl {
        target: target.into(),
        language: Language::SpirV,
    })?;
    let made = simt::compile(programs, &spirv, workers)?;
    let each = programs.iter().zip(made).map(|(program, code)| {
        let code = code.map_err(|failure| BackendError::Kernel {
            kernel: program.name.clone(),
            failure,
        })?;
        Ok(Emitted {
            code: code.binary.expect("SPIR-V is made here"),
            options: vec![],
        })
    });
    each.collect()
}
