//! Models on the command line: what they are compiled for, with what, and how that is shown.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal, Write},
    num::{NonZeroU32, NonZeroUsize},
    path::Path,
    str::FromStr,
    time::Duration,
};

use backends::cpu::{Processes, Workers};
use clap::{Args, ValueEnum};
use ir::{Bounds, Graph, Op, Sizes, Symbol};
use tilewright::{
    CompileOptions, Quantize, Stage, Storage,
    import::{self, Task},
    runtime::{self, Artifact, Device, Npz},
};

use crate::{failure::Failure, shape::Shape};

/// The command that makes this program generate code for another run of it.
pub const WORKER: &str = "code-worker";

/// How weights and values between kernels are stored.
#[derive(Args, Clone, Copy, Debug)]
pub struct Precision {
    /// Element type of matrices and of values between kernels; arithmetic and outputs stay f32. Without: f32.
    #[arg(long, value_enum)]
    dtype: Option<Float>,
    /// Store matrices of weights in few bits, widened where they are read: w8, or w4g128, where 128 inputs share a scale.
    /// Without: as --dtype says.
    #[arg(long, value_name = "w8|w4gN")]
    quantize: Option<Quantize>,
}

impl Precision {
    /// Whether a type was asked for.
    pub const fn is_given(self) -> bool {
        self.dtype.is_some() || self.quantize.is_some()
    }
}

/// What numbers can be stored in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Float {
    F32,
    F16,
    Bf16,
}

/// Whether the path leads to a model rather than an artifact.
pub fn is_model(path: &Path) -> bool {
    let read = |e| e == "graph" || e == "onnx";
    path.is_dir() || path.ends_with("config.json") || path.extension().is_some_and(read)
}

/// Options for targets by name, each once, and sizes; without sizes, the model's defaults.
pub fn options(
    targets: &[String],
    shapes: &[Shape],
    precision: Precision,
) -> Result<CompileOptions, Failure> {
    let mut all = Vec::new();
    for name in targets {
        let target = tilewright::target(name)?;
        if !all.contains(&target) {
            all.push(target);
        }
    }
    let mut sizes = Vec::new();
    for shape in shapes {
        if !sizes.contains(&shape.sizes) {
            sizes.push(shape.sizes.clone());
        }
    }
    let mut options = CompileOptions::new(all[0].clone());
    options.targets = all;
    options.ranges = ranges(shapes)?;
    if !sizes.is_empty() {
        options.sizes = sizes;
    }
    options.storage = match precision.dtype {
        None | Some(Float::F32) => Storage::F32,
        Some(Float::F16) => Storage::F16,
        Some(Float::Bf16) => Storage::Bf16,
    };
    options.quantize = precision.quantize;
    options.workers = workers();
    Ok(options)
}

/// The ranges of sizes, which need one `--shape`.
fn ranges(shapes: &[Shape]) -> Result<BTreeMap<Symbol, Bounds>, Failure> {
    match shapes {
        [one] => Ok(one.ranges.clone()),
        all => match all.iter().flat_map(|s| s.ranges.keys()).next() {
            None => Ok(BTreeMap::new()),
            Some(symbol) => Err(Failure::Ranges {
                size: symbol.name().into(),
                reason: "a range needs to be in the only `--shape`",
            }),
        },
    }
}

/// Fails if sizes are ranges, which only `what` takes.
pub fn require_sizes(shapes: &[Shape], what: &'static str) -> Result<(), Failure> {
    match shapes.iter().flat_map(|s| s.ranges.keys()).next() {
        None => Ok(()),
        Some(symbol) => Err(Failure::Ranges {
            size: symbol.name().into(),
            reason: what,
        }),
    }
}

/// Threads that run kernels on a processor: as many as were asked for, or as this process may use at once.
pub fn threads(wanted: Option<NonZeroUsize>) -> u32 {
    let available = || std::thread::available_parallelism().ok();
    let threads = wanted.or_else(available).map_or(1, NonZeroUsize::get);
    u32::try_from(threads).unwrap_or(u32::MAX)
}

