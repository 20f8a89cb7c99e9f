//! Kernels lowered for warpgroups compute what their graphs mean.

#[path = "../lanes/mod.rs"]
mod lanes;

mod device;
mod faults;
mod random;
mod text;

use ir::{Kernel, Schedule, Scores, WarpgroupAttentionSchedule, WarpgroupContractSchedule};
use passes::LowerError;
use text::{attention, batched, fused_heads, linear, matmul};

/// The kernel of a graph of one.
fn kernel(text: &str) -> Kernel {
    let graph = lanes::graphs(text).remove(0);
    let mut all = lanes::kernels(&graph, &[]);
    assert_eq!(all.len(), 1, "{text}");
    all.remove(0)
}

/// Rows, columns and depth of a tile, stages, and columns of tiles that are walked together.
fn contract([block_rows, block_columns, block_depth, stages, group]: [u32; 5]) -> Schedule {
    Schedule::WarpgroupContract(WarpgroupContractSchedule {
        block_rows,
        block_columns,
        block_depth,
        stages,
        group,
    })
}

/// Queries and keys of a tile, what covers depth and columns, stages, and heads that are walked together.
fn attend(
    [block_queries, block_keys, covering, stages, group]: [u32; 5],
    scores: Scores,
) -> Schedule {
    Schedule::WarpgroupAttention(WarpgroupAttentionSchedule {
        block_queries,
        block_keys,
        block_depth: covering,
        block_columns: covering,
        stages,
        scores,
        group,
    })
}

/// Fails unless both programs of a kernel give what its graph means, under each of these schedules.
fn check(text: &str, schedules: &[Schedule]) {
    let (kernel, target) = (kernel(text), device::device());
    for schedule in schedules {
        let counts = lanes::check(&kernel, schedule, &target);
        assert!(counts.is_some(), "{schedule:?} does not fit");
    }
}

/// One warpgroup, two, and four; tiles narrower than a swizzle, as wide and wider; two to four stages.
fn contractions() -> [Schedule; 3] {
    [
        [64, 32, 32, 2, 1],
        [128, 64, 64, 3, 2],
        [256, 128, 64, 4, 3],
    ]
    .map(contract)
}

#[test]
fn products_of_operands_either_way_up() {
    for (ta, tb) in [(false, true), (false, false), (true, true), (true, false)] {
        for dtype in ["f16", "bf16"] {
            check(&matmul(dtype, [200, 144, 136], ta, tb), &contractions());
        }
    }
}

#[test]
fn products_that_tiles_divide() {
    check(
        &matmul("f16", [256, 256, 256], false, true),
        &contractions(),
    );
    check(
        &matmul("bf16", [128, 128, 64], false, false),
        &contractions(),
    );
}

/// One round, and fewer terms than a round adds; the rows of one tile.
#[test]
fn products_smaller_than_a_tile() {
    check(&matmul("f16", [5, 8, 24], false, true), &contractions());
    check(&matmul("f16", [72, 40, 8], true, false), &contractions());
}

#[test]
fn epilogues() {
    for act in ["gelu", "silu"] {
        check(&linear("f16", [130, 72, 96], act), &contractions());
    }
}

#[test]
fn products_of_many_matrices() {
    check(&batched("f16", [3, 2], [70, 48, 40]), &contractions());
    check(&batched("bf16", [2, 1], [64, 64, 128]), &contractions());
}

/// One warpgroup and two; keys of a round fewer than a swizzle has, as many, and more; scores in turn and ahead.
fn attentions(covering: u32) -> [Schedule; 4] {
    [
        attend([64, 32, covering, 2, 1], Scores::InTurn),
        attend([128, 64, covering, 2, 3], Scores::Ahead),
        attend([128, 128, covering, 1, 2], Scores::InTurn),
        attend([64, 32, covering, 3, 2], Scores::Ahead),
    ]
}

#[test]
fn attention_of_heads() {
    check(
        &attention("f16", [2, 2, 2], [150, 150, 64], ""),
        &attentions(64),
    );
    check(
        &attention("bf16", [1, 4, 2], [128, 256, 32], ""),
        &attentions(32),
    );
}

#[test]
fn attention_of_odd_depths() {
    for (depth, covering) in [(80, 128), (96, 128), (24, 32)] {
        let text = attention("f16", [1, 2, 1], [70, 140, depth], "causal");
        check(&text, &attentions(covering));
    }
    check(
        &attention("bf16", [1, 1, 1], [64, 90, 256], ""),
        &[attend([64, 64, 256, 1, 1], Scores::InTurn)],
    );
}

