//! Runs of one program.

#![allow(unsafe_code, reason = "kernels are called with addresses")]

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use super::{
    DeviceError,
    library::Entry,
    memory::{Memory, Plan, Region},
    pool::{Pool, Work},
};
use crate::{
    Artifact,
    manifest::{BufferRef, KernelId, Program, TargetCode},
    tensor::{Port, RunError, TensorView},
};

/// More threads than any processor of today runs at once; asking for more is a mistake.
const MOST_THREADS: usize = 4096;

/// How an executor runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Threads, the caller's included; otherwise as many as the process may use at once (its CPU affinity and
    /// cgroup quota are heeded). Executors share no threads, so a process with several sets this.
    pub threads: Option<NonZeroUsize>,
    /// Whether to measure each kernel, which costs two readings of the clock per step.
    pub profile: bool,
}

/// What one kernel did over all runs of an executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelStats {
    /// The kernel, by position in its target.
    pub kernel: KernelId,
    /// How often it was dispatched.
    pub dispatches: u64,
    /// Time from its start on the first thread to its end on the last; zero without [`Options::profile`].
    pub time: Duration,
}

/// Runs one program. It allocates when it is made; runs allocate nothing.
///
/// Inputs keep their values from run to run. One that was never set is what [`Port::absent`] says.
pub struct Executor {
    // Dropped first: its threads use the memory.
    pool: Pool<Calls>,
    memory: Memory,
    inputs: Vec<Slot>,
    outputs: Vec<Slot>,
    kernels: Vec<KernelId>,
    threads: usize,
    profile: bool,
    reserved: usize,
}

/// An input or output and its memory.
struct Slot {
    port: Port,
    region: Region,
    set: bool,
}

/// The kernels to call, with their arguments.
struct Calls {
    steps: Vec<Call>,
    /// One for each thread.
    scratch: Vec<*mut u8>,
    /// Keeps the weights mapped.
    _artifact: Arc<Artifact>,
}

/// A kernel with its arguments.
struct Call {
    entry: Entry,
    args: Box<[*mut u8]>,
    /// Bytes of each argument that the kernel may use.
    lens: Box<[usize]>,
}

// SAFETY: the addresses are of memory that the executor owns, or of weights that nobody writes; each thread has its
// own scratch memory, and threads run different blocks of a step, which write different elements.
unsafe impl Send for Calls {}
// SAFETY: as above; nothing but the memory behind the addresses changes.
unsafe impl Sync for Calls {}

impl Work for Calls {
    fn run(&self, step: usize, first: u64, last: u64, thread: usize) {
        let Call { entry, args, .. } = &self.steps[step];
        // SAFETY: `artifact::check` held the arguments' lengths against the kernel's parameters, and forbids writing
        // to weights and inputs; the planner that wrote the program keeps arrays apart that are used together.
        unsafe { entry.call(args, first as i64, last as i64, self.scratch[thread]) }
    }
}

impl Executor {
    pub(super) fn new(
        artifact: &Arc<Artifact>,
        target: &TargetCode,
        program: &Program,
        entries: &[Entry],
        options: &Options,
    ) -> Result<Self, DeviceError> {
        let threads = match options.threads {
            Some(n) => n.get(),
            None => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        };
        if threads > MOST_THREADS {
            return Err(DeviceError::Threads {
                wanted: threads,
                most: MOST_THREADS,
            });
        }
        let manifest = artifact.manifest();
        let kernel = |id: KernelId| &target.kernels[id.0 as usize];
        let scratch = program
            .steps
            .iter()
            .map(|s| kernel(s.kernel).scratch.0)
            .max()
            .unwrap_or(0);

        let mut plan = Plan::default();
        let mut add = |len: u64| {
            plan.add(len).ok_or_else(|| DeviceError::System {
                what: format!("{len} bytes of memory"),
                source: std::io::ErrorKind::OutOfMemory.into(),
            })
        };
        let arena = add(program.arena.0)?;
        let scratch = (0..threads)
            .map(|_| add(scratch))
            .collect::<Result<Vec<_>, _>>()?;
        let mut slot = |port: Port| {
            Ok::<_, DeviceError>(Slot {
                region: add(port.byte_len() as u64)?,
                port,
                set: false,
            })
        };
        let inputs = manifest.inputs.iter().zip(&program.input_shapes);
        let inputs = inputs
            .map(|(i, shape)| slot(input_port(i, shape)))
            .collect::<Result<Vec<_>, _>>()?;
        let outputs = manifest.outputs.iter().zip(&program.output_shapes);
        let outputs = outputs
            .map(|(o, shape)| slot(output_port(o, shape)))
            .collect::<Result<Vec<_>, _>>()?;

        let reserved = plan.len();
        let mut memory = Memory::new(&plan).map_err(|source| DeviceError::System {
            what: format!("{reserved} bytes of memory"),
            source,
        })?;
        for slot in &inputs {
            slot.port.fill_absent(memory.bytes_mut(slot.region));
        }
        let address = |buffer: BufferRef| -> Result<*mut u8, DeviceError> {
            Ok(match buffer {
                BufferRef::Weight { .. } => artifact
                    .weight(buffer)?
                    .expect("the buffer is a weight")
                    .as_ptr()
                    .cast_mut(),
                BufferRef::Arena { offset, .. } => {
                    memory.address(arena).wrapping_add(offset as usize)
                }
                BufferRef::Input(i) => memory.address(inputs[i as usize].region),
                BufferRef::Output(i) => memory.address(outputs[i as usize].region),
            })
        };
        let steps = program.steps.iter().map(|step| {
            let args = step
                .args
                .iter()
                .map(|a| address(*a))
                .collect::<Result<_, _>>()?;
            let params = &kernel(step.kernel).params;
            let lens = params
                .iter()
                .map(|p| p.len as usize * p.dtype.size())
                .collect();
            let entry = entries[step.kernel.0 as usize].clone();
            Ok(Call { entry, args, lens })
        });
        let calls = Calls {
            steps: steps.collect::<Result<_, DeviceError>>()?,
            scratch: scratch.iter().map(|r| memory.address(*r)).collect(),
            _artifact: Arc::clone(artifact),
        };
        let blocks: Vec<_> = program
            .steps
            .iter()
            .map(|s| kernel(s.kernel).blocks)
            .collect();
        let pool = Pool::new(threads, &blocks, calls).map_err(|source| DeviceError::System {
            what: format!("{threads} threads"),
            source,
        })?;
        let kernels = program.steps.iter().map(|s| s.kernel).collect();
        let profile = options.profile;
        Ok(Self {
            pool,
            memory,
            inputs,
            outputs,
            kernels,
            threads,
            profile,
            reserved,
        })
    }

