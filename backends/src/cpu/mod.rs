//! CPUs: tile programs through MLIR's vector dialect and LLVM to one shared object.

mod emit;
pub(crate) mod targets;

use ir::{Target, tile::Program};
use rayon::prelude::*;

pub use crate::{
    failure::{BackendError, Failure, Unsupported},
    link::LinkError,
    mlir::{Refusal, Stage},
    worker::{Processes, Workers, serve},
};
use crate::{link, mlir, worker};

/// What makes the objects, for records.
pub const TOOLCHAIN: &str = "mlir 22.1, llvm 22.1";

/// What is made, and what runs it.
pub(crate) const CODE: crate::CodeKind = crate::CodeKind {
    code: "ELF shared object",
    needs: "a processor with the features named",
};

/// What is left to do for code that is unrolled and in vectors already: the same code as `default<O3>` for the
/// kernels of a BERT layer, in half of its time.
const PASSES: &str = "function(sroa,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,\
                      loop-mssa(loop-rotate,licm),gvn,loop(indvars,loop-idiom,loop-deletion),\
                      loop-mssa(licm),instcombine<no-verify-fixpoint>,early-cse,simplifycfg)";

/// A shared object of nothing but its functions.
const LINK: &[&str] = &[
    "--no-undefined",
    "--strip-all",
    "--gc-sections",
    "--hash-style=gnu",
    "-z",
    "noexecstack",
    "-z",
    "now",
];

/// Machine code of some programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// An ELF shared object that needs no other.
    pub elf: Vec<u8>,
    /// The exported functions, in the order of the programs.
    pub symbols: Vec<String>,
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
    let objects: Vec<Vec<u8>> = match workers {
        Workers::InProcess => {
            let named = |p: &Program| {
                object(p, target).map_err(|failure| BackendError::Kernel {
                    kernel: p.name.clone(),
                    failure,
                })
            };
            programs.par_iter().map(named).collect::<Result<_, _>>()?
        }
        Workers::Processes(processes) => {
            let work: Vec<_> = programs.iter().cloned().map(worker::Work::Tile).collect();
            let done = worker::answers(&work, target, processes)?.into_iter();
            let named = done.zip(programs).map(|(result, p)| {
                result.map_err(|failure| BackendError::Kernel {
                    kernel: p.name.clone(),
                    failure,
                })
            });
            named.collect::<Result<_, _>>()?
        }
    };
    let symbols = programs.iter().map(|p| p.name.clone()).collect();
    let elf = link::link(&link::llvm_prefix(), &objects, LINK)?;
    Ok(Object { elf, symbols })
}

/// The object file of one program.
pub(crate) fn object(program: &Program, target: &Target) -> Result<Vec<u8>, Failure> {
    let simd = target.simd().expect("the CPU backend is given CPU targets");
    let text = mlir(program, target).map_err(Failure::Unsupported)?;
    let machine = mlir::Machine {
        triple: &simd.triple,
        processor: &simd.processor,
        features: "",
        passes: PASSES,
        output: mlir::Output::Object,
    };
    mlir::code(&text, &machine).map_err(Failure::Refused)
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
