//! Why a lock file does not decide a compile.

use std::{io, path::PathBuf};

use super::VERSION;

/// Why a lock file does not decide a compile.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", path.display())]
pub struct LockError {
    /// The file.
    pub path: PathBuf,
    /// What is the matter.
    pub fault: Box<LockFault>,
}

/// What is the matter with a lock file.
#[derive(Debug, thiserror::Error)]
pub enum LockFault {
    /// It cannot be read or written.
    #[error(transparent)]
    File(#[from] io::Error),
    /// It is another kind of file.
    #[error("wanted a lock file that `compile --lock` wrote, found another file: {0}")]
    Other(#[from] serde_json::Error),
    /// Another version of the program wrote it.
    #[error(
        "wanted a lock file of version {VERSION}, found {0}; help: use the program that wrote it"
    )]
    Version(u64),
    /// It is of another compile.
    #[error("{what}: the lock file is for {locked}, this compile for {wanted}; {HELP}")]
    Differs {
        /// What differs.
        what: &'static str,
        /// What the file says.
        locked: String,
        /// What is asked.
        wanted: String,
    },
    /// The target's description or tools are not those of the file.
    #[error(
        "kernel `{kernel}`, target {target}: the lock file has {what} {locked}, this program {found}; help: use the \
         program that wrote it, or compile without --locked and write a new one with --lock"
    )]
    Place {
        /// The first kernel that would be decided.
        kernel: String,
        /// The target.
        target: String,
        /// What differs.
        what: &'static str,
        /// What the file says.
        locked: String,
        /// What is here.
        found: String,
    },
    /// It says nothing of a target.
    #[error("target {target}: the lock file has {}; {HELP}", known.join(", "))]
    Target {
        /// The target.
        target: String,
        /// Those that it has.
        known: Vec<String>,
    },
    /// It says nothing of a graph.
    #[error("graph `{graph}`, target {target}: none of its forms is in the lock file; {HELP}")]
    Graph {
        /// The graph.
        graph: String,
        /// The target.
        target: String,
    },
    /// It says nothing of a kernel.
    #[error("kernel `{kernel}`, target {target}: not in the lock file ({meaning}); {HELP}")]
    Kernel {
        /// The kernel.
        kernel: String,
        /// What it computes.
        meaning: String,
        /// The target.
        target: String,
    },
    /// What it says of a kernel gives no program.
    #[error(
        "kernel `{kernel}`, target {target}: its schedule in the lock file gives no program; {HELP}"
    )]
    Schedule {
        /// The kernel.
        kernel: String,
        /// The target.
        target: String,
    },
}

/// What to do about a lock file that is for something else.
const HELP: &str =
    "help: compile as the lock file was made, or without --locked and write a new one with --lock";

/// A fault with its file.
pub(super) fn at<F: Into<LockFault>>(path: &std::path::Path) -> impl Fn(F) -> LockError + '_ {
    |fault| LockError {
        path: path.into(),
        fault: Box::new(fault.into()),
    }
}
