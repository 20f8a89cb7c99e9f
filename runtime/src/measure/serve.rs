//! What the child process does: one job after the other.

use std::{
    fs::File,
    io,
    process::{self},
    time::{Duration, Instant},
};

use ir::Bytes;
use rustix::process::{Resource, Rlimit, Signal, setrlimit};

use super::{
    Checked, Compared, Job, Measured, Outcome, Policy, Stage, Wrong,
    compare::bound,
    contention::Contention,
    frame::{self, Message, Request},
    pairs::Looks,
    prepared::{Prepared, Unprepared},
    reference::{Reference, References},
};
use crate::{Device, Drivers, RunError};

/// How often a pair that others disturbed is taken again.
const AGAIN: u32 = 3;

/// Measures what standard input asks for, one [`Job`] after the other, and gives outcomes on standard output, until there are no
/// more. What kernels and drivers print goes to standard error.
///
/// The process ends with the thread that started it, and with the first panic.
///
/// # Errors
/// The other side speaks another language, or ended in the middle of a job.
pub fn serve(drivers: &Drivers) -> io::Result<()> {
    serve_watched(drivers, |_, _| {})
}

/// As [`serve`]; `watch` is told of each stage of a job when it begins.
///
/// # Errors
/// As [`serve`].
pub fn serve_watched(drivers: &Drivers, mut watch: impl FnMut(&Job, Stage)) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // A panic of any thread ends the process, so that nobody waits for a result that does not come.
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        print(info);
        process::exit(101);
    }));
    let mut output = File::from(rustix::io::fcntl_dupfd_cloexec(io::stdout(), 3)?);
    rustix::stdio::dup2_stdout(io::stderr())?;
    let mut input = io::stdin().lock();
    let mut bench = Bench {
        drivers: drivers.clone(),
        references: References::default(),
    };
    let mut limit = None;
    while let Some(Request { job, memory }) = frame::read(&mut input)? {
        if limit.replace(memory) != Some(memory) {
            limit_memory(memory)?;
        }
        let mut say = |message: &Message| {
            let json = serde_json::to_vec(message).expect("plain data becomes JSON");
            frame::write(&mut output, &json)
        };
        let outcome = bench.measure(&job, &mut |stage| {
            say(&Message::Stage(stage))?;
            watch(&job, stage);
            Ok(())
        })?;
        say(&Message::Done(outcome))?;
    }
    Ok(())
}

/// Limits what this process can write to, whose memory is its own: what drivers merely reserve does not count
/// (setrlimit(2), `RLIMIT_DATA`). No core files: candidates that crash are nothing unusual.
fn limit_memory(memory: Bytes) -> io::Result<()> {
    let most = |n| Rlimit {
        current: Some(n),
        maximum: None,
    };
    let hard = rustix::process::getrlimit(Resource::Data).maximum;
    let soft = hard.map_or(memory.0, |hard| hard.min(memory.0));
    let data = Rlimit {
        maximum: hard,
        ..most(soft)
    };
    setrlimit(Resource::Data, data)?;
    let core = rustix::process::getrlimit(Resource::Core);
    Ok(setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            ..core
        },
    )?)
}

/// Measures jobs here.
struct Bench {
    drivers: Drivers,
    references: References,
}

