//! Runs of one program on a driver's device: launches on one stream, recorded once and replayed.

use std::{sync::Arc, time::Duration};

use super::{
    Address, Built, Done, Driver, DriverError, Meaning,
    built::Health,
    memory::Region,
    stage::Stage,
    stream::{Marks, Stream},
};
use crate::{
    Artifact, DeviceError, Launches, Options, RunError,
    engine::{Engine, States},
    executor::{poison, port_bytes},
    manifest::{BufferRef, Kernel, Program, Step, TargetCode},
};

/// More than the last cache of any device of today holds: cleared between runs that are timed.
const FLUSH: u64 = 256 << 20;

pub(super) struct DriverEngine<D: Driver> {
    // Dropped first: what was given to the stream uses all that follows.
    stream: Stream<D>,
    driver: Arc<D>,
    health: Health,
    model: String,
    inputs: Vec<Input<D>>,
    states: Arc<StateMemory<D>>,
    outputs: Vec<Output<D>>,
    steps: Vec<Call<D>>,
    graph: Option<D::Graph>,
    /// Two for each step, where each is measured.
    marks: Option<Marks<D>>,
    flush: Option<Region<D>>,
    reserved: usize,
    /// Keep the memory behind the launches.
    _weights: Vec<Arc<Region<D>>>,
    _arena: Region<D>,
}

/// States on the device, by position among the inputs, with their lengths.
struct StateMemory<D: Driver>(Vec<Option<(Region<D>, u64)>>);

/// An input here and on the device; nothing of a state.
struct Input<D: Driver> {
    here: Stage<D>,
    there: Region<D>,
    /// Whether it was written here since it was last sent.
    changed: bool,
}

/// An output on the device and here.
struct Output<D: Driver> {
    here: Stage<D>,
    there: Region<D>,
}

/// A kernel with its arguments.
struct Call<D: Driver> {
    /// None for kernels of no blocks.
    launch: Option<D::Launch>,
    name: String,
    args: Vec<(Address, usize)>,
    dispatches: u64,
    time: Duration,
}

impl<D: Driver> DriverEngine<D> {
    pub fn new(
        built: &Built<D>,
        artifact: &Arc<Artifact>,
        target: &TargetCode,
        program: &Program,
        options: &Options,
        states: Option<States>,
    ) -> Result<Self, DeviceError> {
        let driver = Arc::clone(&built.driver);
        let health = built.health();
        health.check()?;
        let refused = |r, what: &str| health.refused(&*driver, r, what);
        driver.enter().map_err(|r| refused(r, "an executor"))?;
        let stream = Stream::new(&driver)?;
        let [mut inputs, outputs] = port_bytes(artifact.manifest(), program);
        let reserved = program.arena.0 + inputs.iter().chain(&outputs).sum::<u64>();

        built.require_memory(artifact, program, reserved)?;
        let shared = states.and_then(|s| s.downcast::<StateMemory<D>>().ok());
        let (states, fresh) = match shared {
            Some(states) => (states, false),
            None => (
                Arc::new(StateMemory::new(&driver, artifact, &inputs)?),
                true,
            ),
        };
        for (len, state) in inputs.iter_mut().zip(&states.0) {
            *len = if state.is_some() { 0 } else { *len };
        }
        let arena = Region::new(&driver, "activations", program.arena.0)?;
        let pair = |what, len: &u64| -> Result<_, DriverError> {
            let there = Region::new(&driver, what, *len)?;
            Ok((Stage::new(&driver, what, *len as usize)?, there))
        };
        let inputs = inputs.iter().map(|len| {
            let (here, there) = pair("an input", len)?;
            let changed = true;
            Ok(Input {
                here,
                there,
                changed,
            })
        });
        let inputs = inputs.collect::<Result<Vec<_>, DriverError>>()?;
        let outputs = outputs.iter().map(|len| {
            let (here, there) = pair("an output", len)?;
            Ok(Output { here, there })
        });
        let outputs = outputs.collect::<Result<Vec<_>, DriverError>>()?;

        let mut weights = Vec::new();
        let mut address = |buffer: BufferRef| -> Result<Address, DeviceError> {
            Ok(match buffer {
                BufferRef::Weight { .. } => {
                    let weight = built.weight(artifact, buffer, &stream)?;
                    let at = weight.at();
                    weights.push(weight);
                    at
                }
                BufferRef::Arena { offset, .. } => Address(arena.at().0 + offset),
                BufferRef::Input(i) => match &states.0[i as usize] {
                    Some((state, _)) => state.at(),
                    None => inputs[i as usize].there.at(),
                },
                BufferRef::Output(i) => outputs[i as usize].there.at(),
            })
        };
        let mut steps = Vec::new();
        for step in &program.steps {
            let kernel = &target.kernels[step.kernel.0 as usize];
            let addresses = step.args.iter().map(|a| address(*a));
            let addresses = addresses.collect::<Result<Vec<_>, _>>()?;
            steps.push(call(built, &health, step, kernel, &addresses)?);
        }
        let marks = match options.profile {
            true => Some(Marks::new(&driver, steps.len())?),
            false => None,
        };
        let mut engine = Self {
            stream,
            driver,
            health,
            model: artifact.manifest().model.clone(),
            inputs,
            states,
            outputs,
            steps,
            graph: None,
            marks,
            flush: None,
            reserved: usize::try_from(reserved).unwrap_or(usize::MAX),
            _weights: weights,
            _arena: arena,
        };
        if fresh {
            engine.clear_states()?;
        }
        if !options.profile && built.launches == Launches::Replayed {
            engine.record()?;
        }
        Ok(engine)
    }

