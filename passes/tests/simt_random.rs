//! Kernels of random sizes, by random schedules, lane by lane.

mod lanes;

use ir::{
    Schedule, SimtAttentionSchedule, SimtContractSchedule, SimtMapSchedule, SimtRowsSchedule,
};
use lanes::{check, graphs, kernels, targets};
use proptest::{prelude::*, test_runner::Config};

/// Small powers of two.
fn power(bits: std::ops::Range<u32>) -> impl Strategy<Value = u32> {
    bits.prop_map(|b| 1 << b)
}

fn input(name: &str, ty: &str) -> String {
    format!(
        "  %{name} = input {{name = \"{name}\", ty = {ty}, absent = required, below = 0}} : {ty}\n"
    )
}

fn run(text: &str, target: usize, schedule: &Schedule) {
    let graph = graphs(text).remove(0);
    let all = targets::all();
    let target = &all[target % all.len()];
    for kernel in kernels(&graph, &[]) {
        check(&kernel, schedule, target);
    }
}

/// Sides that every instruction of a target divides, as operands of each type take another.
fn sides(target: usize) -> (u32, u32, u32) {
    let all = targets::all();
    let matrix = &all[target % all.len()].simt().unwrap().matrix;
    let each = matrix.iter().map(ir::lane::MatrixInstr::sides);
    each.fold((1, 1, 1), |(a, b, c), (m, n, k)| {
        (a.max(m), b.max(n), c.max(k))
    })
}

proptest! {
    #![proptest_config(Config { cases: 40, failure_persistence: None, ..Config::default() })]

    #[test]
    fn contractions(
        (m, n, k) in (1i64..70, 1i64..70, 1i64..70),
        (narrow, ta, tb) in any::<(bool, bool, bool)>(),
        (rows, columns, depth) in (power(0..2), power(0..2), power(0..3)),
        (warp_rows, warp_columns) in (power(0..3), power(0..2)),
        (stages, instr, target) in (1u32..4, 0u32..3, 0usize..4),
    ) {
        let dtype = if narrow { "f16" } else { "f32" };
        let x = if ta { format!("{dtype}[{k},{m}]") } else { format!("{dtype}[{m},{k}]") };
        let w = if tb { format!("{dtype}[{n},{k}]") } else { format!("{dtype}[{k},{n}]") };
        let text = format!(
            "graph \"g\" {{\n{}{}  %y = matmul(%x,%w) {{ta = {ta}, tb = {tb}}} : {dtype}[{m},{n}]\n  return y = %y\n}}\n",
            input("x", &x),
            input("w", &w),
        );
        // Without a row of its own to run over, a product is a fold.
        prop_assume!(m > 1 && n > 1 && k > 1);
        let (a, b, c) = sides(target);
        run(&text, target, &Schedule::SimtContract(SimtContractSchedule {
            block_rows: a * rows,
            block_columns: b * columns,
            block_depth: c * depth,
            warp_rows,
            warp_columns,
            stages,
            instr, skew: ir::Skew::Pad, splits: 1,}));
    }

    #[test]
    fn attentions(
        (heads, groups) in (1i64..3, 1i64..3),
        (queries, keys, depth, wide) in (1i64..40, 1i64..70, 1i64..40, 1i64..40),
        (narrow, causal, capped) in any::<(bool, bool, bool)>(),
        window in prop_oneof![Just(0i64), 1i64..20],
        (rows, tile, part) in (power(0..2), power(0..2), power(0..2)),
        (warp_rows, warp_columns) in (power(0..3), power(0..2)),
        (stages, instr, target) in (1u32..4, 0u32..3, 0usize..4),
    ) {
        let dtype = if narrow { "f16" } else { "f32" };
        let q = format!("{dtype}[1,{},{queries},{depth}]", heads * groups);
        let k = format!("{dtype}[1,{heads},{keys},{depth}]");
        let v = format!("{dtype}[1,{heads},{keys},{wide}]");
        let y = format!("{dtype}[1,{},{queries},{wide}]", heads * groups);
        let cap = if capped { "1.5" } else { "0.0" };
        let text = format!(
            "graph \"g\" {{\n{}{}{}  %y = attention(%q,%k,%v) {{alibi = false, causal = {causal}, mask = false, scale = 0.25, softcap = {cap}, window = {window}}} : {y}\n  return y = %y\n}}\n",
            input("q", &q),
            input("k", &k),
            input("v", &v),
        );
        let (a, b, c) = sides(target);
        run(&text, target, &Schedule::SimtAttention(SimtAttentionSchedule {
            block_queries: a * rows,
            block_keys: b.max(c) * tile,
            block_depth: c.max(16) * part,
            block_columns: b * part,
            warp_rows,
            warp_columns,
            stages,
            instr, skew: ir::Skew::Pad, rows: ir::AttentionRows::Queries, splits: 1,}));
    }

    #[test]
    fn rows_and_maps(
        (rows, columns) in (1i64..40, 2i64..300),
        (block_rows, block_columns, warps) in (power(0..5), power(0..10), power(0..4)),
        (op, target) in (0usize..3, 0usize..4),
    ) {
        let (line, ty) = [
            ("softmax(%x) {axis = 1}", format!("f32[{rows},{columns}]")),
            ("exp(%x)", format!("f32[{rows},{columns}]")),
            ("max(%x) {axes = (0), keep = false}", format!("f32[{columns}]")),
        ][op].clone();
        let x = input("x", &format!("f32[{rows},{columns}]"));
        let text = format!("graph \"g\" {{\n{x}  %y = {line} : {ty}\n  return y = %y\n}}\n");
        let schedule = if op == 0 {
            Schedule::SimtRows(SimtRowsSchedule { block_rows, block_columns, warps })
        } else {
            Schedule::SimtMap(SimtMapSchedule { block_rows, block_columns, warps })
        };
        run(&text, target, &schedule);
    }
}
