//! Small odd kernels of every family, with numbers for their inputs and what they mean.

use std::collections::{BTreeMap, BTreeSet};

use ir::{
    DType, Kernel, Op, Schedule, Target, Tensor, WeightMap, eval,
    lane::{Access, Index, Memory, Program, Stmt, Value},
};
use passes::{KernelFamily, LowerError};

use crate::{lanes, schedules};

/// Graphs, and sizes for their symbols: nothing that a tile divides, and a single row.
const GRAPHS: [(&str, &[&[i64]]); 5] = [
    (
        include_str!("../../passes/tests/lanes/map.graph"),
        &[&[2, 5], &[1, 1]],
    ),
    (
        include_str!("../../passes/tests/lanes/rows.graph"),
        &[&[2, 7], &[1, 1]],
    ),
    (
        include_str!("../../passes/tests/lanes/fold.graph"),
        &[&[2, 5]],
    ),
    (
        include_str!("../../passes/tests/lanes/contract.graph"),
        &[&[2, 5]],
    ),
    (
        include_str!("../../passes/tests/lanes/attention.graph"),
        &[&[1, 5]],
    ),
];

/// What must be among the kernels; see [`Case::families`].
pub const FAMILIES: [&str; 6] = ["attention", "contract", "fold", "gather", "map", "rows"];

/// One kernel by one schedule.
pub struct Case {
    pub target: String,
    pub program: Program,
    /// The template, and `gather` where an address is a number that was loaded.
    pub families: Vec<&'static str>,
    /// What to give for the parameters; the written one, the last, is not known.
    pub params: Vec<Vec<f64>>,
    /// What the graph means by it, in f64.
    pub wanted: Vec<f64>,
    /// How far rounded arithmetic may lie off, relative to the largest.
    pub tolerance: f64,
}

/// How many cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Every graph at its first sizes, by the first schedule.
    Few,
    /// At all sizes, and at the first ones by two small schedules too, as far as they fit.
    Many,
}

/// Every kernel of every graph for a target.
pub fn cases(target: &str, extent: Extent) -> Vec<Case> {
    let target = tilewright::target(target).unwrap();
    let mut all = Vec::new();
    for (text, sizes) in GRAPHS {
        for graph in lanes::graphs(text) {
            for (at, sizes) in sizes.iter().enumerate() {
                if at > 0 && extent == Extent::Few {
                    break;
                }
                for kernel in lanes::kernels(&graph, sizes) {
                    let mut list = vec![autotune::first_choice(&kernel, &target).unwrap()];
                    if at == 0 && extent == Extent::Many {
                        list.extend(schedules::of(&kernel, &target).into_iter().take(2));
                    }
                    let made = list.iter().filter_map(|s| case(&kernel, s, &target));
                    let before = all.len();
                    for mut case in made {
                        case.program.name = format!("k{}_{}", all.len(), graph.name());
                        all.push(case);
                    }
                    assert!(all.len() > before, "{}: no schedule fits", kernel.name);
                }
            }
        }
    }
    let found: BTreeSet<&str> = all.iter().flat_map(|c| c.families.clone()).collect();
    assert_eq!(found, BTreeSet::from(FAMILIES), "families with a case");
    all
}

fn case(kernel: &Kernel, schedule: &Schedule, target: &Target) -> Option<Case> {
    let lowered = match passes::lower(kernel, schedule, target) {
        Err(LowerError::DoesNotFit { .. }) => return None,
        other => other.unwrap_or_else(|e| panic!("{}: {schedule:?}: {e}", target.name)),
    };
    if lowered.combine.is_some() {
        // Two programs: the emulator runs such, one after the other.
        return None;
    }
    let program = lowered.lane.expect("the target has lanes");
    let (mut inputs, mut params) = (BTreeMap::new(), vec![]);
    for node in kernel.graph.nodes() {
        if let Op::Input(input) = &node.op {
            let shape = input.ty.known_shape().unwrap();
            let values = numbers(input.ty.dtype, shape.iter().product(), params.len() as u64);
            params.push(values.clone());
            let tensor = Tensor::from_f64(input.ty.dtype, &shape, values).unwrap();
            inputs.insert(input.name.clone(), tensor);
        }
    }
    let outputs = eval::evaluate(&kernel.graph, &inputs, &WeightMap::default()).unwrap();
    let wanted = outputs.into_values().next().unwrap().into_values();
    let template = match passes::family(kernel).unwrap() {
        KernelFamily::Map { .. } => "map",
        KernelFamily::Scatter { .. } => "scatter",
        KernelFamily::Rows { .. } => "rows",
        KernelFamily::Fold { .. } => "fold",
        KernelFamily::Contract { .. } => "contract",
        KernelFamily::Attention { .. } => "attention",
    };
    let gathers = gathers(&program.body);
    Some(Case {
        target: target.name.clone(),
        families: [Some(template), gathers.then_some("gather")]
            .into_iter()
            .flatten()
            .collect(),
        program,
        params,
        wanted,
        tolerance: lanes::tolerance(&kernel.graph),
    })
}

