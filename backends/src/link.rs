//! Objects to one shared object that needs nothing else, by LLVM's linker. Everything goes through pipes: no file is left
//! behind, whenever this process ends.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Why there is no shared object.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The linker could not be run.
    #[error("{}: {error}; help: `cargo xtask setup` unpacks LLVM, or LLVM_SYS_221_PREFIX names it", linker.display())]
    NoLinker {
        /// Where it was looked for.
        linker: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The linker refused.
    #[error("{}: {message}", linker.display())]
    Refused {
        /// The linker.
        linker: PathBuf,
        /// Its words.
        message: String,
    },
}

/// Links objects, in this order, into a shared object that exports their global symbols.
pub(crate) fn link(
    prefix: &Path,
    objects: &[Vec<u8>],
    options: &[&str],
) -> Result<Vec<u8>, LinkError> {
    let linker = prefix.join("bin/ld.lld");
    let unusable = |error| LinkError::NoLinker {
        linker: linker.clone(),
        error,
    };
    let mut child = Command::new(&linker)
        .args(["-shared", "--threads=1", "--build-id=none"])
        .args(options)
        .args(["--whole-archive", "/dev/stdin", "-o", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(unusable)?;
    // A linker that stops early breaks the pipe; its own words say why.
    let mut input = child.stdin.take().expect("the pipe was asked for");
    let sent = input.write_all(&archive(objects));
    drop(input);
    let output = child.wait_with_output().map_err(unusable)?;
    if !output.status.success() || sent.is_err() {
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(LinkError::Refused { linker, message });
    }
    Ok(output.stdout)
}

/// The objects as an `ar` archive without an index; format: ar(5).
fn archive(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"!<arch>\n".to_vec();
    for (i, object) in objects.iter().enumerate() {
        let name = format!("{i}.o/");
        let size = object.len();
        let header = format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 644);
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(object);
        if size % 2 == 1 {
            bytes.push(b'\n');
        }
    }
    bytes
}

/// Where LLVM is: as the environment says, else where it was when this was built.
pub(crate) fn llvm_prefix() -> PathBuf {
    let set = std::env::var_os("LLVM_SYS_221_PREFIX");
    set.map_or_else(
        || PathBuf::from(env!("TILEWRIGHT_LLVM_PREFIX")),
        PathBuf::from,
    )
}
