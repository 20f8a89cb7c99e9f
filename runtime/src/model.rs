//! An artifact whose code is ready to run.

use std::{collections::BTreeMap, io, sync::Arc};

use crate::{
    Artifact, ArtifactError, Device, DriverError, Drivers, Executor, Options, ascend,
    cpu::{self, MachineCode},
    cuda,
    emulator::{self, LanePrograms},
    engine::Loaded,
    executor::input_port,
    hip,
    manifest::{Program, TargetCode},
    opencl::{self, OpenClError},
    ranges::smallest,
};

/// An artifact, made ready for a device. Programs share its code and weights.
pub struct Model {
    artifact: Arc<Artifact>,
    target: usize,
    device: Device,
    loaded: Box<dyn Loaded>,
}

/// Why code of an artifact cannot run here.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// No target of the artifact fits the device.
    #[error(
        "{path}: no code for {device}: {}; help: compile with one more target, `tilewright compile MODEL --target {kind} ...`{}",
        list(targets),
        if kind == "cpu" { " on this machine" } else { "" }
    )]
    NoTarget {
        /// The artifact.
        path: String,
        /// The device, in words.
        device: String,
        /// A target that would fit.
        kind: String,
        /// Each target, with why it does not fit.
        targets: Vec<Unfit>,
    },
    /// A size that the artifact is not for.
    #[error(
        "input `{input}`: {symbol} is {found}; wanted {min} to {max}; help: compile for a range that holds it, `tilewright compile MODEL --shape {symbol}=MIN..MAX ...`"
    )]
    Size {
        /// The symbol.
        symbol: String,
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
        /// What the input has.
        found: u64,
        /// The input.
        input: String,
    },
    /// Two inputs that disagree about a size.
    #[error("input `{input}`: {symbol} is {found}; wanted {wanted}, as in the inputs before")]
    Sizes {
        /// The symbol.
        symbol: String,
        /// The second input.
        input: String,
        /// What the first has.
        wanted: u64,
        /// What it has.
        found: u64,
    },
    /// The lane program of a kernel cannot be used.
    #[error("{path}: kernel `{kernel}`: lane program: {reason}")]
    LaneProgram {
        /// The artifact.
        path: String,
        /// The kernel.
        kernel: String,
        /// Why.
        reason: String,
    },
    /// The OpenCL device is not there, or refuses.
    #[error(transparent)]
    OpenCl(#[from] OpenClError),
    /// A driver's device is not there, or refuses.
    #[error(transparent)]
    Driver(#[from] DriverError),
    /// The machine code cannot be loaded.
    #[error("{path}: the code for {target} cannot be loaded: {source}")]
    Code {
        /// The artifact.
        path: String,
        /// The target.
        target: String,
        /// What the system's loader says.
        source: io::Error,
    },
    /// The artifact has no program for the sizes.
    #[error("{path}: no program for {wanted}; it has {}; help: see `--shape` of `tilewright compile`", available.join("; "))]
    NoProgram {
        /// The artifact.
        path: String,
        /// What was asked for.
        wanted: String,
        /// The sizes of each program.
        available: Vec<String>,
    },
    /// More threads than make sense.
    #[error("{wanted} threads; wanted at most {most}")]
    Threads {
        /// What was asked for.
        wanted: usize,
        /// The most that may be.
        most: usize,
    },
    /// The system refused memory or threads.
    #[error("{what}: {source}")]
    System {
        /// What was asked for, such as `12 MB for activations`.
        what: String,
        /// What the system says.
        source: io::Error,
    },
    /// The artifact is damaged.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
}

/// A target that does not fit a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// The target, such as `cpu:znver4`.
    pub target: String,
    /// Why, such as `is for aarch64, this is x86_64`.
    pub reason: String,
}

fn list(targets: &[Unfit]) -> String {
    if targets.is_empty() {
        return "the artifact holds no targets".into();
    }
    let one = |t: &Unfit| format!("{} {}", t.target, t.reason);
    targets.iter().map(one).collect::<Vec<_>>().join("; ")
}

impl Model {
    /// Loads the code of the first target that this processor can run.
    pub fn load(artifact: Arc<Artifact>) -> Result<Self, DeviceError> {
        Self::load_on(artifact, &Device::Cpu, &Drivers::default())
    }