/// Numbers that look random and are the same in each run; whole ones are ids or truths.
fn numbers(dtype: DType, len: i64, seed: u64) -> Vec<f64> {
    let number = |i: i64| {
        let n = (i as u64 + 1009 * seed)
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407)
            >> 33;
        match dtype.is_float() {
            true => ir::round_to(dtype, (n % 2001) as f64 / 1000.0 - 1.0),
            false => (n % 2) as f64,
        }
    };
    (0..len).map(number).collect()
}

/// Whether an address in global memory is made of a number that was loaded from there.
fn gathers(body: &[Stmt]) -> bool {
    let mut loaded = BTreeSet::new();
    visit(&mut body.to_vec(), &mut |body| {
        for stmt in body {
            if let Stmt::Let(var, Value::Load { from, .. }) = stmt
                && matches!(from.memory, Memory::Param(_))
            {
                loaded.insert(*var);
            }
        }
    });
    let looks_up = |at: &Index| loaded.iter().any(|var| at.mentions(&Index::Var(*var)));
    accesses(body).iter().any(|a| looks_up(&a.at))
}

/// All accesses of a body.
fn accesses(body: &[Stmt]) -> Vec<&Access> {
    let each = body.iter().flat_map(|stmt| match stmt {
        Stmt::Let(_, Value::Load { from, .. } | Value::LoadMatrix { from, .. }) => vec![from],
        Stmt::Store { to, .. } => vec![to],
        Stmt::Copy { to, from, .. } => vec![to, from],
        Stmt::For(each) => accesses(&each.body),
        Stmt::When { body, .. } => accesses(body),
        _ => vec![],
    });
    each.collect()
}

/// Statements, in place, those of loops and conditions too.
pub fn visit(body: &mut Vec<Stmt>, change: &mut impl FnMut(&mut Vec<Stmt>)) {
    change(body);
    for stmt in body {
        match stmt {
            Stmt::For(each) => visit(&mut each.body, change),
            Stmt::When { body, .. } => visit(body, change),
            _ => {}
        }
    }
}

/// Numbers as a device holds them.
pub fn encoded(dtype: DType, values: &[f64]) -> Vec<u8> {
    let each = values.iter().map(|x| match dtype {
        DType::F32 => (*x as f32).to_le_bytes().to_vec(),
        DType::F16 => half::f16::from_f64(*x).to_le_bytes().to_vec(),
        DType::Bf16 => half::bf16::from_f64(*x).to_le_bytes().to_vec(),
        DType::I8 => vec![*x as i8 as u8],
        DType::U8 | DType::Bool => vec![*x as u8],
        DType::I32 => (*x as i32).to_le_bytes().to_vec(),
        DType::I64 => (*x as i64).to_le_bytes().to_vec(),
    });
    each.flatten().collect()
}

/// The numbers of what a device holds.
pub fn decoded(dtype: DType, bytes: &[u8]) -> Vec<f64> {
    let each = bytes.chunks_exact(dtype.size()).map(|b| match dtype {
        DType::F32 => f32::from_le_bytes(b.try_into().unwrap()).into(),
        DType::F16 => half::f16::from_le_bytes(b.try_into().unwrap()).into(),
        DType::Bf16 => half::bf16::from_le_bytes(b.try_into().unwrap()).into(),
        DType::I8 => (b[0] as i8).into(),
        DType::U8 | DType::Bool => b[0].into(),
        DType::I32 => i32::from_le_bytes(b.try_into().unwrap()).into(),
        DType::I64 => i64::from_le_bytes(b.try_into().unwrap()) as f64,
    });
    each.collect()
}

/// The largest difference between what was found and what is wanted, relative to the largest that is wanted; none if it
/// is above the tolerance, or one is a NaN and the other is not.
pub fn error(case: &Case, results: &[Vec<f64>]) -> Option<f64> {
    let [found] = results else {
        return None;
    };
    let finite = case.wanted.iter().filter(|w| w.is_finite());
    let scale = finite.fold(0.0, |s: f64, w| s.max(w.abs()));
    let mut worst: f64 = 0.0;
    if found.len() != case.wanted.len() {
        return None;
    }
    for (f, w) in found.iter().zip(&case.wanted) {
        if f == w || f.is_nan() && w.is_nan() {
            continue;
        }
        let error = (f - w).abs() / scale;
        if error.is_nan() || error > case.tolerance {
            return None;
        }
        worst = worst.max(error);
    }
    Some(worst)
}