    /// Makes all states zeros.
    fn clear_states(&mut self) -> Result<(), DriverError> {
        for (state, len) in self.states.0.iter().flatten() {
            let zeros = Stage::new(&self.driver, "a state", *len as usize)?;
            let (driver, stream) = (&self.driver, self.stream.handle);
            if *len > 0 {
                let sent = driver.send(state.at(), zeros.at(), *len as usize, stream);
                let done = sent.and_then(|()| driver.finish(stream));
                done.map_err(|r| self.health.refused(&**driver, r, "a state"))?;
            }
        }
        Ok(())
    }

    /// Records the launches of a run; leaves them to be given one by one where the driver cannot.
    fn record(&mut self) -> Result<(), DriverError> {
        let (driver, stream) = (Arc::clone(&self.driver), self.stream.handle);
        let steps = &mut self.steps;
        let recorded = driver.record(stream, &mut || {
            let launches = steps.iter_mut().filter_map(|s| s.launch.as_mut());
            launches
                .into_iter()
                .try_for_each(|l| driver.launch(l, stream))
        });
        match recorded {
            Ok(graph) => self.graph = graph,
            Err(r) if driver.meaning(r.code) == Meaning::NoRecording => {}
            Err(r) => return Err(self.health.refused(&*driver, r, "recording a run")),
        }
        Ok(())
    }

    /// Before anything is given to the driver.
    fn enter(&self) -> Result<(), RunError> {
        self.health.check()?;
        let entered = self.driver.enter();
        self.told(entered, &self.model)
    }

    /// What a call gave, as the caller of a run wants it.
    fn told<T>(&self, done: Done<T>, what: &str) -> Result<T, RunError> {
        done.map_err(|r| self.health.refused(&*self.driver, r, what).into())
    }

    /// Sends inputs that were written.
    fn send(&mut self) -> Result<(), RunError> {
        let (driver, stream) = (&self.driver, self.stream.handle);
        for input in &mut self.inputs {
            let len = input.here.bytes().len();
            if input.changed && len > 0 {
                let sent = driver.send(input.there.at(), input.here.at(), len, stream);
                sent.map_err(|r| self.health.refused(&**driver, r, "an input"))?;
            }
            input.changed = false;
        }
        Ok(())
    }

    fn launch(&mut self, step: usize) -> Result<(), RunError> {
        let (driver, stream) = (&self.driver, self.stream.handle);
        let call = &mut self.steps[step];
        call.dispatches += 1;
        let mut give = || -> Done {
            if let Some(marks) = &self.marks {
                marks.before(step, stream)?;
            }
            if let Some(launch) = &mut call.launch {
                driver.launch(launch, stream)?;
            }
            match &self.marks {
                Some(marks) => marks.after(step, stream),
                None => Ok(()),
            }
        };
        give().map_err(|r| self.health.refused(&**driver, r, &call.name).into())
    }

    /// All steps, by the recording if there is one.
    fn launch_all(&mut self) -> Result<(), RunError> {
        let Some(graph) = &self.graph else {
            return (0..self.steps.len()).try_for_each(|step| self.launch(step));
        };
        let replayed = self.driver.replay(graph, self.stream.handle);
        self.told(replayed, &self.model)?;
        self.steps.iter_mut().for_each(|s| s.dispatches += 1);
        Ok(())
    }

    fn fetch(&mut self) -> Result<(), RunError> {
        for output in &self.outputs {
            let len = output.here.bytes().len();
            if len > 0 {
                let (to, from) = (output.here.at(), output.there.at());
                let fetched = self.driver.fetch(to, from, len, self.stream.handle);
                self.told(fetched, "an output")?;
            }
        }
        Ok(())
    }

    /// Waits for all that was given.
    fn finish(&self) -> Result<(), RunError> {
        self.told(self.driver.finish(self.stream.handle), &self.model)
    }

    /// Adds the times of steps that have ended.
    fn keep_times(&mut self, steps: std::ops::Range<usize>) -> Result<(), RunError> {
        for step in steps {
            if let Some(marks) = &self.marks {
                let time = self.told(marks.time(step), &self.steps[step].name)?;
                self.steps[step].time += time;
            }
        }
        Ok(())
    }
}

impl<D: Driver> StateMemory<D> {
    /// Memory for those of these inputs that are states; its contents are undefined.
    fn new(driver: &Arc<D>, artifact: &Artifact, lens: &[u64]) -> Result<Self, DriverError> {
        let inputs = artifact.manifest().inputs.iter().zip(lens);
        let all = inputs.map(|(input, len)| match input.is_state() {
            true => Ok(Some((Region::new(driver, "a state", *len)?, *len))),
            false => Ok(None),
        });
        all.collect::<Result<_, _>>().map(Self)
    }
}