/// Runs of this program, so that LLVM giving up on a kernel does not end this process.
pub fn workers() -> Workers {
    let count = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    match std::env::current_exe() {
        Ok(program) => Workers::Processes(Processes {
            program,
            arguments: vec![WORKER.into()],
            count,
            limit: None,
        }),
        Err(_) => Workers::InProcess,
    }
}

/// Bounds the time that code generation may take for one kernel.
pub fn limit(workers: &mut Workers, limit: Duration) {
    if let Workers::Processes(processes) = workers {
        processes.limit = Some(limit);
    }
}

/// Compiles a model in memory for a device, at `shape`, or the sizes of the arrays in `inputs`, or defaults.
pub fn compile_for(
    device: &Device,
    path: &Path,
    shape: Option<&Shape>,
    inputs: Option<&Path>,
    precision: Precision,
) -> Result<Artifact, Failure> {
    let model = import::load(path)?;
    let shape = match (shape, inputs) {
        (Some(shape), _) => Some(shape.clone()),
        (None, Some(inputs)) => Some(Shape {
            sizes: sizes_of(&model.graph, inputs)?,
            ..Shape::default()
        }),
        (None, None) => None,
    };
    let target = runtime::target_for(device, &runtime::cli::drivers())
        .map_err(|e| runtime::cli::CliError::from(runtime::DeviceError::from(e)))?;
    let options = options(&[target], shape.as_slice(), precision)?;
    let mut progress = Progress::new();
    let made = tilewright::compile_in_memory(&model.graph, &model.weights, &options, &mut |s| {
        progress.stage(s);
    });
    drop(progress);
    Ok(made?.0)
}

/// Compiles a decoder in memory for a device, to continue texts.
pub fn compile_to_generate(
    device: &Device,
    path: &Path,
    shape: Option<&Shape>,
    precision: Precision,
) -> Result<Artifact, Failure> {
    let target = runtime::target_for(device, &runtime::cli::drivers())
        .map_err(|e| runtime::cli::CliError::from(runtime::DeviceError::from(e)))?;
    let mut options = options(&[target], &[], precision)?;
    let model = import::load_for(path, Task::Generate)?;
    let graph = (&model.graph, Kv::Contiguous);
    generating(&mut options, path, graph, shape.cloned().as_slice())?;
    let mut progress = Progress::new();
    let made = tilewright::compile_in_memory(&model.graph, &model.weights, &options, &mut |s| {
        progress.stage(s);
    });
    drop(progress);
    Ok(made?.0)
}

/// Makes options those of the decoder at `path`, which continues texts: a program for a prompt and one for a token, for each
/// of `shapes`.
pub fn generating(
    options: &mut CompileOptions,
    path: &Path,
    (graph, kv): (&Graph, Kv),
    shapes: &[Shape],
) -> Result<(), Failure> {
    require_sizes(shapes, "a text grows by itself: give `context=SIZE`")?;
    options.ranges.clear();
    options.generation = Some(import::generation(path)?);
    options.sizes.clear();
    let default = [Shape::default()];
    let shapes = match shapes {
        [] => &default[..],
        given => given,
    };
    for shape in shapes {
        for sizes in decoder_sizes(graph, &shape.sizes, kv)? {
            if !options.sizes.contains(&sizes) {
                options.sizes.push(sizes);
            }
        }
    }
    Ok(())
}

/// Tokens of one text that there is room for, unless a user says otherwise.
const CONTEXT: i64 = 2048;
/// Tokens of a prompt that one run sees, unless a user says otherwise.
const PROMPT: i64 = 128;

