//! A candidate on its device, with operands in place.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ir::{Layout, Tensor};

use super::{Candidate, Compared, Job, reference::Reference};
use crate::{
    Artifact, Device, DeviceError, Drivers, Executor, Model, Options, RunError, TensorView,
    WeightChecks,
};

/// A sample is of as many runs as take about so long: many ticks of any clock, few enough that others seldom come between.
const SAMPLE: Duration = Duration::from_millis(1);
/// No sample is of more runs.
const MOST_RUNS: u32 = 1 << 14;

/// A candidate on its device.
pub(super) struct Prepared {
    executor: Executor,
    inputs: Vec<Source>,
    layouts: Vec<Layout>,
    /// Calls of the kernel in a run: one for each copy of the operands.
    calls: u32,
    /// Runs of a sample.
    runs: u32,
    clock: Clock,
    /// What runs it.
    pub device: String,
    /// Threads that do; 0 for a device that counts none.
    pub threads: u32,
}

/// Where an input gets its values.
struct Source {
    name: String,
    operand: usize,
}

/// What tells the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    /// This process's, around runs.
    Wall,
    /// The driver's, around runs, its caches emptied before each.
    Device,
    /// The driver's, around each launch.
    Launches,
    /// There is none: the emulator.
    None,
}

/// Why a candidate is not on its device.
#[derive(Debug)]
pub(super) enum Unprepared {
    /// It, or the job, contradicts itself, or there is no such device.
    Refused(String),
    /// The device does not take its code, or has too little of something.
    Rejected(String),
}

impl From<DeviceError> for Unprepared {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::NoTarget { .. }
            | DeviceError::NoProgram { .. }
            | DeviceError::Artifact(_)
            | DeviceError::Threads { .. } => Self::Refused(error.to_string()),
            _ => Self::Rejected(error.to_string()),
        }
    }
}

impl Prepared {
    /// Loads a candidate for the job's device, and holds its inputs and its output against the reference.
    pub fn new(
        candidate: &Candidate,
        job: &Job,
        device: &Device,
        drivers: &Drivers,
        reference: &Reference,
    ) -> Result<Self, Unprepared> {
        let refused = |reason: String| {
            Unprepared::Refused(format!("{}: {reason}", candidate.artifact.display()))
        };
        let artifact = Artifact::open(&candidate.artifact, WeightChecks::BeforeUse)
            .map_err(|e| Unprepared::Refused(e.to_string()))?;
        let model = Model::load_on(Arc::new(artifact), device, drivers)?;
        let clock = match device {
            Device::Cpu => Clock::Wall,
            Device::OpenCl(_) => Clock::Launches,
            Device::Emulator(_) => Clock::None,
            _ => Clock::Device,
        };
        let options = Options {
            threads: job.threads,
            profile: clock == Clock::Launches,
        };
        let executor = model.executor(0, &options)?;
        let (inputs, copies) = sources(candidate, &executor, reference).map_err(refused)?;
        check_output(&executor, reference).map_err(refused)?;
        let threads = match device {
            Device::Cpu => u32::try_from(executor.threads()).unwrap_or(u32::MAX),
            _ => 0,
        };
        Ok(Self {
            inputs,
            layouts: candidate.layouts.clone(),
            calls: copies,
            runs: 1,
            clock,
            device: model.runs_on(),
            threads,
            executor,
        })
    }

    /// Whether it can be timed.
    pub fn has_clock(&self) -> bool {
        self.clock != Clock::None
    }

    /// Whether what others do on the processor changes its times.
    pub fn shares_processor(&self) -> bool {
        self.clock == Clock::Wall || self.clock == Clock::Launches
    }

    /// Runs it on operands that it has not seen, over outputs that nobody has written, and compares.
    ///
    /// It runs on other operands before, so that what it keeps from run to run, or does not write, is wrong.
    pub fn check(&mut self, reference: &Reference) -> Result<Compared, RunError> {
        self.give(&reference.others)?;
        self.executor.run()?;
        self.give(&reference.operands)?;
        self.check_again(reference)
    }

    /// As [`Prepared::check`], on the operands that it has.
    pub fn check_again(&mut self, reference: &Reference) -> Result<Compared, RunError> {
        self.executor.poison_outputs()?;
        self.executor.run()?;
        let output = self.executor.output_at(0);
        let output = output.expect("it was held against the reference");
        let wanted = reference.result.values();
        Ok(Compared::new(&wanted, output.dtype, output.bytes))
    }

