//! Copies of boxes, mbarriers and products of warpgroups: programs that are right in every order, compared with plain loops.

use ir::{
    Bytes,
    lane::{Counts, Emulation, Landing, Order, Program, Swizzle, emulate, emulate_all, parse},
};

const BOXES: &str = include_str!("lane/boxes.lane");
const GROUP: &str = include_str!("lane/group.lane");
const TURNED: &str = include_str!("lane/turned.lane");
const HELD: &str = include_str!("lane/held.lane");

fn program(text: &str) -> Program {
    parse(text).unwrap_or_else(|e| panic!("{e}"))
}

/// Some integers between -50 and 50, which bf16 holds, other ones for each seed.
fn integers(len: usize, seed: usize) -> Vec<f64> {
    (0..len)
        .map(|i| ((i + seed) * 7919 % 101) as f64 - 50.0)
        .collect()
}

/// Runs a program early, late and in between; the counts of the first run.
fn run(text: &str, params: &mut [Vec<f64>]) -> Counts {
    let program = program(text);
    let fresh = params.to_vec();
    let counts = emulate_all(&program, params, None).unwrap_or_else(|e| panic!("{e}"));
    for seed in 0..4 {
        let mut others = fresh.clone();
        let options = Emulation {
            order: Order::Seeded(seed),
            landing: Landing::Seeded(seed),
            blocks: None,
        };
        let again = emulate(&program, &mut others, &options).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((again, &others[..]), (counts.clone(), &*params), "{seed}");
    }
    counts
}

#[test]
fn boxes_through_two_buffers_with_zeros_outside() {
    let x = integers(1440, 3);
    let mut params = [x.clone(), vec![f64::NAN; 2304]];
    let counts = run(BOXES, &mut params);
    for (i, y) in params[1].iter().enumerate() {
        let (row, column) = (i / 96, i % 96);
        let inside = row < 20 && column < 72;
        let wanted = if inside { x[row * 72 + column] } else { 0.0 };
        assert_eq!(*y, wanted, "row {row}, column {column}");
    }
    assert_eq!((counts.box_copies, counts.box_bytes), (9, Bytes(9 * 1024)));
    // What lies outside is not read.
    assert_eq!(counts.global_bytes, Bytes((1440 + 2304) * 4));
    assert_eq!(counts.bank_conflicts, 0);
}

/// Without the swizzle eight rows of a chunk lie in the same banks.
#[test]
fn the_swizzle_keeps_rows_in_distinct_banks() {
    let plain = ["div(lane, 8)", "div(lane, 8) + 4"].iter().fold(
        BOXES.replace("swizzle 128", "swizzle none"),
        |text, chunk| {
            text.replace(
                &format!("xor({chunk}, mod(lane, 8))"),
                &format!("({chunk})"),
            )
        },
    );
    let mut params = [integers(1440, 3), vec![f64::NAN; 2304]];
    let mut swizzled = params.clone();
    let counts = run(&plain, &mut params);
    run(BOXES, &mut swizzled);
    assert_eq!(params, swizzled);
    // Nine boxes, two loads each of four passes, of which eight lanes each are in one bank.
    assert_eq!(counts.bank_conflicts, 9 * 2 * 4 * 7);
}

/// `sum_d x(i, d) w(d, j)` of 128 by 128, depth 232. Sums of integers below 2^24 are exact in f32.
fn product(x: impl Fn(usize, usize) -> f64, w: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let each = (0..128).flat_map(|i| (0..128).map(move |j| (i, j)));
    each.map(|(i, j)| (0..232).map(|d| x(i, d) * w(d, j)).sum())
        .collect()
}

fn counted(counts: &Counts) {
    // Four tiles, four pieces of the depth each.
    assert_eq!((counts.box_copies, counts.products), (32, 64));
    assert_eq!(counts.box_bytes, Bytes(32 * 8192));
    assert_eq!(counts.flops.0, 2 * 128 * 128 * 256);
    assert_eq!(counts.barriers, 0);
}

#[test]
fn a_product_by_a_warpgroup_behind_a_producer() {
    let (x, w) = (integers(29696, 3), integers(29696, 5));
    let mut params = [x.clone(), w.clone(), vec![f64::NAN; 16384]];
    let counts = run(GROUP, &mut params);
    let right = product(|i, d| x[i * 232 + d], |d, j| w[j * 232 + d]);
    assert!(params[2] == right);
    counted(&counts);
}

#[test]
fn operands_whose_depth_is_not_the_inner_axis() {
    let (x, w) = (integers(29696, 3), integers(29696, 5));
    let mut params = [x.clone(), w.clone(), vec![f64::NAN; 16384]];
    let counts = run(TURNED, &mut params);
    let right = product(|i, d| x[d * 128 + i], |d, j| w[d * 128 + j]);
    assert!(params[2] == right);
    counted(&counts);
}

#[test]
fn a_left_operand_in_registers() {
    let (x, w) = (integers(29696, 3), integers(29696, 5));
    let mut params = [x.clone(), w.clone(), vec![f64::NAN; 16384]];
    let counts = run(HELD, &mut params);
    let right = product(|i, d| x[i * 232 + d], |d, j| w[j * 232 + d]);
    assert!(params[2] == right);
    counted(&counts);
    assert_eq!(counts.bank_conflicts, 0);
}

/// PTX ISA 9.2, section 9.7.15.5.1.1, "Matrix fragments for wgmma.mma_async.m64nNk16".
#[test]
fn fragments_are_those_of_the_vendor() {
    let program = program(GROUP);
    let instr = &program.warpgroup[0];
    assert_eq!(instr.sides(), (64, 64, 16));
    for warp in 0..4 {
        for lane in 0..32 {
            let (row, column) = (warp * 16 + lane / 4, lane % 4 * 2);
            for i in 0..8 {
                let place = (row + i / 2 % 2 * 8, column + i % 2 + i / 4 * 8);
                assert_eq!(instr.a.place(i, lane, warp), place, "a{i} of lane {lane}");
            }
            for i in 0..32 {
                let place = (row + i / 2 % 2 * 8, column + i % 2 + i / 4 * 8);
                assert_eq!(instr.c.place(i, lane, warp), place, "d{i} of lane {lane}");
            }
        }
    }
}

#[test]
fn shared_arrays_of_programs_with_maps_start_where_swizzles_do() {
    let program = program(GROUP);
    assert_eq!(program.shared_alignment(), 1024);
    assert_eq!(program.shared_bytes(), 2 * 24576 + 48);
    assert_eq!(program.maps[0].swizzle, Swizzle::B128);
}

/// The page about lane programs shows this one, and what the emulator says of it without its wait.
#[test]
fn the_page_about_lane_programs_shows_boxes() {
    let page = include_str!("../../docs/lane.md");
    let shown = page.split("```lane\n").nth(2).unwrap();
    let shown = shown.split("```").next().unwrap();
    assert_eq!(program(shown), program(BOXES));
    let wait = "await %empty[mod(#1, 2)] parity mod(div(#1, 2) + 1, 2)";
    let without = program(&shown.replace(wait, ""));
    let mut params = [integers(1440, 3), vec![f64::NAN; 2304]];
    let error = emulate_all(&without, &mut params, None).unwrap_err();
    assert!(
        page.replace('\n', " ").contains(&error.to_string()),
        "{error}"
    );
}
