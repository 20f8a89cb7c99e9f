//! What can stop a chore, said so that the reader knows what to do next.

use std::path::PathBuf;

/// The one error of this binary.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program that must be installed is not.
    #[error("`{program}` is needed and was not found on PATH; help: {help}")]
    MissingProgram { program: String, help: String },
    /// A program ran and said no.
    #[error("`{command}` ended with {status}{output}")]
    CommandFailed {
        command: String,
        status: String,
        output: String,
    },
    /// A file could not be read, written, moved or locked.
    #[error("{action} {}: {source}", path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    /// A downloaded file is not the one that was pinned.
    #[error("{}: sha256 wanted {wanted}, found {found}; delete it and run again", path.display())]
    Checksum {
        path: PathBuf,
        wanted: String,
        found: String,
    },
    /// The disk is too full for set-up.
    #[error("{}: set-up needs {wanted_mb} MB free, found {found_mb} MB", path.display())]
    DiskSpace {
        path: PathBuf,
        wanted_mb: u64,
        found_mb: u64,
    },
    /// The apt sources of this machine do not offer what is needed.
    #[error(
        "the apt sources in /etc/apt do not offer {packages}; help: LLVM 22 is in Debian 12's \
         `bookworm-security` suite; add it, or set LLVM_SYS_221_PREFIX, MLIR_SYS_220_PREFIX and \
         TABLEGEN_220_PREFIX to an LLVM 22 of your own\n{output}"
    )]
    NoPackages { packages: String, output: String },
    /// Some of the three prefix variables point to the user's LLVM and some do not.
    #[error(
        "{set} is set but {unset} is not; help: set all of LLVM_SYS_221_PREFIX, \
         MLIR_SYS_220_PREFIX and TABLEGEN_220_PREFIX, or none"
    )]
    HalfPrefix {
        set: &'static str,
        unset: &'static str,
    },
    /// A prefix the user gave holds no LLVM of the right version.
    #[error("{variable}={}: wanted LLVM 22 there, found {found}", path.display())]
    WrongLlvm {
        variable: &'static str,
        path: PathBuf,
        found: String,
    },
    /// Tests failed, or could not be built.
    #[error("tests failed: {}", if names.is_empty() { "cargo says why above" } else { names })]
    TestsFailed { names: String },
    /// Something is owed.
    #[error("{count} found; each line above says what to do")]
    Untidy { count: usize },
    /// Steps of the CI failed.
    #[error("failed: {steps}")]
    CiFailed { steps: String },
    /// There is no benchmark of that name.
    #[error("no benchmark `{name}`; `cargo xtask bench` lists them")]
    NoBenchmark { name: String },
    /// A command was given other words than it takes.
    #[error("wanted {wanted}")]
    Usage { wanted: String },
    /// The kit has outgrown what it may be.
    #[error("{}: {megabytes} MB, at most {most}; help: compile for fewer targets or drop cases", path.display())]
    KitTooLarge {
        path: PathBuf,
        megabytes: u64,
        most: u64,
    },
    /// A program's answer was not in the form it has had so far.
    #[error("{command} answered in another form than expected: {detail}")]
    Unreadable {
        command: &'static str,
        detail: String,
    },
    /// The workspace's root was not found.
    #[error("no Cargo.toml with [workspace] in {} or above it", from.display())]
    NoRoot { from: PathBuf },
}

impl Error {
    /// For `map_err` on file operations.
    pub fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::File {
            action,
            path,
            source,
        }
    }
}
