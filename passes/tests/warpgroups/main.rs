//! Kernels lowered for warpgroups compute what their graphs mean.

#[path = "../lanes/mod.rs"]
mod lanes;

mod device;

use ir::{Kernel, Schedule, WarpgroupContractSchedule, WarpgroupAttentionSchedule};

fn kernels(text: &str) -> Vec<Kernel> {
    let graph = lanes::graphs(text).remove(0);
    lanes::kernels(&graph, &[])
}

fn input(name: &str, ty: &str) -> String {
    format!(
        "  %{name} = input {{name = \"{name}\", ty = {ty}, absent = required, below = 0}} : {ty}\n"
    )
}

fn matmul(dtype: &str, [m, n, k]: [i64; 3], ta: bool, tb: bool) -> String {
    let x = if ta { format!("{dtype}[{k},{m}]") } else { format!("{dtype}[{m},{k}]") };
    let w = if tb { format!("{dtype}[{n},{k}]") } else { format!("{dtype}[{k},{n}]") };
    format!(
        "graph \"g\" {{\n{}{}  %y = matmul(%x,%w) {{ta = {ta}, tb = {tb}}} : {dtype}[{m},{n}]\n  return y = %y\n}}\n",
        input("x", &x),
        input("w", &w),
    )
}

fn contract(block_rows: u32, block_columns: u32, block_depth: u32, stages: u32, group: u32) -> Schedule {
    Schedule::WarpgroupContract(WarpgroupContractSchedule { block_rows, block_columns, block_depth, stages, group })
}

fn show(text: &str, s: &Schedule) {
    let target = device::device();
    for kernel in kernels(text) {
        let lowered = passes::lower(&kernel, s, &target).unwrap_or_else(|e| panic!("{e}"));
        let lane = lowered.lane.unwrap();
        println!("{}\n{lane}", lowered.program);
        ir::lane::verify(&lane).unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn shows() {
    show(&matmul("f16", [200, 80, 136], false, true), &contract(128, 64, 64, 3, 8));
    show(&matmul("f16", [200, 80, 136], true, false), &contract(64, 32, 32, 3, 8));
    let q = "f16[2,4,150,80]"; let k = "f16[2,2,150,80]";
    let t = format!("graph \"g\" {{\n{}{}{}  %y = attention(%q,%k,%v) {{alibi = false, causal = true, mask = false, scale = 0.25, softcap = 0.0, window = 0}} : {q}\n  return y = %y\n}}\n",
        input("q", q), input("k", k), input("v", k));
    show(&t, &Schedule::WarpgroupAttention(WarpgroupAttentionSchedule { block_queries: 128, block_keys: 64, block_depth: 128, block_columns: 128, stages: 2, group: 3 }));
}
