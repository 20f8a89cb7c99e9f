//! Kernels on devices of many lanes: tile program and lane program against the meaning of the graph.

pub mod targets;

use std::collections::BTreeMap;

use ir::{
    DType, Graph, Kernel, Op, Schedule, Target, Tensor, WeightMap, eval,
    lane::{self, EmulateError, emulate_all},
    tile::{self, Arithmetic},
};
use passes::{LowerError, Lowered};

/// Numbers that look random and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn tensor(&mut self, dtype: DType, shape: &[i64]) -> Tensor {
        let len = shape.iter().product::<i64>();
        let number = |n: u64| {
            if dtype.is_float() {
                ir::round_to(dtype, (n % 2001) as f64 / 1000.0 - 1.0)
            } else {
                (n % 2) as f64
            }
        };
        let values = (0..len).map(|_| number(self.next())).collect();
        Tensor::from_f64(dtype, shape, values).unwrap()
    }
}

/// The graphs of a file, separated by lines of dashes.
pub fn graphs(text: &str) -> Vec<Graph> {
    let all = text.split("\n----\n");
    all.map(|t| ir::text::parse(t).unwrap_or_else(|e| panic!("{e:?}\n{t}")))
        .collect()
}

/// A graph at sizes that are given to its symbols in order, the last one to the rest.
pub fn bind(graph: &Graph, sizes: &[i64]) -> Graph {
    let symbols = graph.symbols().iter().enumerate();
    let sizes = symbols
        .map(|(i, (symbol, _))| (symbol.clone(), *sizes.get(i).or(sizes.last()).unwrap()))
        .collect();
    graph.bind(&sizes).unwrap()
}

/// The distinct kernels of a graph at these sizes.
pub fn kernels(graph: &Graph, sizes: &[i64]) -> Vec<Kernel> {
    passes::group(&bind(graph, sizes), &[]).unwrap().kernels
}

/// How far results in rounded arithmetic may lie from exact ones, relative to the largest: each node rounds sums of
/// at most the longest axis of any operand; narrow numbers are rounded where they are stored, and where weights of
/// attention are.
pub fn tolerance(graph: &Graph) -> f64 {
    let shapes = graph.nodes().iter().map(|n| n.ty.known_shape().unwrap());
    let longest = shapes.flatten().max().unwrap_or(1).max(4);
    let narrow = graph.nodes().iter().map(|n| match n.ty.dtype {
        DType::F16 => 2f64.powi(-11),
        DType::Bf16 => 2f64.powi(-8),
        _ => 0.0,
    });
    let f32 = 2f64.powi(-24) * longest as f64 * 4.0 * graph.nodes().len() as f64;
    f32 + 4.0 * narrow.fold(0.0, f64::max)
}

/// What a kernel is to compute of some inputs.
pub struct Reference {
    /// The operands, in order.
    pub operands: Vec<Vec<f64>>,
    /// The result by the meaning of the kernel's graph, in f64.
    pub wanted: Vec<f64>,
    /// How far rounded results may lie from it, relative to the largest.
    pub tolerance: f64,
}

/// Why a program is not right.
#[derive(Clone, Debug, PartialEq)]
pub enum Wrong {
    /// The emulator stopped it: a race, an access out of bounds, a result that depends on an order.
    Stopped(Box<EmulateError>),
    /// A result that is not the reference's.
    Differs {
        /// Of which kind of program.
        what: &'static str,
        at: usize,
        found: f64,
        wanted: f64,
    },
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stopped(error) => write!(f, "{error}"),
            Self::Differs {
                what,
                at,
                found,
                wanted,
            } => write!(f, "{what} program: element {at} is {found}, not {wanted}"),
        }
    }
}

impl Reference {
    /// Of inputs that look random.
    pub fn of(kernel: &Kernel) -> Self {
        let mut numbers = Numbers(7);
        let mut inputs = BTreeMap::new();
        let mut operands = vec![];
        for node in kernel.graph.nodes() {
            if let Op::Input(input) = &node.op {
                let shape = input.ty.known_shape().unwrap();
                let tensor = numbers.tensor(input.ty.dtype, &shape);
                operands.push(tensor.values().into_owned());
                inputs.insert(input.name.clone(), tensor);
            }
        }
        let outputs = eval::evaluate(&kernel.graph, &inputs, &WeightMap::default()).unwrap();
        Self {
            operands,
            wanted: outputs.into_values().next().unwrap().into_values(),
            tolerance: tolerance(&kernel.graph),
        }
    }

