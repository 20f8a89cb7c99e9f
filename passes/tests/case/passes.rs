//! The passes, as the cases run them.

use std::{collections::BTreeMap, fmt::Write};

use ir::{
    AttentionSchedule, Bytes, ContractSchedule, Form, Graph, Kernel, MapSchedule, Roofline,
    RowsSchedule, Schedule, Simd, Target, Tensor, ValueId, WeightMap, eval,
    tile::{self, Arithmetic},
};
use passes::{KernelFamily, Place, RewriteOptions, Storage};

use super::{
    Made,
    given::{Given, Outputs, shape_of},
};

const ROOFLINE: Roofline = Roofline {
    flops_per_second: 1e11,
    bytes_per_second: 2e10,
    dispatch_seconds: 1e-6,
};

/// The cheapest equal graph, and the repeated layers that were found on the way.
pub fn rewrite(graph: &Graph, given: &Given) -> Made {
    let rewritten = passes::rewrite(graph, &RewriteOptions::new(ROOFLINE)).unwrap();
    let mut text = String::new();
    for layers in &rewritten.layers {
        writeln!(text, "// {} layers of {} nodes", layers.times, layers.nodes).unwrap();
    }
    write!(text, "{}", rewritten.graph).unwrap();
    let bound = rewritten.graph.bind(&given.sizes).unwrap();
    let outputs = eval::evaluate(&bound, &given.inputs, &given.weights).unwrap();
    // Rules are within 1e-6 each, for constants that exporters round; a few of them meet in one value.
    let within = 1e-5;
    Made {
        text,
        outputs,
        within,
    }
}

/// The graph with each sum of products in an op of its own, and its kernels with their families.
pub fn split(graph: &Graph, given: &Given) -> Made {
    let bound = graph.bind(&given.sizes).unwrap();
    let (split, _) = passes::split_products(&bound, &[]).unwrap();
    let groups = passes::group(&split, &[]).unwrap();
    let families = groups.launches.iter().map(|l| {
        let kernel = &groups.kernels[l.kernel];
        let family = passes::family(kernel).unwrap();
        format!("{} {}", kernel.name, family.name())
    });
    let families: Vec<String> = families.collect();
    let choose = |kernel: &Kernel| Ok(schedule(kernel));
    let plan = passes::plan(&split, &[], &target(), &choose).unwrap();
    Made {
        text: format!("{}\n{split}", families.join("\n")),
        outputs: run(&plan, &split, given),
        within: 0.0,
    }
}

/// The graph with narrow values in f16, and the kernels before and after, which must be as many. What rounds is `cast`.
pub fn store(graph: &Graph, given: &Given) -> Made {
    let bound = graph.bind(&given.sizes).unwrap();
    let (stored, _) = passes::store_as(&bound, &[], Storage::F16).unwrap();
    let launches = |graph| {
        let groups = passes::group(graph, &[]).unwrap();
        let names = groups.launches.iter();
        let names: Vec<String> = names
            .map(|l| groups.kernels[l.kernel].name.clone())
            .collect();
        names
    };
    assert_eq!(launches(&bound).len(), launches(&stored).len());
    // Kernels of the stored graph give what its casts say.
    let choose = |kernel: &Kernel| Ok(schedule(kernel));
    let plan = passes::plan(&stored, &[], &target(), &choose).unwrap();
    Made {
        text: format!("{}\n{stored}", launches(&stored).join("\n")),
        outputs: run(&plan, &stored, given),
        within: 0.0,
    }
}

/// The kernels, and their launches in order.
pub fn group(graph: &Graph, given: &Given) -> Made {
    let bound = graph.bind(&given.sizes).unwrap();
    let groups = passes::group(&bound, &[]).unwrap();
    let mut text = String::new();
    for launch in &groups.launches {
        let name = &groups.kernels[launch.kernel].name;
        let operands: Vec<String> = launch.operands.iter().map(ValueId::to_string).collect();
        writeln!(text, "{} = {name}({})", launch.result, operands.join(", ")).unwrap();
    }
    for kernel in &groups.kernels {
        write!(text, "\n{}: {}", kernel.name, kernel.graph).unwrap();
    }
    // Leaves and constants by their meaning; all else by the kernels.
    let mut values = eval::evaluate_values(&bound, &given.inputs, &given.weights).unwrap();
    let wanted: Vec<ValueId> = groups.launches.iter().map(|launch| launch.result).collect();
    for value in &wanted {
        values[value.index()] = None;
    }
    for launch in &groups.launches {
        let kernel = &groups.kernels[launch.kernel];
        let operands = launch
            .operands
            .iter()
            .map(|v| values[v.index()].clone().expect("computed before"));
        values[launch.result.index()] = Some(compute(&kernel.graph, operands));
    }
    let outputs = bound.outputs().iter().map(|output| {
        (
            output.name.clone(),
            values[output.value.index()]
                .clone()
                .expect("a launch computes it"),
        )
    });
    Made {
        text,
        outputs: outputs.collect(),
        within: 0.0,
    }
}

/// The one output of a kernel's graph.
fn compute(graph: &Graph, operands: impl Iterator<Item = Tensor>) -> Tensor {
    let inputs = graph.nodes().iter().filter_map(|node| match &node.op {
        ir::Op::Input(input) => Some(input.name.clone()),
        _ => None,
    });
    let given = inputs.zip(operands).collect();
    let outputs = eval::evaluate(graph, &given, &WeightMap::default()).unwrap();
    outputs
        .into_values()
        .next()
        .expect("a kernel has an output")
}

