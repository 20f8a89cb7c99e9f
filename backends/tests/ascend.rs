//! Programs of `tests/cases/ascend`, as the lowering for tiles makes them: their text for Ascend is what stands
//! beside them, stock MLIR verifies it, and run on this CPU it gives what their evaluation gives.

mod ascend_tools;
mod support;

use std::{fs, path::Path};

use ascend_tools::{adapted, refused, run, tolerance, verify};
use backends::ascend::{Dialect, compile};
use ir::{
    DType, Target,
    tile::{Arithmetic, Program, evaluate, parse},
};
use support::{Data, decoded, encoded};

fn target() -> Target {
    let all = backends::ascend::targets::targets();
    all.into_iter()
        .find(|t| t.name == "ascend:910B3")
        .expect("a device of the table")
}

fn cases() -> Vec<(String, Program)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/ascend");
    let paths = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut paths: Vec<_> = paths
        .filter(|p| p.extension().is_some_and(|e| e == "tile"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 8, "{} cases", paths.len());
    paths
        .into_iter()
        .map(|path| {
            let program = parse(&fs::read_to_string(&path).unwrap())
                .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            (path.to_string_lossy().into_owned(), program)
        })
        .collect()
}

fn text(program: &Program, dialect: Dialect) -> String {
    let kernel = compile(program, &target(), dialect);
    kernel.unwrap_or_else(|e| panic!("{e}\n{program}")).text
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

#[test]
fn texts_are_those_beside_the_programs() {
    for (path, program) in cases() {
        let found = text(&program, Dialect::Mlir19);
        let beside = Path::new(&path).with_extension("mlir");
        if std::env::var_os("TILEWRIGHT_BLESS").is_some() {
            fs::write(&beside, &found).unwrap();
        }
        let wanted = fs::read_to_string(&beside).unwrap_or_default();
        assert_eq!(
            found, wanted,
            "{path}; help: cargo xtask bless tilewright-backends"
        );
    }
}

#[test]
fn texts_are_verified_by_both_versions() {
    for (_, program) in cases() {
        verify(&text(&program, Dialect::Mlir19), Dialect::Mlir19);
        verify(&text(&program, Dialect::Mlir22), Dialect::Mlir22);
    }
}

#[test]
fn texts_are_accepted_by_the_front_end_of_the_vendors_triton() {
    let mut accepted = 0;
    for (path, program) in cases() {
        match adapted(&text(&program, Dialect::Mlir19)) {
            None => return,
            Some(verdict) => verdict.unwrap_or_else(|said| panic!("{path}: {said}")),
        }
        accepted += 1;
    }
    println!("{accepted} texts accepted");
}

/// A faulty text of each kind, made from one of each family.
#[test]
fn that_front_end_refuses_what_is_no_text() {
    let faults: [(&str, &str, &str); 4] = [
        // A value that nothing makes.
        ("k0_linear", "outs(%v", "outs(%missing"),
        // An integer's sum of floats.
        ("k0_add", "arith.addf", "arith.addi"),
        ("k0_softmax", "dimensions = [1]", "dimensions = [7]"),
        ("k0_attention", "math.exp", "math.no_such_function"),
    ];
    for (name, right, wrong) in faults {
        let all = cases();
        let of = |(path, _): &&(String, Program)| path.contains(name);
        let (path, program) = all.iter().find(of).unwrap();
        let whole = text(program, Dialect::Mlir19);
        assert!(whole.contains(right), "{path} has no `{right}`");
        let broken = whole.replacen(right, wrong, 1);
        assert_ne!(adapted(&broken), Some(Ok(())), "{path}: {wrong}");
        assert_ne!(refused(&broken, Dialect::Mlir19), Some(false), "{path}");
    }
}

#[test]
fn a_version_refuses_what_is_no_text() {
    let (_, program) = cases().swap_remove(0);
    let broken = text(&program, Dialect::Mlir19).replacen("tensor<", "tensor<3x", 1);
    assert_ne!(refused(&broken, Dialect::Mlir19), Some(false), "{broken}");
}

#[test]
fn texts_give_what_programs_give() {
    let mut ran = 0;
    for (path, program) in cases() {
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
        evaluate(&program, &mut expected, Arithmetic::Exact).unwrap();
        println!("{path}");
        if !run(&text(&program, Dialect::Mlir19), &program, &mut found) {
            continue;
        }
        ran += 1;
        let written = arrays().filter(|(a, _)| a.written);
        for (array, i) in written {
            let finite = expected[i].iter().filter(|x| x.is_finite());
            let scale = finite.fold(0.0, |m: f64, x| m.max(x.abs()));
            let allowed = tolerance(&program, 128.0) * scale;
            let results = decoded(array.dtype, &Data(found[i].clone()));
            for (at, (got, wanted)) in results.into_iter().zip(&expected[i]).enumerate() {
                let same = got == *wanted || got.is_nan() && wanted.is_nan();
                assert!(
                    same || (got - wanted).abs() <= allowed,
                    "{path}: {}[{at}] is {got}, not {wanted}",
                    array.name
                );
            }
        }
    }
    println!("{ran} kernels ran");
}
