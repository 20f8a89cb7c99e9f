//! What code is made for, as data. Each backend's folder holds its targets.

use serde::{Deserialize, Serialize};

use crate::lane::{MatrixInstr, WarpgroupInstr};

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
    /// Lanes of warps with one shared memory.
    Simt(Simt),
    /// On-chip buffers of one core, which the vendor's compiler fills; blocks go to cores.
    Tensor(TensorCore),
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

/// A device of many lanes, as the `simt` form sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Simt {
    /// The architecture, as its code generator names it.
    pub arch: String,
    /// Lanes of a warp.
    pub lanes: u32,
    /// Most lanes of a block.
    pub threads: u32,
    /// Most shared memory of a block.
    pub shared: Bytes,
    /// Most 32-bit registers of a lane.
    pub registers: u32,
    /// Blocks run side by side on so many units.
    pub units: u32,
    /// Most bytes that a lane reads or writes at once.
    pub access: Bytes,
    /// Whether lanes of a warp can read each other's registers.
    pub shuffle: bool,
    /// Whether copies from global to shared memory can end by themselves.
    pub asynchronous: bool,
    /// Whether a warp can read matrices of 16-bit elements from shared memory as fragments.
    pub load_matrix: bool,
    /// Matrix instructions, the preferred first; at least one for f32.
    pub matrix: Vec<MatrixInstr>,
    /// Instructions of warpgroups, where there are such; then there are tensor copies and mbarriers too.
    #[serde(default)]
    pub warpgroup: Vec<WarpgroupInstr>,
}

/// A core of a cube and vector units with buffers of their own, as the `tensor` form sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TensorCore {
    /// The device, as the vendor's compiler names it.
    pub device: String,
    /// Cores with a matrix unit.
    pub cube_cores: u32,
    /// Cores with a vector unit.
    pub vector_cores: u32,
    /// What a vector unit reads and writes.
    pub vector: OnChip,
    /// Where operands of products wait.
    pub staging: OnChip,
    /// Left operands of the matrix unit.
    pub left: OnChip,
    /// Right operands of the matrix unit.
    pub right: OnChip,
    /// Sums of the matrix unit.
    pub sums: OnChip,
    /// Rows and columns that a product is padded to.
    pub fractal: u32,
    /// Bytes that the last axis of a matrix operand is padded to.
    pub fractal_row: Bytes,
}

/// A memory on the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnChip {
    /// How much it holds.
    pub size: Bytes,
    /// What every start is a multiple of.
    pub align: Bytes,
}

impl Target {
    /// The core, if this is a CPU.
    pub fn simd(&self) -> Option<&Simd> {
        match &self.form {
            Form::Simd(simd) => Some(simd),
            Form::Simt(_) | Form::Tensor(_) => None,
        }
    }

    /// The device, if this is one of many lanes.
    pub fn simt(&self) -> Option<&Simt> {
        match &self.form {
            Form::Simt(simt) => Some(simt),
            Form::Simd(_) | Form::Tensor(_) => None,
        }
    }

    /// The core with its buffers, if this is one of tensors.
    pub fn tensor(&self) -> Option<&TensorCore> {
        match &self.form {
            Form::Tensor(tensor) => Some(tensor),
            Form::Simd(_) | Form::Simt(_) => None,
        }
    }
}

impl Roofline {
    /// Seconds that a kernel takes at least.
    pub fn floor_seconds(&self, flops: Flops, bytes: Bytes) -> f64 {
        (flops.0 as f64 / self.flops_per_second).max(bytes.0 as f64 / self.bytes_per_second)
    }
}
