//! Kernels of models, compiled for every device of many lanes that there is a target for.

use std::{collections::BTreeMap, path::Path};

use backends::{cpu::Workers, simt};
use ir::{
    DType, Graph, Kernel, Op, Schedule, SimtAttentionSchedule, SimtContractSchedule,
    SimtMapSchedule, SimtRowsSchedule, Target, lane,
};
use passes::{KernelFamily, LowerError};

fn devices() -> Vec<Target> {
    let mut all = tilewright::targets();
    all.retain(|t| t.simt().is_some());
    all
}

/// The element type of what a kernel multiplies.
fn operands(kernel: &Kernel) -> DType {
    let inputs = kernel.graph.nodes().iter();
    let floats = inputs.filter(|n| matches!(n.op, Op::Input(_)) && n.ty.dtype.is_float());
    floats.map(|n| n.ty.dtype).next().unwrap_or(DType::F32)
}

/// Schedules as one would choose them for large sizes and for small ones.
fn schedules(kernel: &Kernel, target: &Target) -> Vec<Schedule> {
    let device = target.simt().unwrap();
    let dtype = operands(kernel);
    let own = |m: &lane::MatrixInstr| m.operands == dtype;
    let instr = device.matrix.iter().position(own).unwrap_or(0);
    let sides = device.matrix.iter().map(|m| m.sides());
    let (m, n, k) = sides.fold((1, 1, 1), |(a, b, c), (m, n, k)| {
        (a.max(m), b.max(n), c.max(k))
    });
    let instr = instr as u32;
    let power = |size: i64| (size.max(1) as u64).next_power_of_two() as u32;
    match passes::family(kernel).unwrap() {
        KernelFamily::Map { .. } | KernelFamily::Fold { .. } => [(1, 1024, 4), (16, 32, 2)]
            .map(|(block_rows, block_columns, warps)| {
                Schedule::SimtMap(SimtMapSchedule {
                    block_rows,
                    block_columns,
                    warps,
                })
            })
            .into(),
        KernelFamily::Rows { columns, .. } => [(1, power(columns).min(1024), 4), (4, 64, 1)]
            .map(|(block_rows, block_columns, warps)| {
                Schedule::SimtRows(SimtRowsSchedule {
                    block_rows,
                    block_columns,
                    warps,
                })
            })
            .into(),
        KernelFamily::Contract { .. } => {
            [(64.max(2 * m), 64.max(2 * n), 32, 2, 2), (m, n, k, 1, 1)]
                .map(
                    |(block_rows, block_columns, block_depth, warp_rows, stages)| {
                        Schedule::SimtContract(SimtContractSchedule {
                            block_rows,
                            block_columns,
                            block_depth,
                            warp_rows,
                            warp_columns: warp_rows,
                            stages,
                            instr,
                        })
                    },
                )
                .into()
        }
        KernelFamily::Attention { depth, columns, .. } => {
            let (depth, columns) = (power(depth).max(k).max(8), power(columns).max(n));
            vec![Schedule::SimtAttention(SimtAttentionSchedule {
                block_queries: 2 * m,
                block_keys: n.max(k).max(32),
                block_depth: depth,
                block_columns: columns,
                warp_rows: 2,
                warp_columns: 1,
                stages: 2,
                instr,
            })]
        }
    }
}

/// Compiles each kernel of a bound graph by each schedule; prints what it takes.
fn compile(what: &str, graph: &Graph) {
    let kernels = passes::group(graph, &[]).unwrap().kernels;
    for target in devices() {
        let mut programs = Vec::new();
        for (i, kernel) in kernels.iter().enumerate() {
            let mut fit = 0;
            for schedule in schedules(kernel, &target) {
                let lowered = match passes::lower(kernel, &schedule, &target) {
                    Err(LowerError::DoesNotFit { .. }) => continue,
                    other => other.unwrap_or_else(|e| panic!("{what} {}: {e}", target.name)),
                };
                let mut program = lowered.lane.expect("the target has lanes");
                program.name = format!("k{i}_{fit}_{}", program.name);
                programs.push(program);
                fit += 1;
            }
            assert!(
                fit > 0,
                "{what} {}: no schedule of {} fits",
                target.name,
                kernel.name
            );
        }
        let all = simt::compile(&programs, &target, &Workers::InProcess).unwrap();
        let mut spilled = Vec::new();
        let mut widest = 0;
        for (program, code) in programs.iter().zip(all) {
            let code = code.unwrap_or_else(|e| {
                panic!("{what} {} {}: {e}\n{program}", target.name, program.name)
            });
            let Some(resources) = code.resources else {
                continue;
            };
            widest = widest.max(resources.registers);
            if resources.spills > 0 || resources.scratch.0 > 0 {
                spilled.push(format!("{}: {resources:?}", program.name));
            }
        }
        println!(
            "{what} for {}: {} programs, at most {widest} registers, {} spill",
            target.name,
            programs.len(),
            spilled.len()
        );
        for line in spilled {
            println!("  {line}");
        }
    }
}

fn model(name: &str, seq: i64) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/models")
        .join(name);
    let graph = tilewright::import::graph_only(&folder).unwrap();
    let sizes: BTreeMap<_, _> = graph
        .symbols()
        .iter()
        .map(|(symbol, _)| {
            (
                symbol.clone(),
                if symbol.to_string() == "seq" { seq } else { 2 },
            )
        })
        .collect();
    let bound = graph.bind(&sizes).unwrap();
    let options = passes::RewriteOptions::new(devices()[0].roofline);
    let rewritten = passes::rewrite(&bound, &options).unwrap();
    compile(name, &rewritten.graph);
}

#[test]
fn an_encoder() {
    model("bert", 17);
}

#[test]
fn a_decoder() {
    model("llama", 17);
}

/// Half precision, masks, odd sizes: the graphs by which lowering is tested.
#[test]
fn graphs_of_the_lowering() {
    let all = [
        include_str!("../../passes/tests/lanes/attention.graph"),
        include_str!("../../passes/tests/lanes/contract.graph"),
        include_str!("../../passes/tests/lanes/fold.graph"),
        include_str!("../../passes/tests/lanes/map.graph"),
        include_str!("../../passes/tests/lanes/rows.graph"),
    ];
    for text in all.iter().flat_map(|text| text.split("\n----\n")) {
        let graph = ir::text::parse(text).unwrap();
        let sizes = graph
            .symbols()
            .iter()
            .map(|(symbol, _)| (symbol.clone(), 3))
            .collect();
        compile(graph.name(), &graph.bind(&sizes).unwrap());
    }
}
