//! Devices that OpenCL reaches.

use ir::{
    Bytes, DType, Form, Roofline, Simt, Target,
    lane::{Layout, MatrixInstr, Spelling, Step},
};

const KIB: u64 = 1024;

/// A row of the table.
struct Device {
    /// After `opencl`; empty for any device.
    arch: &'static str,
    lanes: u32,
    threads: u32,
    shared: u64,
    registers: u32,
    units: u32,
    /// Whether it has MMAC.
    mmac: bool,
    /// f32 operations in a second.
    flops: f64,
    /// Bytes in a second.
    bytes: f64,
}

/// An assumption: a launch through a queue. Calibrate on the device.
const DISPATCH_SECONDS: f64 = 10e-6;

/// The generic device. OpenCL 1.2, table 4.3: every full profile has at least 32 KB of local memory
/// (`CL_DEVICE_LOCAL_MEM_SIZE`); 256 work-items in a group is what common drivers allow at least (AMD's limit; PoCL 3.1:
/// 4096, asked 2026-11-25). Warps of 32 are a way of counting only: nothing printed for it depends on lanes stepping
/// together. Rates are placeholders that scale all estimates alike: 1 TFLOP/s, 100 GB/s.
///
/// Hygon, from public sources (2026-11, see docs): waves of 64, 64 KB of local memory, 256 vector registers, groups of up
/// to 1024: GCN's architecture, which these devices carry on. Compute units and rates are not published for K100_AI
/// and BW1000, and copied figures contradict each other: 60 units of 64 lanes at 1.5 GHz, 2 operations each, and 1 TB/s are
/// those of Z100 (HBM2, about 1 TB/s) and assumptions for the rest. MMAC: tile-ai/tilelang-hygon, gemm.h, and
/// HYGON-AI/triton-das, MmacGroup.cpp. gfx906 has none, but `v_dot2_f32_f16` (LLVM's AMDGPU user guide, gfx906), which the
/// printed text uses where the driver takes it. gfx926: which types its MMAC has is not known; the text falls back.
const DEVICES: &[Device] = &[
    Device {
        arch: "",
        lanes: 32,
        threads: 256,
        shared: 32 * KIB,
        registers: 128,
        units: 16,
        mmac: false,
        flops: 1e12,
        bytes: 100e9,
    },
    hygon("gfx906", false),
    hygon("gfx926", true),
    hygon("gfx928", true),
    hygon("gfx936", true),
];

const fn hygon(arch: &'static str, mmac: bool) -> Device {
    Device {
        arch,
        lanes: 64,
        threads: 1024,
        shared: 64 * KIB,
        registers: 256,
        units: 60,
        mmac,
        flops: 60.0 * 64.0 * 2.0 * 1.5e9,
        bytes: 1e12,
    }
}

/// All OpenCL targets, the generic one first.
pub(crate) fn targets() -> Vec<Target> {
    DEVICES.iter().map(Device::target).collect()
}

impl Device {
    fn target(&self) -> Target {
        let name = match self.arch {
            "" => "opencl".to_owned(),
            arch => format!("opencl:{arch}"),
        };
        let mut matrix = Vec::new();
        if self.mmac {
            matrix.extend([
                mmac("mmac_f16", DType::F16, 16),
                mmac("mmac_bf16", DType::Bf16, 16),
                mmac("mmac_f32", DType::F32, 8),
            ]);
        }
        matrix.push(outer(self.lanes));
        Target {
            name,
            roofline: Roofline {
                flops_per_second: self.flops,
                bytes_per_second: self.bytes,
                dispatch_seconds: DISPATCH_SECONDS,
            },
            form: Form::Simt(Simt {
                arch: self.arch.into(),
                lanes: self.lanes,
                threads: self.threads,
                shared: Bytes(self.shared),
                registers: self.registers,
                units: self.units,
                access: Bytes(16),
                shuffle: false,
                asynchronous: false,
                load_matrix: false,
                warpgroup: vec![],
                matrix,
            }),
        }
    }
}

