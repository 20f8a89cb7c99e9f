//! Kernels of random sizes, by random schedules for warpgroups.

use ir::Scores;
use proptest::{prelude::*, test_runner::Config};

use super::{attend, check, contract};
use crate::text::{attention, matmul};

/// Sizes of which a row is a multiple of 16 bytes.
fn eights(most: i64) -> impl Strategy<Value = i64> {
    (1..=most / 8).prop_map(|n| 8 * n)
}

proptest! {
    #![proptest_config(Config { cases: 24, failure_persistence: None, ..Config::default() })]

    #[test]
    fn contractions(
        (m, n, k) in (eights(300), eights(200), eights(200)),
        (brain, ta, tb) in any::<(bool, bool, bool)>(),
        (rows, columns, depth) in (0u32..3, 0u32..4, 0u32..3),
        (stages, group) in (1u32..5, 1u32..4),
    ) {
        let dtype = if brain { "bf16" } else { "f16" };
        // Sums of one term, and products of one row, are other kernels.
        prop_assume!(m > 1 && n > 1 && k > 1);
        let schedule = contract([64 << rows, 16 << columns, 16 << depth, stages, group]);
        check(&matmul(dtype, [m, n, k], ta, tb), &[schedule]);
    }

    #[test]
    fn attentions(
        (heads, groups) in (1i64..3, 1i64..3),
        (queries, keys, depth) in (2i64..200, 2i64..200, eights(64)),
        (brain, ahead) in any::<(bool, bool)>(),
        how in prop_oneof![
            Just("".to_string()),
            Just("causal".to_string()),
            Just("causal softcap alibi".to_string()),
            (1i64..150).prop_map(|w| format!("causal window={w}")),
            (1i64..150).prop_map(|w| format!("window={w}")),
        ],
        (rows, tile) in (0u32..2, 0u32..4),
        (stages, group) in (1u32..4, 1u32..4),
    ) {
        let dtype = if brain { "bf16" } else { "f16" };
        let scores = if ahead { Scores::Ahead } else { Scores::InTurn };
        let text = attention(dtype, [1, heads, groups], [queries, keys, depth], &how);
        check(&text, &[attend([64 << rows, 16 << tile, 64, stages, group], scores)]);
    }
}
