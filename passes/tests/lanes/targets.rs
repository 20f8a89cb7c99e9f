//! Devices that cover what real ones differ in.

use ir::{
    Bytes, DType, Form, Roofline, Simt, Target,
    lane::{Layout, MatrixInstr, Spelling, Step},
};

/// An outer product: lanes in a grid of `2^down x 2^across`, each with `2^rows x 2^columns` registers.
fn outer(down: u32, across: u32, rows: u32, columns: u32) -> MatrixInstr {
    let doubling = |bits: u32, by: u32, step: fn(u32) -> Step| -> Vec<Step> {
        (0..bits).map(|i| step(by << i)).collect()
    };
    let none = |bits: u32| vec![Step::NONE; bits as usize];
    let layout = |register: [Vec<Step>; 2], lane: [Vec<Step>; 2]| Layout {
        register: register.concat(),
        lane: lane.concat(),
        warp: vec![],
    };
    let own_rows = doubling(rows, 1, Step::rows);
    let own_columns = doubling(columns, 1, Step::columns);
    let lane_rows = doubling(down, 1 << rows, Step::rows);
    let lane_columns = doubling(across, 1 << columns, Step::columns);
    MatrixInstr {
        name: format!("outer_{}x{}", 1 << (down + rows), 1 << (across + columns)),
        operands: DType::F32,
        accumulator: DType::F32,
        a: layout(
            [own_rows.clone(), vec![]],
            [none(across), lane_rows.clone()],
        ),
        b: layout(
            [own_columns.clone(), vec![]],
            [lane_columns.clone(), none(down)],
        ),
        c: layout([own_columns, own_rows], [lane_columns, lane_rows]),
        spelling: Spelling::Outer,
    }
}

/// Rows, or columns, of some bits.
fn rows(by: &[u32]) -> Vec<Step> {
    by.iter().map(|b| Step::rows(*b)).collect()
}

fn columns(by: &[u32]) -> Vec<Step> {
    by.iter().map(|b| Step::columns(*b)).collect()
}

fn fragment(register: Vec<Step>, lane: Vec<Step>) -> Layout {
    Layout {
        register,
        lane,
        warp: vec![],
    }
}

fn half(name: &str, [a, b, c]: [Layout; 3]) -> MatrixInstr {
    MatrixInstr {
        name: name.into(),
        operands: DType::F16,
        accumulator: DType::F32,
        a,
        b,
        c,
        spelling: Spelling::Word(name.into()),
    }
}

/// PTX ISA 8.7, section 9.7.14.5.8.
fn mma() -> MatrixInstr {
    let lane = [columns(&[2, 4]), rows(&[1, 2, 4])].concat();
    let a = fragment(
        [columns(&[1]), rows(&[8]), columns(&[8])].concat(),
        lane.clone(),
    );
    let b = fragment(rows(&[1, 8]), [rows(&[2, 4]), columns(&[1, 2, 4])].concat());
    let c = fragment([columns(&[1]), rows(&[8])].concat(), lane);
    half("m16n8k16", [a, b, c])
}

/// AMD CDNA 3 ISA, section 7.1, `V_MFMA_F32_32X32X8_F16`.
fn mfma() -> MatrixInstr {
    let a = fragment(
        columns(&[1, 2]),
        [rows(&[1, 2, 4, 8, 16]), columns(&[4])].concat(),
    );
    let b = fragment(
        rows(&[1, 2]),
        [columns(&[1, 2, 4, 8, 16]), rows(&[4])].concat(),
    );
    let c = fragment(
        rows(&[1, 2, 8, 16]),
        [columns(&[1, 2, 4, 8, 16]), rows(&[4])].concat(),
    );
    half("f32_32x32x8_f16", [a, b, c])
}

/// As three public kernels for Hygon devices have it; not confirmed on one.
fn mmac() -> MatrixInstr {
    let a = fragment(
        columns(&[1, 2]),
        [rows(&[1, 2, 4, 8]), columns(&[4, 8])].concat(),
    );
    let b = fragment(
        rows(&[1, 2]),
        [columns(&[1, 2, 4, 8]), rows(&[4, 8])].concat(),
    );
    let c = fragment(
        columns(&[4, 8]),
        [rows(&[1, 2, 4, 8]), columns(&[1, 2])].concat(),
    );
    half("f32_16x16x16_f16", [a, b, c])
}

fn target(name: &str, lanes: u32, shuffle: bool, matrix: Vec<MatrixInstr>) -> Target {
    let simt = Simt {
        arch: "test".into(),
        lanes,
        threads: 1024,
        shared: Bytes(64 << 10),
        registers: 255,
        units: 4,
        access: Bytes(16),
        shuffle,
        asynchronous: lanes == 32 && shuffle,
        load_matrix: lanes == 32 && shuffle,
        warpgroup: vec![],
        matrix,
    };
    let roofline = Roofline {
        flops_per_second: 1e13,
        bytes_per_second: 1e12,
        dispatch_seconds: 5e-6,
    };
    Target {
        name: name.into(),
        roofline,
        form: Form::Simt(simt),
    }
}

/// 32 lanes with shuffles, 64 lanes with shuffles, 32 lanes without; and 64 lanes with another matrix unit.
pub fn all() -> Vec<Target> {
    vec![
        target(
            "32 lanes",
            32,
            true,
            vec![outer(3, 2, 2, 2), mma(), outer(0, 5, 0, 2)],
        ),
        target("64 lanes", 64, true, vec![outer(3, 3, 2, 2), mfma()]),
        target("no shuffles", 32, false, vec![outer(3, 2, 2, 2)]),
        target(
            "64 lanes, small units",
            64,
            true,
            vec![outer(3, 3, 1, 2), mmac()],
        ),
    ]
}