/// A step with its arguments.
fn call<D: Driver>(
    built: &Built<D>,
    health: &Health,
    step: &Step,
    kernel: &Kernel,
    addresses: &[Address],
) -> Result<Call<D>, DeviceError> {
    let function = &built.functions[step.kernel.0 as usize];
    let launch = match kernel.blocks {
        0 => None,
        _ => {
            let made = built.driver.prepare(function, kernel, addresses);
            Some(made.map_err(|r| health.refused(&*built.driver, r, &kernel.name))?)
        }
    };
    let bytes = kernel
        .params
        .iter()
        .map(|p| p.len as usize * p.dtype.size());
    Ok(Call {
        launch,
        name: kernel.name.clone(),
        args: addresses.iter().copied().zip(bytes).collect(),
        dispatches: 0,
        time: Duration::ZERO,
    })
}

impl<D: Driver> Drop for DriverEngine<D> {
    fn drop(&mut self) {
        // What is given back is given back to the thread's device. One that was lost has nothing to give back.
        let _ = self.driver.enter();
    }
}

impl<D: Driver> Engine for DriverEngine<D> {
    fn input(&mut self, position: usize) -> &mut [u8] {
        let input = &mut self.inputs[position];
        input.changed = true;
        input.here.bytes_mut()
    }

    fn output(&self, position: usize) -> &[u8] {
        self.outputs[position].here.bytes()
    }

    fn states(&self) -> States {
        Arc::clone(&self.states) as States
    }

    fn reset_states(&mut self) -> Result<(), RunError> {
        self.enter()?;
        Ok(self.clear_states()?)
    }

    fn poison(&mut self) -> Result<(), RunError> {
        self.enter()?;
        let (driver, stream) = (&self.driver, self.stream.handle);
        let given = self.outputs.iter_mut().try_for_each(|output| {
            let bytes = output.here.bytes_mut();
            poison(bytes);
            match bytes.len() {
                0 => Ok(()),
                len => driver.send(output.there.at(), output.here.at(), len, stream),
            }
        });
        // What was given reads memory of this engine until it ends.
        let finished = self.finish();
        self.told(given, "an output")?;
        finished
    }

    fn run(&mut self) -> Result<(), RunError> {
        self.enter()?;
        let given = self
            .send()
            .and_then(|()| self.launch_all())
            .and_then(|()| self.fetch());
        // Whatever was given to the stream uses memory of this engine until it ends.
        let finished = self.finish();
        given.and(finished)?;
        self.keep_times(0..self.steps.len())
    }

    fn run_step(&mut self, step: usize) -> Result<(), RunError> {
        self.enter()?;
        let given = self.send().and_then(|()| self.launch(step));
        let finished = self.finish();
        given.and(finished)?;
        self.keep_times(step..step + 1)
    }

    fn argument(&mut self, step: usize, argument: usize) -> Result<Vec<u8>, RunError> {
        self.enter()?;
        self.send()?;
        let (from, len) = self.steps[step].args[argument];
        let mut stage = Stage::new(&self.driver, "an argument", len)?;
        if len > 0 {
            let fetched = self.driver.fetch(stage.at(), from, len, self.stream.handle);
            self.told(fetched, &self.steps[step].name)?;
        }
        self.finish()?;
        Ok(stage.bytes_mut().to_vec())
    }

    fn time(&mut self, runs: u32) -> Option<Result<Vec<Duration>, RunError>> {
        self.time_runs(runs as usize).transpose()
    }

    fn counts(&self) -> Vec<(u64, Duration)> {
        self.steps.iter().map(|s| (s.dispatches, s.time)).collect()
    }

    fn threads(&self) -> usize {
        1
    }

    fn reserved_bytes(&self) -> usize {
        self.reserved
    }
}

impl<D: Driver> DriverEngine<D> {
    /// Times between marks around runs, which are all given before the first ends, so that none waits for this process.
    /// The caches are emptied before each. `None` if the driver cannot.
    fn time_runs(&mut self, runs: usize) -> Result<Option<Vec<Duration>>, RunError> {
        self.enter()?;
        self.send()?;
        if self.flush.is_none() {
            self.flush = Some(Region::new(&self.driver, "memory to empty caches", FLUSH)?);
        }
        let (marks, stream) = (Marks::new(&self.driver, runs)?, self.stream.handle);
        let mut given = Ok(());
        for run in 0..runs {
            let flush = self.flush.as_ref().expect("it was made above").at();
            let Some(cleared) = self.driver.clear(flush, FLUSH, stream) else {
                return Ok(None);
            };
            let before = cleared.and_then(|()| marks.before(run, stream));
            given = self
                .told(before, &self.model)
                .and_then(|()| self.launch_all())
                .and_then(|()| self.told(marks.after(run, stream), &self.model));
            if given.is_err() {
                break;
            }
        }
        let finished = self.finish();
        given.and(finished)?;
        let times = (0..runs).map(|run| self.told(marks.time(run), &self.model));
        times.collect::<Result<_, _>>().map(Some)
    }
}
