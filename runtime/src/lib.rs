//! Loads, checks and runs artifacts: models that `tilewright compile` has made into one file.
//!
//! This crate never compiles: neither LLVM nor MLIR nor the optimiser is among its dependencies, so whoever embeds
//! it links a few megabytes.
//!
//! ```no_run
//! use std::{path::Path, sync::Arc};
//! use ir::DType;
//! use runtime::{Artifact, Model, Options, TensorView, WeightChecks};
//! # use tilewright_runtime as runtime;
//!
//! let artifact = Artifact::open(Path::new("m.tw"), WeightChecks::BeforeUse)?;
//! let model = Model::load(Arc::new(artifact))?;
//! let mut executor = model.executor(0, &Options::default())?;
//! let ids: Vec<u8> = [101_i64, 7592, 102].iter().flat_map(|id| id.to_le_bytes()).collect();
//! executor.set_input("input_ids", TensorView { dtype: DType::I64, shape: &[1, 3], bytes: &ids })?;
//! executor.run()?;
//! let embedding = executor.output("sentence_embedding");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod calendar;
pub mod capi;
#[cfg(feature = "cli")]
pub mod cli;
pub mod evidence;
pub mod generate;
pub mod manifest;
pub mod measure;

mod artifact;
mod ascend;
mod cpu;
mod cuda;
mod device;
mod driver;
mod emulator;
mod engine;
mod executor;
mod hip;
mod model;
mod npz;
mod opencl;
mod pages;
mod random;
mod ranges;
mod tensor;

pub use artifact::{
    Artifact, ArtifactError, OpenNewError, Problem, WeightChecks, WriteError, WriteProblem, Writer,
};
pub use ascend::ascend_devices;
pub use cpu::{ARCH, KernelFn, features};
pub use cuda::cuda_devices;
pub use device::{Device, Drivers, Launches, UnknownDevice};
pub use driver::{DriverDevice, DriverError, Interface};
pub use executor::{Executor, KernelStats, Options, POISON};
pub use hip::hip_devices;
pub use model::{DeviceError, Model, Unfit, target_for};
pub use npz::{Npz, NpzError, NpzProblem, write_npz};
pub use opencl::{Card, CardInfo, OpenClError, cards};
pub use pages::release_code;
pub use tensor::{Array, Port, RunError, TensorView};
