//! First schedules for devices of many lanes fit, for kernels of all sizes.

use ir::{
    Bytes, DType, Form, Kernel, Roofline, Simt, Target,
    lane::{self, Layout, MatrixInstr, Sample, Spelling, Step},
};

fn steps(rows: bool, bits: std::ops::Range<u32>) -> Vec<Step> {
    let step = if rows { Step::rows } else { Step::columns };
    bits.map(|b| step(1 << b)).collect()
}

/// An outer product of 4 x 4 registers a lane, lanes in a grid of `2^down x 2^across`.
fn outer(down: u32, across: u32) -> MatrixInstr {
    let none = |bits: u32| vec![Step::NONE; bits as usize];
    let layout = |register: Vec<Step>, lane: [Vec<Step>; 2]| Layout {
        register,
        lane: lane.concat(),
        warp: vec![],
    };
    let (lane_rows, lane_columns) = (steps(true, 2..2 + down), steps(false, 2..2 + across));
    let both = [steps(false, 0..2), steps(true, 0..2)].concat();
    MatrixInstr {
        name: "outer".into(),
        operands: DType::F32,
        accumulator: DType::F32,
        a: layout(steps(true, 0..2), [none(across), lane_rows.clone()]),
        b: layout(steps(false, 0..2), [lane_columns.clone(), none(down)]),
        c: layout(both, [lane_columns, lane_rows]),
        spelling: Spelling::Outer,
    }
}

/// PTX ISA 8.7, section 9.7.14.5.8.
fn mma() -> MatrixInstr {
    let rows = |by: &[u32]| -> Vec<Step> { by.iter().map(|b| Step::rows(*b)).collect() };
    let columns = |by: &[u32]| -> Vec<Step> { by.iter().map(|b| Step::columns(*b)).collect() };
    let layout = |register, lane| Layout {
        register,
        lane,
        warp: vec![],
    };
    let lane = [columns(&[2, 4]), rows(&[1, 2, 4])].concat();
    MatrixInstr {
        name: "m16n8k16".into(),
        operands: DType::F16,
        accumulator: DType::F32,
        a: layout(
            [columns(&[1]), rows(&[8]), columns(&[8])].concat(),
            lane.clone(),
        ),
        b: layout(rows(&[1, 8]), [rows(&[2, 4]), columns(&[1, 2, 4])].concat()),
        c: layout([columns(&[1]), rows(&[8])].concat(), lane),
        spelling: Spelling::Word("mma".into()),
    }
}

fn target(lanes: u32, shared: u64, matrix: Vec<MatrixInstr>) -> Target {
    Target {
        name: format!("{lanes} lanes"),
        roofline: Roofline {
            flops_per_second: 1e13,
            bytes_per_second: 1e12,
            dispatch_seconds: 5e-6,
        },
        form: Form::Simt(Simt {
            arch: "test".into(),
            lanes,
            threads: 1024,
            shared: Bytes(shared),
            registers: 255,
            units: 64,
            access: Bytes(16),
            shuffle: lanes == 64,
            asynchronous: shared > 64 << 10,
            load_matrix: false,
            warpgroup: vec![],
            matrix,
        }),
    }
}

fn targets() -> [Target; 3] {
    [
        target(32, 99 << 10, vec![outer(3, 2), mma()]),
        target(64, 64 << 10, vec![outer(3, 3)]),
        target(32, 48 << 10, vec![outer(3, 2)]),
    ]
}

fn kernels(text: &str) -> Vec<Kernel> {
    let graph = ir::text::parse(text).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
    passes::group(&graph, &[]).unwrap().kernels
}

fn input(name: &str, ty: &str) -> String {
    format!(
        "  %{name} = input {{name = \"{name}\", ty = {ty}, absent = required, below = 0}} : {ty}\n"
    )
}

fn product(dtype: &str, [m, n, k]: [i64; 3]) -> String {
    let (x, w, y) = (
        format!("{dtype}[{m},{k}]"),
        format!("{dtype}[{n},{k}]"),
        format!("{dtype}[{m},{n}]"),
    );
    let operands = input("x", &x) + &input("w", &w);
    format!(
        "graph \"product\" {{\n{operands}  %y = matmul(%x,%w) {{ta = false, tb = true}} : {y}\n  return y = %y\n}}\n"
    )
}

fn attention(dtype: &str, [heads, queries, keys, depth]: [i64; 4]) -> String {
    let q = format!("{dtype}[1,{heads},{queries},{depth}]");
    let k = format!("{dtype}[1,{heads},{keys},{depth}]");
    let operands = input("q", &q) + &input("k", &k) + &input("v", &k);
    format!(
        "graph \"heads\" {{\n{operands}  %y = attention(%q,%k,%v) {{alibi = false, causal = true, mask = false, scale = 0.25, softcap = 0.0, window = 0}} : {q}\n  return y = %y\n}}\n"
    )
}

fn softmax(rows: i64, columns: i64) -> String {
    let x = format!("f32[{rows},{columns}]");
    format!(
        "graph \"weights\" {{\n{}  %y = softmax(%x) {{axis = 1}} : {x}\n  return y = %y\n}}\n",
        input("x", &x)
    )
}

#[test]
fn a_schedule_fits() {
    let mut texts = vec![];
    for dtype in ["f32", "f16"] {
        for sizes in [
            [1, 384, 384],
            [128, 1152, 384],
            [128, 384, 1536],
            [1, 32000, 4096],
            [8, 4096, 4096],
            [2048, 11008, 4096],
            [3, 5, 7],
        ] {
            texts.push(product(dtype, sizes));
        }
        for sizes in [
            [12, 128, 128, 32],
            [32, 1, 1024, 128],
            [8, 512, 512, 256],
            [2, 7, 9, 80],
            [1, 40, 40, 512],
        ] {
            texts.push(attention(dtype, sizes));
        }
    }
    for (rows, columns) in [
        (128, 384),
        (1, 32000),
        (4096, 4096),
        (7, 3),
        (12 * 128, 128),
    ] {
        texts.push(softmax(rows, columns));
    }
    let (mut fit, mut run) = (0, 0);
    for text in texts {
        for kernel in kernels(&text) {
            for target in targets() {
                let schedule = autotune::first_choice(&kernel, &target)
                    .unwrap_or_else(|e| panic!("{}: {e}\n{text}", target.name));
                let lowered = passes::lower(&kernel, &schedule, &target).unwrap();
                let program = lowered.lane.unwrap();
                lane::verify(&program).unwrap_or_else(|e| panic!("{e}\n{schedule:?}"));
                // The first and the last block, where they are small enough.
                let params = program.params.iter().map(|p| p.len).sum::<i64>();
                if params < 1_000_000 {
                    let mut values: Vec<Vec<f64>> = program
                        .params
                        .iter()
                        .map(|p| vec![0.5; p.len as usize])
                        .collect();
                    let two = Sample { count: 2, seed: 0 };
                    lane::emulate_all(&program, &mut values, Some(two))
                        .unwrap_or_else(|e| panic!("{}: {e}\n{schedule:?}", target.name));
                    run += 1;
                }
                fit += 1;
            }
        }
    }
    println!("{fit} kernels fit, blocks of {run} ran");
}
