//! Runs of one program on an OpenCL device: launches on one queue, in order.

#![allow(
    unsafe_code,
    reason = "work is given to the driver through its library"
)]

use std::{ffi::c_void, ptr, sync::Arc, time::Duration};

use super::{
    Built, Card,
    library::Raw,
    object::{Object, made, number},
};
use crate::{
    Artifact, DeviceError, OpenClError, Options, RunError,
    engine::{Engine, States},
    executor::{poison, port_bytes},
    manifest::{BufferRef, Program, Step, TargetCode},
};

pub(super) struct OpenClEngine {
    card: Arc<Card>,
    queue: Object,
    inputs: Vec<Input>,
    states: Arc<StateMemory>,
    outputs: Vec<Output>,
    steps: Vec<Launch>,
    reserved: usize,
    profile: bool,
    /// One for each step of a run, while it is measured.
    events: Events,
}

/// States on the device, by position among the inputs, with their lengths.
struct StateMemory(Vec<Option<(Arc<Object>, u64)>>);

/// An input here and on the device; nothing of a state.
struct Input {
    here: Vec<u8>,
    there: Arc<Object>,
    /// Whether it was written here since it was last sent.
    changed: bool,
}

/// An output on the device and here.
struct Output {
    here: Vec<u8>,
    there: Arc<Object>,
}

/// A kernel with its arguments.
struct Launch {
    kernel: Object,
    lanes: usize,
    threads: usize,
    args: Vec<Argument>,
    dispatches: u64,
    nanos: u64,
}

struct Argument {
    buffer: Arc<Object>,
    offset: u64,
    /// Bytes that the kernel may use.
    len: usize,
}

/// Handles of launches that are measured.
struct Events(Vec<Raw>);

// SAFETY: events may be asked and given back on any thread.
unsafe impl Send for Events {}
// SAFETY: as above.
unsafe impl Sync for Events {}

impl OpenClEngine {
    pub fn new(
        built: &Built,
        artifact: &Arc<Artifact>,
        target: &TargetCode,
        program: &Program,
        options: &Options,
        states: Option<States>,
    ) -> Result<Self, DeviceError> {
        let card = Arc::clone(&built.card);
        let [mut inputs, outputs] = port_bytes(artifact.manifest(), program);
        let reserved = program.arena.0 + inputs.iter().chain(&outputs).sum::<u64>();
        let mut wanted = reserved + built.weight_bytes();
        let weights = |step: &Step| {
            let args = step.args.clone().into_iter();
            args.filter(|a| matches!(a, BufferRef::Weight { .. }))
        };
        for buffer in program.steps.iter().flat_map(weights) {
            // Sent ones are not sent again, so this counts no weight twice.
            let before = built.weight_bytes();
            built.weight(artifact, buffer)?;
            wanted += built.weight_bytes() - before;
            if wanted > card.info.memory {
                return Err(OpenClError::Memory {
                    device: card.describe(),
                    what: format!("{}: weights and activations", artifact.manifest().model),
                    wanted,
                    most: card.info.memory,
                }
                .into());
            }
        }
        let memory =
            |what: &str, len: u64| Ok::<_, DeviceError>(Arc::new(card.buffer(what, len, None)?));
        let shared = states.and_then(|s| s.downcast::<StateMemory>().ok());
        let fresh = shared.is_none();
        let states = match shared {
            Some(states) => states,
            None => {
                let all = artifact.manifest().inputs.iter().zip(&inputs);
                let all = all.map(|(input, len)| match input.is_state() {
                    true => Ok(Some((memory("a state", *len)?, *len))),
                    false => Ok(None),
                });
                Arc::new(StateMemory(all.collect::<Result<_, DeviceError>>()?))
            }
        };
        for (len, state) in inputs.iter_mut().zip(&states.0) {
            *len = if state.is_some() { 0 } else { *len };
        }
        let arena = memory("memory for activations", program.arena.0)?;
        let inputs = inputs.iter().map(|len| {
            Ok(Input {
                here: vec![0; *len as usize],
                there: memory("an input", *len)?,
                changed: true,
            })
        });
        let inputs = inputs.collect::<Result<Vec<_>, DeviceError>>()?;
        let outputs = outputs.iter().map(|len| {
            Ok(Output {
                here: vec![0; *len as usize],
                there: memory("an output", *len)?,
            })
        });
        let outputs = outputs.collect::<Result<Vec<_>, DeviceError>>()?;
        let buffer = |b: BufferRef| -> Result<(Arc<Object>, u64), DeviceError> {
            Ok(match b {
                BufferRef::Weight { .. } => (built.weight(artifact, b)?, 0),
                BufferRef::Arena { offset, .. } => (Arc::clone(&arena), offset),
                BufferRef::Input(i) => match &states.0[i as usize] {
                    Some((state, _)) => (Arc::clone(state), 0),
                    None => (Arc::clone(&inputs[i as usize].there), 0),
                },
                BufferRef::Output(i) => (Arc::clone(&outputs[i as usize].there), 0),
            })
        };
        let mut steps = Vec::new();
        for step in &program.steps {
            let at = step.kernel.0 as usize;
            let kernel = &target.kernels[at];
            let launch = kernel.launch.as_ref();
            let threads = launch.expect("`artifact::check` wants a launch").threads as usize;
            let args = step.args.iter().zip(&kernel.params).map(|(arg, param)| {
                let (buffer, offset) = buffer(*arg)?;
                let len = param.len as usize * param.dtype.size();
                Ok(Argument {
                    buffer,
                    offset,
                    len,
                })
            });
            let args = args.collect::<Result<Vec<_>, DeviceError>>()?;
            let launch = Launch {
                lanes: kernel.blocks as usize * threads,
                threads,
                kernel: built.kernel(at, kernel)?,
                args,
                dispatches: 0,
                nanos: 0,
            };
            launch.set_arguments(&card, &kernel.name)?;
            steps.push(launch);
        }
        let mut engine = Self {
            queue: queue(&card, options.profile)?,
            inputs,
            states,
            outputs,
            reserved: usize::try_from(reserved).unwrap_or(usize::MAX),
            profile: options.profile,
            events: Events(vec![ptr::null_mut(); steps.len()]),
            steps,
            card,
        };
        if fresh {
            engine.reset_states().map_err(|e| match e {
                RunError::Device(e) => DeviceError::OpenCl(*e),
                other => unreachable!("a copy is refused by the device: {other}"),
            })?;
        }
        Ok(engine)
    }

