//! `eval(lower(kernel, schedule)) == eval(kernel)` for schedules of the spaces of CPUs and of cores of tensors.

#[path = "emulate/graphs.rs"]
#[allow(dead_code, reason = "the emulator's cases use the rest")]
mod graphs;
#[path = "../../passes/tests/lanes/mod.rs"]
#[allow(dead_code, reason = "passes uses the rest")]
mod lanes;

use std::collections::BTreeMap;

use autotune::{first_choice, space};
use ir::{Kernel, Schedule, Target};
use lanes::Reference;
use proptest::{prelude::*, test_runner::Config};

/// Vectors of 8 and of 16 numbers, 16 and 32 registers; a core of tensors.
const DEVICES: [&str; 3] = ["cpu:x86-64-v3", "cpu:znver4", "ascend:910B3"];

/// How often a space is mutated.
const STEPS: u64 = 4;

fn target(name: &str) -> Target {
    backends::resolve(name).unwrap()
}

/// Fails unless the programs give what the kernel means.
fn check(kernel: &Kernel, reference: &Reference, schedule: &Schedule, target: &Target) {
    let place = || format!("{}, `{}`, {schedule:?}", target.name, kernel.name);
    let lowered = passes::lower(kernel, schedule, target);
    let lowered = lowered.unwrap_or_else(|e| panic!("{}: {e}", place()));
    let packed = Reference {
        operands: reference
            .operands
            .iter()
            .zip(&lowered.layouts)
            .map(|(values, layout)| {
                let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_ne_bytes()).collect();
                let bytes = layout.pack_bytes(8, &bytes);
                let numbers = bytes.chunks_exact(8);
                let number = |b: &[u8]| f64::from_ne_bytes(b.try_into().unwrap());
                numbers.map(number).collect()
            })
            .collect(),
        wanted: reference.wanted.clone(),
        tolerance: reference.tolerance,
    };
    let right = packed.tiles(&lanes::tile_programs(&lowered));
    right.unwrap_or_else(|e| panic!("{}: {e}", place()));
}

/// A walk through the space of each kernel of a graph; with and without a right operand that is known beforehand.
fn walk(text: &str, devices: &[&str], seed: u64) -> usize {
    let mut checked = 0;
    for kernel in lanes::kernels(&lanes::graphs(text)[0], &[]) {
        let reference = Reference::of(&kernel);
        for constant in [false, true] {
            let mut kernel = kernel.clone();
            kernel.constant = vec![constant; kernel.constant.len()];
            for name in devices {
                let target = target(name);
                let space = space(&kernel, &target).unwrap();
                let mut schedule = space.sample(seed).clone();
                for step in 0..STEPS {
                    assert!(space.contains(&schedule), "{name}: {schedule:?}");
                    check(&kernel, &reference, &schedule, &target);
                    checked += 1;
                    schedule = space.mutate(&schedule, seed ^ step);
                }
            }
        }
    }
    checked
}

#[test]
fn all_families_compute_what_they_mean_under_any_schedule() {
    let mut checked = BTreeMap::new();
    for (at, case) in graphs::all(false).iter().enumerate() {
        let device = DEVICES[at % DEVICES.len()];
        *checked.entry(case.family).or_insert(0) += walk(&case.text, &[device], at as u64);
    }
    println!("{checked:?}");
    assert_eq!(checked.len(), 8);
}

#[test]
fn first_choices_are_in_their_space() {
    for case in graphs::all(true) {
        for kernel in lanes::kernels(&lanes::graphs(&case.text)[0], &[]) {
            for name in DEVICES {
                let target = target(name);
                let first = first_choice(&kernel, &target).unwrap();
                let space = space(&kernel, &target).unwrap();
                assert!(space.contains(&first), "{name}, {}: {first:?}", case.text);
            }
        }
    }
}

#[test]
fn spaces_of_large_contractions_are_large_but_can_be_walked() {
    for sides in [[128, 768, 3072], [1, 11008, 4096], [16, 13696, 4096]] {
        let text = graphs::product("f32", sides);
        let mut kernel = lanes::kernels(&lanes::graphs(&text)[0], &[]).remove(0);
        kernel.constant[1] = true;
        for name in &DEVICES[..2] {
            let all = space(&kernel, &target(name)).unwrap();
            println!("{sides:?} on {name}: {} schedules", all.len());
            assert!(
                (20..20_000).contains(&all.len()),
                "{sides:?} on {name}: {}",
                all.len()
            );
        }
    }
}

#[test]
fn schedules_of_before_there_were_copies_are_read() {
    let old = r#"{"contract":{"rows":9,"lanes":48,"unroll":4,"block_rows":72,"block_columns":48}}"#;
    let Schedule::Contract(s) = serde_json::from_str(old).unwrap() else {
        panic!("{old}")
    };
    assert_eq!((s.rows, s.left), (9, ir::Left::InPlace));
}

fn input(name: &str, ty: &str) -> String {
    format!(
        "  %{name} = input {{name = \"{name}\", ty = {ty}, absent = required, below = 0}} : {ty}\n"
    )
}

proptest! {
    #![proptest_config(Config { cases: 32, failure_persistence: None, ..Config::default() })]

    #[test]
    fn contractions(
        (m, n, k) in (1i64..70, 1i64..90, 1i64..70),
        (narrow, ta, tb) in any::<(bool, bool, bool)>(),
        (seed, device) in (any::<u64>(), 0usize..2),
    ) {
        prop_assume!(m > 1 && n > 1 && k > 1);
        let dtype = if narrow { "f16" } else { "f32" };
        let x = if ta { format!("{dtype}[{k},{m}]") } else { format!("{dtype}[{m},{k}]") };
        let w = if tb { format!("{dtype}[{n},{k}]") } else { format!("{dtype}[{k},{n}]") };
        let text = format!(
            "graph \"g\" {{\n{}{}  %y = matmul(%x,%w) {{ta = {ta}, tb = {tb}}} : {dtype}[{m},{n}]\n  return y = %y\n}}\n",
            input("x", &x),
            input("w", &w),
        );
        walk(&text, &DEVICES[device..=device], seed);
    }

    #[test]
    fn attentions(
        (heads, groups) in (1i64..3, 1i64..3),
        // A query that sees no key has no answer.
        (queries, more, depth, wide) in (1i64..40, 0i64..30, 1i64..40, 1i64..40),
        causal in any::<bool>(),
        (seed, device) in (any::<u64>(), 0usize..2),
    ) {
        let keys = queries + more;
        let text = format!(
            "graph \"g\" {{\n{}{}{}  %y = attention(%q,%k,%v) {{alibi = false, causal = {causal}, mask = false, scale = 0.25, softcap = 0.0, window = 0}} : f32[1,{},{queries},{wide}]\n  return y = %y\n}}\n",
            input("q", &format!("f32[1,{},{queries},{depth}]", heads * groups)),
            input("k", &format!("f32[1,{heads},{keys},{depth}]")),
            input("v", &format!("f32[1,{heads},{keys},{wide}]")),
            heads * groups,
        );
        walk(&text, &DEVICES[device..=device], seed);
    }
}