    /// Makes ready the code of the target that fits a device best: the first one for just this device, else the first
    /// that it can run.
    pub fn load_on(
        artifact: Arc<Artifact>,
        device: &Device,
        drivers: &Drivers,
    ) -> Result<Self, DeviceError> {
        let targets = &artifact.manifest().targets;
        let (target, loaded): (_, Box<dyn Loaded>) = match device {
            Device::Cpu => {
                let unfit: Vec<_> = targets.iter().map_while(cpu::unfit).collect();
                let at = unfit.len();
                let Some(target) = targets.get(at) else {
                    let words = "this processor".into();
                    return Err(no_target(&artifact, words, "cpu", unfit));
                };
                (at, Box::new(MachineCode::load(&artifact, target)?))
            }
            Device::OpenCl(number) => {
                let card = opencl::Card::open(*number, drivers.opencl.as_deref())?;
                let at = best(&artifact, |t| card.fit(t))
                    .map_err(|unfit| no_target(&artifact, card.describe(), "opencl", unfit))?;
                (
                    at,
                    Box::new(opencl::Built::new(card, &artifact, &targets[at])?),
                )
            }
            Device::Cuda(number) => {
                let card = cuda::Card::open(*number, drivers.cuda.as_deref())?;
                let at = best(&artifact, |t| card.fit(t))
                    .map_err(|unfit| no_target(&artifact, card.describe(), card.target(), unfit))?;
                (at, card.build(&artifact, &targets[at], drivers.launches)?)
            }
            Device::Rocm(number) => {
                let card = hip::Card::open(*number, drivers.hip.as_deref())?;
                let at = best(&artifact, |t| card.fit(t)).map_err(|unfit| {
                    no_target(&artifact, card.describe(), &card.target(), unfit)
                })?;
                (at, card.build(&artifact, &targets[at], drivers.launches)?)
            }
            Device::Ascend(number) => {
                let card = ascend::Card::open(*number, drivers.ascend.as_deref())?;
                let at = best(&artifact, |t| card.fit(t)).map_err(|unfit| {
                    no_target(&artifact, card.describe(), &card.target(), unfit)
                })?;
                (at, card.build(&artifact, &targets[at], drivers.launches)?)
            }
            Device::Emulator(name) => {
                let unfit = targets.iter().map_while(|t| emulator::unfit(t, name));
                let unfit: Vec<_> = unfit.collect();
                let at = unfit.len();
                let Some(target) = targets.get(at) else {
                    return Err(no_target(&artifact, device.to_string(), name, unfit));
                };
                (at, Box::new(LanePrograms::read(&artifact, target)?))
            }
        };
        Ok(Self {
            artifact,
            target,
            device: device.clone(),
            loaded,
        })
    }

    /// The device.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The device and its driver, in words; empty for this processor.
    pub fn device_words(&self) -> String {
        self.loaded.describe()
    }

    /// What runs it: the processor's name, or the device with its driver.
    pub fn runs_on(&self) -> String {
        match self.device {
            Device::Cpu => format!("cpu: {}", cpu::processor()),
            _ => self.loaded.describe(),
        }
    }

    /// The artifact.
    pub fn artifact(&self) -> &Arc<Artifact> {
        &self.artifact
    }

    /// The target whose code is loaded.
    pub fn target(&self) -> &TargetCode {
        &self.artifact.manifest().targets[self.target]
    }

    /// Programs for the loaded target; their positions are the argument of [`Model::executor`].
    pub fn programs(&self) -> &[Program] {
        &self.target().programs
    }

    /// The first program whose inputs have the given shapes; `shape` gives `None` for inputs that may be any.
    pub fn program_for(
        &self,
        shape: impl Fn(&str) -> Option<Vec<usize>>,
    ) -> Result<usize, DeviceError> {
        let inputs = &self.artifact.manifest().inputs;
        let given: Vec<_> = inputs.iter().map(|i| shape(&i.name)).collect();
        let fits = |p: &Program| {
            given
                .iter()
                .zip(&p.input_shapes)
                .all(|(given, own)| match given {
                    Some(given) => given.iter().map(|n| *n as u64).eq(own.iter().copied()),
                    None => true,
                })
        };
        self.programs().iter().position(fits).ok_or_else(|| {
            let named = inputs
                .iter()
                .zip(&given)
                .filter_map(|(i, g)| Some((i, g.as_ref()?)));
            let wanted: Vec<_> = named
                .map(|(i, g)| format!("{} {}", i.name, crate::tensor::type_text(i.dtype, g)))
                .collect();
            self.no_program(wanted.join(", "))
        })
    }

    /// The program that runs inputs of the given shapes, and the sizes for [`Executor::set_sizes`] where runs choose theirs;
    /// `shape` gives `None` for inputs that are left out.
    ///
    /// # Errors
    /// No program has such inputs, or room for them.
    pub fn fit(
        &self,
        shape: impl Fn(&str) -> Option<Vec<usize>>,
    ) -> Result<(usize, BTreeMap<String, u64>), DeviceError> {
        let manifest = self.artifact.manifest();
        let Some(ranges) = &manifest.ranges else {
            return Ok((self.program_for(shape)?, BTreeMap::new()));
        };
        let inputs = manifest
            .inputs
            .iter()
            .map(|i| (i.name.clone(), shape(&i.name)));
        let sizes = ranges.sizes(&inputs.collect::<Vec<_>>())?;
        Ok((self.with_room(&sizes)?, sizes))
    }

    /// The smallest program that holds these sizes.
    fn with_room(&self, sizes: &BTreeMap<String, u64>) -> Result<usize, DeviceError> {
        smallest(self.programs(), sizes).ok_or_else(|| self.no_program(spell(sizes)))
    }

