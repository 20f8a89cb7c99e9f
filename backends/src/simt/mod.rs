//! Devices of many lanes: lane programs through MLIR and LLVM to what their drivers load.

pub(crate) mod dialect;
pub(crate) mod emit;
#[cfg(test)]
mod on_host;
mod outer;

pub(crate) use outer::outer;

use ir::{Bytes, Simt, Target, lane::Program};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::dialect::Dialect;
use crate::{
    cuda,
    failure::{BackendError, Failure, Unsupported},
    mlir, rocm, spirv,
    worker::{self, Work, Workers},
};

/// Machine code of one program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The kernel's name in it. Its arguments are the parameters' addresses, then the program's tensor maps, 128 bytes each.
    pub symbol: String,
    /// Code for the driver's own assembler, which any later device of the kind can take; none if there is no such.
    pub assembly: Option<String>,
    /// Code for the one device; none if its assembler is not here.
    pub binary: Option<Vec<u8>>,
    /// How to start it.
    pub launch: Launch,
    /// What the binary takes of the device; none without one.
    pub resources: Option<Resources>,
    /// What the assembler says it could not do as asked, at a cost of time.
    #[serde(default)]
    pub remarks: Vec<String>,
}

/// What to start a kernel with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// Blocks, on the first axis.
    pub blocks: u64,
    /// Lanes of a block, on the first axis.
    pub threads: u32,
    /// Shared memory to ask for beyond what the kernel states.
    pub shared: Bytes,
}

/// What a kernel takes of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// 32-bit registers of a lane.
    pub registers: u32,
    /// Registers of a warp, where there are such.
    pub scalar_registers: u32,
    /// Registers that went to memory.
    pub spills: u32,
    /// Memory of a lane's own, for spills and arrays.
    pub scratch: Bytes,
    /// Shared memory of a block, stated and asked for.
    pub shared: Bytes,
}

/// Whether [`compile`] takes programs for a target.
pub fn takes(target: &Target) -> bool {
    // By name: OpenCL's targets share architectures with AMD's.
    let own = [cuda::targets::targets(), rocm::targets::targets()].concat();
    own.iter().any(|t| t.name == target.name)
}

/// What makes the code for a target, for records.
///
/// # Panics
/// [`takes`] does not hold for the target.
pub fn toolchain(target: &Target) -> &'static str {
    dialect(device(target)).toolchain()
}

/// Compiles programs for a target, side by side; each succeeds or fails by itself.
///
/// # Errors
/// A worker cannot be run.
///
/// # Panics
/// [`takes`] does not hold for the target.
pub fn compile(
    programs: &[Program],
    target: &Target,
    workers: &Workers,
) -> Result<Vec<Result<Code, Failure>>, BackendError> {
    let outputs = match workers {
        Workers::InProcess => {
            let all = programs.par_iter().map(|p| generate(p, target));
            all.collect()
        }
        Workers::Processes(processes) => {
            let work: Vec<Work> = programs.iter().cloned().map(Work::Lane).collect();
            worker::answers(&work, target, processes)?
        }
    };
    let dialect = dialect(device(target));
    let done = programs.par_iter().zip(outputs);
    Ok(done
        .map(|(program, output)| dialect.finish(program, output?))
        .collect())
}

/// The MLIR module of a program, before any pass.
///
/// # Errors
/// The program has an operation without code.
pub fn mlir(program: &Program, target: &Target) -> Result<String, Unsupported> {
    let device = device(target);
    module(program, device, &*dialect(device))
}

fn module(program: &Program, device: &Simt, dialect: &dyn Dialect) -> Result<String, Unsupported> {
    dialect.adapted(program, emit::module(program, device, dialect)?)
}

/// LLVM's output for one program.
pub(crate) fn generate(program: &Program, target: &Target) -> Result<Vec<u8>, Failure> {
    let device = device(target);
    let dialect = dialect(device);
    fit(program, device, &*dialect)?;
    let text = module(program, device, &*dialect).map_err(Failure::Unsupported)?;
    mlir::code(&text, &dialect.machine()).map_err(Failure::Refused)
}

/// Whether the device has room for a block.
fn fit(program: &Program, device: &Simt, dialect: &dyn Dialect) -> Result<(), Failure> {
    assert_eq!(program.lanes, device.lanes, "warps are the device's");
    // LLVM ends the process on too much shared memory.
    let asked = [
        (
            "lanes of a block",
            program.threads().into(),
            device.threads.into(),
        ),
        (
            "bytes of shared memory",
            shared_bytes(program, dialect) as u64,
            device.shared.0,
        ),
        (
            "blocks",
            u64::try_from(program.blocks()).expect("grids are not negative"),
            dialect.blocks(program.threads()),
        ),
    ];
    match asked.into_iter().find(|(_, wanted, most)| wanted > most) {
        None => Ok(()),
        Some((what, wanted, most)) => Err(Failure::Exceeds {
            what: what.into(),
            wanted,
            most,
        }),
    }
}

fn device(target: &Target) -> &Simt {
    target
        .simt()
        .expect("this form is given devices of many lanes")
}

fn find(device: &Simt) -> Option<Box<dyn Dialect + Sync>> {
    cuda::dialect(device)
        .or_else(|| rocm::dialect(device))
        .or_else(|| spirv::dialect(device))
}

fn dialect(device: &Simt) -> Box<dyn Dialect + Sync> {
    find(device).expect("`takes` says which targets have code")
}

/// Shared memory of a block, stated or asked for.
fn shared_bytes(program: &Program, dialect: &dyn Dialect) -> usize {
    match emit::shared_in_function(program, dialect) {
        true => program.shared_bytes(),
        false => emit::asked_shared(program),
    }
}

/// How a program is started.
pub(crate) fn launch(program: &Program, dialect: &dyn Dialect) -> Launch {
    let stated = emit::shared_in_function(program, dialect);
    let shared = if stated {
        0
    } else {
        emit::asked_shared(program)
    };
    Launch {
        blocks: u64::try_from(program.blocks()).expect("grids are not negative"),
        threads: program.threads(),
        shared: Bytes(shared as u64),
    }
}
