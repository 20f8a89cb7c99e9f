//! The commands that `tilewright-run` and `tilewright` share: each takes an open artifact and gives a report.

mod bench;
mod devices;
mod emit;
mod generate;
mod inspect;
mod measure;
mod profile;
mod run;
mod sample;
mod verify;

use std::{
    collections::BTreeMap,
    io::{self, Write},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use serde_json::Value;

use crate::{
    Artifact, ArtifactError, Device, DeviceError, Drivers, Executor, Launches, Model, NpzError,
    RunError, WeightChecks, WriteError,
    generate::GenerateError,
    measure::{ResultsError, RunnerError, bundle::BundleError},
};

pub use bench::{BenchOptions, bench};
pub use devices::devices;
pub use emit::{EmitOptions, emit};
pub use generate::{GenerateOptions, generate};
pub use inspect::{InspectOptions, inspect};
pub use measure::{MeasureOptions, measure};
pub use profile::{ProfileOptions, profile};
pub use run::{RunOptions, run};
pub use verify::{VerifyOptions, verify};

/// The command that makes a program measure for another one, by [`crate::measure::serve`]. Hidden from people.
pub const MEASURE_WORKER: &str = "measure-worker";

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each variant's type has its own")]
pub enum CliError {
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Generate(#[from] GenerateError),
    #[error(transparent)]
    Npz(#[from] NpzError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Bundle(#[from] BundleError),
    #[error(transparent)]
    Runner(#[from] RunnerError),
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// The first candidate cannot be measured at all.
    #[error("{device}: the first candidate cannot be measured: {reason}")]
    NotMeasured {
        /// The device.
        device: Device,
        /// Why.
        reason: String,
    },
    /// A file that cannot be written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// An array that no input of the model takes.
    #[error("{}: array `{array}` is no input of the model; its inputs are {}", path.display(), known.join(", "))]
    Array {
        /// The file.
        path: PathBuf,
        /// The array.
        array: String,
        /// Names of the inputs.
        known: Vec<String>,
    },
    /// The artifact has no target of this name.
    #[error("target: no `{wanted}` in the artifact; help: it has {}", known.join(", "))]
    Target {
        /// The name.
        wanted: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// Code that is no text.
    #[error("{target}: wanted texts, its code is machine code")]
    NoTexts {
        /// The target.
        target: String,
    },
    /// A folder that something stands in the place of.
    #[error("{}: wanted the name of a new folder, found something there", path.display())]
    FolderExists {
        /// Where.
        path: PathBuf,
    },
    /// An option that the device has no use for.
    #[error("{option}: {device} {why}")]
    Option {
        /// The option.
        option: &'static str,
        /// The device.
        device: Device,
        /// What it lacks.
        why: &'static str,
    },
    /// A device that does not run the code that was loaded.
    #[error("roofline: wanted a device that runs the code for {target}, which was loaded")]
    Roofline {
        /// The target.
        target: String,
    },
    /// A kernel cannot be compared with its tile program.
    #[error("kernel `{kernel}`: {reason}")]
    Reference {
        /// Its name.
        kernel: String,
        /// Why.
        reason: String,
    },
}

/// What a command found, for people and for programs.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// For people.
    pub text: String,
    /// For programs: one object.
    pub json: Value,
    /// Whether what was asked for holds; a `verify` that finds a difference does not.
    pub passed: bool,
}

impl Report {
    /// Prints to standard output. A reader that went away is no error.
    pub fn print(&self, json: bool) -> io::Result<()> {
        let text = if json {
            format!("{}\n", self.json)
        } else {
            self.text.clone()
        };
        match io::stdout().lock().write_all(text.as_bytes()) {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(e),
            _ => Ok(()),
        }
    }
}

/// Prints a piece of a text at once. A reader that went away is no error.
pub fn print(piece: &str) {
    let mut out = io::stdout().lock();
    // What cannot be written now is told when the report is printed.
    let _ = out.write_all(piece.as_bytes()).and_then(|()| out.flush());
}

/// Where and how a command runs an artifact.
#[derive(Args, Clone, Debug)]
pub struct DeviceOptions {
    /// Threads; otherwise as many as this process may use at once.
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// The device; `tilewright devices` lists them.
    #[arg(
        long,
        default_value = "cpu",
        value_name = "cpu|cuda:N|rocm:N|opencl:N|ascend:N|emulator:TARGET"
    )]
    pub device: Device,
    /// Give a driver the launches of a run one by one, instead of replaying a recording.
    #[arg(long)]
    pub no_graph: bool,
    /// Do not compare the checksums of weights.
    #[arg(long)]
    pub no_verify: bool,
}

/// Sizes that name one of an artifact's programs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes(pub BTreeMap<String, u64>);

impl std::str::FromStr for Sizes {
    type Err = String;

    /// `batch=1,seq=128`
    fn from_str(text: &str) -> Result<Self, String> {
        let one = |part: &str| {
            let (name, size) = part.split_once('=')?;
            Some((name.trim().to_string(), size.trim().parse().ok()?))
        };
        let wanted = || format!("wanted sizes such as batch=1,seq=128, found `{text}`");
        text.split(',')
            .map(one)
            .collect::<Option<_>>()
            .map(Self)
            .ok_or_else(wanted)
    }
}

/// Opens an artifact as the options say.
pub fn open(path: &Path, options: &DeviceOptions) -> Result<Artifact, CliError> {
    let checks = if options.no_verify {
        WeightChecks::Skip
    } else {
        WeightChecks::BeforeUse
    };
    Ok(Artifact::open(path, checks)?)
}

/// Makes an artifact ready for the device that the options name.
fn load(artifact: Artifact, options: &DeviceOptions) -> Result<Model, CliError> {
    let artifact = Arc::new(artifact);
    let mut drivers = drivers();
    if options.no_graph {
        drivers.launches = Launches::Single;
    }
    Ok(Model::load_on(artifact, &options.device, &drivers)?)
}

/// Where the drivers are, as the environment says.
pub fn drivers() -> Drivers {
    let named = |variable: &str| std::env::var_os(variable).map(PathBuf::from);
    Drivers {
        opencl: named("TILEWRIGHT_OPENCL"),
        cuda: named("TILEWRIGHT_CUDA"),
        hip: named("TILEWRIGHT_HIP"),
        ascend: named("TILEWRIGHT_ASCEND"),
        launches: Launches::default(),
    }
}

/// How a run is spread, in words.
fn on(model: &Model, executor: &Executor) -> String {
    let target = &model.target().target;
    match model.device() {
        Device::Cpu => format!("{target} with {} threads", executor.threads()),
        _ => format!("{} by the code for {target}", model.device_words()),
    }
}

/// What a kernel must do, by its tile program, if it has one that can be counted.
fn work(artifact: &Artifact, kernel: &crate::manifest::Kernel) -> Option<ir::KernelWork> {
    let text = artifact.text(kernel.tile?).ok()?;
    let program: ir::tile::Program = serde_json::from_str(text).ok()?;
    ir::KernelWork::of(&program, kernel.flops)
}

/// `1.5 MB`: decimal, three digits.
fn megabytes(bytes: u64) -> String {
    match bytes as f64 {
        n if n >= 1e9 => format!("{:.2} GB", n / 1e9),
        n if n >= 1e6 => format!("{:.1} MB", n / 1e6),
        n if n >= 1e3 => format!("{:.1} kB", n / 1e3),
        n => format!("{n} B"),
    }
}