/// Launches of tile programs over places in memory; computed by running the programs.
pub fn plan(graph: &Graph, given: &Given) -> Made {
    let bound = graph.bind(&given.sizes).unwrap();
    let choose = |kernel: &Kernel| Ok(schedule(kernel));
    let plan = passes::plan(&bound, &[], &target(), &choose).unwrap();
    let mut text = String::new();
    writeln!(text, "arena: {} bytes", plan.arena_bytes).unwrap();
    for step in &plan.steps {
        let kernel = &plan.kernels[step.kernel];
        let args: Vec<String> = step.args.iter().map(|place| format!("{place:?}")).collect();
        writeln!(text, "{}({})", kernel.kernel.name, args.join(", ")).unwrap();
    }
    for (at, constant) in plan.constants.iter().enumerate() {
        write!(text, "\nConstant({at}): {constant}").unwrap();
    }
    Made {
        text,
        outputs: run(&plan, &bound, given),
        within: 0.0,
    }
}

/// The tile program of each kernel, under schedules so small that every loop has whole and ragged rounds.
pub fn lower(graph: &Graph, given: &Given) -> Made {
    let bound = graph.bind(&given.sizes).unwrap();
    let choose = |kernel: &Kernel| Ok(schedule(kernel));
    let plan = passes::plan(&bound, &[], &target(), &choose).unwrap();
    let programs = plan.kernels.iter().map(|k| k.program.to_string());
    Made {
        text: programs.collect::<Vec<_>>().join("\n"),
        outputs: run(&plan, &bound, given),
        within: 0.0,
    }
}

fn run(plan: &passes::Plan, graph: &Graph, given: &Given) -> Outputs {
    let inputs: Vec<Vec<f64>> = plan
        .inputs
        .iter()
        .map(|input| given.inputs[&input.name].values().into_owned())
        .collect();
    let constants: Vec<Vec<f64>> = plan
        .constants
        .iter()
        .map(|graph| {
            let outputs = eval::evaluate(graph, &BTreeMap::new(), &given.weights).unwrap();
            outputs
                .into_values()
                .next()
                .expect("a constant has an output")
                .into_values()
        })
        .collect();
    // What stands in the arena, by its first byte; a write takes away all that it overlaps.
    let mut arena: BTreeMap<usize, (usize, Vec<f64>)> = BTreeMap::new();
    let mut outputs: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for step in &plan.steps {
        let program = &plan.kernels[step.kernel].program;
        let mut params: Vec<Vec<f64>> = Vec::new();
        for (place, array) in step.args.iter().zip(&program.params) {
            let fresh = || vec![f64::NAN; usize::try_from(array.len).unwrap()];
            params.push(match place {
                _ if array.written => fresh(),
                Place::Input(at) => inputs[*at].clone(),
                Place::Constant(at) => constants[*at].clone(),
                Place::Arena(at) => arena[at].1.clone(),
                Place::Output(at) => outputs[at].clone(),
            });
        }
        tile::evaluate(program, &mut params, Arithmetic::Exact).unwrap();
        for ((place, array), values) in step.args.iter().zip(&program.params).zip(params) {
            match place {
                Place::Arena(at) if array.written => {
                    let end = at + array.bytes();
                    arena.retain(|start, (bytes, _)| *start >= end || start + *bytes <= *at);
                    arena.insert(*at, (array.bytes(), values));
                }
                Place::Output(at) if array.written => {
                    outputs.insert(*at, values);
                }
                _ => {}
            }
        }
    }
    let named = graph.outputs().iter().enumerate().map(|(at, output)| {
        let ty = graph.ty(output.value);
        let shape = shape_of(ty);
        let values = outputs.remove(&at).expect("each output is written");
        (
            output.name.clone(),
            Tensor::from_f64(ty.dtype, &shape, values).unwrap(),
        )
    });
    named.collect()
}

fn target() -> Target {
    let simd = Simd {
        triple: "x86_64-unknown-linux-gnu".into(),
        processor: "x86-64-v4".into(),
        requires: vec![],
        vector: Bytes(64),
        registers: 32,
        l1: Bytes(32 << 10),
        l2: Bytes(1 << 20),
    };
    Target {
        name: "test".into(),
        roofline: ROOFLINE,
        form: Form::Simd(simd),
    }
}

/// Small tiles, so that every loop has whole and ragged rounds.
fn schedule(kernel: &Kernel) -> Schedule {
    match passes::family(kernel).unwrap() {
        KernelFamily::Map { .. } | KernelFamily::Fold { .. } | KernelFamily::Scatter { .. } => {
            Schedule::Map(MapSchedule {
                lanes: 16,
                block: 64,
            })
        }
        KernelFamily::Rows { .. } => Schedule::Rows(RowsSchedule {
            lanes: 48,
            block: 3,
        }),
        KernelFamily::Contract { .. } => Schedule::Contract(ContractSchedule {
            rows: 4,
            lanes: 48,
            unroll: 2,
            block_rows: 8,
            block_columns: 96,
            left: ir::Left::InPlace,
        }),
        KernelFamily::Attention { .. } => Schedule::Attention(AttentionSchedule {
            rows: 3,
            lanes: 4,
            unroll: 2,
            block_queries: 6,
        }),
    }
}
