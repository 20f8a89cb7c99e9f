//! Kernels for the cores of Ascend devices: tile programs to MLIR text that CANN's `bishengir-compile` takes.
//!
//! What is printed is stock MLIR (func, arith, math, scf, tensor, linalg, memref, bufferization), so it is verified
//! and, lowered for a CPU, run by tools that know nothing of the device. Whether tiles fit on the chip is decided
//! before, by a plan of our own. Nothing here was compiled by the vendor's compiler or run on a device: see
//! `docs/ascend.md`.

pub mod c;
pub mod targets;

mod document;
mod emit;
mod error;
mod live;
mod plan;

use ir::{
    Target, TensorCore,
    tile::{self, Program, Stmt, Value},
};

pub use document::toolchain;
pub use emit::Dialect;
pub use error::AscendError;
pub use plan::{Held, Memory, Need, Plan, plan};

/// What is made for a device, and what runs it.
pub(crate) fn code(core: &TensorCore) -> crate::CodeKind {
    match language(core) {
        Language::Mlir => crate::CodeKind {
            code: "MLIR text",
            needs: "bishengir-compile of CANN, which makes the binary, and its libascendcl",
        },
        Language::C => crate::CodeKind {
            code: "Ascend C text",
            needs: "bisheng of CANN, which makes the binary, and its libascendcl",
        },
    }
}

/// A kernel as text, with what was decided on the way.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The module: one function.
    pub text: String,
    /// Which units it uses.
    pub mix: Mix,
    /// What it holds on the chip.
    pub plan: Plan,
}

/// Which units of a core a kernel uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// Vector units alone.
    Vector,
    /// The cube and vector units.
    Both,
}

impl Mix {
    fn of(program: &Program) -> Self {
        match dots(&program.body) {
            true => Self::Both,
            false => Self::Vector,
        }
    }

    /// As the vendor's compiler spells it.
    pub const fn spelling(self) -> &'static str {
        match self {
            Self::Vector => "aiv",
            Self::Both => "mix",
        }
    }
}

fn dots(body: &[Stmt]) -> bool {
    body.iter().any(|stmt| match stmt {
        Stmt::Let(_, value) => matches!(value, Value::Dot { .. }),
        Stmt::Store { .. } => false,
        Stmt::For(l) => dots(&l.body),
    })
}

/// What kernels are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// MLIR on tensors.
    Mlir,
    /// Ascend C.
    C,
}

/// What a device's kernels are written in: the vendor's MLIR compiler does not know those whose units share a core.
pub fn language(core: &TensorCore) -> Language {
    match c::stands_apart(core) {
        true => Language::Mlir,
        false => Language::C,
    }
}

/// A program as a file for the vendor's compiler, with a head of comments that say what it is and needs.
///
/// # Errors
/// As [`compile`].
pub fn document(program: &Program, target: &Target) -> Result<String, AscendError> {
    match target.tensor() {
        Some(core) if language(core) == Language::Mlir => {
            let kernel = compile(program, target, Dialect::Mlir19)?;
            Ok(kernel.document(program, core))
        }
        _ => Ok(c::print(program, target)?.text),
    }
}

/// The memory that is too small for a program, if one is. What has no text at all is none's fault here.
///
/// # Panics
/// The program has a fault.
pub fn excess(program: &Program, target: &Target) -> Option<Need> {
    let types = tile::types(program).expect("a program that was lowered has no fault");
    let core = target.tensor()?;
    let planned = match language(core) {
        Language::Mlir => plan(program, &types, core).map(|_| ()),
        Language::C => c::print(program, target).map(|_| ()),
    };
    match planned {
        Err(AscendError::DoesNotFit { need, .. }) => Some(*need),
        _ => None,
    }
}

/// Plans and prints a program.
///
/// # Errors
/// The program has a fault, the target is of another form, its tiles do not fit, or a step has no text.
pub fn compile(
    program: &Program,
    target: &Target,
    dialect: Dialect,
) -> Result<Kernel, AscendError> {
    let core = target.tensor().ok_or_else(|| AscendError::Form {
        program: program.name.clone(),
        target: target.name.clone(),
    })?;
    let types = tile::types(program).map_err(Box::new)?;
    let plan = plan(program, &types, core)?;
    let mix = Mix::of(program);
    let text = emit::emit(program, &types, mix, dialect)?;
    Ok(Kernel { text, mix, plan })
}