/// The sizes of the programs for a prompt and for one token.
fn decoder_sizes(graph: &Graph, given: &Sizes, kv: Kv) -> Result<[Sizes; 2], Failure> {
    let known = ["batch", "prompt", "context", "pages"];
    let known = &known[..3 + usize::from(kv.page().is_some())];
    if let Some(other) = given.keys().find(|s| !known.contains(&s.name())) {
        return Err(Failure::NoSuchSize {
            size: other.name().into(),
        });
    }
    let of = |name: &str| given.get(&Symbol::new(name)).copied();
    let page = kv.page().unwrap_or(1);
    let most = |name: &str| graph.symbols().get(&Symbol::new(name)).map(|b| b.max);
    let most = most("context").or(most("table").map(|pages| pages * page));
    let context = of("context").unwrap_or(CONTEXT.min(most.unwrap_or(CONTEXT)) / page * page);
    if context % page != 0 || context == 0 {
        return Err(Failure::Page { page, context });
    }
    let prompt = of("prompt").unwrap_or(PROMPT.min(context));
    if !(1..=context).contains(&prompt) {
        return Err(Failure::Prompt { prompt, context });
    }
    let batch = of("batch").unwrap_or(1);
    let with = |seq: i64| {
        let mut all = vec![("batch", batch), ("seq", seq)];
        match kv.page() {
            None => all.push(("context", context)),
            Some(page) => {
                let table = context / page;
                let pages = of("pages").unwrap_or(batch.saturating_mul(table));
                all.extend([("table", table), ("pages", pages)]);
            }
        }
        let all = all.into_iter().map(|(name, n)| (Symbol::new(name), n));
        all.collect()
    };
    Ok([with(prompt), with(1)])
}

/// How keys and values are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kv {
    /// Those of a text side by side.
    #[default]
    Contiguous,
    /// In pages of so many tokens, which texts share.
    Paged(NonZeroU32),
}

impl Kv {
    fn page(self) -> Option<i64> {
        match self {
            Self::Contiguous => None,
            Self::Paged(page) => Some(page.get().into()),
        }
    }

    pub const fn task(self) -> Task {
        match self {
            Self::Contiguous => Task::Generate,
            Self::Paged(page) => Task::GenerateInPages(page),
        }
    }
}

impl FromStr for Kv {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let page = text.strip_prefix("paged:").and_then(|n| n.parse().ok());
        match (text, page) {
            ("contiguous", _) => Ok(Self::Contiguous),
            (_, Some(page)) => Ok(Self::Paged(page)),
            _ => Err("wanted `contiguous`, or `paged:N` for pages of N tokens".into()),
        }
    }
}

/// The sizes that the arrays of a file have where the graph's inputs have symbols.
fn sizes_of(graph: &Graph, path: &Path) -> Result<Sizes, Failure> {
    let npz = Npz::open(path)?;
    let mut sizes = Sizes::new();
    // Which array said so.
    let mut from: BTreeMap<Symbol, &str> = BTreeMap::new();
    for node in graph.nodes() {
        let Op::Input(input) = &node.op else { continue };
        let Some((_, shape)) = npz.ty(&input.name) else {
            continue;
        };
        for (dim, n) in input.ty.shape.iter().zip(shape) {
            let plain = dim.symbols().find(|s| *dim == ir::Dim::symbol(s.name()));
            let (Some(symbol), Ok(size)) = (plain, i64::try_from(*n)) else {
                continue;
            };
            let other = sizes.insert(symbol.clone(), size);
            let array = from.insert(symbol.clone(), &input.name);
            if let (Some(other), Some(array)) = (other, array)
                && other != size
            {
                return Err(Failure::Sizes {
                    path: path.into(),
                    symbol: symbol.name().into(),
                    found: [(array.into(), other), (input.name.clone(), size)],
                });
            }
        }
    }
    Ok(sizes)
}

/// The stage of a compilation, on a terminal; nothing elsewhere.
pub struct Progress {
    terminal: bool,
}

impl Progress {
    pub fn new() -> Self {
        Self {
            terminal: io::stderr().is_terminal(),
        }
    }

    /// Shows that a stage begins.
    pub fn stage(&mut self, stage: Stage) {
        self.show(&format!("{} ...", stage.name()));
    }

    /// Replaces the line.
    pub fn show(&mut self, text: &str) {
        if self.terminal {
            // With standard error closed there is nobody left to tell.
            let _ = write!(io::stderr(), "\r\x1b[K{text}");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.show("");
    }
}
