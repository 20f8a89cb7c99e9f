//! What is to be measured, and what came of it.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use ir::{Bytes, Graph, Layout};
use serde::{Deserialize, Serialize};

/// What to measure.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// What the kernel computes. Its operands are the graph's inputs, in order; the reference is its value in f64.
    pub graph: Graph,
    /// What is measured.
    pub candidate: Candidate,
    /// What it is measured beside, in turn. Not looked at by a policy that [only checks](Policy::CHECK).
    pub baseline: Candidate,
    /// Of the operands' values.
    pub seed: u64,
    /// Where, as `--device` takes it.
    pub device: String,
    /// Threads, on `cpu`; otherwise as many as the process may use at once.
    pub threads: Option<NonZeroUsize>,
    /// How long.
    pub policy: Policy,
}

/// A kernel in machine code.
///
/// Its artifact has one program. Operand `i` is the inputs `i.0`, `i.1` and so on: as many copies as the steps read one
/// after the other, so that no cache holds them. The steps write the first output, once for each copy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Candidate {
    /// The file.
    pub artifact: PathBuf,
    /// How it wants each operand.
    pub layouts: Vec<Layout>,
}

/// How much is measured: pairs of a sample of the candidate and one of the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Pairs before anything is concluded from them.
    pub least: u32,
    /// The most pairs; with none, numbers are checked and nothing is timed.
    pub most: u32,
    /// Time that all samples of both sides may take, in seconds; the least number of pairs is taken all the same.
    pub seconds: f64,
}

impl Policy {
    /// Checks numbers, and times nothing: the outcome is [`Outcome::Checked`].
    pub const CHECK: Self = Self {
        least: 0,
        most: 0,
        seconds: 0.0,
    };
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            least: 10,
            most: 200,
            seconds: 1.0,
        }
    }
}

/// What a child process may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time to load and check a candidate; to time it, as much beside the policy's.
    pub time: Duration,
    /// Memory of the child, the operands and the reference among it.
    pub memory: Bytes,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(20),
            memory: Bytes(8 << 30),
        }
    }
}

/// What came of a candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Right numbers, and times.
    Ok(Measured),
    /// Right numbers; no times were asked for.
    Checked(Checked),
    /// Wrong numbers.
    WrongResult(Wrong),
    /// It did not end in time.
    Timeout {
        /// How long it was waited for.
        after: Duration,
        /// What was done with it.
        stage: Stage,
    },
    /// It ended the process that ran it, or broke a rule of the device.
    Crash {
        /// The signal, and what was said last.
        reason: String,
    },
    /// It says nothing about the candidate: there is no such device, the baseline is wrong, the job contradicts itself.
    Refused {
        /// Why.
        reason: String,
    },
}

/// Times of a candidate whose numbers are right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Seconds of a call of the candidate, in the order in which they were taken; at least one.
    pub samples_s: Vec<f64>,
    /// Seconds of a call of the baseline, as many; each belongs to the sample of the same position.
    pub baseline_s: Vec<f64>,
    /// Largest error, relative to the largest value of the reference.
    pub error: f64,
    /// The error that rounding may make at most.
    pub bound: f64,
    /// Pairs that were taken again, since others used the processor meanwhile.
    pub redone: u32,
    /// Pairs among those kept that others disturbed, however often they were taken again.
    pub contended: u32,
    /// The device, with its driver.
    pub device: String,
    /// Threads that ran it; 0 for a device that counts none.
    pub threads: u32,
}

/// Right numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    /// Largest error, relative to the largest value of the reference.
    pub error: f64,
    /// The error that rounding may make at most.
    pub bound: f64,
    /// What ran it: the device with its driver, or the emulator.
    pub device: String,
    /// Threads that ran it; 0 for a device that counts none.
    pub threads: u32,
}

/// Wrong numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wrong {
    /// Largest error, relative to the largest value of the reference; infinite where there is no number.
    #[serde(with = "infinite")]
    pub error: f64,
    /// The error that rounding may make at most.
    pub bound: f64,
    /// Elements that were never written.
    pub unwritten: u64,
    /// Elements in all.
    pub elements: u64,
    /// Where the largest error is, along each axis.
    pub position: Vec<i64>,
    /// Where it ran.
    pub device: String,
    /// Threads that ran it; 0 for a device that counts none.
    pub threads: u32,
}

/// What is done for a job, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The operands and the reference are computed.
    Reference,
    /// The baseline is loaded and checked.
    Baseline,
    /// The candidate is loaded and checked.
    Candidate,
    /// Both are timed.
    Timing,
}

impl Stage {
    /// What happens meanwhile, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Reference => "the reference was computed",
            Self::Baseline => "the baseline was checked",
            Self::Candidate => "the candidate was checked",
            Self::Timing => "it was timed",
        }
    }
}

impl Outcome {
    /// What ran it; none if it did not come so far.
    pub fn device(&self) -> Option<&str> {
        match self {
            Self::Ok(measured) => Some(&measured.device),
            Self::Checked(checked) => Some(&checked.device),
            Self::WrongResult(wrong) => Some(&wrong.device),
            Self::Timeout { .. } | Self::Crash { .. } | Self::Refused { .. } => None,
        }
    }

    /// Why it is not right, for people; none if it is.
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Ok(_) | Self::Checked(_) => None,
            Self::WrongResult(wrong) => Some(wrong.to_string()),
            Self::Timeout { after, stage } => Some(format!(
                "no end after {} s while {}",
                after.as_secs_f64(),
                stage.words()
            )),
            Self::Crash { reason } | Self::Refused { reason } => Some(reason.clone()),
        }
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            error,
            bound,
            unwritten,
            elements,
            position,
            ..
        } = self;
        match unwritten {
            0 => write!(f, "error {error:.1e} at {position:?}, bound {bound:.1e}"),
            _ => write!(
                f,
                "{unwritten} of {elements} elements were not written, the first at {position:?}"
            ),
        }
    }
}

/// Numbers that may be infinite, which JSON has no word for.
mod infinite {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(x: &f64, to: S) -> Result<S::Ok, S::Error> {
        x.is_finite().then_some(*x).serialize(to)
    }

    pub fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(from)?.unwrap_or(f64::INFINITY))
    }
}
