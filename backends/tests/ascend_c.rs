//! Kernels in Ascend C, run under the emulation's headers: they give what their programs give, and every wait is needed.

mod ascend_tools;
mod support;

use std::{fs, path::Path};

use ascend_tools::{
    emulated::{Ended, emulate},
    tolerance,
};
use backends::ascend::c::{self, Source};
use ir::{
    DType, Target,
    tile::{Arithmetic, Program, evaluate, parse},
};
use support::{Data, decoded, encoded};

fn target() -> Target {
    backends::resolve("ascend:910B3").unwrap()
}

fn cases() -> Vec<(String, Program)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/ascend_c");
    let paths = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut paths: Vec<_> = paths
        .filter(|p| p.extension().is_some_and(|e| e == "tile"))
        .collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let program = parse(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        (
            path.file_stem().unwrap().to_string_lossy().into_owned(),
            program,
        )
    };
    paths.iter().map(read).collect()
}

fn case(name: &str) -> Program {
    let found = cases().into_iter().find(|(n, _)| n == name);
    found.unwrap_or_else(|| panic!("no case {name}")).1
}

fn printed(program: &Program) -> Source {
    c::print(program, &target()).unwrap_or_else(|e| panic!("{e}\n{program}"))
}

/// Numbers that look random; indices of small tables, where they are integers.
fn numbers(dtype: DType, len: usize, seed: usize) -> Vec<f64> {
    let number = |i: usize| {
        let n = ((i + 31 * seed + 7) * 7919 % 2003) as f64;
        match dtype.is_float() {
            true => n / 1001.0 - 1.0,
            false => n % 2.0,
        }
    };
    (0..len).map(|i| ir::round_to(dtype, number(i))).collect()
}

/// Runs a text; how it ended, and the first number that is not what the program gives. None without a compiler.
fn outcome(
    program: &Program,
    source: &Source,
    text: &str,
    options: &[&str],
) -> Option<Result<(), String>> {
    let arrays = || program.params.iter().zip(0..);
    let mut expected: Vec<Vec<f64>> = arrays()
        .map(|(a, seed)| match a.written {
            true => vec![f64::NAN; a.len as usize],
            false => numbers(a.dtype, a.len as usize, seed),
        })
        .collect();
    let mut found: Vec<Vec<u8>> = arrays()
        .map(|(a, i)| encoded(a.dtype, &expected[i]).0)
        .collect();
    evaluate(program, &mut expected, Arithmetic::Exact).unwrap();
    match emulate(text, source, program, &mut found, options)? {
        Ended::Refused(said) => return Some(Err(said)),
        Ended::Ran => {}
    }
    for (array, i) in arrays().filter(|(a, _)| a.written) {
        let finite = expected[i].iter().filter(|x| x.is_finite());
        let scale = finite.fold(0.0, |m: f64, x| m.max(x.abs()));
        let allowed = tolerance(program, 128.0) * scale;
        let results = decoded(array.dtype, &Data(found[i].clone()));
        for (at, (got, wanted)) in results.into_iter().zip(&expected[i]).enumerate() {
            let same = got == *wanted || got.is_nan() && wanted.is_nan();
            if !same && (got - wanted).abs().partial_cmp(&allowed) != Some(std::cmp::Ordering::Less)
            {
                return Some(Err(format!("{}[{at}] is {got}, not {wanted}", array.name)));
            }
        }
    }
    Some(Ok(()))
}

#[test]
fn kernels_give_what_programs_give() {
    let mut ran = 0;
    for (name, program) in cases() {
        let source = printed(&program);
        if let Some(ended) = outcome(&program, &source, &source.text, &[]) {
            ended.unwrap_or_else(|e| panic!("{name}: {e}\n{program}\n{}", source.text));
            ran += 1;
        }
    }
    println!("{ran} kernels ran");
}

