//! Lane programs, emulated and compared with plain loops.

use ir::{
    Bytes, Flops,
    lane::{Counts, Emulation, Landing, Order, Program, Sample, emulate, emulate_all, parse},
};

const ADD: &str = include_str!("lane/add.lane");
const ROW_SUM: &str = include_str!("lane/row_sum.lane");
const CONTRACTION: &str = include_str!("lane/contraction.lane");
const MMA: &str = include_str!("lane/mma.lane");
const PIPELINE: &str = include_str!("lane/pipeline.lane");

fn program(text: &str) -> Program {
    parse(text).unwrap_or_else(|e| panic!("{e}"))
}

/// Some integers between -50 and 50, other ones for each seed.
fn integers(len: usize, seed: usize) -> Vec<f64> {
    (0..len)
        .map(|i| ((i + seed) * 7919 % 101) as f64 - 50.0)
        .collect()
}

/// Runs a program in all orders.
fn run(text: &str, params: &mut [Vec<f64>]) -> Counts {
    emulate_all(&program(text), params, None).unwrap_or_else(|e| panic!("{e}"))
}

/// `x[m, k] w[k, n]`
fn product(x: &[f64], w: &[f64], k: usize) -> Vec<f64> {
    let n = w.len() / k;
    let row = |x: &[f64]| -> Vec<f64> {
        let column = |j| x.iter().enumerate().map(|(d, x)| x * w[d * n + j]).sum();
        (0..n).map(column).collect()
    };
    x.chunks(k).flat_map(row).collect()
}

#[test]
fn a_sum_of_arrays_with_a_ragged_end() {
    let (x, y) = (integers(1000, 3), integers(1000, 5));
    let mut params = [x.clone(), y.clone(), vec![f64::NAN; 1000]];
    let counts = run(ADD, &mut params);
    for i in 0..1000 {
        assert_eq!(params[2][i], x[i] + y[i], "element {i}");
    }
    let wanted = Counts {
        // Lanes behind the end add zeros.
        flops: Flops(1024),
        global_transactions: 3 * 1000 / 8,
        global_bytes: Bytes(3 * 4000),
        ..Counts::default()
    };
    assert_eq!(counts, wanted);
}

#[test]
fn sums_of_rows_by_shuffles_and_shared_memory() {
    let x = integers(1500, 1);
    let mut params = [x.clone(), vec![f64::NAN; 5]];
    let counts = run(ROW_SUM, &mut params);
    for (x, y) in x.chunks(300).zip(&params[1]) {
        assert_eq!(x.iter().sum::<f64>(), *y);
    }
    assert_eq!((counts.barriers, counts.shuffles), (5, 5 * (4 * 5 + 2)));
}

#[test]
fn a_contraction_by_outer_products() {
    let (x, w) = (integers(4096, 3), integers(4096, 5));
    let mut params = [x.clone(), w.clone(), vec![f64::NAN; 4096]];
    let counts = run(CONTRACTION, &mut params);
    assert_eq!(params[2], product(&x, &w, 64));
    assert_eq!(counts.matrix, 4 * 64);
    assert_eq!(counts.flops, Flops(2 * 64 * 64 * 64));
    assert_eq!(counts.global_bytes, Bytes(3 * 4096 * 4));
}

#[test]
fn a_contraction_by_matrix_instructions() {
    let (x, w) = (integers(512, 3), integers(256, 5));
    let by_columns = (0..8).flat_map(|j| (0..32).map(move |d| (d, j)));
    let turned = by_columns.map(|(d, j)| w[d * 8 + j]).collect();
    let mut params = [x.clone(), turned, vec![f64::NAN; 128]];
    let counts = run(MMA, &mut params);
    assert_eq!(params[2], product(&x, &w, 32));
    assert_eq!((counts.matrix, counts.flops), (2, Flops(2 * 16 * 8 * 32)));
}

/// PTX ISA 9.2, section 9.7.14.5.8, "matrix fragments for mma.m16n8k16 with floating point type".
#[test]
fn fragments_are_those_of_the_vendor() {
    let program = program(MMA);
    let instr = &program.matrix[0];
    assert_eq!(instr.sides(), (16, 8, 16));
    for lane in 0..32 {
        let (group, thread) = (lane >> 2, lane % 4);
        for i in 0..8 {
            let row = if i < 2 || (4..6).contains(&i) {
                group
            } else {
                group + 8
            };
            let column = thread * 2 + (i & 1) + if i >= 4 { 8 } else { 0 };
            assert_eq!(
                instr.a.place(i, lane, 0),
                (row, column),
                "a{i} of lane {lane}"
            );
        }
        for i in 0..4 {
            let row = thread * 2 + (i & 1) + if i >= 2 { 8 } else { 0 };
            assert_eq!(
                instr.b.place(i, lane, 0),
                (row, group),
                "b{i} of lane {lane}"
            );
            let row = if i < 2 { group } else { group + 8 };
            let column = thread * 2 + (i & 1);
            assert_eq!(
                instr.c.place(i, lane, 0),
                (row, column),
                "c{i} of lane {lane}"
            );
        }
    }
}

#[test]
fn a_pipeline_of_copies() {
    let (x, w) = (integers(1024, 3), integers(512, 5));
    let mut params = [x.clone(), w.clone(), vec![f64::NAN; 128]];
    let counts = run(PIPELINE, &mut params);
    assert_eq!(params[2], product(&x, &w, 64));
    assert_eq!((counts.matrix, counts.barriers), (4, 8));
    assert_eq!(counts.bank_conflicts, 0);
}

#[test]
fn every_order_gives_one_result() {
    let (x, w) = (integers(4096, 3), integers(4096, 5));
    let program = program(CONTRACTION);
    let mut results = vec![];
    for order in [
        Order::Ascending,
        Order::Descending,
        Order::Seeded(1),
        Order::Seeded(2),
    ] {
        for landing in [Landing::Earliest, Landing::Latest] {
            let mut params = [x.clone(), w.clone(), vec![f64::NAN; 4096]];
            let options = Emulation {
                order,
                landing,
                blocks: None,
            };
            let counts = emulate(&program, &mut params, &options).unwrap();
            results.push((params, counts));
        }
    }
    assert!(results.iter().all(|r| *r == results[0]));
}

#[test]
fn a_sample_of_blocks_leaves_the_others_alone() {
    let mut params = [integers(1500, 1), vec![f64::NAN; 5]];
    let sample = Sample { count: 2, seed: 0 };
    let counts = emulate_all(&program(ROW_SUM), &mut params, Some(sample)).unwrap();
    let ran: Vec<_> = params[1].iter().map(|y| !y.is_nan()).collect();
    assert_eq!(ran, [true, false, false, false, true]);
    assert_eq!(counts.barriers, 2);
}
