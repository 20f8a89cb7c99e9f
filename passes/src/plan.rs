//! A graph as launches of tile programs over placed values: all that a code generator and an artifact need.

use std::collections::BTreeMap;

use ir::{
    Graph, Kernel, Schedule, Target, ValueId, ops,
    tile::{Array, Program},
};

use crate::{
    Layout,
    group::{GroupError, Groups, group},
    lower::{LowerError, Lowered, lower_in_place},
    memory::{Lifetime, place},
};

/// A compiled graph, short of machine code.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Distinct kernels.
    pub kernels: Vec<PlannedKernel>,
    /// Their launches, in order.
    pub steps: Vec<Step>,
    /// Tensors that are computed when compiling, each by a graph of weights with one output.
    pub constants: Vec<Graph>,
    /// What is given at each run, in the order of the graph.
    pub inputs: Vec<ops::Input>,
    /// Bytes of memory for values between launches.
    pub arena_bytes: usize,
}

/// A kernel, the choices made for it, and its program.
#[derive(Clone, Debug)]
pub struct PlannedKernel {
    /// What it computes.
    pub kernel: Kernel,
    /// How.
    pub schedule: Schedule,
    /// As a program; parameters are the operands in order, then the result.
    pub program: Program,
    /// What each lane runs, on a device of many lanes.
    pub lane: Option<ir::lane::Program>,
}

impl PlannedKernel {
    /// Blocks that are started: those of the lane program, if there is one, which may work on several tiles of the grid.
    pub fn blocks(&self) -> u64 {
        let lane = self.lane.as_ref().map(ir::lane::Program::blocks);
        lane.unwrap_or_else(|| self.program.blocks()).unsigned_abs()
    }
}

/// One launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// By position in [`Plan::kernels`].
    pub kernel: usize,
    /// The arrays of the program's parameters.
    pub args: Vec<Place>,
}

/// Where an array lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// An input, by position in [`Plan::inputs`]; a state may be written.
    Input(usize),
    /// A constant, by position in [`Plan::constants`].
    Constant(usize),
    /// This many bytes from the start of the arena.
    Arena(usize),
    /// An output, by position in [`Graph::results`].
    Output(usize),
}

/// Why a graph has no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// An op that no kernel computes.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// A kernel that has no program.
    #[error(transparent)]
    Lower(#[from] LowerError),
    /// A state that no kernel changes where it lies.
    #[error("state `{name}`: {reason}")]
    State {
        /// Its name.
        name: String,
        /// Why not.
        reason: &'static str,
    },
}

/// Plans a bound graph; `rules` names the rewrite rules that made a value, `choose` the schedule of a kernel.
///
/// # Errors
/// An op that no kernel computes, or a schedule of the wrong family.
pub fn plan(
    graph: &Graph,
    rules: &[Vec<String>],
    target: &Target,
    choose: &dyn Fn(&Kernel) -> Result<Schedule, LowerError>,
) -> Result<Plan, PlanError> {
    let graph = &distinct_outputs(graph);
    let groups = group(graph, rules)?;
    let mut all = Lowerings::default();
    for kernel in groups.kernels {
        let schedule = choose(&kernel)?;
        let lowered = lower_in_place(&kernel, &schedule, target)?;
        all.push(kernel, schedule, lowered);
    }
    check_states(graph, &groups.launches, &all)?;
    let parts: Vec<usize> = (groups.launches.iter())
        .map(|launch| all.each[launch.kernel].parts)
        .collect();
    let mut places = Places::new(graph, &groups.launches, &parts);
    let mut steps = Vec::new();
    for (at, launch) in groups.launches.iter().enumerate() {
        let lowering = &all.each[launch.kernel];
        let operands = launch.operands.iter().zip(&lowering.layouts);
        let args: Vec<Place> = operands.map(|(v, layout)| places.of(*v, *layout)).collect();
        let result = places.of(launch.result, Layout::Plain);
        let mut step = |kernel, results: &[Place]| {
            let args = [&args, results].concat();
            steps.push(Step { kernel, args });
        };
        match (lowering.combine, places.parts[at]) {
            (Some(combine), Some(parts)) => {
                step(lowering.first, &[parts]);
                step(combine, &[result, parts]);
            }
            _ => step(lowering.first, &[result]),
        }
    }
    let kernels = all.kernels;
    let inputs = graph.nodes().iter().filter_map(|n| {
        if let ir::Op::Input(i) = &n.op {
            Some(i.clone())
        } else {
            None
        }
    });
    Ok(Plan {
        kernels,
        steps,
        inputs: inputs.collect(),
        constants: places.constants,
        arena_bytes: places.arena_bytes,
    })
}

