//! Why a program has no code.

use std::{path::PathBuf, time::Duration};

use ir::DType;
use serde::{Deserialize, Serialize};

use crate::{link::LinkError, mlir::Refusal};

/// What a program asks for that a form has no code for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{what} of {dtype}")]
pub struct Unsupported {
    /// The operation.
    pub what: String,
    /// The element type that it lacks.
    pub dtype: DType,
}

/// Why a program has no machine code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Failure {
    /// It asks for what this form has no code for.
    #[error("no code for {0}")]
    Unsupported(Unsupported),
    /// The code generator does not take it.
    #[error(transparent)]
    Refused(Refusal),
    /// The worker that compiled it ended.
    #[error("code generation ended with {0}")]
    Crashed(String),
    /// The worker that compiled it took too long.
    #[error("code generation took longer than {} s", .0.as_secs_f64())]
    TimedOut(Duration),
    /// It asks for more than the device has.
    #[error("{what}: wanted {wanted}, the device has {most}")]
    Exceeds {
        /// Of what.
        what: String,
        /// What it asks for.
        wanted: u64,
        /// What there is.
        most: u64,
    },
    /// The assembler or linker of the target does not take it.
    #[error("{tool}: {message}")]
    Rejected {
        /// Its name.
        tool: String,
        /// Its words.
        message: String,
    },
}

/// Why there is no code for any program of a list.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// One kernel has no code.
    #[error("kernel {kernel}: {failure}")]
    Kernel {
        /// The program's name.
        kernel: String,
        /// Why.
        failure: Failure,
    },
    /// A worker could not be run.
    #[error("code generation worker {}: {error}", program.display())]
    Worker {
        /// What was to run.
        program: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The objects do not become one.
    #[error(transparent)]
    Link(#[from] LinkError),
}
