//! Devices of many lanes: lane programs to source text, which the device's own driver or compiler takes.
//!
//! OpenCL C 1.2 without extensions is the base, so that every driver takes it; HIP source differs in words only.

mod mmac;
mod print;
pub(crate) mod targets;

use ir::lane::Program;

pub use print::{Dialect, Unsupported, print};

/// What makes the code, for records.
pub const TOOLCHAIN: &str = concat!("tilewright ", env!("CARGO_PKG_VERSION"), ", OpenCL C 1.2");

/// What is made, and what runs it.
pub(crate) const CODE: crate::CodeKind = crate::CodeKind {
    code: "OpenCL C 1.2",
    needs: "libOpenCL and a driver",
};

/// The text of one kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The program's name, and the kernel's in the text.
    pub symbol: String,
    /// OpenCL C 1.2, or HIP.
    pub text: String,
    /// Bytes of shared memory that the text asks for.
    pub shared: u64,
    /// Options for the driver or compiler, the preferred first: the text is built with the first that it takes. Empty
    /// stands for no options.
    pub variants: Vec<String>,
}

/// Why a program has no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("kernel {kernel}: {unsupported}")]
pub struct PrintError {
    /// The program's name.
    pub kernel: String,
    /// What it asks for.
    pub unsupported: Unsupported,
}

/// Prints programs, in order.
///
/// # Errors
/// A program asks for what the language does not have.
pub fn compile(programs: &[Program], dialect: Dialect) -> Result<Vec<Source>, PrintError> {
    programs.iter().map(|p| source(p, dialect)).collect()
}

fn source(program: &Program, dialect: Dialect) -> Result<Source, PrintError> {
    let text = print(program, dialect).map_err(|unsupported| PrintError {
        kernel: program.name.clone(),
        unsupported,
    })?;
    let staged = mmac::staged(program);
    let variants = match staged {
        0 => vec![],
        _ => mmac::VARIANTS.map(str::to_owned).to_vec(),
    };
    Ok(Source {
        symbol: program.name.clone(),
        text,
        shared: program.shared_bytes() as u64 + 4 * staged,
        variants,
    })
}