    fn done(&self, call: &'static str, code: i32) -> Result<(), RunError> {
        match code {
            0 => Ok(()),
            _ => Err(RunError::Device(Box::new(
                self.card.refused(call, "a run", code),
            ))),
        }
    }

    /// Sends inputs that were written.
    fn send(&mut self) -> Result<(), RunError> {
        for at in 0..self.inputs.len() {
            let input = &self.inputs[at];
            if input.changed {
                self.write(&input.here, &input.there)?;
            }
            self.inputs[at].changed = false;
        }
        Ok(())
    }

    /// Gives the queue a copy to the device; the queue is drained before `from` changes.
    fn write(&self, from: &[u8], to: &Object) -> Result<(), RunError> {
        if from.is_empty() {
            return Ok(());
        }
        let f = self.card.functions.clEnqueueWriteBuffer;
        let (len, from) = (from.len(), from.as_ptr().cast());
        // SAFETY: both memories have `len` bytes, and live until the queue is drained.
        let code = unsafe {
            let (queue, to) = (self.queue.raw(), to.raw());
            f(queue, to, 0, 0, len, from, 0, ptr::null(), ptr::null_mut())
        };
        self.done("clEnqueueWriteBuffer", code)
    }

    fn launch(&mut self, step: usize) -> Result<(), RunError> {
        let launch = &mut self.steps[step];
        launch.dispatches += 1;
        if launch.lanes == 0 {
            return Ok(());
        }
        let event: *mut Raw = match self.profile {
            true => &mut self.events.0[step],
            false => ptr::null_mut(),
        };
        // SAFETY: all arguments are set; `artifact::check` held the buffers' lengths against the kernel's parameters,
        // and forbids writing to weights and inputs.
        let code = unsafe {
            (self.card.functions.clEnqueueNDRangeKernel)(
                self.queue.raw(),
                launch.kernel.raw(),
                1,
                ptr::null(),
                &launch.lanes,
                &launch.threads,
                0,
                ptr::null(),
                event,
            )
        };
        self.done("clEnqueueNDRangeKernel", code)
    }

    fn finish(&mut self) -> Result<(), RunError> {
        // SAFETY: the queue lives.
        let code = unsafe { (self.card.functions.clFinish)(self.queue.raw()) };
        self.keep_times();
        self.done("clFinish", code)
    }

    /// Adds the times of launches that have ended, and gives their events back.
    fn keep_times(&mut self) {
        let functions = &self.card.functions;
        for (launch, event) in self.steps.iter_mut().zip(&mut self.events.0) {
            let event = std::mem::replace(event, ptr::null_mut());
            if event.is_null() {
                continue;
            }
            let [start, end] = [
                number::PROFILING_COMMAND_START,
                number::PROFILING_COMMAND_END,
            ]
            .map(|what| {
                let mut nanos = 0_u64;
                let to: *mut c_void = (&raw mut nanos).cast();
                // SAFETY: the answer has 8 bytes. A launch that did not end has none, and counts as 0.
                unsafe { (functions.clGetEventProfilingInfo)(event, what, 8, to, ptr::null_mut()) };
                nanos
            });
            launch.nanos += end.saturating_sub(start);
            // SAFETY: the event was given to this process, and is given back once.
            unsafe { (functions.clReleaseEvent)(event) };
        }
    }
}

