//! Tile programs, run and compared with plain loops.

use ir::{
    Bytes, Flops,
    tile::{
        Arithmetic, Place, Program, count, count_block, evaluate, parse, types, unproven, verify,
    },
};

const CONTRACTION: &str = include_str!("tile/contraction.tile");
const SOFTMAX: &str = include_str!("tile/softmax.tile");
const GATHER: &str = include_str!("tile/gather.tile");

fn program(text: &str) -> Program {
    let program = parse(text).unwrap();
    verify(&program).unwrap();
    program
}

/// Some integers between -50 and 50, other ones for each seed.
fn integers(len: usize, seed: usize) -> Vec<f64> {
    (0..len)
        .map(|i| ((i + seed) * 7919 % 101) as f64 - 50.0)
        .collect()
}

#[test]
fn a_contraction_with_ragged_edges() {
    let (m, k, n) = (20, 16, 40);
    let (x, w) = (integers(m * k, 3), integers(k * n, 5));
    for arithmetic in [Arithmetic::Exact, Arithmetic::Rounded] {
        let mut params = [x.clone(), w.clone(), vec![f64::NAN; m * n]];
        evaluate(&program(CONTRACTION), &mut params, arithmetic).unwrap();
        for i in 0..m {
            for j in 0..n {
                let sum: f64 = (0..k).map(|d| x[i * k + d] * w[d * n + j]).sum();
                assert_eq!(params[2][i * n + j], sum, "row {i}, column {j}");
            }
        }
    }
}

#[test]
fn softmax_of_rows() {
    let x: Vec<f64> = integers(120, 1).iter().map(|x| x / 10.0).collect();
    let mut params = [x.clone(), vec![f64::NAN; 120]];
    evaluate(&program(SOFTMAX), &mut params, Arithmetic::Exact).unwrap();
    for (x, y) in x.chunks(20).zip(params[1].chunks(20)) {
        let sum: f64 = x.iter().map(|x| x.exp()).sum();
        for (x, y) in x.iter().zip(y) {
            // Twenty additions and a few functions, each within a unit in the last place.
            assert!(
                (y - x.exp() / sum).abs() <= 64.0 * f64::EPSILON,
                "{y} for {x}"
            );
        }
    }
}

#[test]
fn a_gather_by_ids() {
    let table = integers(1200, 7);
    let ids = [3, 49, 0, -1, 7, 7, 12, 48, -1, 1];
    let mut params = [
        table.clone(),
        ids.map(f64::from).to_vec(),
        vec![f64::NAN; 240],
    ];
    evaluate(&program(GATHER), &mut params, Arithmetic::Exact).unwrap();
    for (id, y) in ids.iter().zip(params[2].chunks(24)) {
        match usize::try_from(*id) {
            Ok(id) => assert_eq!(y, &table[id * 24..][..24]),
            Err(_) => assert_eq!(y, [0.0; 24]),
        }
    }
}

#[test]
fn what_cannot_be_proven_is_named() {
    assert_eq!(unproven(&program(CONTRACTION)), Ok(vec![]));
    assert_eq!(unproven(&program(SOFTMAX)), Ok(vec![]));
    assert_eq!(
        unproven(&program(GATHER)),
        Ok(vec![Place(vec![0, 0])]),
        "ids may be any number"
    );
}

/// Runs the program with one block more or less and other changes of its text.
fn fault(text: &str, changes: &[(&str, &str)], params: &mut [Vec<f64>]) -> String {
    let text = changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    let error = evaluate(&program(&text), params, Arithmetic::Exact).unwrap_err();
    error.to_string()
}

#[test]
fn an_id_outside_the_table_is_found() {
    let mut ids = vec![1.0; 10];
    ids[4] = 50.0;
    let mut params = [vec![0.0; 1200], ids, vec![0.0; 240]];
    assert_eq!(
        fault(GATHER, &[], &mut params),
        "tile program `gather`, statement 0.0, at #0 = 4, #1 = 0: array `table`, row 0, lane 0: \
         wanted an offset within 0..1200, found 1200"
    );
}

#[test]
fn a_local_read_before_it_is_written_is_found() {
    let mut params = [vec![0.0; 120], vec![0.0; 120]];
    assert_eq!(
        fault(
            SOFTMAX,
            &[("for #2 in 0 .. 20", "for #2 in 0 .. 16")],
            &mut params
        ),
        "tile program `softmax`, statement 6.0, at #0 = 0, #3 = 16: local `exps`: \
         element 16 is read before it is written"
    );
}

#[test]
fn what_another_block_left_in_a_local_is_not_read() {
    let changes = [(
        "local %exps : f32[80]",
        "local %exps : f32[80]\n for #4 in 0 .. #0 { %20 = load %exps[0] : 1x1 }",
    )];
    let mut params = [vec![0.0; 120], vec![0.0; 120]];
    assert_eq!(
        fault(SOFTMAX, &changes, &mut params),
        "tile program `softmax`, statement 0.0, at #0 = 1, #4 = 0: local `exps`: \
         element 0 is read before it is written"
    );
}