/// A product in rounds has two buffers of each operand, and takes no more than there is.
#[test]
fn buffers_of_the_cube_have_limits() {
    let of = |rows: u32, depth: u32| {
        let text = format!(
            "tile t grid [1] {{
  param %a : f16[{}]
  param %b : f16[{}]
  param %c : f32[{}] written
  %0 = splat 0.0 : f32 {rows}x16
  %5 = for #1 in 0 .. {} step {depth} carry (%1 = %0) {{
    %2 = load %a[row * {} + #1 + lane] : {rows}x{depth}
    %3 = load %b[lane * {} + #1 + row] : {depth}x16
    %4 = dot %2, %3, %1
    yield %4
  }}
  store %c[row * 16 + lane] = %5
}}
",
            rows * 2 * depth,
            16 * 2 * depth,
            rows * 16,
            2 * depth,
            2 * depth,
            2 * depth
        );
        c::print(&parse(&text).unwrap(), &target()).map(|source| source.cube)
    };
    assert_eq!(of(128, 128), Ok(true));
    let refused = of(144, 128).unwrap_err().to_string();
    assert!(
        refused.contains("L0A at head needs 73728 of 65536 bytes"),
        "{refused}"
    );
}

/// Rows are not filled up with zeros: a sum that is ragged along rows of both operands is refused, whichever is short.
#[test]
fn sums_that_are_ragged_along_rows_are_refused() {
    let of = |left: &str, right: &str| {
        let text = format!(
            "tile t grid [1] {{
  param %a : f16[768]
  param %b : f16[768]
  param %c : f32[256] written
  %0 = splat 0.0 : f32 16x16
  %1 = load %a[lane * 16 + row]{left} : 16x48
  %2 = load %b[row * 16 + lane]{right} : 48x16
  %3 = dot %1, %2, %0
  store %c[row * 16 + lane] = %3
}}
"
        );
        c::print(&parse(&text).unwrap(), &target()).map(|source| source.cube)
    };
    assert_eq!(of("", ""), Ok(true));
    for (left, right) in [
        (" where (lane < 40)", ""),
        ("", " where (row < 40)"),
        (" where (lane < 40)", " where (row < 40)"),
    ] {
        let refused = of(left, right).unwrap_err().to_string();
        let words = "a ragged sum along rows of both operands";
        assert!(refused.contains(words), "{refused}");
    }
}

/// Products, attention too, by a vector unit alone, as on devices of which nothing else is known.
#[test]
fn products_without_a_cube_give_what_programs_give() {
    let target = backends::resolve("ascend:310P").unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    for path in [
        "ascend_c/matmul_f16_columns",
        "ascend_c/linear",
        "ascend/k0_attention_1",
    ] {
        let text = fs::read_to_string(folder.join(path).with_extension("tile")).unwrap();
        let program = parse(&text).unwrap();
        let source = c::print(&program, &target).unwrap_or_else(|e| panic!("{e}\n{program}"));
        assert!(!source.cube);
        if let Some(ended) = outcome(&program, &source, &source.text, &[]) {
            ended.unwrap_or_else(|e| panic!("{path}: {e}\n{program}\n{}", source.text));
        }
    }
}

/// The text without the lines that hold one of these words; there are some.
fn without(text: &str, words: &[&str]) -> String {
    let mut dropped = 0;
    let kept = text.lines().filter(|line| {
        let drop = words.iter().any(|w| line.contains(w));
        dropped += usize::from(drop);
        !drop
    });
    let kept = kept.collect::<Vec<_>>().join("\n");
    assert!(dropped > 0, "no {words:?} in\n{text}");
    kept
}

/// Words of the lines that make a wait, and whether stale numbers show where the order of accesses is not checked: in a
/// run that ends as late as it may, what comes too early does not.
type Wait = (&'static [&'static str], bool);

/// Every wait of a kernel that copies, folds and stores piece by piece.
const OF_VECTORS: &[Wait] = &[
    (&[".EnQue(", ".DeQue<"], true),
    (&["PipeBarrier<PIPE_V>"], false),
    (&["HardEvent::V_S>"], true),
    (&["HardEvent::S_V>"], false),
    (&["HardEvent::V_MTE2>"], false),
];

/// Every wait of a kernel of products.
const OF_PRODUCTS: &[Wait] = &[
    (&["HardEvent::MTE2_MTE1>"], true),
    (&["HardEvent::MTE1_MTE2>"], false),
    (&["HardEvent::MTE1_M>"], true),
    (&["HardEvent::M_MTE1>"], false),
    (&["PipeBarrier<PIPE_M>"], false),
    (&["HardEvent::M_FIX>"], true),
    (&["CrossCoreWaitFlag", "CrossCoreSetFlag"], true),
];

