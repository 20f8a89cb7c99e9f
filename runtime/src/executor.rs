//! Runs of one program, on whatever device.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    engine::{Engine, States},
    manifest::{Input, KernelId, Manifest, Output, Program, Ranges},
    ranges::{gather, spread},
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
    outputs: Vec<Made>,
    /// Sizes that runs may choose, and the largest that the program has room for.
    ranges: Option<(Ranges, BTreeMap<String, u64>)>,
    kernels: Vec<KernelId>,
    /// Whose turn it is, of all executors with the same states.
    turn: Arc<Mutex<()>>,
}

/// Waits until no executor with the same states runs.
fn take(turn: &Mutex<()>) -> MutexGuard<'_, ()> {
    // A run that panicked leaves numbers behind, nothing worse.
    turn.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An input, the shape of the memory that it begins, and whether it has a value.
struct Given {
    port: Port,
    room: Vec<usize>,
    set: bool,
}

/// An output, the shape of the memory that it begins, and a copy of it alone where that is larger.
struct Made {
    port: Port,
    room: Vec<usize>,
    own: Vec<u8>,
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
                room: sizes(shape),
                set: false,
            })
            .collect();
        for (at, (given, input)) in inputs.iter().zip(&manifest.inputs).enumerate() {
            if !input.is_state() {
                begin(input, &given.port, program, engine.input(at));
            }
        }
        let outputs = manifest.outputs.iter().zip(&program.output_shapes);
        let ranges = manifest.ranges.clone();
        let outputs = outputs.map(|(o, shape)| {
            let port = output_port(o, shape);
            let own = if ranges.is_some() { port.byte_len() } else { 0 };
            Made {
                room: port.shape.clone(),
                port,
                own: vec![0; own],
            }
        });
        Self {
            engine,
            inputs,
            outputs: outputs.collect(),
            ranges: ranges.map(|ranges| (ranges, program.sizes.clone())),
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
        self.outputs.iter().map(|o| &o.port)
    }

    /// Makes the next runs those of sizes that the program has room for; inputs and outputs have the shapes that follow, and
    /// inputs are what they are when left out. Symbols that are not named are as large as they can be. Allocates nothing.
    ///
    /// # Errors
    /// A size that no artifact's range names, or that is out of its range or larger than the program's.
    pub fn set_sizes(&mut self, sizes: &BTreeMap<String, u64>) -> Result<(), RunError> {
        let none = (Ranges::default(), BTreeMap::new());
        let (ranges, room) = self.ranges.as_ref().unwrap_or(&none);
        for (symbol, size) in sizes {
            let range = ranges.symbols.get(symbol).copied().unwrap_or([0, 0]);
            let [min, max] = [
                range[0],
                room.get(symbol).copied().unwrap_or(0).min(range[1]),
            ];
            if !(min..=max).contains(size) || max == 0 {
                let (symbol, found) = (symbol.clone(), *size);
                return Err(RunError::Room {
                    symbol,
                    min,
                    max,
                    found,
                });
            }
        }
        let size = |symbol: &str| sizes.get(symbol).or(room.get(symbol)).copied();
        let fit = |shape: &mut Vec<usize>, room: &[usize], axes: &[Option<String>]| {
            for ((n, room), axis) in shape.iter_mut().zip(room).zip(axes) {
                let size = axis.as_deref().and_then(size);
                *n = size.map_or(*room, |size| size as usize);
            }
        };
        for (given, axes) in self.inputs.iter_mut().zip(&ranges.inputs) {
            fit(&mut given.port.shape, &given.room, axes);
        }
        for (made, axes) in self.outputs.iter_mut().zip(&ranges.outputs) {
            fit(&mut made.port.shape, &made.room, axes);
        }
        for (at, given) in self.inputs.iter().enumerate() {
            let symbol = given.port.name.strip_prefix("size.");
            if let (ir::ops::Absent::Size, Some(size)) = (given.port.absent, symbol.and_then(size))
            {
                self.engine.input(at).copy_from_slice(&size.to_le_bytes());
            }
        }
        self.clear_inputs();
        Ok(())
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
        let given = &mut self.inputs[at];
        match given.port.absent {
            ir::ops::Absent::State => return Err(RunError::State { name: name.into() }),
            ir::ops::Absent::Size => return Err(RunError::Size { name: name.into() }),
            _ => given.port.check(&value)?,
        }
        let size = given.port.dtype.size();
        spread(
            value.bytes,
            value.shape,
            self.engine.input(at),
            &given.room,
            size,
        );
        given.set = true;
        Ok(())
    }

    /// Makes every input what it is when left out.
    pub fn clear_inputs(&mut self) {
        for (at, given) in self.inputs.iter_mut().enumerate() {
            if given.port.is_given() {
                given.port.fill_absent(&given.room, self.engine.input(at));
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
        {
            let _turn = take(&self.turn);
            self.engine.run()?;
        }
        for (at, made) in self.outputs.iter_mut().enumerate() {
            if made.port.shape != made.room {
                let own = made.port.byte_len();
                let size = made.port.dtype.size();
                let (all, own) = (self.engine.output(at), &mut made.own[..own]);
                gather(all, &made.room, own, &made.port.shape, size);
            }
        }
        Ok(())
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
        let at = self.outputs.iter().position(|o| o.port.name == name)?;
        self.output_at(at)
    }

    /// As [`Executor::output`], by position.
    pub fn output_at(&self, position: usize) -> Option<TensorView<'_>> {
        let made = self.outputs.get(position)?;
        let bytes = if made.port.shape == made.room {
            self.engine.output(position)
        } else {
            &made.own[..made.port.byte_len()]
        };
        Some(TensorView {
            dtype: made.port.dtype,
            shape: &made.port.shape,
            bytes,
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

/// Writes what an input is before it is set.
pub(crate) fn begin(input: &Input, port: &Port, program: &Program, bytes: &mut [u8]) {
    match input.symbol() {
        Some(symbol) => {
            let size = program.sizes.get(symbol).copied().unwrap_or(0);
            bytes.copy_from_slice(&size.to_le_bytes());
        }
        None => port.fill_absent(&port.shape, bytes),
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
