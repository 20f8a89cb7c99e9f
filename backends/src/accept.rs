//! What the code of a target is, what runs it, and which assembler or linker takes it, by its own words.

use std::{path::Path, process::Command};

use ir::{Form, Target};

use crate::{ascend, cpu, cuda, link, opencl, rocm, simt};

/// What the code of a target is, and what runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeKind {
    /// What an artifact holds.
    pub code: &'static str,
    /// What the machine must have that runs it.
    pub needs: &'static str,
}

/// The kind of code that is made for a target.
pub fn code_kind(target: &Target) -> CodeKind {
    match &target.form {
        Form::Simd(_) => cpu::CODE,
        Form::Simt(_) if !simt::takes(target) => opencl::CODE,
        Form::Simt(device) if cuda::dialect(device).is_some() => cuda::CODE,
        Form::Simt(_) => rocm::CODE,
        Form::Tensor(core) => ascend::code(core),
    }
}

/// What makes the code of a target, for records.
pub fn toolchain(target: &Target) -> &'static str {
    match &target.form {
        Form::Simd(_) => cpu::TOOLCHAIN,
        Form::Simt(_) if !simt::takes(target) => opencl::TOOLCHAIN,
        Form::Simt(_) => simt::toolchain(target),
        Form::Tensor(core) => ascend::toolchain(core),
    }
}

/// The tool that accepts machine code for a target, with its version; none if it is not here, or if machine code is made
/// by drivers only.
pub fn accepts(target: &Target) -> Option<String> {
    match &target.form {
        Form::Simd(_) => linker(),
        Form::Simt(_) if !simt::takes(target) => None,
        Form::Simt(device) if cuda::dialect(device).is_some() => assembler(),
        Form::Simt(_) => linker(),
        Form::Tensor(_) => None,
    }
}

fn assembler() -> Option<String> {
    let said = version(&cuda::assembler()?)?;
    // `Cuda compilation tools, release 13.5, V13.5.37`
    let number = said.split(", V").nth(1)?;
    Some(format!("ptxas {}", first_word(number)?))
}

fn linker() -> Option<String> {
    let said = version(&link::llvm_prefix().join("bin/ld.lld"))?;
    // `Debian LLD 22.1.8 (compatible with GNU linkers)`
    let number = said.split("LLD ").nth(1)?;
    Some(format!("ld.lld {}", first_word(number)?))
}

fn first_word(text: &str) -> Option<&str> {
    text.split_whitespace().next()
}

/// What a tool says of itself.
fn version(tool: &Path) -> Option<String> {
    let output = Command::new(tool).arg("--version").output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_give_their_versions() {
        let of = |name: &str| accepts(&crate::resolve(name).unwrap());
        let linker = of("cpu:x86-64-v3").unwrap();
        let number = linker.strip_prefix("ld.lld ").unwrap();
        assert!(number.starts_with("22."), "{linker}");
        assert_eq!(of("rocm:gfx942"), Some(linker));
        match of("cuda:sm_80") {
            Some(tool) => assert!(tool.starts_with("ptxas 1"), "{tool}"),
            None => assert_eq!(cuda::assembler(), None),
        }
        assert_eq!((of("opencl"), of("opencl:gfx906")), (None, None));
    }

    #[test]
    fn ascend_s_two_languages_are_told_apart() {
        let code = |name: &str| code_kind(&crate::resolve(name).unwrap()).code;
        assert_eq!(code("ascend:910B3"), "MLIR text");
        assert_eq!(code("ascend:310P"), "Ascend C text");
    }
}
