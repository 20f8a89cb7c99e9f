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
    let objects = objects(programs, target, workers)?.into_iter();
    let named = |(object, p): (Result<Vec<u8>, Failure>, &Program)| {
        object.map_err(|failure| BackendError::Kernel {
            kernel: p.name.clone(),
            failure,
        })
    };
    let objects: Vec<_> = objects.zip(programs).map(named).collect::<Result<_, _>>()?;
    join(&objects, programs)
}

/// As [`compile`], each program into a shared object of its own; each succeeds or fails by itself.
///
/// # Errors
/// A worker or the linker cannot run.
pub fn compile_each(
    programs: &[Program],
    target: &Target,
    workers: &Workers,
) -> Result<Vec<Result<Object, Failure>>, BackendError> {
    let objects = objects(programs, target, workers)?;
    let each = objects.into_par_iter().zip(programs);
    let link = |(object, program): (Result<Vec<u8>, Failure>, &Program)| match object {
        Ok(object) => match join(&[object], std::slice::from_ref(program)) {
            // It asks for what no object has: that is its own fault.
            Err(BackendError::Link(LinkError::Refused { linker, message })) => {
                let tool = linker.display().to_string();
                Ok(Err(Failure::Rejected { tool, message }))
            }
            other => other.map(Ok),
        },
        Err(failure) => Ok(Err(failure)),
    };
    each.map(link).collect()
}

/// The object file of each program.
fn objects(
    programs: &[Program],
    target: &Target,
    workers: &Workers,
) -> Result<Vec<Result<Vec<u8>, Failure>>, BackendError> {
    match workers {
        Workers::InProcess => Ok(programs.par_iter().map(|p| object(p, target)).collect()),
        Workers::Processes(processes) => {
            let work: Vec<_> = programs.iter().cloned().map(worker::Work::Tile).collect();
            worker::answers(&work, target, processes)
        }
    }
}

/// One shared object of the object files of some programs.
fn join(objects: &[Vec<u8>], programs: &[Program]) -> Result<Object, BackendError> {
    let elf = link::link(&link::llvm_prefix(), objects, LINK)?;
    let symbols = programs.iter().map(|p| p.name.clone()).collect();
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
