//! PTX to a cubin, by NVIDIA's assembler where it is here; what it says of registers and memory is read.

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use ir::Bytes;

use crate::{failure::Failure, simt::Resources};

/// The folder of NVIDIA's tools: as `CUDA_PATH` says, else where set-up unpacks them; none if there is none.
pub fn tools() -> Option<PathBuf> {
    let unpacked = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../.toolchain/cuda/nvidia/cu13/bin"
    );
    let set = std::env::var_os("CUDA_PATH").map(|path| PathBuf::from(path).join("bin"));
    let mut folders = set.into_iter().chain([PathBuf::from(unpacked)]);
    folders.find(|folder| folder.join("ptxas").exists())
}

/// The assembler, if it is here.
pub fn assembler() -> Option<PathBuf> {
    Some(tools()?.join("ptxas"))
}

/// What the assembler made.
pub(super) struct Assembled {
    pub binary: Vec<u8>,
    pub resources: Resources,
    /// What it could not do as asked.
    pub remarks: Vec<String>,
}

/// The cubin of one kernel's PTX, and what it takes; none without the assembler.
///
/// # Errors
/// The assembler refuses.
pub(super) fn assemble(ptx: &[u8], arch: &str) -> Result<Option<Assembled>, Failure> {
    let Some(assembler) = assembler() else {
        return Ok(None);
    };
    let rejected = |message: String| Failure::Rejected {
        tool: assembler.display().to_string(),
        message,
    };
    let unusable = |error: std::io::Error| rejected(error.to_string());
    // Through pipes: no file is left behind, whenever this process ends.
    let mut child = Command::new(&assembler)
        .args(["-v", "-o", "/dev/stdout", "/dev/stdin"])
        .arg(format!("-arch={arch}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(unusable)?;
    // An assembler that stops early breaks the pipe; its own words say why.
    let mut input = child.stdin.take().expect("the pipe was asked for");
    let sent = input.write_all(ptx);
    drop(input);
    let output = child.wait_with_output().map_err(unusable)?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() || sent.is_err() {
        return Err(rejected(said.trim().into()));
    }
    let resources = resources(&said)
        .ok_or_else(|| rejected(format!("wanted a line `Used .. registers`, found {said}")))?;
    Ok(Some(Assembled {
        binary: output.stdout,
        resources,
        remarks: remarks(&said),
    }))
}

/// What `ptxas -v` says of a module with one kernel.
fn resources(said: &str) -> Option<Resources> {
    // Remarks come first, and speak of registers too.
    let said = &said[said.find("Function properties")?..];
    Some(Resources {
        registers: before(said, " registers")?,
        scalar_registers: 0,
        // Words stored.
        spills: before(said, " bytes spill stores")? / 4,
        scratch: Bytes(before(said, " bytes stack frame")?.into()),
        shared: Bytes(before(said, " bytes smem").unwrap_or(0).into()),
    })
}

/// Lines about products that wait for each other, waits that were added, registers that are not taken. The assembler
/// numbers what it has to say of code that it takes but not as asked: `(C7510)`.
fn remarks(said: &str) -> Vec<String> {
    let of_code = |line: &&str| line.contains("(C7") || line.contains("setmaxnreg");
    let lines = said.lines().filter(of_code);
    lines.map(|line| line.trim().to_string()).collect()
}

/// The number right before some words.
fn before(said: &str, words: &str) -> Option<u32> {
    let head = &said[..said.find(words)?];
    let digits = head.rsplit(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ptxas 13.5.37, of a kernel with static shared memory and forced spills.
    const SAID: &str = "\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'k' for 'sm_80'
ptxas info    : Function properties for k
    24 bytes stack frame, 40 bytes spill stores, 44 bytes spill loads
ptxas info    : Used 32 registers, used 1 barriers, 24 bytes cumulative stack size, 4096 bytes smem, 376 bytes cmem[0]
";

    #[test]
    fn remarks_are_what_was_not_done_as_asked() {
        assert_eq!(remarks(SAID), Vec::<String>::new());
        let slow = "ptxas info    : (C7510) Potential Performance Loss: wgmma.mma_async instructions are serialized";
        assert_eq!(remarks(&format!("{SAID}{slow}\n")), [slow]);
    }

    #[test]
    fn facts_are_read_from_the_assemblers_words() {
        let read = resources(SAID).unwrap();
        let wanted = Resources {
            registers: 32,
            scalar_registers: 0,
            spills: 10,
            scratch: Bytes(24),
            shared: Bytes(4096),
        };
        assert_eq!(read, wanted);
        let remark =
            "ptxas info : (C7517) wgmma.wait_group is injected to allow use of registers\n";
        assert_eq!(resources(&format!("{remark}{SAID}")), Some(wanted));
        assert_eq!(resources("ptxas info : 0 bytes gmem"), None);
    }
}