/// `c[i, j] += a[i] b[j]`, 4 x 4 of them in each lane: eight numbers read for sixteen multiply-adds, and both operands
/// are runs of 16 bytes. Lanes lie 4 (or 8) by 8, so that a warp's tile is nearly square.
fn outer(lanes: u32) -> MatrixInstr {
    let rows: Vec<u32> = (0..lanes.ilog2() - 3).map(|bit| 4 << bit).collect();
    let columns = [4, 8, 16];
    let down = || rows.iter().map(|r| Step::rows(*r));
    let across = || columns.iter().map(|c| Step::columns(*c));
    let none = |count: usize| std::iter::repeat_n(Step::NONE, count);
    let layout = |register: Vec<Step>, lane: Vec<Step>| Layout {
        register,
        lane,
        warp: vec![],
    };
    MatrixInstr {
        name: "outer product".into(),
        operands: DType::F32,
        accumulator: DType::F32,
        a: layout(
            vec![Step::rows(1), Step::rows(2)],
            none(3).chain(down()).collect(),
        ),
        b: layout(
            vec![Step::columns(1), Step::columns(2)],
            across().chain(none(rows.len())).collect(),
        ),
        c: layout(
            vec![
                Step::columns(1),
                Step::columns(2),
                Step::rows(1),
                Step::rows(2),
            ],
            across().chain(down()).collect(),
        ),
        spelling: Spelling::Outer,
    }
}

/// MMAC without flags. Lane `l`, element `i`: `A` row `l % 16`, depth `(l / 16) d + i` for `d` elements a lane; `B` the
/// same with columns; `C` row `l % 16`, column `l / 16 + 4 i`, interleaved, unlike MFMA. Three public kernels agree
/// (2026-11); for f32 the depth of 2 a lane is read off its 2 registers of operands.
fn mmac(word: &str, operands: DType, depth: u32) -> MatrixInstr {
    let bits = (depth / 4).ilog2();
    let fragment = |across: fn(u32) -> Step, along: fn(u32) -> Step| Layout {
        register: (0..bits).map(|b| along(1 << b)).collect(),
        lane: (0..4)
            .map(|b| across(1 << b))
            .chain((0..2).map(|b| along((depth / 4) << b)))
            .collect(),
        warp: vec![],
    };
    MatrixInstr {
        name: format!("mmac 16x16x{depth} {operands}"),
        operands,
        accumulator: DType::F32,
        a: fragment(Step::rows, Step::columns),
        b: fragment(Step::columns, Step::rows),
        c: Layout {
            register: vec![Step::columns(4), Step::columns(8)],
            lane: (0..4)
                .map(|b| Step::rows(1 << b))
                .chain((0..2).map(|b| Step::columns(1 << b)))
                .collect(),
            warp: vec![],
        },
        spelling: Spelling::Word(word.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_fit_the_warps() {
        for target in targets() {
            let simt = target.simt().unwrap();
            for instr in &simt.matrix {
                assert!(instr.fits(simt.lanes), "{} {}", target.name, instr.name);
                if let Spelling::Word(word) = &instr.spelling {
                    assert!(super::super::mmac::find(word).is_some(), "{word}");
                }
            }
            assert!(simt.matrix.iter().any(|m| m.operands == DType::F32));
        }
    }

    #[test]
    fn mmac_accumulators_are_interleaved() {
        let instr = mmac("mmac_f16", DType::F16, 16);
        assert_eq!(instr.sides(), (16, 16, 16));
        for lane in 0..64 {
            for i in 0..4 {
                assert_eq!(instr.a.place(i, lane, 0), (lane % 16, lane / 16 * 4 + i));
                assert_eq!(instr.b.place(i, lane, 0), (lane / 16 * 4 + i, lane % 16));
                assert_eq!(instr.c.place(i, lane, 0), (lane % 16, lane / 16 + 4 * i));
            }
        }
    }
}