    fn compare(&self, what: &'static str, found: &[f64], tolerance: f64) -> Result<(), Wrong> {
        let finite = self.wanted.iter().filter(|w| w.is_finite());
        let scale = finite.fold(0.0, |s: f64, w| s.max(w.abs()));
        let same = |f: f64, w: f64| {
            f == w || f.is_nan() && w.is_nan() || (f - w).abs() <= tolerance * scale
        };
        let mut pairs = found.iter().zip(&self.wanted);
        match pairs.position(|(f, w)| !same(*f, *w)) {
            None => Ok(()),
            Some(at) => Err(Wrong::Differs {
                what,
                at,
                found: found[at],
                wanted: self.wanted[at],
            }),
        }
    }

    /// Runs some programs one after the other, each over the operands, then the result, then parts of it.
    fn run<P>(
        &self,
        programs: &[P],
        lens: &dyn Fn(&P) -> Vec<i64>,
        mut run: impl FnMut(&P, &mut [Vec<f64>]) -> Result<(), Wrong>,
    ) -> Result<Vec<f64>, Wrong> {
        let mut made: Vec<f64> = vec![];
        for program in programs {
            let lens = lens(program);
            let mut params = self.operands.clone();
            let unset = |at: usize| vec![f64::NAN; lens[at] as usize];
            params.push(unset(params.len()));
            if lens.len() > params.len() {
                params.push(std::mem::take(&mut made));
            }
            run(program, &mut params)?;
            made = params.swap_remove(self.operands.len());
        }
        Ok(made)
    }

    /// What tile programs say, computed exactly, must be the reference.
    pub fn tiles(&self, programs: &[&tile::Program]) -> Result<(), Wrong> {
        let lens = |p: &&tile::Program| p.params.iter().map(|a| a.len).collect();
        let made = self.run(programs, &lens, |p, params| {
            tile::verify(p).unwrap_or_else(|e| panic!("{e}\n{p}"));
            tile::evaluate(p, params, Arithmetic::Exact).unwrap_or_else(|e| panic!("{e}\n{p}"));
            Ok(())
        })?;
        self.compare("tile", &made, 1e-9)
    }

    /// Lane programs must give the reference in every order, with no race and nothing out of bounds.
    pub fn lanes(&self, programs: &[&lane::Program]) -> Result<Vec<lane::Counts>, Wrong> {
        let lens = |p: &&lane::Program| p.params.iter().map(|a| a.len).collect();
        let mut counts = vec![];
        let made = self.run(programs, &lens, |p, params| {
            let stopped = |e| Wrong::Stopped(Box::new(e));
            counts.push(emulate_all(p, params, None).map_err(stopped)?);
            Ok(())
        })?;
        self.compare("lane", &made, self.tolerance)?;
        Ok(counts)
    }
}

/// The tile programs of a kernel, in order.
pub fn tile_programs(lowered: &Lowered) -> Vec<&tile::Program> {
    let combine = lowered.combine.iter().map(|c| &c.program);
    [&lowered.program].into_iter().chain(combine).collect()
}

/// The lane programs of a kernel, in order.
pub fn lane_programs(lowered: &Lowered) -> Vec<&lane::Program> {
    let combine = lowered.combine.iter().filter_map(|c| c.lane.as_ref());
    lowered.lane.iter().chain(combine).collect()
}

/// Fails unless the programs of a kernel give what its graph means; none if the schedule does not fit. Counts are
/// those of the first program.
pub fn check(kernel: &Kernel, schedule: &Schedule, target: &Target) -> Option<lane::Counts> {
    let lowered = match passes::lower(kernel, schedule, target) {
        Err(LowerError::DoesNotFit { .. }) => return None,
        other => other.unwrap_or_else(|e| panic!("{}: {schedule:?}: {e}", target.name)),
    };
    let reference = Reference::of(kernel);
    let what = format!("{}, `{}`: {schedule:?}", target.name, kernel.name);
    let tiles = reference.tiles(&tile_programs(&lowered));
    tiles.unwrap_or_else(|e| panic!("{what}\n{e}\n{}", lowered.program));
    let programs = lane_programs(&lowered);
    let text: Vec<String> = programs.iter().map(ToString::to_string).collect();
    let counts = reference.lanes(&programs);
    let counts = counts.unwrap_or_else(|e| panic!("{what}\n{e}\n{}", text.join("\n")));
    counts.into_iter().next()
}
