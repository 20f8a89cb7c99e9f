//! What code is made for, as data. Each backend's folder holds its targets.

use serde::{Deserialize, Serialize};

/// A number of bytes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Bytes(pub u64);

/// A number of floating-point operations; a fused multiply-add is two.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Flops(pub u64);

/// A machine that kernels are compiled for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// As spelled on the command line, such as `cpu:znver4`.
    pub name: String,
    /// How fast it can be.
    pub roofline: Roofline,
    /// How a block is spread over it.
    pub form: Form,
}

/// Bounds on the speed of one execution unit: a CPU core, a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Roofline {
    /// f32 operations per second.
    pub flops_per_second: f64,
    /// Bytes of memory read or written per second.
    pub bytes_per_second: f64,
    /// Seconds from one kernel to the next.
    pub dispatch_seconds: f64,
}

/// How a block of a tile program is spread over the hardware.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Form {
    /// Vector registers of one core; blocks go to threads.
    Simd(Simd),
}

/// A CPU core as the `simd` form sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Simd {
    /// LLVM's target triple.
    pub triple: String,
    /// LLVM's name of the processor.
    pub processor: String,
    /// What the processor must have for the code to run, as `/proc/cpuinfo` spells it.
    pub requires: Vec<String>,
    /// Width of a vector register.
    pub vector: Bytes,
    /// Number of vector registers.
    pub registers: u32,
    /// First-level data cache of one core.
    pub l1: Bytes,
    /// Second-level cache of one core.
    pub l2: Bytes,
}

impl Roofline {
    /// Seconds that a kernel takes at least.
    pub fn floor_seconds(&self, flops: Flops, bytes: Bytes) -> f64 {
        (flops.0 as f64 / self.flops_per_second).max(bytes.0 as f64 / self.bytes_per_second)
    }
}
