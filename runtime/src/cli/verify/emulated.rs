//! Lane programs in the emulator: each distinct kernel once, as much of its grid as time allows.
//!
//! A kernel gets what the reference made of the kernels before it, so one that is wrong spoils no other; and where a kernel
//! is launched again, its first results stand for the later ones, so a model of many layers takes no longer than one.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex, mpsc},
    thread,
};

use ir::lane::{self, Sample, emulate_all};

use super::{
    super::{CliError, sample::Random, sample::sample},
    Outcome, Seen, VerifyOptions,
    compare::{compare, reference, tile_program},
};
use crate::{
    Model,
    emulator::{LanePrograms, Memory},
    evidence::Blocks,
    executor::{begin, input_port},
    manifest::{Kernel, KernelId, Program},
};

/// Operations of a kernel that are emulated unless the user says otherwise: some seconds of one core, in two orders.
const OPERATIONS: u64 = 250_000_000;

/// The least number of blocks: both ends of the grid and two between.
const LEAST: u64 = 4;

/// A value that no kernel makes: what still has it was not written.
const UNWRITTEN: f64 = f64::from_bits(0x7ff8_5eed_0000_0001);

/// A kernel to emulate, and what should come out.
struct Job {
    id: KernelId,
    program: Arc<lane::Program>,
    given: Vec<Vec<f64>>,
    wanted: Vec<Vec<f64>>,
}

/// Emulates every kernel against its reference, several at a time.
pub(super) fn run(
    model: &Model,
    options: &VerifyOptions,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<Seen>, CliError> {
    let lanes = LanePrograms::read(model.artifact(), model.target())?;
    let available = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let workers = options.device.threads.map_or(available, NonZeroUsize::get);
    let (sender, receiver) = mpsc::sync_channel::<Job>(1);
    let (receiver, seen) = (Mutex::new(receiver), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let job = receiver.lock().map(|r| r.recv());
            let Ok(Ok(job)) = job else { return };
            let kernel = &model.target().kernels[job.id.0 as usize];
            let result = emulate(kernel, job, options.blocks.map(NonZeroUsize::get));
            seen.lock().expect("no worker panics").push(result);
        }
    };
    thread::scope(|scope| {
        for _ in 0..workers.min(16) {
            scope.spawn(work);
        }
        let mut known = BTreeMap::new();
        let mut sent = model.programs().iter();
        let done = sent.try_for_each(|p| feed(model, &lanes, p, &mut known, &sender, progress));
        drop(sender);
        done
    })?;
    let mut seen = seen.into_inner().expect("no worker panics");
    seen.sort_by_key(|s: &Seen| s.kernel);
    Ok(seen)
}

/// Goes through a program by its references, and sends each kernel that is not known yet.
fn feed(
    model: &Model,
    lanes: &LanePrograms,
    program: &Program,
    known: &mut BTreeMap<KernelId, Vec<Vec<f64>>>,
    sender: &mpsc::SyncSender<Job>,
    progress: &mut dyn FnMut(&str),
) -> Result<(), CliError> {
    let mut memory = Memory::new(model.artifact(), program)?;
    let mut random = Random(7);
    let inputs = &model.artifact().manifest().inputs;
    for (at, (input, shape)) in inputs.iter().zip(&program.input_shapes).enumerate() {
        let port = input_port(input, shape);
        match sample(&port, &mut random) {
            Some(value) => memory.input(at).copy_from_slice(&value.bytes),
            None => begin(input, &port, program, memory.input(at)),
        }
    }
    for step in &program.steps {
        let kernel = &model.target().kernels[step.kernel.0 as usize];
        let args = || step.args.iter().zip(&kernel.params);
        let wanted = match known.get(&step.kernel) {
            Some(wanted) => wanted,
            None => {
                progress(&kernel.name);
                let tile = tile_program(model.artifact(), kernel)?;
                // What a kernel need not write, its reference leaves as it was.
                let given: Vec<_> = args()
                    .map(|(arg, p)| match p.written {
                        true => vec![UNWRITTEN; p.len as usize],
                        false => memory.numbers(*arg, p.dtype, p.len as i64),
                    })
                    .collect();
                let results = reference(kernel, &tile, given.clone())?.into_iter();
                // Weights are large, and the same before and after.
                let written = results.zip(&kernel.params);
                let written = written.map(|(v, p)| if p.written { v } else { vec![] });
                let wanted: Vec<_> = written.collect();
                let job = Job {
                    id: step.kernel,
                    program: Arc::clone(lanes.of(step.kernel)),
                    given,
                    wanted: wanted.clone(),
                };
                sender.send(job).expect("workers wait for jobs");
                known.entry(step.kernel).or_insert(wanted)
            }
        };
        for ((arg, p), values) in args().zip(wanted) {
            if p.written {
                memory.store(*arg, p.dtype, values.clone());
            }
        }
    }
    Ok(())
}

/// Emulates some blocks, or all, over outputs that nobody has written.
fn emulate(kernel: &Kernel, job: Job, blocks: Option<usize>) -> Seen {
    let Job {
        id,
        program,
        mut given,
        wanted,
    } = job;
    let of = program.blocks().unsigned_abs();
    let each = (kernel.flops.0 / of.max(1)).max(1);
    let run = blocks.map_or((OPERATIONS / each).max(LEAST), |n| n as u64);
    let run = run.min(of);
    let sample = (run < of).then_some(Sample {
        count: run,
        seed: 7,
    });
    let outcome = match emulate_all(&program, &mut given, sample) {
        Err(fault) => Outcome::Fault(fault.to_string()),
        Ok(_) => {
            let is_written = |values: &[Vec<f64>], i: usize, at: usize| {
                values[i][at].to_bits() != UNWRITTEN.to_bits()
            };
            // Where all blocks have run, what is unwritten is missing, unless the reference does not write it either.
            let counts = |i, at| match sample {
                None => is_written(&wanted, i, at) || is_written(&given, i, at),
                Some(_) => is_written(&given, i, at),
            };
            Outcome::Compared(compare(kernel, &wanted, &given, counts))
        }
    };
    Seen {
        kernel: id,
        outcome,
        blocks: Some(Blocks { run, of }),
        times: None,
    }
}
