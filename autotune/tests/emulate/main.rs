//! Every family of kernels on every kind of device of many lanes, lane by lane, against the reference in f64; and faults
//! planted in correct programs, which the same check has to find.
//!
//! `cargo test` runs a part, chosen by a seed; `cargo xtask emulate` runs all of it (`--full`).

mod banks;
mod faults;
#[allow(dead_code, reason = "the tests of spaces use the rest")]
mod graphs;
#[path = "../../../passes/tests/lanes/mod.rs"]
#[allow(dead_code, reason = "passes uses the rest")]
mod lanes;
mod matrix;

use std::{collections::BTreeMap, process::ExitCode, time::Instant};

use matrix::Outcome;

/// Schedules of each kernel on each device, at least three.
const SOME: usize = 3;
const MANY: usize = 8;

/// One of so many pairs of a case and a device is run without `--full`.
const PART: usize = 4;

/// Failures that are shown.
const SHOWN: usize = 40;

fn main() -> ExitCode {
    let full = std::env::args().any(|word| word == "--full");
    let begun = Instant::now();
    let cases = graphs::all(full);
    let count = if full { MANY } else { SOME };
    // Every case runs somewhere, and every family everywhere.
    let keep = |case: usize, device: usize| full || (case + device).is_multiple_of(PART);
    let mut families: BTreeMap<&str, Outcome> = BTreeMap::new();
    for (family, outcome) in matrix::run(&cases, count, &keep) {
        let so_far = families.remove(family).unwrap_or_default();
        families.insert(family, so_far.with(outcome));
    }
    let mut planted = faults::run();
    planted.insert("no bank conflicts", banks::run());
    let (mut passed, mut failed) = (0, 0);
    for (name, outcome) in families.iter().chain(&planted) {
        println!("{name}: {} cases", outcome.agreed);
        for failure in outcome.failures.iter().take(SHOWN) {
            println!("  {failure}");
        }
        let bad = outcome.failures.len() + usize::from(outcome.agreed == 0);
        passed += outcome.agreed;
        failed += bad;
        let verdict = if bad == 0 { "ok" } else { "FAILED" };
        println!("test emulate {name} ... {verdict}");
    }
    println!(
        "{} graphs on {} devices in {} s",
        cases.len(),
        matrix::DEVICES.len(),
        begun.elapsed().as_secs()
    );
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "test result: {verdict}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out"
    );
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
