//! AMD's devices, as data.

use ir::{Bytes, Form, Roofline, Simt, Target};

use super::matrix::{self, Row};
use crate::simt::outer;

/// A row of the table.
pub(super) struct Model {
    /// As LLVM names it.
    pub arch: &'static str,
    lanes: u32,
    registers: u32,
    /// Most shared memory of a block, in KB.
    shared: u64,
    units: u32,
    flops_per_second: f64,
    bytes_per_second: f64,
    matrix: &'static [Row],
}

/// An assumption: kernels of one stream follow each other.
const DISPATCH_SECONDS: f64 = 5e-6;
const KB: u64 = 1024;

const CDNA: &[Row] = &[
    matrix::MFMA_F16,
    matrix::MFMA_F16_SMALL,
    matrix::MFMA_BF16,
    matrix::MFMA_BF16_SMALL,
    matrix::MFMA_F32,
    matrix::MFMA_F32_SMALL,
];

/// Lanes, registers and shared memory: LLVM, "User Guide for AMDGPU Backend", and the Instruction Set Architecture
/// document of each. Units, f32 operations and memory: the data sheet of the device named. Noted
/// 2026-11-25 from memory of these, not looked up again.
const MODELS: &[Model] = &[
    // Radeon Instinct MI50.
    Model {
        arch: "gfx906",
        lanes: 64,
        registers: 256,
        shared: 64,
        units: 60,
        flops_per_second: 13.3e12,
        bytes_per_second: 1024e9,
        matrix: &[matrix::DOT_F16],
    },
    // Instinct MI210, one die of an MI250.
    Model {
        arch: "gfx90a",
        lanes: 64,
        registers: 512,
        shared: 64,
        units: 104,
        flops_per_second: 22.6e12,
        bytes_per_second: 1.6e12,
        matrix: CDNA,
    },
    // Instinct MI300X.
    Model {
        arch: "gfx942",
        lanes: 64,
        registers: 512,
        shared: 64,
        units: 304,
        flops_per_second: 163.4e12,
        bytes_per_second: 5.3e12,
        matrix: CDNA,
    },
    // Instinct MI355X.
    Model {
        arch: "gfx950",
        lanes: 64,
        registers: 512,
        shared: 160,
        units: 256,
        flops_per_second: 157.3e12,
        bytes_per_second: 8e12,
        matrix: &[
            matrix::MFMA_F16_DEEP,
            matrix::MFMA_F16_SMALL,
            matrix::MFMA_BF16_DEEP,
            matrix::MFMA_BF16_SMALL,
            matrix::MFMA_F32,
            matrix::MFMA_F32_SMALL,
        ],
    },
    // Radeon RX 7900 XTX.
    Model {
        arch: "gfx1100",
        lanes: 32,
        registers: 256,
        shared: 64,
        units: 96,
        flops_per_second: 61.4e12,
        bytes_per_second: 960e9,
        matrix: &[matrix::WMMA_F16, matrix::WMMA_BF16],
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
        let mut instructions: Vec<_> = self.matrix.iter().map(Row::instruction).collect();
        instructions.push(outer(self.lanes));
        Target {
            name: format!("rocm:{}", self.arch),
            roofline: Roofline {
                flops_per_second: self.flops_per_second,
                bytes_per_second: self.bytes_per_second,
                dispatch_seconds: DISPATCH_SECONDS,
            },
            form: Form::Simt(Simt {
                arch: self.arch.into(),
                lanes: self.lanes,
                threads: 1024,
                shared: Bytes(self.shared * KB),
                registers: self.registers,
                units: self.units,
                access: Bytes(16),
                shuffle: true,
                asynchronous: false,
                load_matrix: false,
                warpgroup: vec![],
                matrix: instructions,
            }),
        }
    }
}
