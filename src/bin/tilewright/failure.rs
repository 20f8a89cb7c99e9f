//! Why a command did not do its work.

use std::{path::PathBuf, process::ExitCode};

use autotune::database::DatabaseError;
use tilewright::{
    ClaimError, CompileError, EmitError, LockError, TargetError, TuneError, UnknownDevice,
    import::ImportError, runtime,
};

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Roofline(#[from] UnknownDevice),
    #[error(transparent)]
    Compile(#[from] CompileError),
    #[error(transparent)]
    Emit(#[from] EmitError),
    #[error(transparent)]
    Runtime(#[from] runtime::cli::CliError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Tune(#[from] TuneError),
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// A database without trials of a target.
    #[error(
        "{}: wanted trials for {target} by this toolchain; {}", path.display(),
        if known.is_empty() { "it has none".into() } else { format!("it has some for {}", known.join("; for ")) }
    )]
    NoTrials {
        /// The database.
        path: PathBuf,
        /// The target.
        target: String,
        /// Targets with toolchains of which it has trials.
        known: Vec<String>,
    },
    /// A file that cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    #[error(transparent)]
    Npz(#[from] runtime::NpzError),
    /// Arrays whose shapes contradict each other.
    #[error(
        "{}: wanted one size `{symbol}`; array `{}` has {}, array `{}` has {}",
        path.display(), found[0].0, found[0].1, found[1].0, found[1].1
    )]
    Sizes {
        /// The file.
        path: PathBuf,
        /// The size.
        symbol: String,
        /// Two arrays, and what it is in each.
        found: [(String, i64); 2],
    },
    /// Sizes for what has its own.
    #[error("--shape: {} is an artifact, whose sizes were chosen when it was compiled", path.display())]
    ShapeOfArtifact {
        /// The artifact.
        path: PathBuf,
    },
    /// A device that runs no code of the artifact.
    #[error(
        "roofline: {} runs code for {}, {} has code for {}; help: compile with one more target, \
         `tilewright compile MODEL --target {} ...`",
        device.name, device.target, path.display(), targets.join(", "), device.target
    )]
    NoCodeForRoofline {
        /// The artifact.
        path: PathBuf,
        /// The device.
        device: Box<ir::DeviceModel>,
        /// The artifact's targets.
        targets: Vec<String>,
    },
    /// A size that programs that continue texts do not have.
    #[error(
        "--shape: programs that generate have the sizes batch, prompt and context; found `{size}`"
    )]
    NoSuchSize {
        /// The size.
        size: String,
    },
    /// A range where sizes are wanted.
    #[error("--shape: {size} is a range: {reason}")]
    Ranges {
        /// The symbol.
        size: String,
        /// What is wanted.
        reason: &'static str,
    },
    /// A prompt that there is no room for.
    #[error(
        "--shape: wanted a prompt of 1 to {context} tokens, the size `context`; found {prompt}"
    )]
    Prompt {
        /// Tokens of the prompt.
        prompt: i64,
        /// Tokens that there is room for.
        context: i64,
    },
    /// Room for a text that is no number of pages.
    #[error(
        "--kv: wanted a `context` that is a multiple of the {page} tokens of a page; found {context}"
    )]
    Page {
        /// Tokens of a page.
        page: i64,
        /// Tokens that there is room for.
        context: i64,
    },
    /// Pages for runs that remember nothing.
    #[error("--kv: wanted `--task generate`, whose runs keep keys and values; found `--task run`")]
    PagesOfRun,
    /// A text without a tokenizer.
    #[error("--prompt: {} has no tokenizer; help: give one with --tokenizer, or tokens with --prompt-ids", path.display())]
    NoTokenizer {
        /// The artifact.
        path: PathBuf,
    },
    /// A tokenizer that cannot be read, or fails on a text.
    #[error("tokenizer {from}: {reason}")]
    Tokenizer {
        /// Where it is from.
        from: String,
        /// What is wrong.
        reason: String,
    },
    /// An element type for what has its own.
    #[error("--dtype: {} is an artifact, whose element types were chosen when it was compiled", path.display())]
    DTypeOfArtifact {
        /// The artifact.
        path: PathBuf,
    },
}

impl Failure {
    /// 2 for wrong usage, otherwise 1.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Target(TargetError::Unknown { .. } | TargetError::Device { .. })
            | Self::Roofline(_)
            | Self::Emit(
                EmitError::NoTarget { .. }
                | EmitError::NoLanes { .. }
                | EmitError::NotOpenCl { .. },
            )
            | Self::NoSuchSize { .. }
            | Self::Prompt { .. }
            | Self::Page { .. }
            | Self::PagesOfRun
            | Self::Ranges { .. }
            | Self::ShapeOfArtifact { .. }
            | Self::DTypeOfArtifact { .. } => 2.into(),
            _ => ExitCode::FAILURE,
        }
    }
}
