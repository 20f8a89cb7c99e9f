//! One claim: its kernel made again, run, and compared.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    time::{SystemTime, UNIX_EPOCH},
};

use autotune::database::{
    Database, DatabaseError, Origin, Outcome, Trial, Verification, Workload, has_program,
};
use ir::{Kernel, Target};
use runtime::{
    Device,
    measure::{self, Candidate, Job, Policy, Runner},
};

use super::{ClaimError, ClaimOptions, Verdict};
use crate::{
    compile::{Copies, compile_alone},
    tune::Folder,
};

/// Seed of the values that kernels are run on.
const SEED: u64 = 1;
/// Elements of the largest tensor: more than any device has.
const LARGEST: i64 = 1 << 40;

/// Makes and runs kernels.
pub(super) struct Checker<'a> {
    options: &'a ClaimOptions,
    runner: Runner,
    folder: Folder,
    /// What runs code for a target, by its name.
    devices: BTreeMap<String, Result<Device, String>>,
}

impl<'a> Checker<'a> {
    pub fn new(options: &'a ClaimOptions) -> Result<Self, ClaimError> {
        let (program, arguments) = options.measure.clone();
        Ok(Self {
            options,
            runner: Runner::new(program, arguments, options.limits),
            folder: Folder::new()?,
            devices: BTreeMap::new(),
        })
    }

    /// Looks at trials of one schedule of one workload, and keeps what comes of it.
    pub fn check(
        &mut self,
        database: &mut Database,
        target: &Target,
        trials: &[Trial],
    ) -> Result<Verdict, ClaimError> {
        let workload = database.workload(&trials[0].workload)?;
        let found = workload.and_then(|w| Some((kernel(&w)?, w)));
        let Some((kernel, workload)) = found else {
            return Ok(unknown("wanted its workload, found no kernel"));
        };
        let outcome = match self.run(&kernel, target, &trials[0])? {
            Ok(outcome) => outcome,
            Err(reason) => return Ok(Verdict::Unknown { reason }),
        };
        let reason = outcome.reason();
        Ok(match outcome {
            measure::Outcome::Checked(checked) => {
                self.keep_right(database, &checked, trials)?;
                Verdict::Right {
                    device: checked.device,
                    error: checked.error,
                }
            }
            measure::Outcome::WrongResult(wrong) => {
                let wrong = self.wrong(&trials[0], &wrong);
                database.add(&workload, std::slice::from_ref(&wrong))?;
                Verdict::Wrong {
                    reason: wrong.reason.unwrap_or_default(),
                }
            }
            measure::Outcome::Ok(_)
            | measure::Outcome::Timeout { .. }
            | measure::Outcome::Crash { .. }
            | measure::Outcome::Refused { .. } => unknown(&reason.unwrap_or_default()),
        })
    }

    /// The outcome of running a trial's schedule, or why it is not run.
    fn run(
        &mut self,
        kernel: &Kernel,
        target: &Target,
        trial: &Trial,
    ) -> Result<Result<measure::Outcome, String>, ClaimError> {
        if !has_program(kernel, &trial.schedule, target) {
            return Ok(Err("its schedule gives no program for its kernel".into()));
        }
        let device = match self.device(target) {
            Ok(device) => device,
            Err(reason) => return Ok(Err(reason)),
        };
        let path = self.folder.file("claim.tw");
        let schedules = [(trial.schedule.clone(), path.as_path())];
        let workers = &self.options.workers;
        let mut made = compile_alone(kernel, &schedules, target, Copies::ONE, workers)?;
        let layouts = match made.pop().expect("one schedule has one answer") {
            Ok(layouts) => layouts,
            Err(none) => return Ok(Err(none.to_string())),
        };
        let candidate = Candidate {
            artifact: path.clone(),
            layouts,
        };
        let available = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = (trial.threads as usize).min(available);
        let job = Job {
            graph: kernel.graph.clone(),
            baseline: candidate.clone(),
            candidate,
            seed: SEED,
            device: device.to_string(),
            threads: NonZeroUsize::new(threads),
            policy: Policy::CHECK,
        };
        let outcome = self.runner.measure(&job)?;
        // What is not there need not go.
        let _ = std::fs::remove_file(&path);
        Ok(Ok(outcome))
    }

    /// What runs code for a target.
    fn device(&mut self, target: &Target) -> Result<Device, String> {
        if let Some(device) = &self.options.device {
            return Ok(device.clone());
        }
        let drivers = &self.options.drivers;
        let found = self.devices.entry(target.name.clone());
        found.or_insert_with(|| device(target, drivers)).clone()
    }

    fn keep_right(
        &self,
        database: &mut Database,
        checked: &measure::Checked,
        trials: &[Trial],
    ) -> Result<(), DatabaseError> {
        let verified = trials.iter().map(|t| Verification {
            trial: t.id(),
            device: checked.device.clone(),
            error: checked.error,
            unix_time: unix_time(),
        });
        database.verified(&verified.collect::<Vec<_>>())
    }

    /// The trial that says that a schedule is wrong.
    fn wrong(&self, claim: &Trial, wrong: &measure::Wrong) -> Trial {
        Trial {
            workload: claim.workload.clone(),
            place: claim.place.clone(),
            schedule: claim.schedule.clone(),
            outcome: Outcome::WrongResult,
            reason: Some(wrong.to_string()),
            origin: Origin::Measured,
            samples_s: vec![],
            baseline_s: vec![],
            error: Some(wrong.error).filter(|e| e.is_finite()),
            threads: wrong.threads,
            device: wrong.device.clone(),
            seed: SEED,
            unix_time: unix_time(),
            by: self.options.by.clone(),
            more: BTreeMap::new(),
        }
    }
}

/// The kernel of a workload's record, if any device could hold its tensors.
fn kernel(workload: &Workload) -> Option<Kernel> {
    let kernel = workload.kernel()?;
    let graph = &kernel.graph;
    let holds = |v| graph.ty(v).elements().known().is_some_and(|n| n < LARGEST);
    graph.values().all(holds).then_some(kernel)
}

fn unknown(reason: &str) -> Verdict {
    Verdict::Unknown {
        reason: reason.into(),
    }
}

fn unix_time() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |d| d.as_secs())
}

/// The first device that runs code for a target; else the emulator, if it can.
fn device(target: &Target, drivers: &runtime::Drivers) -> Result<Device, String> {
    let first = Device::of_target(&target.name);
    if first == Device::Cpu {
        return Ok(first);
    }
    let why = match runtime::target_for(&first, drivers) {
        Ok(name) if name == target.name => return Ok(first),
        Ok(name) => format!("{first} runs code for {name}"),
        Err(e) => e.to_string(),
    };
    if target.simt().is_some() {
        return Ok(Device::Emulator(target.name.clone()));
    }
    Err(format!(
        "no device here runs code for {}: {why}",
        target.name
    ))
}
