//! Kernels of models, compiled for every device of many lanes that there is a target for.

#[path = "../../passes/tests/lanes/mod.rs"]
#[allow(dead_code, reason = "passes uses the rest")]
mod lanes;

mod hopper;

use std::{collections::BTreeMap, path::Path};

use backends::{cpu::Workers, simt};
use ir::{Graph, Target};

fn devices() -> Vec<Target> {
    let mut all = tilewright::targets();
    all.retain(backends::simt::takes);
    all
}

/// Compiles each kernel of a bound graph by its first schedule; none may spill.
fn compile(what: &str, graph: &Graph, targets: &[Target], meaning: bool) {
    let kernels = passes::group(graph, &[]).unwrap().kernels;
    for target in targets {
        let mut programs = Vec::new();
        for (i, kernel) in kernels.iter().enumerate() {
            let schedule = autotune::first_choice(kernel, target).unwrap();
            let lowered = passes::lower(kernel, &schedule, target);
            let lowered = lowered.unwrap_or_else(|e| panic!("{what} {}: {e}", target.name));
            if meaning {
                lanes::check(kernel, &schedule, target);
            }
            for program in lanes::lane_programs(&lowered) {
                let mut program = program.clone();
                program.name = format!("k{i}_{}", program.name);
                programs.push(program);
            }
        }
        let all = simt::compile(&programs, target, &Workers::InProcess).unwrap();
        let mut widest = 0;
        for (program, code) in programs.iter().zip(all) {
            let code = code.unwrap_or_else(|e| panic!("{what} {}: {e}\n{program}", target.name));
            let Some(resources) = code.resources else {
                println!(
                    "skipped: no assembler; {} has {}",
                    target.name, program.name
                );
                continue;
            };
            widest = widest.max(resources.registers);
            assert_eq!(
                code.remarks,
                Vec::<String>::new(),
                "{what} {}\n{program}",
                target.name
            );
            assert_eq!(
                (resources.spills, resources.scratch.0),
                (0, 0),
                "{what} {}\n{program}",
                target.name
            );
        }
        let count = programs.len();
        println!(
            "{what} for {}: {count} kernels, at most {widest} registers",
            target.name
        );
    }
}

fn model(name: &str, seq: i64) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/models")
        .join(name);
    let graph = tilewright::import::graph_only(&folder).unwrap();
    let sizes: BTreeMap<_, _> = graph
        .symbols()
        .keys()
        .map(|symbol| {
            (
                symbol.clone(),
                if symbol.to_string() == "seq" { seq } else { 2 },
            )
        })
        .collect();
    let bound = graph.bind(&sizes).unwrap();
    let options = passes::RewriteOptions::new(devices()[0].roofline);
    let rewritten = passes::rewrite(&bound, &options).unwrap();
    compile(name, &rewritten.graph, &devices(), true);
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
    let some = ["cuda:sm_90a", "rocm:gfx906", "rocm:gfx942", "rocm:gfx1100"];
    let some = some.map(|name| tilewright::target(name).unwrap());
    for text in all.iter().flat_map(|text| text.split("\n----\n")) {
        let graph = ir::text::parse(text).unwrap();
        let sizes = graph
            .symbols()
            .keys()
            .map(|symbol| (symbol.clone(), 3))
            .collect();
        compile(graph.name(), &graph.bind(&sizes).unwrap(), &some, true);
    }
}
