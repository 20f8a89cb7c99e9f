//! Records, as plain data.

use std::collections::BTreeMap;

use ir::{Bytes, Flops, Schedule};
use runtime::measure::{Ratio, ratio};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Most samples of one trial.
const MOST_SAMPLES: usize = 100_000;
/// Longest text of a record, in bytes; kernels of whole blocks take some tens of kilobytes.
const LONGEST: usize = 1 << 20;
/// No schedule has a larger number: tiles are far smaller than any device's memory.
const LARGEST: u64 = 1 << 20;
/// No kernel takes longer, in seconds.
const SLOWEST: f64 = 1e6;

/// Names a record by its content: blake3 of its canonical JSON, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(pub String);

/// A kernel with its sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// Hash of what it computes, as artifacts have it (`manifest::Kernel::meaning`).
    pub meaning: String,
    /// The family that computes it, such as `contract`.
    pub family: String,
    /// Sizes that its family names, such as rows, columns and depth.
    pub sizes: BTreeMap<String, i64>,
    /// Its graph, as JSON of [`ir::Graph`]: enough to make the kernel again.
    pub graph: Value,
    /// Which operands are known when the kernel is compiled; none of them if it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constant: Vec<bool>,
    /// Floating-point operations of one call.
    pub flops: Flops,
    /// Bytes that one call must read and write.
    pub bytes: Bytes,
    /// What a later version says beside.
    #[serde(flatten)]
    pub more: BTreeMap<String, Value>,
}

/// Where and with what a trial was made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The target, as spelled on the command line.
    pub target: String,
    /// Hash of all that the target says, so that numbers of another description never mix.
    pub fingerprint: String,
    /// The tools that made the code, with their versions, this compiler's first.
    pub toolchain: String,
}

/// What came of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Right numbers, and times.
    Ok,
    /// It cannot fit; nothing was built.
    RejectedStatic,
    /// No code.
    BuildError,
    /// It did not end in time.
    Timeout,
    /// The process that ran it ended.
    Crash,
    /// Wrong numbers.
    WrongResult,
}

/// Where times come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A clock.
    Measured,
    /// A model of the device.
    Predicted,
}

/// One schedule of one workload in one place, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The workload's meaning.
    pub workload: String,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// The candidate, spelled out.
    pub schedule: Schedule,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, if it is not right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where the times come from.
    pub origin: Origin,
    /// Seconds of each call, in the order in which they were measured.
    #[serde(default)]
    pub samples_s: Vec<f64>,
    /// Seconds of each call of the default schedule, measured in turn with those.
    #[serde(default)]
    pub baseline_s: Vec<f64>,
    /// Largest error against the f64 reference, relative to the largest value.
    #[serde(default)]
    pub error: Option<f64>,
    /// Threads that ran it; 0 for a device that counts none.
    #[serde(default)]
    pub threads: u32,
    /// The device, with its driver.
    pub device: String,
    /// Seed of the inputs and of the search.
    pub seed: u64,
    /// Seconds since 1970-01-01 UTC.
    pub unix_time: u64,
    /// Who measured.
    #[serde(default)]
    pub by: String,
    /// What a later version says beside.
    #[serde(flatten)]
    pub more: BTreeMap<String, Value>,
}

/// What a trial is served by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Score {
    /// Samples that have a partner of the default's.
    pub pairs: usize,
    /// Upper end of the 95 % interval of the time, as a multiple of the default's.
    pub high: Option<f64>,
}

/// That a trial's kernel was made again here, and its numbers are right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// The trial.
    pub trial: Id,
    /// What ran it: the device, or the emulator.
    pub device: String,
    /// Largest error against the f64 reference, relative to the largest value.
    pub error: f64,
    /// Seconds since 1970-01-01 UTC.
    pub unix_time: u64,
}

/// A parallel schedule of a model on a cluster, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Hash of the model's graph.
    pub model: String,
    /// Hash of the cluster's description.
    pub cluster: String,
    /// The plan, spelled out.
    pub plan: Value,
    /// Seconds of a step.
    pub step_s: f64,
    /// Where the time comes from.
    pub origin: Origin,
    /// Seconds since 1970-01-01 UTC.
    pub unix_time: u64,
    /// What a later version says beside.
    #[serde(flatten)]
    pub more: BTreeMap<String, Value>,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Ok,
        Self::RejectedStatic,
        Self::BuildError,
        Self::Timeout,
        Self::Crash,
        Self::WrongResult,
    ];

    /// As records spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::RejectedStatic => "rejected-static",
            Self::BuildError => "build-error",
            Self::Timeout => "timeout",
            Self::Crash => "crash",
            Self::WrongResult => "wrong-result",
        }
    }
}

/// The canonical JSON of a record: keys sorted, no spaces.
pub(super) fn canonical(record: &impl Serialize) -> String {
    // A map of `serde_json` is sorted by key.
    let value = serde_json::to_value(record).expect("plain data becomes JSON");
    value.to_string()
}

fn id(record: &impl Serialize) -> Id {
    Id(blake3::hash(canonical(record).as_bytes())
        .to_hex()
        .to_string())
}

impl Trial {
    /// Its name.
    pub fn id(&self) -> Id {
        id(self)
    }

    /// The time in the middle, in seconds; none without samples.
    pub fn median_s(&self) -> Option<f64> {
        median(&self.samples_s)
    }

