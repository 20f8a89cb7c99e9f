//! Kernels lowered for devices of many lanes compute what their graphs mean, lane by lane.

mod lanes;
#[path = "lanes/schedules.rs"]
mod schedules;
mod support;

use ir::{Kernel, Schedule, SimtAttentionSchedule, SimtContractSchedule};
use lanes::{bind, check, graphs, kernels, targets};
use passes::LowerError;
use support::{Encoder, encoder, options};

/// Every kernel of every graph at these sizes, by every schedule, on every target.
fn check_all(text: &str, sizes: &[&[i64]]) {
    let (mut cases, mut skipped) = (0, 0);
    for graph in graphs(text) {
        for sizes in sizes {
            for kernel in kernels(&graph, sizes) {
                for target in targets::all() {
                    let all = schedules::of(&kernel, &target);
                    let fit = all.iter().filter_map(|s| check(&kernel, s, &target));
                    let fit = fit.count();
                    assert!(
                        fit > 0,
                        "{}: no schedule of `{}` fits",
                        target.name,
                        kernel.name
                    );
                    cases += fit;
                    skipped += all.len() - fit;
                }
            }
        }
    }
    println!("{cases} cases; {skipped} schedules do not fit");
}

#[test]
fn maps() {
    check_all(include_str!("lanes/map.graph"), &[&[3, 77], &[1, 1]]);
}

#[test]
fn rows() {
    check_all(include_str!("lanes/rows.graph"), &[&[3, 77], &[1, 5]]);
}

#[test]
fn folds() {
    check_all(include_str!("lanes/fold.graph"), &[&[3, 77], &[1, 2]]);
}

#[test]
fn primitives_and_whole_numbers() {
    check_all(include_str!("lanes/primitive.graph"), &[&[3, 77], &[1, 2]]);
}

#[test]
fn contractions() {
    check_all(include_str!("lanes/contract.graph"), &[&[3, 17], &[1, 1]]);
}

#[test]
fn attentions() {
    check_all(include_str!("lanes/attention.graph"), &[&[1, 37], &[2, 1]]);
}

#[test]
fn layers() {
    check_all(include_str!("lanes/layers.graph"), &[&[2, 7]]);
}

/// The kernels of whole graphs as rewriting leaves them.
#[test]
fn rewritten() {
    let sizes = Encoder {
        layers: 1,
        width: 24,
        heads: 3,
        inner: 40,
    };
    let mut graphs = graphs(include_str!("lanes/layers.graph"));
    graphs.push(encoder(&sizes));
    let mut cases = 0;
    for graph in graphs {
        let bound = bind(&graph, &[2, 5]);
        let rewritten = passes::rewrite(&bound, &options()).unwrap();
        for kernel in passes::group(&rewritten.graph, &[]).unwrap().kernels {
            for target in targets::all() {
                let all = schedules::of(&kernel, &target);
                cases += all
                    .iter()
                    .filter_map(|s| check(&kernel, s, &target))
                    .count();
            }
        }
    }
    println!("{cases} cases");
    assert!(cases > 0);
}

/// The only kernel of the graph of this name, at these sizes.
fn kernel(text: &str, name: &str, sizes: &[i64]) -> Kernel {
    let graph = graphs(text).into_iter().find(|g| g.name() == name).unwrap();
    kernels(&graph, sizes).remove(0)
}

fn contract(sides: [u32; 3], stages: u32, instr: u32) -> Schedule {
    Schedule::SimtContract(SimtContractSchedule {
        block_rows: sides[0],
        block_columns: sides[1],
        block_depth: sides[2],
        warp_rows: 2,
        warp_columns: 2,
        stages,
        instr,
        skew: ir::Skew::Pad,
        splits: 1,
    })
}

#[test]
fn lanes_read_different_banks_and_whole_accesses() {
    let text = include_str!("lanes/contract.graph");
    let target = targets::all().remove(0);
    // Weights by columns, and by rows.
    for name in ["linear", "linear_whole"] {
        let kernel = kernel(text, name, &[1, 64]);
        for stages in [1, 3] {
            let counts = check(&kernel, &contract([64, 32, 32], stages, 0), &target).unwrap();
            assert_eq!(counts.bank_conflicts, 0, "{name}");
        }
    }
}

#[test]
fn operands_are_copied_ahead_and_read_as_matrices() {
    let text = include_str!("lanes/contract.graph");
    let target = targets::all().remove(0);
    // Weights by rows, in a loop; and by columns, in one round.
    for (name, words) in [
        ("narrow", vec!["copy", "load_matrix"]),
        ("narrow_turned", vec!["load_matrix", "transposed"]),
    ] {
        let kernel = kernel(text, name, &[1, 64]);
        let lowered = passes::lower(&kernel, &contract([64, 16, 32], 3, 1), &target).unwrap();
        let program = lowered.lane.unwrap().to_string();
        for word in words {
            assert!(program.contains(word), "{name}: no {word} in\n{program}");
        }
    }
}

#[test]
fn weights_of_attention_stay_in_registers() {
    let kernel = kernel(include_str!("lanes/attention.graph"), "narrow", &[1, 64]);
    let schedule = Schedule::SimtAttention(SimtAttentionSchedule {
        block_queries: 64,
        block_keys: 32,
        block_depth: 32,
        block_columns: 32,
        warp_rows: 4,
        warp_columns: 1,
        stages: 2,
        instr: 1,
        skew: ir::Skew::Pad,
        rows: ir::AttentionRows::Queries,
        splits: 1,
    });
    let target = targets::all().remove(0);
    let lowered = passes::lower(&kernel, &schedule, &target).unwrap();
    // Queries, keys and values.
    assert_eq!(lowered.lane.unwrap().shared.len(), 3);
}

#[test]
fn what_does_not_fit_is_refused_with_numbers() {
    let kernel = kernel(include_str!("lanes/contract.graph"), "linear", &[1, 64]);
    let target = targets::all().remove(0);
    let refused = |schedule| passes::lower(&kernel, &schedule, &target).unwrap_err();
    let large = refused(contract([256, 256, 128], 1, 0));
    assert_eq!(
        large.to_string(),
        "kernel `k0_linear`: its schedule takes 512 registers of a lane, the target has 255"
    );
    let deep = refused(contract([64, 64, 256], 1, 0));
    assert!(
        matches!(
            deep,
            LowerError::DoesNotFit {
                found: 131_072,
                limit: 65_536,
                ..
            }
        ),
        "{deep}"
    );
    let small = refused(contract([16, 32, 32], 1, 0));
    assert!(matches!(small, LowerError::Spread { .. }), "{small}");
}