impl Launch {
    /// Two for each parameter: its buffer, and where in it it starts.
    fn set_arguments(&self, card: &Card, name: &str) -> Result<(), OpenClError> {
        for (at, arg) in (0..).step_by(2).zip(&self.args) {
            let raw = arg.buffer.raw();
            let values: [(usize, *const c_void); 2] = [
                (size_of::<Raw>(), (&raw const raw).cast()),
                (size_of::<u64>(), (&raw const arg.offset).cast()),
            ];
            for (i, (size, value)) in (at..).zip(values) {
                // SAFETY: the value has `size` bytes, which are copied; nobody else uses this kernel.
                let code =
                    unsafe { (card.functions.clSetKernelArg)(self.kernel.raw(), i, size, value) };
                if code != 0 {
                    return Err(card.refused("clSetKernelArg", name, code));
                }
            }
        }
        Ok(())
    }
}

fn queue(card: &Card, profile: bool) -> Result<Object, OpenClError> {
    let properties = if profile {
        number::QUEUE_PROFILING_ENABLE
    } else {
        0
    };
    let made = made(
        &card.functions,
        |f| f.clReleaseCommandQueue,
        &[&card.context],
        |code| {
            // SAFETY: context and device belong together.
            unsafe {
                (card.functions.clCreateCommandQueue)(
                    card.context.raw(),
                    card.device.0,
                    properties,
                    code,
                )
            }
        },
    );
    made.map_err(|code| card.refused("clCreateCommandQueue", "runs", code))
}

impl Engine for OpenClEngine {
    fn input(&mut self, position: usize) -> &mut [u8] {
        let input = &mut self.inputs[position];
        input.changed = true;
        &mut input.here
    }

    fn output(&self, position: usize) -> &[u8] {
        &self.outputs[position].here
    }

    fn states(&self) -> States {
        Arc::clone(&self.states) as States
    }

    fn reset_states(&mut self) -> Result<(), RunError> {
        for (state, len) in self.states.0.iter().flatten().cloned().collect::<Vec<_>>() {
            let zeros = vec![0; len as usize];
            let given = self.write(&zeros, &state);
            // The queue reads the zeros until it is drained.
            self.finish().and(given)?;
        }
        Ok(())
    }

    fn poison(&mut self) -> Result<(), RunError> {
        for output in &mut self.outputs {
            poison(&mut output.here);
        }
        let given = (self.outputs.iter()).try_for_each(|o| self.write(&o.here, &o.there));
        self.finish().and(given)
    }

    fn run(&mut self) -> Result<(), RunError> {
        let given = self.send().and_then(|()| {
            (0..self.steps.len()).try_for_each(|step| self.launch(step))?;
            for at in 0..self.outputs.len() {
                let output = &mut self.outputs[at];
                if output.here.is_empty() {
                    continue;
                }
                let (len, to) = (output.here.len(), output.here.as_mut_ptr().cast());
                let f = self.card.functions.clEnqueueReadBuffer;
                // SAFETY: both memories have `len` bytes. The queue is drained before `here` can be read.
                let code = unsafe {
                    let (queue, from) = (self.queue.raw(), self.outputs[at].there.raw());
                    f(queue, from, 0, 0, len, to, 0, ptr::null(), ptr::null_mut())
                };
                self.done("clEnqueueReadBuffer", code)?;
            }
            Ok(())
        });
        // Whatever was given to the queue uses memory of this engine until it ends.
        self.finish().and(given)
    }

    fn run_step(&mut self, step: usize) -> Result<(), RunError> {
        let given = self.send().and_then(|()| self.launch(step));
        self.finish().and(given)
    }

    fn argument(&mut self, step: usize, argument: usize) -> Result<Vec<u8>, RunError> {
        self.send()?;
        let arg = &self.steps[step].args[argument];
        let mut bytes = vec![0; arg.len];
        if bytes.is_empty() {
            return Ok(bytes);
        }
        let f = self.card.functions.clEnqueueReadBuffer;
        let to = bytes.as_mut_ptr().cast();
        // SAFETY: both memories have these bytes; the call returns when they are read.
        let code = unsafe {
            let (queue, from, at) = (self.queue.raw(), arg.buffer.raw(), arg.offset as usize);
            f(
                queue,
                from,
                1,
                at,
                arg.len,
                to,
                0,
                ptr::null(),
                ptr::null_mut(),
            )
        };
        self.done("clEnqueueReadBuffer", code)?;
        Ok(bytes)
    }

    fn counts(&self) -> Vec<(u64, Duration)> {
        let steps = self.steps.iter();
        steps
            .map(|s| (s.dispatches, Duration::from_nanos(s.nanos)))
            .collect()
    }

    fn threads(&self) -> usize {
        1
    }

    fn reserved_bytes(&self) -> usize {
        self.reserved
    }
}

impl Drop for OpenClEngine {
    fn drop(&mut self) {
        // SAFETY: the queue lives; what it still does uses memory of this engine.
        unsafe { (self.card.functions.clFinish)(self.queue.raw()) };
    }
}