    /// Its time as a multiple of the default's, with the 95 % interval; none if there are too few pairs for one.
    pub fn ratio(&self) -> Option<Ratio> {
        ratio(&self.samples_s, &self.baseline_s)
    }

    pub(super) fn score(&self) -> Score {
        let high = self.ratio().map(|r| r.high).filter(|r| r.is_finite());
        Score {
            pairs: high.map_or(0, |_| self.samples_s.len()),
            high,
        }
    }

    /// Fails if no measurement gives such a record.
    ///
    /// # Errors
    /// What is wrong.
    pub fn require_sound(&self) -> Result<(), String> {
        require_hash("workload", &self.workload)?;
        require_hash("fingerprint", &self.place.fingerprint)?;
        for (what, text) in [
            ("target", &self.place.target),
            ("toolchain", &self.place.toolchain),
            ("device", &self.device),
        ] {
            if text.is_empty() {
                return Err(format!("{what}: wanted a text, found none"));
            }
        }
        for (what, samples) in [
            ("samples_s", &self.samples_s),
            ("baseline_s", &self.baseline_s),
        ] {
            require_samples(what, samples)?;
        }
        if self.outcome == Outcome::Ok && self.samples_s.is_empty() {
            return Err("samples_s: wanted times, since the outcome is ok; found none".into());
        }
        if let Some(error) = self.error
            && !(error.is_finite() && error >= 0.0)
        {
            return Err(format!(
                "error: wanted a number of at least 0, found {error}"
            ));
        }
        let schedule = serde_json::to_value(&self.schedule).expect("plain data becomes JSON");
        require_small("schedule", &schedule)?;
        require_short(self)
    }
}

impl Workload {
    /// Fails if no kernel gives such a record.
    ///
    /// # Errors
    /// What is wrong.
    pub fn require_sound(&self) -> Result<(), String> {
        require_hash("meaning", &self.meaning)?;
        let graph: Result<ir::Graph, _> = serde_json::from_value(self.graph.clone());
        let graph = graph.map_err(|e| format!("graph: wanted a kernel's graph: {e}"))?;
        let found = meaning(&graph, &self.constant);
        if found != self.meaning {
            return Err(format!(
                "graph: wanted one whose hash is {}, found {found}",
                self.meaning
            ));
        }
        if let Some((name, size)) = self.sizes.iter().find(|(_, n)| **n < 0) {
            return Err(format!("sizes: wanted {name} of at least 0, found {size}"));
        }
        require_short(self)
    }
}

impl Plan {
    /// Its name.
    pub fn id(&self) -> Id {
        id(self)
    }

    /// Fails if no plan gives such a record.
    ///
    /// # Errors
    /// What is wrong.
    pub fn require_sound(&self) -> Result<(), String> {
        require_hash("model", &self.model)?;
        require_hash("cluster", &self.cluster)?;
        require_samples("step_s", &[self.step_s])?;
        require_short(self)
    }
}

/// The hash of what a kernel computes: of its graph, and of which operands are known when it is compiled, if any is.
pub fn meaning(graph: &ir::Graph, constant: &[bool]) -> String {
    let mut text = serde_json::to_vec(graph).expect("plain data becomes JSON");
    if constant.contains(&true) {
        text.extend(serde_json::to_vec(constant).expect("plain data becomes JSON"));
    }
    blake3::hash(&text).to_hex().to_string()
}

/// The number in the middle of some, of two the mean.
pub fn median(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted.len().checked_sub(1)? / 2, sorted.len() / 2);
    Some((sorted[low] + sorted[high]) / 2.0)
}

fn require_hash(what: &str, text: &str) -> Result<(), String> {
    let digits = text
        .bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if text.len() == 64 && digits {
        return Ok(());
    }
    let shown: String = text.chars().take(80).collect();
    Err(format!(
        "{what}: wanted a hash of 64 hexadecimal digits, found `{shown}`"
    ))
}

fn require_samples(what: &str, samples: &[f64]) -> Result<(), String> {
    if samples.len() > MOST_SAMPLES {
        return Err(format!(
            "{what}: wanted at most {MOST_SAMPLES} times, found {}",
            samples.len()
        ));
    }
    let fits = |s: &f64| s.is_finite() && *s > 0.0 && *s < SLOWEST;
    match samples.iter().find(|s| !fits(s)) {
        None => Ok(()),
        Some(s) => Err(format!(
            "{what}: wanted seconds above 0 and below {SLOWEST}, found {s}"
        )),
    }
}

/// Fails on a number that no schedule has.
fn require_small(what: &str, value: &Value) -> Result<(), String> {
    match value {
        Value::Number(n) if n.as_u64().is_none_or(|n| n > LARGEST) => Err(format!(
            "{what}: wanted numbers from 0 to {LARGEST}, found {n}"
        )),
        Value::Object(map) => map.iter().try_for_each(|(key, v)| require_small(key, v)),
        Value::Array(list) => list.iter().try_for_each(|v| require_small(what, v)),
        _ => Ok(()),
    }
}

fn require_short(record: &impl Serialize) -> Result<(), String> {
    let found = canonical(record).len();
    if found > LONGEST {
        return Err(format!(
            "wanted a record of at most {LONGEST} bytes, found {found}"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_of_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }
}