/// The kernels and launches that [`plan`] makes of a graph, before schedules are chosen.
///
/// # Errors
/// An op that no kernel computes.
pub fn launches(graph: &Graph, rules: &[Vec<String>]) -> Result<Groups, GroupError> {
    group(&distinct_outputs(graph), rules)
}

/// Kernels as they are launched.
#[derive(Default)]
pub(crate) struct Lowerings {
    pub kernels: Vec<PlannedKernel>,
    pub each: Vec<LoweredKernel>,
}

/// Which launches a kernel is.
pub(crate) struct LoweredKernel {
    pub layouts: Vec<Layout>,
    pub first: usize,
    /// What makes the result of the parts that the first makes.
    pub combine: Option<usize>,
    /// Bytes of the parts.
    pub parts: usize,
    /// The operand, a state, in whose place the result lies.
    pub in_place: Option<usize>,
}

impl Lowerings {
    pub fn push(&mut self, kernel: Kernel, schedule: Schedule, lowered: Lowered) {
        let first = self.kernels.len();
        let parts = lowered.program.params.last().map_or(0, Array::bytes);
        let combine = lowered.combine.map(|combine| PlannedKernel {
            kernel: Kernel {
                name: combine.program.name.clone(),
                ..kernel.clone()
            },
            schedule: schedule.clone(),
            program: combine.program,
            lane: combine.lane,
        });
        self.each.push(LoweredKernel {
            layouts: lowered.layouts,
            first,
            combine: combine.is_some().then_some(first + 1),
            parts: if combine.is_some() { parts } else { 0 },
            in_place: lowered.in_place,
        });
        self.kernels.push(PlannedKernel {
            kernel,
            schedule,
            program: lowered.program,
            lane: lowered.lane,
        });
        self.kernels.extend(combine);
    }
}

/// Fails unless each state is changed where it lies, by one launch, after which nobody asks for what it was.
fn check_states(
    graph: &Graph,
    launches: &[crate::group::Launch],
    all: &Lowerings,
) -> Result<(), PlanError> {
    let next = |name: &str| graph.outputs().iter().find(|o| o.name == name);
    for v in graph.values() {
        let ir::Op::Input(input) = &graph.node(v).op else {
            continue;
        };
        if !input.is_state() {
            continue;
        }
        let wrong = |reason| PlanError::State {
            name: input.name.clone(),
            reason,
        };
        let next = next(&input.name).map(|o| o.value);
        let changes = |l: &crate::group::Launch| {
            let in_place = all.each[l.kernel].in_place;
            in_place.is_some_and(|operand| l.operands[operand] == v)
        };
        let change = launches.iter().position(|l| Some(l.result) == next);
        if launches
            .iter()
            .any(|l| changes(l) && Some(l.result) != next)
        {
            return Err(wrong(
                "what is scattered into it is not the output of its name",
            ));
        }
        let Some(change) = change else { continue };
        if !changes(&launches[change]) {
            return Err(wrong("the output of its name is no scatter into it"));
        }
        if launches[change + 1..]
            .iter()
            .any(|l| l.operands.contains(&v))
        {
            return Err(wrong("it is read after it was changed"));
        }
    }
    Ok(())
}

/// The graph with a value of its own for each output, computed at each run.
fn distinct_outputs(graph: &Graph) -> Graph {
    let mut out = graph.keep(&vec![true; graph.nodes().len()]);
    out.clear_outputs();
    let mut seen = std::collections::BTreeSet::new();
    for o in graph.outputs() {
        let leaf = matches!(graph.node(o.value).op, ir::Op::Input(_));
        let fresh = seen.insert(o.value) && !leaf && depends_on_input(graph, o.value);
        let value = if fresh {
            o.value
        } else {
            let shape = graph.ty(o.value).shape.clone();
            out.push(ops::Reshape { shape }, &[o.value])
                .expect("a tensor has its own shape")
        };
        out.output(&o.name, value);
    }
    out
}

