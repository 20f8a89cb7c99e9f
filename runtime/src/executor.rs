//! Runs of one program, on whatever device.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    engine::{Engine, States},
    manifest::{Input, KernelId, Manifest, Output, Program},
    tensor::{Port, RunError, TensorView},
};

/// What poisoned outputs hold, repeated: of f32 and bf16 a signalling NaN, of f16 one with a payload, none of which
/// arithmetic makes; of integers a number far below zero, of `bool` neither of its values.
pub const POISON: [u8; 2] = [0xa5, 0xff];

/// Fills bytes with [`POISON`].
pub(crate) fn poison(bytes: &mut [u8]) {
    for (byte, value) in bytes.iter_mut().zip(POISON.iter().cycle()) {
        *byte = *value;
    }
}

/// How an executor runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Threads, the caller's included; otherwise as many as the process may use at once (its CPU affinity and
    /// cgroup quota are heeded). Executors share no threads, so a process with several sets this. Only for `cpu`.
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
    /// Time from its start to its end; zero without [`Options::profile`].
    pub time: Duration,
}

/// Runs one program. It allocates when it is made; runs allocate nothing.
///
/// Inputs keep their values from run to run. One that was never set is what [`Port::absent`] says. States start as zeros,
/// and each run changes them for the next.
pub struct Executor {
    engine: Box<dyn Engine>,
    inputs: Vec<Given>,
    outputs: Vec<Port>,
    kernels: Vec<KernelId>,
    /// Whose turn it is, of all executors with the same states.
    turn: Arc<Mutex<()>>,
}

/// Waits until no executor with the same states runs.
fn take(turn: &Mutex<()>) -> MutexGuard<'_, ()> {
    // A run that panicked leaves numbers behind, nothing worse.
    turn.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An input, and whether it has a value.
struct Given {
    port: Port,
    set: bool,
}

impl Executor {
    /// With the states of `other`, if there is one.
    pub(crate) fn new(
        mut engine: Box<dyn Engine>,
        manifest: &Manifest,
        program: &Program,
        other: Option<&Self>,
    ) -> Self {
        let inputs = manifest.inputs.iter().zip(&program.input_shapes);
        let inputs: Vec<_> = inputs
            .map(|(i, shape)| Given {
                port: input_port(i, shape),
                set: false,
            })
            .collect();
        for (at, given) in inputs.iter().enumerate() {
            if !given.port.is_state() {
                given.port.fill_absent(engine.input(at));
            }
        }
        let outputs = manifest.outputs.iter().zip(&program.output_shapes);
        Self {
            engine,
            inputs,
            outputs: outputs.map(|(o, shape)| output_port(o, shape)).collect(),
            kernels: program.steps.iter().map(|s| s.kernel).collect(),
            turn: other.map_or_else(Arc::default, |o| Arc::clone(&o.turn)),
        }
    }

    /// The inputs, in the manifest's order.
    pub fn inputs(&self) -> impl ExactSizeIterator<Item = &Port> {
        self.inputs.iter().map(|s| &s.port)
    }

    /// The outputs, in the manifest's order.
    pub fn outputs(&self) -> impl ExactSizeIterator<Item = &Port> {
        self.outputs.iter()
    }

    /// Threads that a run uses, the caller's included.
    pub fn threads(&self) -> usize {
        self.engine.threads()
    }

    /// Bytes of activations, inputs, outputs and scratch memory.
    pub fn reserved_bytes(&self) -> usize {
        self.engine.reserved_bytes()
    }

    /// Copies a tensor into the input of this name.
    pub fn set_input(&mut self, name: &str, value: TensorView<'_>) -> Result<(), RunError> {
        let Some(at) = self.inputs.iter().position(|s| s.port.name == name) else {
            let known = self.inputs.iter().map(|s| s.port.name.clone()).collect();
            return Err(RunError::Unknown {
                name: name.into(),
                known,
            });
        };
        if self.inputs[at].port.is_state() {
            return Err(RunError::State { name: name.into() });
        }
        self.inputs[at].port.check(&value)?;
        self.engine.input(at).copy_from_slice(value.bytes);
        self.inputs[at].set = true;
        Ok(())
    }

    /// Makes every input what it is when left out.
    pub fn clear_inputs(&mut self) {
        for (at, given) in self.inputs.iter_mut().enumerate() {
            if !given.port.is_state() {
                given.port.fill_absent(self.engine.input(at));
            }
            given.set = false;
        }
    }

