//! What was seen of an artifact's kernels. Kept outside of the part of the file that is reproducible.

use serde::{Deserialize, Serialize};

use crate::{
    Artifact,
    manifest::{Code, Kernel, KernelId, Takes, TargetCode},
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
    /// The error that rounding may make at most.
    pub bound: Option<f64>,
    /// Which part of the grid was run, if it was emulated.
    pub blocks: Option<Blocks>,
    /// Times, if it was timed.
    pub times: Option<Times>,
}

/// How much of a grid was run: the first block, the last, and others at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blocks {
    /// Blocks that were run.
    pub run: u64,
    /// Blocks of the grid.
    pub of: u64,
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
        (_, launch) => {
            let launch = launch.as_ref().expect("`artifact::check` wants a launch");
            blake3::hash(artifact.kernel_code(launch))
                .to_hex()
                .to_string()
        }
    };
    blake3::hash(format!("{code}:{symbol}").as_bytes())
        .to_hex()
        .to_string()
}

/// What is known of one kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence<'a> {
    /// What took its code when it was compiled; none if nobody did.
    pub built: Option<Built<'a>>,
    /// What was seen since, oldest first.
    pub seen: Vec<&'a Record>,
}

/// The assembler or linker that took a kernel's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Built<'a> {
    /// Its name and version.
    pub tool: &'a str,
    /// What it says that the kernel takes.
    pub takes: Option<Takes>,
}

impl<'a> Evidence<'a> {
    /// Looks up a kernel.
    pub fn of(artifact: &'a Artifact, target: &'a TargetCode, kernel: KernelId) -> Self {
        let hash = kernel_hash(artifact, target, kernel);
        let launch = target.kernels[kernel.0 as usize].launch.as_ref();
        let records = artifact.evidence().iter();
        Self {
            built: target.accepted_by.as_deref().map(|tool| Built {
                tool,
                takes: launch.and_then(|l| l.takes),
            }),
            seen: records.filter(|r| r.kernel == hash).collect(),
        }
    }

    /// The highest level reached; none if the code was not even assembled.
    pub fn level(&self) -> Option<Level> {
        let built = self.built.map(|_| Level::Built);
        self.best().map(|r| r.level).max(built)
    }

    /// The latest record of the highest level.
    pub fn best(&self) -> Option<&'a Record> {
        self.seen.iter().copied().max_by_key(|r| r.level)
    }
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