impl Bench {
    fn measure(
        &mut self,
        job: &Job,
        stage: &mut dyn FnMut(Stage) -> io::Result<()>,
    ) -> io::Result<Outcome> {
        let refused = |reason: String| Ok(Outcome::Refused { reason });
        let device: Device = match job.device.parse() {
            Ok(device) => device,
            Err(unknown) => return refused(format!("{unknown}")),
        };
        stage(Stage::Reference)?;
        let reference = match self.references.of(&job.graph, job.seed) {
            Ok(reference) => reference,
            Err(reason) => return refused(reason),
        };
        let times = job.policy.most > 0;
        let mut baseline = None;
        if times {
            stage(Stage::Baseline)?;
            let made = Prepared::new(&job.baseline, job, &device, &self.drivers, &reference);
            let mut made = match made {
                Ok(made) => made,
                Err(Unprepared::Refused(reason) | Unprepared::Rejected(reason)) => {
                    return refused(format!("baseline: {reason}"));
                }
            };
            if !made.has_clock() {
                return refused(format!(
                    "{device} has no clock; help: numbers are checked there by a policy that takes no pairs"
                ));
            }
            match made.check(&reference) {
                Err(e) => return refused(format!("baseline: {e}")),
                Ok(compared) => {
                    if let Some(wrong) = wrong(&made, &reference, &compared) {
                        return refused(format!("baseline: {wrong}"));
                    }
                }
            }
            baseline = Some(made);
        }
        stage(Stage::Candidate)?;
        let made = Prepared::new(&job.candidate, job, &device, &self.drivers, &reference);
        let mut candidate = match made {
            Ok(made) => made,
            Err(Unprepared::Refused(reason)) => return refused(reason),
            // A device that took the baseline is there, and refuses this code.
            Err(Unprepared::Rejected(reason)) if baseline.is_some() => {
                return Ok(Outcome::Crash { reason });
            }
            Err(Unprepared::Rejected(reason)) => return refused(reason),
        };
        let crash = |e: RunError| Outcome::Crash {
            reason: e.to_string(),
        };
        let compared = match candidate.check(&reference) {
            Ok(compared) => compared,
            Err(e) => return Ok(crash(e)),
        };
        if let Some(wrong) = wrong(&candidate, &reference, &compared) {
            return Ok(Outcome::WrongResult(wrong));
        }
        let bound = largest_error(&reference);
        let Some(mut baseline) = baseline else {
            return Ok(Outcome::Checked(Checked {
                error: compared.error,
                bound,
                device: candidate.device,
                threads: candidate.threads,
            }));
        };
        stage(Stage::Timing)?;
        let timed = time(&mut candidate, &mut baseline, &job.policy);
        let checked = timed.and_then(|t| Ok((t, candidate.check_again(&reference)?)));
        let (times, again) = match checked {
            Ok(checked) => checked,
            Err(e) => return Ok(crash(e)),
        };
        // What is right only at first is wrong.
        if let Some(wrong) = wrong(&candidate, &reference, &again) {
            return Ok(Outcome::WrongResult(wrong));
        }
        Ok(Outcome::Ok(Measured {
            samples_s: times.candidate,
            baseline_s: times.baseline,
            error: compared.error.max(again.error),
            bound,
            redone: times.redone,
            contended: times.contended,
            device: candidate.device,
            threads: candidate.threads,
        }))
    }
}

/// The error that rounding explains.
fn largest_error(reference: &Reference) -> f64 {
    let dtype = reference.result.dtype();
    let stored = reference.operands.iter().map(|o| o.dtype()).chain([dtype]);
    bound(reference.operations, dtype, stored)
}

/// What is wrong with results, if anything is.
fn wrong(prepared: &Prepared, reference: &Reference, compared: &Compared) -> Option<Wrong> {
    let bound = largest_error(reference);
    if compared.error <= bound {
        return None;
    }
    let mut rest = compared.at as i64;
    let mut position: Vec<i64> = reference.result.shape().iter().rev().copied().collect();
    for axis in &mut position {
        let size = *axis;
        *axis = rest % size;
        rest /= size;
    }
    position.reverse();
    Some(Wrong {
        error: compared.error,
        bound,
        unwritten: compared.unwritten,
        elements: reference.result.elements() as u64,
        position,
        device: prepared.device.clone(),
        threads: prepared.threads,
    })
}

/// Times taken in turn.
#[derive(Default)]
struct Times {
    candidate: Vec<f64>,
    baseline: Vec<f64>,
    redone: u32,
    contended: u32,
}

/// Takes pairs until they say enough, there are as many as the policy wants, or its time is over. Who goes first changes from pair
/// to pair.
fn time(
    candidate: &mut Prepared,
    baseline: &mut Prepared,
    policy: &Policy,
) -> Result<Times, RunError> {
    candidate.calibrate()?;
    baseline.calibrate()?;
    let contention = candidate.shares_processor().then(Contention::new);
    let (start, budget) = (Instant::now(), Duration::try_from_secs_f64(policy.seconds));
    let budget = budget.unwrap_or(Duration::ZERO);
    let mut looks = Looks::new(policy);
    let mut times = Times::default();
    let mut again = 0;
    while !looks.are_enough(&times.candidate, &times.baseline) {
        let pairs = times.candidate.len();
        let is_over = start.elapsed() >= budget;
        if is_over && pairs >= policy.least as usize {
            break;
        }
        let (before, moment) = (contention.as_ref().map(Contention::mark), Instant::now());
        let pair = match pairs.is_multiple_of(2) {
            true => {
                let first = candidate.sample()?;
                (first, baseline.sample()?)
            }
            false => {
                let first = baseline.sample()?;
                (candidate.sample()?, first)
            }
        };
        let elapsed = moment.elapsed();
        let after = contention.as_ref().map(Contention::mark);
        let disturbed = before
            .zip(after)
            .is_some_and(|(before, after)| before.is_disturbed(&after, elapsed));
        if disturbed && again < AGAIN && !is_over {
            again += 1;
            times.redone += 1;
            continue;
        }
        again = 0;
        times.contended += u32::from(disturbed);
        times.candidate.push(pair.0);
        times.baseline.push(pair.1);
    }
    Ok(times)
}