#[test]
fn blocks_that_write_different_values_are_found() {
    let race = "tile race grid [3] {\n param %y : i32[4] written\n %0 = coordinate OF : 1x1\n store %y[div(#0, 2)] = %0\n}";
    let mut params = [vec![7.0; 4]];
    assert_eq!(
        fault(race, &[("OF", "#0")], &mut params),
        "tile program `race`, statement 1, at #0 = 1: parameter `y`: \
         element 0 is changed by block 1 and used by block 0"
    );
    let equal = program(&race.replace("OF", "5"));
    assert_eq!(evaluate(&equal, &mut params, Arithmetic::Exact), Ok(()));
    assert_eq!(params[0], [5.0, 5.0, 7.0, 7.0]);
}

#[test]
fn a_block_that_reads_what_another_writes_is_found() {
    let shift = "tile shift grid [3] {\n param %y : f32[4] written\n %0 = load %y[FROM] : 1x1\n store %y[TO] = %0\n}";
    for (from, to, statement) in [
        ("#0", "#0 + 1", "statement 0"),
        ("#0 + 1", "#0", "statement 1"),
    ] {
        let mut params = [vec![1.0, 2.0, 3.0, 4.0]];
        let found = fault(shift, &[("FROM", from), ("TO", to)], &mut params);
        assert!(
            found.contains(statement) && found.contains("element 1"),
            "{found}"
        );
    }
}

#[test]
fn a_dividend_below_zero_is_found() {
    let text = "tile t grid [3] {\n param %x : f32[4]\n %0 = load %x[div(#0 - 1, 2)] : 1x1\n}";
    assert_eq!(
        fault(text, &[], &mut [vec![0.0; 4]]),
        "tile program `t`, statement 0, at #0 = 0: \
         index: wanted a dividend of at least 0 and a divisor above 0, found -1 and 2"
    );
}

#[test]
fn parameters_must_fit() {
    let one = fault(SOFTMAX, &[], &mut [vec![0.0; 120]]);
    assert_eq!(one, "tile program `softmax`: wanted 2 parameters, found 1");
    let short = fault(SOFTMAX, &[], &mut [vec![0.0; 120], vec![0.0; 119]]);
    assert_eq!(
        short,
        "tile program `softmax`, parameter `y`: wanted 120 elements, found 119"
    );
}

#[test]
fn rounded_arithmetic_rounds_each_result() {
    let text = "tile t grid [1] {\n param %x : f32[1]\n param %y : f32[1] written\n \
        %0 = load %x[0] : 1x1\n %1 = splat 1.0 : f32 1x1\n %2 = add %0, %1\n %3 = sub %2, %1\n store %y[0] = %3\n}";
    for (arithmetic, wanted) in [(Arithmetic::Exact, 1e-10), (Arithmetic::Rounded, 0.0)] {
        let mut params = [vec![1e-10], vec![0.0]];
        evaluate(&program(text), &mut params, arithmetic).unwrap();
        assert!(
            (params[1][0] - wanted).abs() < 1e-16,
            "{arithmetic:?}: {}",
            params[1][0]
        );
    }
}

#[test]
fn work_is_counted_without_running() {
    let contraction = program(CONTRACTION);
    let types_of = types(&contraction).unwrap();
    let grid = count(&contraction, &types_of).unwrap();
    // Six blocks of whole tiles.
    assert_eq!(grid.dot, Flops(6 * 2 * 8 * 32 * 16));
    assert_eq!(grid.elementwise, Flops(0));
    assert_eq!(
        grid.loaded,
        [Bytes(6 * 16 * 8 * 4), Bytes(6 * 16 * 32 * 4), Bytes(0)]
    );
    assert_eq!(grid.stored, [Bytes(0), Bytes(0), Bytes(6 * 8 * 32 * 4)]);
    assert_eq!(grid.compulsory(&contraction), Bytes(4 * (320 + 640 + 800)));
    let softmax = program(SOFTMAX);
    let block = count_block(&softmax, &types(&softmax).unwrap(), &[1]).unwrap();
    // Two rounds in each loop: max; sub, exp and add; div; and a fold of 64 twice.
    assert_eq!(block.elementwise, Flops(2 * 64 * (1 + 3 + 1) + 2 * 64));
    assert_eq!(block.local, Bytes(2 * 2 * 64 * 4));
}

#[test]
fn loops_that_differ_between_blocks_are_counted_as_they_are() {
    let text = "tile t grid [5] {\n param %x : f32[9]\n for #1 in #0 * 2 .. min(#0 * 2 + 4, 9) step 2 {\n \
        for #2 in 0 .. #1 { %0 = load %x[#2] : 1x1 }\n }\n}";
    let program = program(text);
    let loads: i64 = (0..5)
        .flat_map(|b| (b * 2..(b * 2 + 4).min(9)).step_by(2))
        .sum();
    let counts = count(&program, &types(&program).unwrap()).unwrap();
    assert_eq!(counts.loaded, [Bytes(4 * loads as u64)]);
}