#[test]
fn every_wait_is_needed() {
    for (name, waits) in [
        ("softmax_pieces", OF_VECTORS),
        ("matmul_f16_rows", OF_PRODUCTS),
    ] {
        let program = case(name);
        let source = printed(&program);
        for (words, stale) in waits {
            let text = without(&source.text, words);
            let Some(checked) = outcome(&program, &source, &text, &[]) else {
                return;
            };
            let said = checked.expect_err(&format!("{name} runs without {words:?}\n{text}"));
            println!("{name} without {words:?}: {said}");
            if *stale {
                let unordered = outcome(&program, &source, &text, &["-DEMULATE_UNORDERED"]);
                let said = unordered.unwrap();
                said.expect_err(&format!("{name} has its numbers without {words:?}\n{text}"));
            }
        }
        // The check of the order is not what makes a whole kernel right.
        let whole = outcome(&program, &source, &source.text, &["-DEMULATE_UNORDERED"]);
        whole.unwrap().unwrap();
    }
}

/// What the emulation says of a text, changed by one word.
fn refusal(name: &str, right: &str, wrong: &str) -> Option<String> {
    let program = case(name);
    let source = printed(&program);
    assert!(
        source.text.contains(right),
        "no `{right}` in\n{}",
        source.text
    );
    let text = source.text.replacen(right, wrong, 1);
    // So that flags are seen where the order of accesses would tell before.
    let options: &[&str] = if right.contains("V_S") {
        &["-DEMULATE_UNORDERED"]
    } else {
        &[]
    };
    let ended = outcome(&program, &source, &text, options)?;
    Some(ended.expect_err(&format!("{name} runs with `{wrong}`")))
}

#[test]
fn faults_are_named() {
    let program = case("softmax_pieces");
    let made = printed(&program).text;
    let buffer = made
        .lines()
        .find(|l| l.contains("InitBuffer(made"))
        .unwrap()
        .trim()
        .to_owned();
    let queue = made
        .lines()
        .find(|l| l.contains("FreeTensor("))
        .unwrap()
        .trim()
        .to_owned();
    for (name, right, wrong, wanted) in [
        (
            "softmax_pieces",
            buffer.as_str(),
            "pipe.InitBuffer(made, 196640);",
            "UB: 196640 bytes at ",
        ),
        (
            "softmax_pieces",
            "DataCopyPad(t",
            "DataCopyPad(all[4].ReinterpretCast<float>(), g0[0], DataCopyExtParams{1, 4, 0, 0, 0}, DataCopyPadExtParams<float>{false, 0, 0, 0.0f});\nDataCopyPad(t",
            "wanted a multiple of 32",
        ),
        ("softmax_pieces", queue.as_str(), "", "buffers are in use"),
        (
            "softmax_pieces",
            "uint16_t(n",
            "uint16_t(4096 + 0 * n",
            "`blockCount` is 4096",
        ),
        (
            "softmax_pieces",
            "WaitFlag<HardEvent::V_S>(0);",
            "",
            "set twice without a wait",
        ),
        (
            "softmax_pieces",
            "SetFlag<HardEvent::V_S>(0);",
            "",
            "nothing set it",
        ),
        (
            "matmul_f16_rows",
            "l0a.Alloc<half>(1024)",
            "l0a.Alloc<half>(40000)",
            "L0A: 80000 bytes at 0 pass its 65536",
        ),
        (
            "matmul_f16_rows",
            "a2[turn][i * kc * 256]",
            "a2[turn][i * kc * 256 + 16]",
            "`dst`: starts at byte",
        ),
        (
            "matmul_f16_rows",
            "FixpipeParamsV220{32,",
            "FixpipeParamsV220{24,",
            "`nSize` is 24",
        ),
        (
            "matmul_f16_rows",
            "CrossCoreSetFlag<2, PIPE_FIX>(0);",
            "",
            "every core waits",
        ),
    ] {
        let Some(said) = refusal(name, right, wrong) else {
            return;
        };
        assert!(said.contains(wanted), "{wrong}: {said}");
    }
}