#[test]
fn attention_that_leaves_keys_out() {
    for how in [
        "causal",
        "causal window=9",
        "causal window=100",
        "window=70",
        "softcap",
    ] {
        for keys in [150, 190] {
            let text = attention("f16", [1, 2, 1], [150, keys, 64], how);
            check(&text, &attentions(64));
        }
    }
}

#[test]
fn attention_with_biases() {
    for how in ["causal alibi", "mask", "causal mask softcap", "alibi mask"] {
        check(
            &attention("f16", [2, 2, 1], [100, 130, 64], how),
            &attentions(64),
        );
    }
}

/// More queries than keys: the first see none.
#[test]
fn attention_that_sees_nothing() {
    check(
        &attention("f16", [1, 1, 1], [150, 20, 64], "causal"),
        &attentions(64),
    );
}

/// Heads that lie side by side in the rows of one array.
#[test]
fn attention_within_wider_rows() {
    for depth in [64, 40] {
        check(&fused_heads("f16", [2, 3, 100, depth]), &attentions(64));
    }
}

/// Whether exponentials are computed while products run.
fn overlaps(scores: Scores) -> bool {
    let kernel = kernel(&attention("f16", [1, 1, 1], [128, 256, 64], "causal"));
    let schedule = attend([128, 64, 64, 2, 1], scores);
    let lowered = passes::lower(&kernel, &schedule, &device::device()).unwrap();
    let program = lowered.lane.unwrap().to_string();
    let mut runs = program.split("commit products").skip(1);
    runs.any(|after| {
        after
            .split("wait products")
            .next()
            .unwrap()
            .contains("= exp ")
    })
}

#[test]
fn scores_of_the_next_keys_run_beside_weights() {
    assert!(overlaps(Scores::Ahead));
    assert!(!overlaps(Scores::InTurn));
}

/// Tiles of keys that no query of a block sees are not copied: of four tiles of queries and keys, ten of sixteen.
#[test]
fn keys_that_nobody_sees_are_not_visited() {
    let products = |how: &str| {
        let kernel = kernel(&attention("f16", [1, 1, 1], [256, 256, 64], how));
        let schedule = attend([64, 64, 64, 2, 1], Scores::InTurn);
        let counts = lanes::check(&kernel, &schedule, &device::device()).unwrap();
        counts.products
    };
    assert_eq!(products("causal") * 16, products("") * 10);
}

fn refused(text: &str, schedule: [u32; 5]) -> String {
    let target = device::device();
    match passes::lower(&kernel(text), &contract(schedule), &target) {
        Err(error @ (LowerError::Spread { .. } | LowerError::DoesNotFit { .. })) => {
            error.to_string()
        }
        Err(other) => panic!("{other}"),
        Ok(lowered) => panic!("{}", lowered.program),
    }
}

#[test]
fn what_does_not_fit_is_refused_with_numbers() {
    let odd = matmul("f16", [64, 64, 33], false, true);
    assert_eq!(
        refused(&odd, [64, 64, 64, 2, 1]),
        "kernel `k0_matmul`: warpgroups: array `in0`: wanted elements side by side along one side of a tile and a \
         multiple of 16 bytes apart along the other, found 66 and 2 bytes down rows and along lanes"
    );
    let wide = matmul("f32", [64, 64, 64], false, true);
    assert_eq!(
        refused(&wide, [64, 64, 64, 2, 1]),
        "kernel `k0_matmul`: the target has no matrix instruction for f32"
    );
    let narrow = matmul("f16", [64, 64, 64], false, true);
    assert_eq!(
        refused(&narrow, [64, 64, 8, 2, 1]),
        "kernel `k0_matmul`: a product of 64 rows, 64 columns, depth 8: wanted multiples of 64 rows, 64 columns, \
         depth 16, the sides of m64n64k16_f16"
    );
    assert_eq!(
        refused(&narrow, [128, 256, 64, 5, 1]),
        "kernel `k0_matmul`: its schedule takes 245760 bytes of shared memory, the target has 232448"
    );
    assert_eq!(
        refused(&narrow, [256, 256, 64, 2, 1]),
        "kernel `k0_matmul`: its schedule takes 168 registers of a lane, the target has 120"
    );
}
