//! NVIDIA's devices, as data.

use ir::{Bytes, Form, Roofline, Simt, Target};

use super::{matrix, warpgroup};
use crate::simt::outer;

/// A row of the table.
pub(super) struct Model {
    /// As LLVM and ptxas name it.
    pub arch: &'static str,
    /// LLVM's feature for the least version of PTX that has all that the architecture needs.
    pub ptx: &'static str,
    /// Most shared memory of a block, in KB.
    shared: u64,
    units: u32,
    /// Whether warps multiply by fours, from shared memory: PTX ISA, "wgmma.mma_async", is of sm_90a alone.
    pub warpgroups: bool,
    flops_per_second: f64,
    bytes_per_second: f64,
}

/// An assumption: kernels of one stream follow each other, or come from a graph.
const DISPATCH_SECONDS: f64 = 3e-6;
const KB: u64 = 1024;

/// Shared memory: CUDA C++ Programming Guide, table "Technical Specifications per Compute Capability". PTX versions: PTX
/// ISA, "Release Notes". Units, f32 operations and memory: the data sheet of the device named. Noted
/// 2026-11-25 from memory of these, not looked up again.
const MODELS: &[Model] = &[
    // A100 80GB SXM; NVIDIA A100 Tensor Core GPU data sheet.
    Model {
        arch: "sm_80",
        ptx: "+ptx70",
        shared: 163,
        units: 108,
        warpgroups: false,
        flops_per_second: 19.5e12,
        bytes_per_second: 2039e9,
    },
    // L40S; NVIDIA L40S data sheet.
    Model {
        arch: "sm_89",
        ptx: "+ptx78",
        shared: 99,
        units: 142,
        warpgroups: false,
        flops_per_second: 91.6e12,
        bytes_per_second: 864e9,
    },
    // H100 SXM; NVIDIA H100 Tensor Core GPU data sheet.
    Model {
        arch: "sm_90a",
        ptx: "+ptx80",
        shared: 227,
        units: 132,
        warpgroups: true,
        flops_per_second: 67e12,
        bytes_per_second: 3.35e12,
    },
    // B200; NVIDIA HGX B200 data sheet, an eighth of its eight devices. Units: an assumption, as reported by the driver
    // in public benchmark logs.
    Model {
        arch: "sm_100a",
        ptx: "+ptx86",
        shared: 227,
        units: 148,
        warpgroups: false,
        flops_per_second: 75e12,
        bytes_per_second: 8e12,
    },
];

/// The row of an architecture.
pub(super) fn model(arch: &str) -> Option<&'static Model> {
    MODELS.iter().find(|m| m.arch == arch)
}

/// All targets of this folder.
pub(crate) fn targets() -> Vec<Target> {
    MODELS.iter().map(Model::target).collect()
}

impl Model {
    fn target(&self) -> Target {
        let mut instructions = matrix::instructions();
        instructions.push(outer(32));
        Target {
            name: format!("cuda:{}", self.arch),
            roofline: Roofline {
                flops_per_second: self.flops_per_second,
                bytes_per_second: self.bytes_per_second,
                dispatch_seconds: DISPATCH_SECONDS,
            },
            form: Form::Simt(Simt {
                arch: self.arch.into(),
                // Lanes, threads, registers: the same table of the Programming Guide.
                lanes: 32,
                threads: 1024,
                shared: Bytes(self.shared * KB),
                registers: 255,
                units: self.units,
                // PTX ISA, "ld": vectors of up to 16 bytes.
                access: Bytes(16),
                shuffle: true,
                // PTX ISA, "cp.async": from sm_80.
                asynchronous: true,
                // PTX ISA, "ldmatrix": from sm_75.
                load_matrix: true,
                warpgroup: match self.warpgroups {
                    true => warpgroup::instructions(),
                    false => vec![],
                },
                matrix: instructions,
            }),
        }
    }
}