    /// The inputs, in the manifest's order.
    pub fn inputs(&self) -> impl ExactSizeIterator<Item = &Port> {
        self.inputs.iter().map(|s| &s.port)
    }

    /// The outputs, in the manifest's order.
    pub fn outputs(&self) -> impl ExactSizeIterator<Item = &Port> {
        self.outputs.iter().map(|s| &s.port)
    }

    /// Threads that a run uses, the caller's included.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Bytes of activations, inputs, outputs and scratch memory.
    pub fn reserved_bytes(&self) -> usize {
        self.reserved
    }

    /// Copies a tensor into the input of this name.
    pub fn set_input(&mut self, name: &str, value: TensorView<'_>) -> Result<(), RunError> {
        let Some(slot) = self.inputs.iter_mut().find(|s| s.port.name == name) else {
            let known = self.inputs.iter().map(|s| s.port.name.clone()).collect();
            return Err(RunError::Unknown {
                name: name.into(),
                known,
            });
        };
        slot.port.check(&value)?;
        self.memory
            .bytes_mut(slot.region)
            .copy_from_slice(value.bytes);
        slot.set = true;
        Ok(())
    }

    /// Makes every input what it is when left out.
    pub fn clear_inputs(&mut self) {
        for slot in &mut self.inputs {
            slot.port.fill_absent(self.memory.bytes_mut(slot.region));
            slot.set = false;
        }
    }

    /// Computes the outputs from the inputs.
    pub fn run(&mut self) -> Result<(), RunError> {
        let required = |s: &&Slot| !s.set && s.port.absent == ir::ops::Absent::Required;
        if let Some(slot) = self.inputs.iter().find(required) {
            let (name, wanted) = (slot.port.name.clone(), slot.port.type_text());
            return Err(RunError::Missing { name, wanted });
        }
        self.pool.run(self.profile);
        Ok(())
    }

    /// Runs one step of the program, on this thread only and whatever came before: for looking at single kernels.
    pub fn run_step(&mut self, step: usize) {
        self.pool.run_step(step);
    }

    /// What the memory of an argument of a step holds now.
    pub fn argument(&self, step: usize, argument: usize) -> &[u8] {
        let call = &self.pool.work().steps[step];
        let (at, len) = (call.args[argument], call.lens[argument]);
        // SAFETY: `artifact::check` saw that the buffer has this length. No kernel runs: that takes `&mut self`.
        unsafe { std::slice::from_raw_parts(at, len) }
    }

    /// What the last run computed for the output of this name; zeros before the first run.
    pub fn output(&self, name: &str) -> Option<TensorView<'_>> {
        let at = self.outputs.iter().position(|s| s.port.name == name)?;
        self.output_at(at)
    }

    /// As [`Executor::output`], by position.
    pub fn output_at(&self, position: usize) -> Option<TensorView<'_>> {
        let slot = self.outputs.get(position)?;
        let bytes = self.memory.bytes(slot.region);
        Some(TensorView {
            dtype: slot.port.dtype,
            shape: &slot.port.shape,
            bytes,
        })
    }

    /// What each step did over all runs, in the program's order.
    pub fn stats(&self) -> Vec<KernelStats> {
        let counts = self.pool.runs().zip(self.pool.nanos());
        let stats = self.kernels.iter().zip(counts);
        stats
            .map(|(kernel, (dispatches, nanos))| KernelStats {
                kernel: *kernel,
                dispatches,
                time: Duration::from_nanos(nanos),
            })
            .collect()
    }
}

fn input_port(input: &crate::manifest::Input, shape: &[u64]) -> Port {
    Port {
        name: input.name.clone(),
        dtype: input.dtype,
        shape: sizes(shape),
        absent: input.absent,
        below: input.below,
    }
}

fn output_port(output: &crate::manifest::Output, shape: &[u64]) -> Port {
    Port {
        name: output.name.clone(),
        dtype: output.dtype,
        shape: sizes(shape),
        absent: ir::ops::Absent::Required,
        below: 0,
    }
}

fn sizes(shape: &[u64]) -> Vec<usize> {
    shape
        .iter()
        .map(|n| usize::try_from(*n).expect("checked when the artifact was opened"))
        .collect()
}
