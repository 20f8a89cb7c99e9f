//! Runs of one program on threads of this process.

#![allow(unsafe_code, reason = "kernels are called with addresses")]

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use super::{
    library::Entry,
    memory::{Memory, Plan, Region},
    pool::{Pool, Work},
};
use crate::{
    Artifact, DeviceError, Options,
    engine::{Engine, States},
    executor::{poison, port_bytes},
    manifest::{BufferRef, KernelId, Program, TargetCode},
    tensor::RunError,
};

/// More threads than any processor of today runs at once; asking for more is a mistake.
const MOST_THREADS: usize = 4096;

pub(super) struct CpuEngine {
    // Dropped first: its threads use the memory.
    pool: Pool<Calls>,
    memory: Memory,
    states: Arc<StateMemory>,
    inputs: Vec<Region>,
    outputs: Vec<Region>,
    threads: usize,
    profile: bool,
    reserved: usize,
}

/// States, by position among the inputs.
struct StateMemory {
    memory: Memory,
    regions: Vec<Option<Region>>,
    bytes: usize,
}

impl StateMemory {
    /// Zeros for those of these inputs that are states.
    fn new(artifact: &Artifact, lens: &[u64]) -> Result<Self, DeviceError> {
        let mut plan = Plan::default();
        let inputs = artifact.manifest().inputs.iter().zip(lens);
        let regions = inputs.map(|(input, len)| match input.is_state() {
            true => plan.add(*len).map(Some).ok_or_else(|| no_memory(*len)),
            false => Ok(None),
        });
        let regions = regions.collect::<Result<_, _>>()?;
        let memory = Memory::new(&plan).map_err(|source| DeviceError::System {
            what: format!("{} bytes of memory for states", plan.len()),
            source,
        })?;
        Ok(Self {
            memory,
            regions,
            bytes: plan.len(),
        })
    }
}

fn no_memory(len: u64) -> DeviceError {
    DeviceError::System {
        what: format!("{len} bytes of memory"),
        source: std::io::ErrorKind::OutOfMemory.into(),
    }
}

/// The kernels to call, with their arguments.
struct Calls {
    steps: Vec<Call>,
    /// One for each thread.
    scratch: Vec<*mut u8>,
    /// Keeps the weights mapped.
    _artifact: Arc<Artifact>,
    /// Keeps the states.
    _states: Arc<StateMemory>,
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
        // to weights and to inputs that are no states; the planner that wrote the program keeps arrays apart that are used
        // together. Executors with the same states take turns.
        unsafe { entry.call(args, first as i64, last as i64, self.scratch[thread]) }
    }
}

impl CpuEngine {
    pub fn new(
        artifact: &Arc<Artifact>,
        target: &TargetCode,
        program: &Program,
        entries: &[Entry],
        options: &Options,
        states: Option<States>,
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
        let kernel = |id: KernelId| &target.kernels[id.0 as usize];
        let scratch = program
            .steps
            .iter()
            .map(|s| kernel(s.kernel).scratch.0)
            .max()
            .unwrap_or(0);

        let mut plan = Plan::default();
        let mut add = |len: u64| plan.add(len).ok_or_else(|| no_memory(len));
        let arena = add(program.arena.0)?;
        let scratch = (0..threads)
            .map(|_| add(scratch))
            .collect::<Result<Vec<_>, _>>()?;
        let mut regions = |lens: &[u64]| {
            let all = lens.iter().map(|len| add(*len));
            all.collect::<Result<Vec<_>, _>>()
        };
        let [mut inputs, outputs] = port_bytes(artifact.manifest(), program);
        let shared = states.and_then(|s| s.downcast::<StateMemory>().ok());
        let states = match shared {
            Some(states) => states,
            None => Arc::new(StateMemory::new(artifact, &inputs)?),
        };
        for (len, state) in inputs.iter_mut().zip(&states.regions) {
            *len = if state.is_some() { 0 } else { *len };
        }
        let (inputs, outputs) = (regions(&inputs)?, regions(&outputs)?);

        let reserved = plan.len();
        let memory = Memory::new(&plan).map_err(|source| DeviceError::System {
            what: format!("{reserved} bytes of memory"),
            source,
        })?;
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
                BufferRef::Input(i) => match states.regions[i as usize] {
                    Some(state) => states.memory.address(state),
                    None => memory.address(inputs[i as usize]),
                },
                BufferRef::Output(i) => memory.address(outputs[i as usize]),
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
            _states: Arc::clone(&states),
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
        Ok(Self {
            pool,
            memory,
            reserved: reserved + states.bytes,
            states,
            inputs,
            outputs,
            threads,
            profile: options.profile,
        })
    }
}

impl Engine for CpuEngine {
    fn input(&mut self, position: usize) -> &mut [u8] {
        self.memory.bytes_mut(self.inputs[position])
    }

    fn output(&self, position: usize) -> &[u8] {
        self.memory.bytes(self.outputs[position])
    }

    fn states(&self) -> States {
        Arc::clone(&self.states) as States
    }

    fn reset_states(&mut self) -> Result<(), RunError> {
        for state in self.states.regions.iter().flatten() {
            // SAFETY: no kernel runs: that takes `&mut self`, and of the executors with the same states it is this one's turn.
            unsafe { self.states.memory.clear(*state) };
        }
        Ok(())
    }

    fn poison(&mut self) -> Result<(), RunError> {
        for output in &self.outputs {
            poison(self.memory.bytes_mut(*output));
        }
        Ok(())
    }

    fn run(&mut self) -> Result<(), RunError> {
        self.pool.run(self.profile);
        Ok(())
    }

    fn run_step(&mut self, step: usize) -> Result<(), RunError> {
        self.pool.run_step(step);
        Ok(())
    }

    fn argument(&mut self, step: usize, argument: usize) -> Result<Vec<u8>, RunError> {
        let call = &self.pool.work().steps[step];
        let (at, len) = (call.args[argument], call.lens[argument]);
        // SAFETY: `artifact::check` saw that the buffer has this length. No kernel runs: that takes `&mut self`.
        Ok(unsafe { std::slice::from_raw_parts(at, len) }.to_vec())
    }

    fn counts(&self) -> Vec<(u64, Duration)> {
        let counts = self.pool.runs().zip(self.pool.nanos());
        let counts = counts.map(|(runs, nanos)| (runs, Duration::from_nanos(nanos)));
        counts.collect()
    }

    fn threads(&self) -> usize {
        self.threads
    }

    fn reserved_bytes(&self) -> usize {
        self.reserved
    }
}