    fn give(&mut self, operands: &[Tensor]) -> Result<(), RunError> {
        for (at, (tensor, layout)) in operands.iter().zip(&self.layouts).enumerate() {
            let packed = layout.pack_bytes(tensor.dtype().size(), &tensor.bytes());
            for source in self.inputs.iter().filter(|s| s.operand == at) {
                let port = self.executor.inputs().find(|p| p.name == source.name);
                let shape = port.expect("sources are inputs").shape.clone();
                let view = TensorView {
                    dtype: tensor.dtype(),
                    shape: &shape,
                    bytes: &packed,
                };
                self.executor.set_input(&source.name, view)?;
            }
        }
        Ok(())
    }

    /// Finds out how many runs make a sample.
    pub fn calibrate(&mut self) -> Result<(), RunError> {
        let mut taken = self.seconds()?;
        while taken < SAMPLE.as_secs_f64() / 2.0 && self.runs < MOST_RUNS {
            self.runs *= 2;
            taken = self.seconds()?;
        }
        if self.clock == Clock::Launches && taken <= 0.0 {
            // A driver that says nothing of its launches.
            (self.clock, self.runs) = (Clock::Wall, 1);
            return self.calibrate();
        }
        let each = taken / f64::from(self.runs);
        let runs = (SAMPLE.as_secs_f64() / each).ceil();
        self.runs = runs.clamp(1.0, f64::from(MOST_RUNS)) as u32;
        Ok(())
    }

    /// Seconds of a call.
    pub fn sample(&mut self) -> Result<f64, RunError> {
        let runs = self.runs;
        Ok(self.seconds()? / f64::from(runs) / f64::from(self.calls))
    }

    /// Seconds of the runs of a sample.
    fn seconds(&mut self) -> Result<f64, RunError> {
        match self.clock {
            Clock::Device => match self.executor.time_on_device(self.runs)? {
                Some(times) => return Ok(times.iter().map(Duration::as_secs_f64).sum()),
                None => self.clock = Clock::Wall,
            },
            Clock::Launches => {
                let before = self.launched();
                self.run()?;
                return Ok((self.launched() - before).as_secs_f64());
            }
            Clock::Wall | Clock::None => {}
        }
        let start = Instant::now();
        self.run()?;
        Ok(start.elapsed().as_secs_f64())
    }

    fn run(&mut self) -> Result<(), RunError> {
        (0..self.runs).try_for_each(|_| self.executor.run())
    }

    /// Time of all launches so far.
    fn launched(&self) -> Duration {
        self.executor.stats().iter().map(|s| s.time).sum()
    }
}

/// The operand of each input, and how many copies there are at most.
fn sources(
    candidate: &Candidate,
    executor: &Executor,
    reference: &Reference,
) -> Result<(Vec<Source>, u32), String> {
    let (layouts, operands) = (&candidate.layouts, &reference.operands);
    if layouts.len() != operands.len() {
        return Err(format!(
            "layouts: wanted one for each of {} operands, found {}",
            operands.len(),
            layouts.len()
        ));
    }
    let (mut sources, mut copies) = (vec![], 1);
    for port in executor.inputs() {
        let parts = port.name.split_once('.');
        let parts = parts.and_then(|(o, c)| Some((o.parse::<usize>().ok()?, c.parse().ok()?)));
        let (operand, copy): (_, u32) = match parts {
            Some((operand, copy)) if operand < operands.len() && copy < u32::MAX => (operand, copy),
            _ => {
                return Err(format!(
                    "input `{}`: wanted `OPERAND.COPY` with an operand below {}",
                    port.name,
                    operands.len()
                ));
            }
        };
        let (layout, tensor) = (layouts[operand], &operands[operand]);
        let plain = tensor.elements() as i64;
        let fits = layout.fits(plain) && layout.len(plain) as u64 == elements(&port.shape);
        if !fits || port.dtype != tensor.dtype() {
            return Err(format!(
                "input `{}`: wanted {} of {:?} laid out as {layout:?}, found {}",
                port.name,
                tensor.dtype(),
                tensor.shape(),
                port.type_text()
            ));
        }
        copies = copies.max(copy + 1);
        sources.push(Source {
            name: port.name.clone(),
            operand,
        });
    }
    Ok((sources, copies))
}

/// Fails unless the first output can be the result.
fn check_output(executor: &Executor, reference: &Reference) -> Result<(), String> {
    let result = &reference.result;
    let port = executor.outputs().next();
    let fits = port.is_some_and(|p| {
        p.dtype == result.dtype() && elements(&p.shape) == result.elements() as u64
    });
    if fits {
        return Ok(());
    }
    Err(format!(
        "output: wanted {} of {:?}, found {}",
        result.dtype(),
        result.shape(),
        port.map_or("none".into(), |p| p.type_text())
    ))
}

fn elements(shape: &[usize]) -> u64 {
    shape.iter().map(|n| *n as u64).product()
}
