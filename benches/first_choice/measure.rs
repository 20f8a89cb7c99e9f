//! Measures schedules of a shape in turn with its first choice.

use std::{error::Error, ffi::OsString, fs, io, num::NonZeroUsize, path::PathBuf};

use ir::{Kernel, Schedule, Target};
use runtime::measure::{Candidate, Job, Limits, Outcome, Policy, Runner};
use tilewright::{Copies, NoArtifact, compile_alone};

use crate::{
    SERVE,
    record::{Line, Pass, Record},
    shapes::Shape,
};

/// Weights of a run: more than caches hold, as in a model.
const COPIES: Copies = Copies {
    reach: 48 << 20,
    most: 64,
};

/// Candidates that are compiled together.
const BATCH: usize = 16;

/// Of the best samples, so many are measured again.
pub const BEST: usize = 4;

const SEARCH: Policy = Policy {
    least: 7,
    most: 11,
    seconds: 0.4,
};

const AGAIN: Policy = Policy {
    least: 40,
    most: 120,
    seconds: 6.0,
};

/// A place for artifacts, and who measures them.
pub struct Bench<'a> {
    target: &'a Target,
    threads: NonZeroUsize,
    folder: PathBuf,
    runner: Runner,
}

impl<'a> Bench<'a> {
    pub fn new(target: &'a Target, threads: NonZeroUsize) -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("first-choice-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self {
            target,
            threads,
            folder,
            runner: runner()?,
        })
    }

    /// Measures samples of the space of a shape, then the best of them again, in turn with the first choice.
    ///
    /// In the search the baseline is the first sample: those times stay of use when another schedule is chosen first.
    pub fn shape(
        &mut self,
        shape: &Shape,
        samples: u64,
        record: &mut Record,
    ) -> Result<(), Box<dyn Error>> {
        let kernel = shape.kernel();
        let first = autotune::first_choice(&kernel, self.target)?;
        let all = sampled(&kernel, self.target, samples)?;
        self.measure((shape, &kernel), Pass::Search, &all[0], &all, record)?;
        let best = best(shape, &all, record);
        self.runner = runner()?;
        self.measure((shape, &kernel), Pass::Again, &first, &best, record)
    }

    /// Measures these schedules of a shape at length.
    pub fn given(
        &mut self,
        shape: &Shape,
        schedules: &[Schedule],
        record: &mut Record,
    ) -> Result<(), Box<dyn Error>> {
        let kernel = shape.kernel();
        let first = autotune::first_choice(&kernel, self.target)?;
        self.measure((shape, &kernel), Pass::Again, &first, schedules, record)
    }

    /// Measures what the record does not have.
    fn measure(
        &mut self,
        (shape, kernel): (&Shape, &Kernel),
        pass: Pass,
        beside: &Schedule,
        schedules: &[Schedule],
        record: &mut Record,
    ) -> Result<(), Box<dyn Error>> {
        let known = |s: &&Schedule| record.find((shape.name, pass), beside, s).is_none();
        let missing: Vec<Schedule> = schedules.iter().filter(known).cloned().collect();
        for (done, batch) in missing.chunks(BATCH).enumerate() {
            let all: Vec<&Schedule> = [beside].into_iter().chain(batch).collect();
            let paths: Vec<PathBuf> = (0..all.len())
                .map(|at| self.folder.join(format!("{at}.tw")))
                .collect();
            let pairs: Vec<_> = (all.iter().zip(&paths))
                .map(|(s, path)| ((*s).clone(), path.as_path()))
                .collect();
            let workers = backends::cpu::Workers::InProcess;
            let made = compile_alone(kernel, &pairs, self.target, COPIES, &workers)?;
            let mut made = made.into_iter().zip(&paths).map(|(layouts, path)| {
                let artifact = path.clone();
                layouts.map(|layouts| Candidate { artifact, layouts })
            });
            let baseline = made.next().expect("the baseline is the first")?;
            for (schedule, candidate) in batch.iter().zip(made) {
                let outcome = self.outcome(kernel, candidate, &baseline, pass)?;
                record.add(Line {
                    shape: shape.name.to_owned(),
                    pass,
                    baseline: beside.clone(),
                    schedule: schedule.clone(),
                    outcome,
                })?;
            }
            let seen = (done * BATCH + batch.len(), missing.len());
            eprintln!("{}: {pass:?} {} of {}", shape.name, seen.0, seen.1);
        }
        Ok(())
    }

    fn outcome(
        &mut self,
        kernel: &Kernel,
        candidate: Result<Candidate, NoArtifact>,
        baseline: &Candidate,
        pass: Pass,
    ) -> Result<Outcome, Box<dyn Error>> {
        let candidate = match candidate {
            Ok(candidate) => candidate,
            Err(error) => {
                return Ok(Outcome::Refused {
                    reason: error.to_string(),
                });
            }
        };
        let policy = match pass {
            Pass::Search => SEARCH,
            Pass::Again => AGAIN,
        };
        Ok(self.runner.measure(&Job {
            graph: kernel.graph.clone(),
            candidate,
            baseline: baseline.clone(),
            seed: 0,
            device: "cpu".to_owned(),
            threads: Some(self.threads),
            policy,
        })?)
    }
}

impl Drop for Bench<'_> {
    fn drop(&mut self) {
        // What cannot be removed from a temporary folder stays there.
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// A runner whose children are this program.
fn runner() -> io::Result<Runner> {
    let program = std::env::current_exe()?;
    Ok(Runner::new(
        program,
        [OsString::from(SERVE)],
        Limits::default(),
    ))
}

/// Distinct samples of a space, by seeds that count up.
pub fn sampled(
    kernel: &Kernel,
    target: &Target,
    samples: u64,
) -> Result<Vec<Schedule>, passes::LowerError> {
    let space = autotune::space(kernel, target)?;
    let wanted = usize::try_from(samples).map_or(space.len(), |n| n.min(space.len()));
    let mut all: Vec<Schedule> = vec![];
    for seed in 0.. {
        if all.len() == wanted {
            break;
        }
        let next = space.sample(seed);
        if !all.contains(next) {
            all.push(next.clone());
        }
    }
    Ok(all)
}

/// The best samples that were measured.
pub fn best(shape: &Shape, all: &[Schedule], record: &Record) -> Vec<Schedule> {
    let line = |s: &Schedule| record.find((shape.name, Pass::Search), &all[0], s);
    let ratio = |s: &Schedule| line(s).and_then(Line::ratio).map(|r| (r.value, s.clone()));
    let mut seen: Vec<(f64, Schedule)> = all.iter().filter_map(ratio).collect();
    seen.sort_by(|(a, s), (b, t)| a.total_cmp(b).then_with(|| s.cmp(t)));
    seen.into_iter().take(BEST).map(|(_, s)| s).collect()
}
