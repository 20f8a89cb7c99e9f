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
        (path.file_stem().unwrap().to_string_lossy().into_owned(), program)
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
fn outcome(program: &Program, source: &Source, text: &str, options: &[&str]) -> Option<Result<(), String>> {
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
            if !same && (got - wanted).abs().partial_cmp(&allowed) != Some(std::cmp::Ordering::Less) {
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
