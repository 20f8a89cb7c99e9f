//! What the emulator finds: each fault planted in a program that works without it.

use ir::lane::{Program, emulate_all, parse};

const ADD: &str = include_str!("lane/add.lane");
const ROW_SUM: &str = include_str!("lane/row_sum.lane");
const CONTRACTION: &str = include_str!("lane/contraction.lane");
const MMA: &str = include_str!("lane/mma.lane");
const PIPELINE: &str = include_str!("lane/pipeline.lane");

fn changed(text: &str, changes: &[(&str, &str)]) -> Program {
    let text = changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    parse(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// Arrays of some integers, as long as the parameters are.
fn params(program: &Program) -> Vec<Vec<f64>> {
    let each = program.params.iter().enumerate();
    each.map(|(p, array)| {
        let numbers = (0..array.len as usize).map(|i| ((i + p) * 7919 % 101) as f64 - 50.0);
        numbers.collect()
    })
    .collect()
}

/// The fault of a program after some changes of its text.
fn fault(text: &str, changes: &[(&str, &str)]) -> String {
    let program = changed(text, changes);
    let error = emulate_all(&program, &mut params(&program), None).unwrap_err();
    let text = error.to_string();
    let start = format!("lane program `{}`, ", program.name);
    text.strip_prefix(&start).unwrap().to_owned()
}

/// The fault of a block of two warps of four lanes with this body.
fn small(body: &str) -> String {
    let head = "lane t grid [2] warps 2 lanes 4 {
          param %x : f32[64]
          param %y : f32[64] written
          param %i : i32[8]
          shared %s : f32[64] ";
    fault(&format!("{head}{body} }}"), &[])
}

/// The last parameter after the program ran without a fault.
fn result(program: &Program) -> Vec<f64> {
    let mut params = params(program);
    emulate_all(program, &mut params, None).unwrap_or_else(|e| panic!("{e}"));
    params.pop().unwrap()
}

#[test]
fn a_missing_barrier_is_a_race() {
    let after_store = ("barrier\n    %19", "%19");
    assert_eq!(
        fault(CONTRACTION, &[after_store]),
        "statement 1.2.0, at #0 = 0, #1 = 0, #4 = 0, warp 0, lane 1: shared `xs`: reads element 0, which warp 0, lane 0 wrote; wanted a barrier between"
    );
    let after_load = ("barrier\n    yield", "yield");
    assert_eq!(
        fault(CONTRACTION, &[after_load]),
        "statement 1.0.1, at #0 = 0, #1 = 16, #2 = 0, warp 0, lane 0: shared `xs`: writes element 0, \
         which warp 0, lane 15 read; wanted a barrier between"
    );
    assert_eq!(
        fault(ROW_SUM, &[("barrier", "")]),
        "statement 13.0, at #0 = 0, warp 0, lane 1: shared `partial`: element 1 is read before it is written"
    );
    assert_eq!(
        small("%0 = load %x[warp * 4 + lane] : 1 store %s[lane] = %0"),
        "statement 1, at #0 = 0, warp 1, lane 0: shared `s`: writes element 0, which warp 0, lane 0 wrote; wanted a barrier between"
    );
}

#[test]
fn a_fragment_with_rows_swapped_gives_wrong_numbers() {
    let right = result(&changed(MMA, &[]));
    for change in [
        ("a [c1, r8, c8]", "a [c1, c8, r8]"),
        ("lanes [r2, r4, c1, c2, c4]", "lanes [r4, r2, c1, c2, c4]"),
        ("c [c1, r8]", "c [r8, c1]"),
    ] {
        assert_ne!(result(&changed(MMA, &[change])), right, "{change:?}");
    }
}

#[test]
fn a_wrong_swizzle_gives_wrong_numbers_or_unset_ones() {
    let right = result(&changed(PIPELINE, &[]));
    let read = ("xor(div(lane, 16), mod(div(lane, 4), 2))", "div(lane, 16)");
    assert_ne!(result(&changed(PIPELINE, &[read])), right);
    let padding = [
        ("%xs : f32[1088]", "%xs : f32[1152]"),
        ("div(lane, 16) * 8) * 17", "div(lane, 16) * 8) * 18"),
    ];
    assert_eq!(
        fault(CONTRACTION, &padding),
        "statement 1.3.0, at #0 = 0, #1 = 0, #4 = 8, warp 0, lane 16: shared `xs`: element 152 is read before it is written"
    );
}

#[test]
fn copies_are_waited_for() {
    let under_way = "statement 4.4, at #0 = 0, #1 = 0, warp 0, lane 0: shared `xs`: reads element 0, to which warp 0, lane 0 has a copy under way; wanted its wait before, and a barrier for other lanes";
    assert_eq!(fault(PIPELINE, &[("wait 1", "commit")]), under_way);
    assert_eq!(fault(PIPELINE, &[("wait 1", "wait 2")]), under_way);
    assert_eq!(
        fault(PIPELINE, &[("wait 1\n    barrier", "wait 1")]),
        "statement 4.3, at #0 = 0, #1 = 0, warp 0, lane 1: shared `xs`: reads element 2, which warp 0, lane 0 wrote; wanted a barrier between"
    );
    assert_eq!(
        small("copy %s[lane * 4] = %x[lane * 4] : 4 commit wait 1"),
        "statement 0, at #0 = 0, warp 0, lane 0: shared `s`: the copy to element 0 is not waited for"
    );
    assert_eq!(
        small("copy %s[warp * 16 + lane * 4] = %x[lane * 4] : 4 wait 0"),
        "statement 0, at #0 = 0, warp 0, lane 0: shared `s`: the copy to element 0 is not waited for"
    );
}

#[test]
fn a_stage_is_not_refilled_while_it_is_read() {
    assert_eq!(
        fault(PIPELINE, &[("barrier\n    yield", "yield")]),
        "statement 4.0.0, at #0 = 0, #1 = 1, warp 0, lane 0: shared `xs`: copies to element 2, which warp 0, lane 1 read; wanted a barrier between"
    );
}

#[test]
fn accesses_lie_within_arrays_and_are_aligned() {
    assert_eq!(
        fault(ADD, &[("lane * 4] where", "lane * 4 + 1] where")]),
        "statement 0, at #0 = 0, warp 0, lane 0: array `x`: wanted an offset that is a multiple of 4, found 1"
    );
    let store = "where (#0 * 512 + warp * 128 + lane * 4 < 1000) = %2";
    assert_eq!(
        fault(ADD, &[(store, "= %2")]),
        "statement 3, at #0 = 1, warp 3, lane 26: array `z`: wanted 4 elements within 0..1000, found those from 1000"
    );
    assert_eq!(
        small("%0 = load %x[lane - 1] : 1"),
        "statement 0, at #0 = 0, warp 0, lane 0: array `x`: wanted 1 elements within 0..64, found those from -1"
    );
    assert_eq!(
        small("copy %s[lane * 16 + 16] = %x[0] : 4 commit wait 0"),
        "statement 0, at #0 = 0, warp 0, lane 3: array `s`: wanted 4 elements within 0..64, found those from 64"
    );
}

#[test]
fn shared_memory_is_written_before_it_is_read() {
    let three = ("when (lane < 1)", "when (lane < 1, warp < 3)");
    assert_eq!(
        fault(ROW_SUM, &[three]),
        "statement 14.0, at #0 = 0, warp 0, lane 3: shared `partial`: element 3 is read before it is written"
    );
    // What the first block left is undefined in the second.
    assert_eq!(
        small("when (#0 < 1) { %0 = load %x[0] : 1 store %s[0] = %0 } barrier %1 = load %s[0] : 1"),
        "statement 2, at #0 = 1, warp 0, lane 0: shared `s`: element 0 is read before it is written"
    );
}

#[test]
fn lanes_may_not_store_different_values_to_one_element() {
    assert_eq!(
        small("%0 = load %x[lane] : 1 store %s[warp] = %0"),
        "statement 1, at #0 = 0, warp 0, lane 1: shared `s`: writes element 0, which warp 0, lane 0 wrote; \
         wanted a barrier between"
    );
    let same = changed(
        "lane t grid [1] warps 2 lanes 4 { param %y : f32[8] written shared %s : f32[1]
           %0 = const 3.0 : f32x1 store %s[0] = %0 barrier %1 = load %s[0] : 1 store %y[warp * 4 + lane] = %1 }",
        &[],
    );
    assert_eq!(result(&same), [3.0; 8]);
}

#[test]
fn blocks_and_lanes_do_not_disturb_each_other_in_global_memory() {
    assert_eq!(
        fault(ADD, &[("store %z[#0 * 512 + ", "store %z[")]),
        "statement 3, at #0 = 1, warp 0, lane 0: parameter `z`: writes element 0, which warp 0, lane 0 of block 0 wrote"
    );
    assert_eq!(
        small(
            "%0 = load %x[lane] : 1 store %y[#0 * 4 + lane] = %0 barrier %1 = load %y[#0 * 4] : 1"
        ),
        "statement 3, at #0 = 0, warp 0, lane 0: parameter `y`: reads element 0, which warp 1, lane 0 of block 0 wrote"
    );
    assert_eq!(
        small("%0 = load %y[mod(lane + 1, 4)] : 1 store %y[lane] = %0"),
        "statement 1, at #0 = 0, warp 0, lane 0: parameter `y`: writes element 0, which warp 0, lane 3 of block 0 read"
    );
}

#[test]
fn what_a_warp_does_is_done_by_all_lanes() {
    assert_eq!(
        small("%0 = load %x[lane] : 1 when (lane < 3) { %1 = shuffle_xor %0, 1 }"),
        "statement 1.0, at #0 = 0, warp 0: wanted all 4 lanes of the warp, found 3"
    );
    let last = (
        "%13 = matrix \"m16n8k16\" %8, %11, %3",
        "%13 = add %3, %3 when (lane < 31) { %30 = matrix \"m16n8k16\" %8, %11, %3 }",
    );
    assert_eq!(
        fault(MMA, &[last]),
        "statement 5.9.0, at #0 = 0, #2 = 0, warp 0: wanted all 32 lanes of the warp, found 31"
    );
    let matrix = "%2 = load_matrix %xs[mod(#1, 2) * 256 + mod(lane, 16) * 16 + xor(div(lane, 16), mod(div(lane, 4), 2)) * 8] : 4";
    let some = format!(
        "%2 = const 0.0 : f16x8 when (lane < 16) {{ {} }}",
        matrix.replace("%2", "%30")
    );
    assert_eq!(
        fault(PIPELINE, &[(matrix, &some)]),
        "statement 4.5.0, at #0 = 0, #1 = 0, warp 0: wanted all 32 lanes of the warp, found 16"
    );
}

#[test]
fn holders_of_one_element_agree() {
    // Both halves of a warp hold all of the matrices; the second one has other numbers.
    let text = "lane t grid [1] warps 1 lanes 4 { param %x : f32[4] param %y : f32[1] written
          matrix \"m\" : f32 to f32 word \"m\" { a [] lanes [c1, 0] b [] lanes [r1, 0] c [] lanes [0, 0] }
          %0 = load %x[lane] : 1 %1 = const 0.0 : f32x1 %2 = matrix \"m\" ORDER, %1 store %y[0] = %2 }";
    assert_eq!(
        fault(text, &[("ORDER", "%0, %1")]),
        "statement 2, at #0 = 0, warp 0: fragment a: wanted one value at row 0, column 0, found -50 and 32"
    );
    assert_eq!(
        fault(text, &[("ORDER", "%1, %0")]),
        "statement 2, at #0 = 0, warp 0: fragment b: wanted one value at row 0, column 0, found -50 and 32"
    );
}

#[test]
fn loops_and_indices_are_defined() {
    assert_eq!(
        small("%0 = load %i[lane] : 1 for #1 in 0 .. %0 { }"),
        "statement 1, at #0 = 0, warp 0: loop bound: wanted one number for the warp, found 32 and -28"
    );
    assert_eq!(
        small("%0 = load %x[div(lane - 2, 2)] : 1"),
        "statement 0, at #0 = 0, warp 0, lane 0: index: wanted a dividend of at least 0 and a divisor above 0, \
         found -2 and 2"
    );
    assert_eq!(
        small("%0 = load %x[mod(3, lane)] : 1"),
        "statement 0, at #0 = 0, warp 0, lane 0: index: wanted a dividend of at least 0 and a divisor above 0, \
         found 3 and 0"
    );
    assert_eq!(
        small("%0 = load %x[xor(3, 0 - lane)] : 1"),
        "statement 0, at #0 = 0, warp 0, lane 1: index: wanted an exclusive or of numbers of at least 0, found 3 and -1"
    );
    assert_eq!(
        small("%0 = load %x[9223372036854775807 * (lane + 1)] where (1 < lane) : 1"),
        "statement 0, at #0 = 0, warp 0, lane 2: an index passes 64 bits"
    );
}

#[test]
fn a_result_that_depends_on_when_a_copy_lands_is_found() {
    // The lane changes what its copy is still reading.
    assert_eq!(
        small(
            "copy %s[warp * 4 + lane] = %y[#0 * 8 + warp * 4 + lane] : 1 commit
             %0 = const 7.0 : f32x1 store %y[#0 * 8 + warp * 4 + lane] = %0 wait 0
             %1 = load %s[warp * 4 + lane] : 1 store %y[#0 * 8 + warp * 4 + lane + 16] = %1"
        ),
        "parameter `y`: wanted one result in every order, found -9 and 7 at element 16"
    );
}

#[test]
fn parameters_must_fit() {
    let program = changed(ADD, &[]);
    let fault =
        |params: &mut [Vec<f64>]| emulate_all(&program, params, None).unwrap_err().to_string();
    assert_eq!(
        fault(&mut []),
        "lane program `add`: wanted 3 parameters, found 0"
    );
    let short = &mut [vec![0.0; 1000], vec![0.0; 999], vec![0.0; 1000]];
    assert_eq!(
        fault(short),
        "lane program `add`, parameter `y`: wanted 1000 elements, found 999"
    );
}