fn depends_on_input(graph: &Graph, v: ValueId) -> bool {
    let mut open = vec![v];
    let mut seen = std::collections::BTreeSet::new();
    while let Some(u) = open.pop() {
        if matches!(graph.node(u).op, ir::Op::Input(_)) {
            return true;
        }
        if seen.insert(u) {
            open.extend(&graph.node(u).inputs);
        }
    }
    false
}

/// Where each value lies.
struct Places<'a> {
    graph: &'a Graph,
    known: BTreeMap<ValueId, Place>,
    packed: BTreeMap<(ValueId, Layout), usize>,
    constants: Vec<Graph>,
    /// The parts that each launch combines, if it does.
    parts: Vec<Option<Place>>,
    arena_bytes: usize,
}

impl<'a> Places<'a> {
    /// `parts` are the bytes that each launch needs for parts of its result.
    fn new(graph: &'a Graph, launches: &[crate::group::Launch], parts: &[usize]) -> Self {
        let mut known = BTreeMap::new();
        let inputs = graph
            .values()
            .filter(|v| matches!(graph.node(*v).op, ir::Op::Input(_)));
        known.extend(inputs.enumerate().map(|(i, v)| (v, Place::Input(i))));
        known.extend(
            graph
                .results()
                .enumerate()
                .map(|(i, o)| (o.value, Place::Output(i))),
        );
        for o in graph.outputs() {
            if let Some(state) = graph.state(&o.name) {
                known.insert(o.value, known[&state]);
            }
        }
        let (mut values, mut lifetimes) = (Vec::new(), Vec::new());
        for (step, launch) in launches.iter().enumerate() {
            if known.contains_key(&launch.result) {
                continue;
            }
            let last = launches
                .iter()
                .rposition(|l| l.operands.contains(&launch.result))
                .unwrap_or(step);
            let ty = graph.ty(launch.result);
            let elements = ty.elements().known().expect("the graph is bound");
            let bytes =
                usize::try_from(elements).expect("sizes are not negative") * ty.dtype.size();
            values.push(launch.result);
            lifetimes.push(Lifetime {
                bytes,
                first: step,
                last,
            });
        }
        let workspaces = parts.iter().enumerate().filter(|(_, bytes)| **bytes > 0);
        lifetimes.extend(workspaces.clone().map(|(step, bytes)| Lifetime {
            bytes: *bytes,
            first: step,
            last: step,
        }));
        let (offsets, arena_bytes) = place(&lifetimes);
        let mut parts_at = vec![None; launches.len()];
        for ((step, _), offset) in workspaces.zip(&offsets[values.len()..]) {
            parts_at[step] = Some(Place::Arena(*offset));
        }
        known.extend(
            values
                .into_iter()
                .zip(offsets.into_iter().map(Place::Arena)),
        );
        Self {
            graph,
            known,
            packed: BTreeMap::new(),
            constants: vec![],
            parts: parts_at,
            arena_bytes,
        }
    }

    fn of(&mut self, v: ValueId, layout: Layout) -> Place {
        if let Some(place) = self.known.get(&v) {
            return *place;
        }
        let next = self.constants.len();
        let at = *self.packed.entry((v, layout)).or_insert(next);
        if at == next {
            self.constants.push(constant_graph(self.graph, v, layout));
        }
        Place::Constant(at)
    }
}

/// The graph of weights that gives `v` under `layout`.
fn constant_graph(graph: &Graph, v: ValueId, layout: Layout) -> Graph {
    let mut out = graph.keep(&vec![true; graph.nodes().len()]);
    out.clear_outputs();
    let packed = layout
        .pack(&mut out, v)
        .expect("the layout was made for this tensor");
    out.output("constant", packed);
    let live = out.live();
    out.keep(&live)
}
