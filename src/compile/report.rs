//! What a compilation did.

use std::time::Duration;

use ir::Sizes;

use super::Decision;

/// What a compilation did.
#[derive(Clone, Debug)]
pub struct Report {
    /// The programs, for each target and set of sizes.
    pub programs: Vec<ProgramReport>,
    /// How long each stage took.
    pub stages: Vec<(Stage, Duration)>,
    /// Distinct kernels that machine code was made for.
    pub kernels: usize,
    /// The schedule of each kernel, in order.
    pub decisions: Vec<KernelReport>,
    /// The matrices that are stored in few bits, and how far they are off.
    pub quantized: Vec<crate::Quantized>,
}

/// What was decided for a kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelReport {
    /// The target's name.
    pub target: String,
    /// The kernel's name.
    pub kernel: String,
    /// The hash of what it computes.
    pub meaning: String,
    /// Its schedule, and why.
    pub decision: Decision,
}

/// One program of an artifact.
#[derive(Clone, Debug)]
pub struct ProgramReport {
    /// The target's name.
    pub target: String,
    /// The sizes it is for.
    pub sizes: Sizes,
    /// The hash of the graph that is run.
    pub graph: String,
    /// Whether that is another one than the roofline thinks best.
    pub other_graph: bool,
    /// Kernels launched in one run.
    pub launches: usize,
    /// Bytes of memory for values between launches.
    pub arena_bytes: usize,
}

/// A part of compilation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The graph is rewritten.
    Rewrite,
    /// Kernels are chosen and scheduled.
    Plan,
    /// Machine code is made and weights are laid out.
    Generate,
    /// The artifact is written.
    Write,
}

impl Stage {
    /// The word for it in listings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rewrite => "rewrite",
            Self::Plan => "plan",
            Self::Generate => "generate",
            Self::Write => "write",
        }
    }
}
