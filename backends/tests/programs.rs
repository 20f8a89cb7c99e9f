//! Programs of `tests/cases` and of the tile programs' own tests: compiled code against their evaluation.

mod support;

use std::{fs, path::Path};

use ir::{
    DType,
    tile::{Arithmetic, Program, evaluate, parse, verify},
};
use support::{decoded, encoded, run};

/// Numbers that are indices of small tables, where they are integers.
fn numbers(dtype: DType, len: usize, seed: usize) -> Vec<f64> {
    let number = |i: usize| {
        let n = ((i + 13 * seed) * 7919 % 101) as f64;
        match dtype {
            DType::F32 => (n - 50.0) / 7.0,
            DType::F16 | DType::Bf16 => (n - 50.0) / 8.0,
            DType::Bool => n % 2.0,
            _ => n % 5.0,
        }
    };
    (0..len).map(|i| ir::round_to(dtype, number(i))).collect()
}

fn check(program: &Program, file: &Path) {
    verify(program).unwrap();
    let arrays = || program.params.iter().zip(0..);
    let values: Vec<Vec<f64>> = arrays()
        .map(|(a, seed)| numbers(a.dtype, a.len as usize, seed))
        .collect();
    let mut expected: Vec<Vec<f64>> = arrays()
        .map(|(a, seed)| match a.written {
            true => vec![f64::NAN; a.len as usize],
            false => values[seed].clone(),
        })
        .collect();
    evaluate(program, &mut expected, Arithmetic::Exact).unwrap();
    let read = arrays().filter(|(a, _)| !a.written);
    let inputs: Vec<_> = read.map(|(a, i)| encoded(a.dtype, &values[i])).collect();
    for target in ["cpu:x86-64-v3", "cpu:x86-64-v4"] {
        let Some(results) = run(program, target, &inputs) else {
            continue;
        };
        for ((array, i), result) in arrays().filter(|(a, _)| a.written).zip(results) {
            let scale = expected[i]
                .iter()
                .filter(|x| x.is_finite())
                .fold(0.0, |m: f64, x| m.max(x.abs()));
            // A few dozen terms and functions, each within units in the last place.
            let unit = match array.dtype {
                DType::F32 => f64::from(f32::EPSILON),
                DType::F16 => 2f64.powi(-10),
                DType::Bf16 => 2f64.powi(-7),
                _ => 0.0,
            };
            for (at, (got, wanted)) in decoded(array.dtype, &result)
                .into_iter()
                .zip(&expected[i])
                .enumerate()
            {
                // What no block writes keeps what it had.
                let same = wanted.is_nan() || got == *wanted;
                assert!(
                    same || (got - wanted).abs() <= 16.0 * unit * scale,
                    "{} on {target}: {}[{at}] is {got}, not {wanted}",
                    file.display(),
                    array.name,
                );
            }
        }
    }
}

#[test]
fn cases_give_what_their_evaluation_gives() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = [here.join("tests/cases"), here.join("../ir/tests/tile")]
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "tile"))
        .collect();
    files.sort();
    assert!(files.len() > 3);
    for file in files {
        let program = parse(&fs::read_to_string(&file).unwrap())
            .unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        check(&program, &file);
    }
}
