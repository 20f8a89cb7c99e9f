//! CPUs: tile programs through MLIR's vector dialect and LLVM to one shared object.

mod bridge;
mod emit;
mod linear;
mod link;
mod span;
pub(crate) mod targets;
mod worker;

use std::path::PathBuf;

use ir::{Target, tile::Program};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use self::{
    bridge::{Refusal, Stage},
    emit::Unsupported,
    link::LinkError,
    worker::{Processes, serve},
};

/// What makes the code, for records.
pub const TOOLCHAIN: &str = "mlir 22.1, llvm 22.1, lld 22.1";

/// Machine code of some programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// An ELF shared object that needs no other.
    pub elf: Vec<u8>,
    /// The exported functions, in the order of the programs.
    pub symbols: Vec<String>,
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
}

/// Why there is no shared object.
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

/// Where code is generated.
#[derive(Clone, Debug)]
pub enum Workers {
    /// Here, on rayon's threads. What LLVM cannot select ends this process.
    InProcess,
    /// In other processes.
    Processes(Processes),
}

/// Compiles programs for a target, side by side, into one shared object.
///
/// Each becomes a function of its name:
/// `void name(uint8_t *const *arrays, int64_t first, int64_t last, uint8_t *scratch)`, which runs blocks
/// `first..last` (the last grid axis counts fastest). `arrays` are the parameters and `scratch` has
/// [`Program::scratch_bytes`] for the locals, all at multiples of 64 bytes. The bytes are the same in each run.
///
/// # Errors
/// A program has an operation without code, LLVM refuses one, or a worker or the linker cannot run.
pub fn compile(
    programs: &[Program],
    target: &Target,
    workers: &Workers,
) -> Result<Object, BackendError> {
    let objects = match workers {
        Workers::InProcess => {
            let named = |p: &Program| {
                object(p, target).map_err(|failure| BackendError::Kernel {
                    kernel: p.name.clone(),
                    failure,
                })
            };
            programs.par_iter().map(named).collect::<Result<_, _>>()?
        }
        Workers::Processes(processes) => worker::objects(programs, target, processes)?,
    };
    let symbols = programs.iter().map(|p| p.name.clone()).collect();
    let elf = link::link(&llvm_prefix(), &objects)?;
    Ok(Object { elf, symbols })
}

/// The object file of one program.
fn object(program: &Program, target: &Target) -> Result<Vec<u8>, Failure> {
    let simd = target.simd().expect("the CPU backend is given CPU targets");
    let text = mlir(program, target).map_err(Failure::Unsupported)?;
    bridge::object(&text, simd).map_err(Failure::Refused)
}

/// The MLIR module of a program, before any pass.
///
/// # Errors
/// The program has an operation without code.
pub fn mlir(program: &Program, target: &Target) -> Result<String, Unsupported> {
    let simd = target.simd().expect("the CPU backend is given CPU targets");
    let width = u32::try_from(simd.vector.0 / 4).expect("registers are small");
    emit::module(program, width)
}

/// Where LLVM is: as the environment says, else where it was when this was built.
fn llvm_prefix() -> PathBuf {
    let set = std::env::var_os("LLVM_SYS_221_PREFIX");
    set.map_or_else(
        || PathBuf::from(env!("TILEWRIGHT_LLVM_PREFIX")),
        PathBuf::from,
    )
}