    /// Makes all states zeros, as they were before the first run.
    ///
    /// # Errors
    /// The device gave up.
    pub fn reset_states(&mut self) -> Result<(), RunError> {
        let _turn = take(&self.turn);
        self.engine.reset_states()
    }

    pub(crate) fn states(&self) -> States {
        self.engine.states()
    }

    /// Fills the outputs with [`POISON`], so that a run that leaves an element out is seen.
    ///
    /// # Errors
    /// The device gave up.
    pub fn poison_outputs(&mut self) -> Result<(), RunError> {
        self.engine.poison()
    }

    /// Computes the outputs from the inputs.
    ///
    /// # Errors
    /// An input that the model needs was not given, or the device gave up.
    pub fn run(&mut self) -> Result<(), RunError> {
        self.require_inputs()?;
        let _turn = take(&self.turn);
        self.engine.run()
    }

    fn require_inputs(&self) -> Result<(), RunError> {
        let required = |s: &&Given| !s.set && s.port.absent == ir::ops::Absent::Required;
        match self.inputs.iter().find(required) {
            Some(slot) => {
                let (name, wanted) = (slot.port.name.clone(), slot.port.type_text());
                Err(RunError::Missing { name, wanted })
            }
            None => Ok(()),
        }
    }

    /// Times of so many runs by the device's own clock, on the inputs as they are, each after the device's caches were
    /// emptied; without the way of inputs and outputs. `None` where the device has no such clock.
    ///
    /// # Errors
    /// As [`Executor::run`].
    pub fn time_on_device(&mut self, runs: u32) -> Result<Option<Vec<Duration>>, RunError> {
        self.require_inputs()?;
        let _turn = take(&self.turn);
        self.engine.time(runs).transpose()
    }

    /// Runs one step of the program, whatever came before (on `cpu`, on this thread only): for looking at single kernels.
    ///
    /// # Errors
    /// The device gave up.
    pub fn run_step(&mut self, step: usize) -> Result<(), RunError> {
        let _turn = take(&self.turn);
        self.engine.run_step(step)
    }

    /// What the memory of an argument of a step holds now.
    ///
    /// # Errors
    /// The device gave up.
    pub fn argument(&mut self, step: usize, argument: usize) -> Result<Vec<u8>, RunError> {
        let _turn = take(&self.turn);
        self.engine.argument(step, argument)
    }

    /// What the last run computed for the output of this name; zeros before the first run.
    pub fn output(&self, name: &str) -> Option<TensorView<'_>> {
        let at = self.outputs.iter().position(|p| p.name == name)?;
        self.output_at(at)
    }

    /// As [`Executor::output`], by position.
    pub fn output_at(&self, position: usize) -> Option<TensorView<'_>> {
        let port = self.outputs.get(position)?;
        Some(TensorView {
            dtype: port.dtype,
            shape: &port.shape,
            bytes: self.engine.output(position),
        })
    }

    /// What each step did over all runs, in the program's order.
    pub fn stats(&self) -> Vec<KernelStats> {
        let stats = self.kernels.iter().zip(self.engine.counts());
        stats
            .map(|(kernel, (dispatches, time))| KernelStats {
                kernel: *kernel,
                dispatches,
                time,
            })
            .collect()
    }
}

pub(crate) fn input_port(input: &Input, shape: &[u64]) -> Port {
    Port {
        name: input.name.clone(),
        dtype: input.dtype,
        shape: sizes(shape),
        absent: input.absent,
        below: input.below,
    }
}

fn output_port(output: &Output, shape: &[u64]) -> Port {
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

/// Bytes of each input and of each output.
pub(crate) fn port_bytes(manifest: &Manifest, program: &Program) -> [Vec<u64>; 2] {
    let bytes = |shape: &Vec<u64>, size: usize| shape.iter().product::<u64>() * size as u64;
    let inputs = manifest.inputs.iter().zip(&program.input_shapes);
    let outputs = manifest.outputs.iter().zip(&program.output_shapes);
    [
        inputs.map(|(i, s)| bytes(s, i.dtype.size())).collect(),
        outputs.map(|(o, s)| bytes(s, o.dtype.size())).collect(),
    ]
}