    /// The first program of these sizes; those that are not named may be any.
    pub fn program_of(&self, sizes: &BTreeMap<String, u64>) -> Result<usize, DeviceError> {
        let fits = |p: &Program| {
            sizes
                .iter()
                .all(|(name, size)| p.sizes.get(name) == Some(size))
        };
        let found = self.programs().iter().position(fits);
        found.ok_or_else(|| self.no_program(spell(sizes)))
    }

    /// An executor for these sizes, and its program: where runs choose their sizes, of the smallest program that holds them,
    /// symbols that are not named being as small as they may be; else of the first program of these sizes.
    ///
    /// # Errors
    /// No program is of these sizes, or holds them, or it cannot be made ready.
    pub fn executor_at(
        &self,
        sizes: &BTreeMap<String, u64>,
        options: &Options,
    ) -> Result<(usize, Executor), DeviceError> {
        let Some(ranges) = &self.artifact.manifest().ranges else {
            let program = self.program_of(sizes)?;
            return Ok((program, self.executor(program, options)?));
        };
        let mut all = sizes.clone();
        ranges.complete(&mut all);
        let program = self.with_room(&all)?;
        let mut executor = self.executor(program, options)?;
        // Sizes that are no ranges are the program's own.
        all.retain(|symbol, _| ranges.symbols.contains_key(symbol));
        match executor.set_sizes(&all) {
            Ok(()) => Ok((program, executor)),
            Err(_) => Err(self.no_program(spell(&all))),
        }
    }

    /// Allocates everything that runs of a program need, checks its weights and starts its threads.
    pub fn executor(&self, program: usize, options: &Options) -> Result<Executor, DeviceError> {
        self.executor_with(program, options, None)
    }

    /// As [`Model::executor`], for a program that goes on where runs of `other`, of this model, stop: both have the same
    /// states, and while one runs the other waits.
    ///
    /// # Errors
    /// As [`Model::executor`], or states have other sizes.
    pub fn executor_beside(
        &self,
        program: usize,
        options: &Options,
        other: &Executor,
    ) -> Result<Executor, DeviceError> {
        self.executor_with(program, options, Some(other))
    }

    fn executor_with(
        &self,
        program: usize,
        options: &Options,
        other: Option<&Executor>,
    ) -> Result<Executor, DeviceError> {
        let Some(p) = self.programs().get(program) else {
            return Err(self.no_program(format!("position {program}")));
        };
        let manifest = self.artifact.manifest();
        if let Some(other) = other {
            let own = manifest.inputs.iter().zip(&p.input_shapes);
            let own = own.filter(|(i, _)| i.is_state());
            let own = own.map(|(i, shape)| input_port(i, shape));
            if !own.eq(other.inputs().filter(|p| p.is_state()).cloned()) {
                return Err(self.no_program(format!("{} with the same states", spell(&p.sizes))));
            }
        }
        let (artifact, target) = (&self.artifact, self.target());
        let states = other.map(Executor::states);
        let engine = self.loaded.engine(artifact, target, p, options, states)?;
        Ok(Executor::new(engine, manifest, p, other))
    }

    fn no_program(&self, wanted: String) -> DeviceError {
        DeviceError::NoProgram {
            path: self.artifact.path().display().to_string(),
            wanted,
            available: self.programs().iter().map(|p| spell(&p.sizes)).collect(),
        }
    }
}

/// The target that is made for a device, as `--target` takes it.
///
/// # Errors
/// The device is not there.
pub fn target_for(device: &Device, drivers: &Drivers) -> Result<String, DriverError> {
    Ok(match device {
        Device::Cpu => "cpu".into(),
        Device::Cuda(number) => cuda::Card::open(*number, drivers.cuda.as_deref())?
            .target()
            .into(),
        Device::Rocm(number) => hip::Card::open(*number, drivers.hip.as_deref())?.target(),
        Device::OpenCl(_) => "opencl".into(),
        Device::Ascend(number) => ascend::Card::open(*number, drivers.ascend.as_deref())?.target(),
        Device::Emulator(target) => target.clone(),
    })
}

/// The target that fits best, of equals the first; or why none does.
fn best<Rank: Ord>(
    artifact: &Artifact,
    fit: impl Fn(&TargetCode) -> Result<Rank, Unfit>,
) -> Result<usize, Vec<Unfit>> {
    let mut unfit = Vec::new();
    let mut ranked = Vec::new();
    for (at, target) in artifact.manifest().targets.iter().enumerate() {
        match fit(target) {
            Ok(rank) => ranked.push((rank, at)),
            Err(why) => unfit.push(why),
        }
    }
    ranked.into_iter().min().map(|(_, at)| at).ok_or(unfit)
}

/// `batch=1,seq=128`
fn spell(sizes: &BTreeMap<String, u64>) -> String {
    let each = sizes.iter().map(|(name, size)| format!("{name}={size}"));
    each.collect::<Vec<_>>().join(",")
}

fn no_target(artifact: &Artifact, device: String, kind: &str, targets: Vec<Unfit>) -> DeviceError {
    DeviceError::NoTarget {
        path: artifact.path().display().to_string(),
        device,
        kind: kind.into(),
        targets,
    }
}
