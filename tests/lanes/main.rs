//! Stored models, lane by lane in the emulator, against what `transformers` computes: every folder of `tests/models`.

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use ir::ops::{Absent, Input};
use ir::{
    Bytes, DType, Form, Graph, Roofline, Simt, Target, Tensor, eval,
    lane::{Emulation, Layout, MatrixInstr, Spelling, Step, emulate},
};
use passes::{Place, Plan, RewriteOptions};
use support::{Case, check_stored_models};
use tilewright::import::{Model, Weights};

/// Largest relative error: sums of at most 1536 products in f32, each rounded to 2^-24, in a dozen layers.
const BOUND: f64 = 2e-5;

const ROOFLINE: Roofline = Roofline {
    flops_per_second: 1e13,
    bytes_per_second: 1e12,
    dispatch_seconds: 5e-6,
};

/// An outer product of 4 x 4 registers a lane, 32 lanes in a grid of 8 x 4.
fn outer() -> MatrixInstr {
    let rows = |by: [u32; 2]| by.map(Step::rows).to_vec();
    let columns = |by: [u32; 2]| by.map(Step::columns).to_vec();
    let down = [4, 8, 16].map(Step::rows).to_vec();
    let layout = |register, lane: [Vec<Step>; 2]| Layout {
        register,
        lane: lane.concat(),
        warp: vec![],
    };
    MatrixInstr {
        name: "outer".into(),
        operands: DType::F32,
        accumulator: DType::F32,
        a: layout(rows([1, 2]), [vec![Step::NONE; 2], down.clone()]),
        b: layout(columns([1, 2]), [columns([4, 8]), vec![Step::NONE; 3]]),
        c: layout(
            [columns([1, 2]), rows([1, 2])].concat(),
            [columns([4, 8]), down],
        ),
        spelling: Spelling::Outer,
    }
}

/// A device of 32 lanes, with everything or with little.
fn target(rich: bool) -> Target {
    Target {
        name: "test".into(),
        roofline: ROOFLINE,
        form: Form::Simt(Simt {
            arch: "test".into(),
            lanes: 32,
            threads: 1024,
            shared: Bytes(48 << 10),
            registers: 255,
            units: 8,
            access: Bytes(16),
            shuffle: rich,
            asynchronous: rich,
            load_matrix: rich,
            matrix: vec![outer()],
            warpgroup: vec![],
        }),
    }
}

fn constant(graph: &Graph, weights: &Weights) -> Vec<f64> {
    let folded = eval::fold(graph, weights).unwrap_or_else(|e| panic!("{e}"));
    folded.into_values()
}

/// What is given for an input, or what stands for it.
fn input(input: &Input, case: &Case) -> Vec<f64> {
    let shape = input.ty.known_shape().expect("the graph is bound");
    let len = shape.iter().product::<i64>();
    let last = shape.last().copied().unwrap_or(1);
    let fill = |f: fn(i64, i64) -> i64| (0..len).map(|i| f(i, last) as f64).collect();
    match (case.inputs.get(&input.name), input.absent) {
        (Some(given), _) => given.values.clone(),
        (None, Absent::Required) => panic!("{} is missing", input.name),
        (None, Absent::Zeros | Absent::State | Absent::Size) => fill(|_, _| 0),
        (None, Absent::Ones) => fill(|_, _| 1),
        (None, Absent::Positions) => fill(|i, last| i % last),
    }
}

/// Runs a plan's launches one after the other; outputs by name, and the operations that lanes did.
fn launch(
    plan: &Plan,
    graph: &Graph,
    weights: &Weights,
    case: &Case,
) -> (BTreeMap<String, Tensor>, u64) {
    let mut flops = 0;
    let constants: Vec<_> = plan
        .constants
        .iter()
        .map(|g| constant(g, weights))
        .collect();
    let mut made: BTreeMap<Place, Vec<f64>> = BTreeMap::new();
    for step in &plan.steps {
        let program = plan.kernels[step.kernel]
            .lane
            .as_ref()
            .expect("the target has lanes");
        let given = step.args.iter().zip(&program.params);
        let mut params: Vec<Vec<f64>> = given
            .map(|(place, array)| match place {
                _ if array.written => vec![f64::NAN; array.len as usize],
                Place::Input(at) => input(&plan.inputs[*at], case),
                Place::Constant(at) => constants[*at].clone(),
                place => made[place].clone(),
            })
            .collect();
        let counts = emulate(program, &mut params, &Emulation::default());
        flops += counts.unwrap_or_else(|e| panic!("{e}")).flops.0;
        let results = step.args.iter().zip(&program.params).zip(params);
        made.extend(
            results
                .filter(|((_, a), _)| a.written)
                .map(|((place, _), v)| (*place, v)),
        );
    }
    let outputs = graph.outputs().iter().enumerate();
    let tensor = outputs.map(|(at, output)| {
        let ty = graph.ty(output.value);
        let shape = ty.known_shape().expect("the graph is bound");
        let values = made[&Place::Output(at)].clone();
        (
            output.name.clone(),
            Tensor::from_f64(ty.dtype, &shape, values).unwrap(),
        )
    });
    (tensor.collect(), flops)
}

fn run(model: &Model, case: &Case, target: &Target) -> BTreeMap<String, Tensor> {
    let bound = model.graph.bind(&case.sizes(&model.graph));
    let bound = bound.unwrap_or_else(|e| panic!("{e}"));
    let rewritten = passes::rewrite(&bound, &RewriteOptions::new(ROOFLINE)).unwrap();
    let choose = |k: &ir::Kernel| autotune::first_choice(k, target);
    let plan = passes::plan(&rewritten.graph, &rewritten.rules, target, &choose);
    let plan = plan.unwrap_or_else(|e| panic!("{e}"));
    launch(&plan, &rewritten.graph, &model.weights, case).0
}

/// A mixture of experts does the work of those that tokens choose: of two in eight, here.
#[test]
fn only_chosen_experts_work() {
    let graph = ir::text::parse(include_str!("../support/experts.graph")).unwrap();
    let (case, share) = support::mixture(&graph);
    let target = target(true);
    let rewritten = passes::rewrite(&graph, &RewriteOptions::new(ROOFLINE)).unwrap();
    let choose = |k: &ir::Kernel| autotune::first_choice(k, &target);
    let plan = passes::plan(&rewritten.graph, &rewritten.rules, &target, &choose).unwrap();
    let (found, flops) = launch(&plan, &rewritten.graph, &Weights::default(), &case);
    let error = case.largest(&found);
    println!("{flops} operations, {share} of the chosen experts; {error:.1e}");
    assert!(error < BOUND, "{error}");
    assert!(
        (share..share + share / 10).contains(&flops),
        "{flops}, not {share}"
    );
}

#[test]
fn stored_models_agree_with_transformers() {
    for rich in [true, false] {
        check_stored_models(BOUND, |model, case| run(model, case, &target(rich)));
    }
}
