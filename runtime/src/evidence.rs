//! What was seen of an artifact's kernels. Kept outside of the part of the file that is reproducible.

use serde::{Deserialize, Serialize};

use crate::{
    Artifact,
    manifest::{Code, Kernel, KernelId, TargetCode},
};

/// One observation of one kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The kernel, as [`kernel_hash`] names it.
    pub kernel: String,
    /// What was done.
    pub level: Level,
    /// The program that saw it, with its version.
    pub tool: String,
    /// Where: processor or device, and driver.
    pub device: String,
    /// Seconds since 1970-01-01 UTC.
    pub unix_time: u64,
    /// Largest error relative to the largest value of the reference.
    pub max_error: Option<f64>,
    /// Times, if it was timed.
    pub times: Option<Times>,
}

/// How far a kernel was tried. Later levels say more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    /// Accepted by an assembler, linker or verifier.
    #[serde(rename = "E1")]
    Built,
    /// Executed by an emulator against the reference.
    #[serde(rename = "E2")]
    Emulated,
    /// Executed on the device against the reference.
    #[serde(rename = "E3")]
    Executed,
    /// Timed on the device.
    #[serde(rename = "E4")]
    Timed,
}

impl Level {
    /// `E1 built`, ...
    pub const fn name(self) -> &'static str {
        match self {
            Self::Built => "E1 built",
            Self::Emulated => "E2 emulated",
            Self::Executed => "E3 executed",
            Self::Timed => "E4 timed",
        }
    }
}

/// How long calls took, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// How many calls.
    pub runs: u64,
    /// The shortest.
    pub min_s: f64,
    /// The one in the middle.
    pub median_s: f64,
}

/// Names a kernel by its machine code or text and its entry, so that evidence never outlives a change of either.
pub fn kernel_hash(artifact: &Artifact, target: &TargetCode, kernel: KernelId) -> String {
    let Kernel { symbol, launch, .. } = &target.kernels[kernel.0 as usize];
    let code = match (&target.code, launch) {
        (Code::Elf(elf), _) => artifact.sections()[elf.section.0 as usize].blake3.clone(),
        (Code::Source(_), Some(launch)) => {
            let text = artifact.bytes_of(launch.source);
            blake3::hash(text).to_hex().to_string()
        }
        (Code::Source(_), None) => unreachable!("`artifact::check` wants a launch"),
    };
    blake3::hash(format!("{code}:{symbol}").as_bytes())
        .to_hex()
        .to_string()
}

/// The record of the highest level of a kernel.
pub fn best<'a>(records: &'a [Record], kernel: &str) -> Option<&'a Record> {
    records
        .iter()
        .filter(|r| r.kernel == kernel)
        .max_by_key(|r| r.level)
}

/// The records of both, the new ones in place of older ones of the same kernel, level and device.
pub fn merge(old: &[Record], new: &[Record]) -> Vec<Record> {
    let replaced = |o: &&Record| {
        new.iter()
            .any(|n| n.kernel == o.kernel && n.level == o.level && n.device == o.device)
    };
    old.iter()
        .filter(|o| !replaced(o))
        .chain(new)
        .cloned()
        .collect()
}
