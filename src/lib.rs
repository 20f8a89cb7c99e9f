//! Compiles transformer models for many kinds of hardware, and runs what it compiled.
//!
//! A model goes in (Hugging Face files or the text form of a graph); an artifact comes out: one file with
//! weights, kernels and programs, which [`runtime`] loads without any compiler.
//!
//! ```no_run
//! use std::{path::Path, sync::Arc};
//! use tilewright::{CompileOptions, runtime};
//!
//! let model = tilewright::import::load(Path::new("all-MiniLM-L6-v2"))?;
//! let options = CompileOptions::new(tilewright::target("cpu")?).with_sizes([("batch", 1), ("seq", 16)]);
//! let (artifact, report) = tilewright::compile_in_memory(&model.graph, &model.weights, &options, &mut |_| ())?;
//! println!("{} kernels a run", report.programs[0].launches);
//! let mut executor = runtime::Model::load(Arc::new(artifact))?.executor(0, &runtime::Options::default())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod claims;
mod compile;
mod emit;
mod host;
mod lock;
mod quantize;
mod sizes;
mod tune;

pub mod import;

pub use backends::{
    CodeKind, TargetError, UnknownDevice, accepts, code_kind, device, devices, devices_of,
    resolve as target, targets,
};
pub use claims::{Claim, ClaimError, ClaimOptions, ClaimReport, Verdict, verify_claims};
pub use compile::{
    Choose, CompileError, CompileOptions, Copies, Decide, Decision, Defaults, Equal, Explained,
    FromDatabase, GraphChoice, GraphTime, KernelReport, Launch, NoArtifact, ProgramReport, Report,
    Source, Stage, choose_graphs, compile_alone, compile_by, compile_in_memory, compile_to,
    compile_with, explain, kernels_of_graphs, write_alone,
};
pub use emit::{EmitError, Emitted, Language, emit};
pub use host::host;
pub use ir;
pub use lock::{Lock, LockError, LockFault, LockWriter, Locked};
pub use passes::Storage;
pub use quantize::{Quantize, QuantizeError, Quantized, quantize};
pub use runtime;
pub use tune::{
    GraphsReport, Measuring, Prepared, TuneError, TuneOptions, TuneReport, page_of_records,
    prepare, tune,
};
