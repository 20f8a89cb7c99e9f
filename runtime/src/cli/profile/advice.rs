//! What would make a run faster, by what each kernel is and does.

use ir::{Bound, DType};
use serde_json::{Value, json};

use super::Line;

/// Nearer to its least time than this, a kernel is as good as it gets.
const GOOD: f64 = 0.7;
/// Calls shorter than this take about as long to start as to run, in seconds.
const SHORT: f64 = 5e-6;
/// What is less of a run is not worth a line.
const LEAST: f64 = 0.01;

/// A kernel that could be faster.
pub(super) struct Advice {
    pub kernel: String,
    /// Seconds of a run that could be won at most.
    pub gain: f64,
    kind: Kind,
    /// Its time over the least one, and what that one is bound by.
    times: f64,
    bound: Bound,
}

/// What may help.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Far from its least time.
    Tune,
    /// Many short calls.
    Fuse,
    /// At the rate of memory, with elements that could be narrower.
    Narrow,
    /// At the rate of memory.
    Memory,
}

impl Advice {
    /// The kernels with most to be won, the best first; `whole` is the time of a run.
    pub fn of(lines: &[Line<'_>], whole: f64) -> Vec<Self> {
        let mut all: Vec<_> = lines.iter().filter_map(Self::about).collect();
        all.retain(|a| a.gain > LEAST * whole);
        all.sort_by(|a, b| b.gain.total_cmp(&a.gain));
        all
    }

    fn about(line: &Line<'_>) -> Option<Self> {
        let floor = line.floor?;
        let calls = line.calls as f64;
        let lost = (line.seconds - floor.seconds).max(0.0) * calls;
        let wide = line.kernel.params.iter().any(|p| p.dtype == DType::F32);
        let (kind, gain) = match floor.bound {
            _ if line.seconds < SHORT => (Kind::Fuse, line.seconds * calls),
            Bound::Memory if floor.seconds >= GOOD * line.seconds && wide => {
                (Kind::Narrow, line.seconds * calls / 2.0)
            }
            Bound::Memory if floor.seconds >= GOOD * line.seconds => {
                (Kind::Memory, line.seconds * calls)
            }
            _ if floor.seconds >= GOOD * line.seconds => return None,
            _ => (Kind::Tune, lost),
        };
        Some(Self {
            kernel: line.kernel.name.clone(),
            gain,
            kind,
            times: line.seconds / floor.seconds,
            bound: floor.bound,
        })
    }

    /// Whether another schedule may help.
    pub fn is_tune(&self) -> bool {
        self.kind == Kind::Tune
    }

    /// What is inefficient.
    pub fn why(&self) -> String {
        match self.kind {
            Kind::Tune => format!(
                "{:.1} times its least time, which {} decide",
                self.times,
                match self.bound {
                    Bound::Memory => "reads and writes",
                    Bound::Products => "products",
                    Bound::Functions => "functions",
                }
            ),
            Kind::Fuse => "short calls, which take as long to start".into(),
            Kind::Narrow | Kind::Memory => "as fast as memory gives and takes".into(),
        }
    }

    /// What to do.
    pub fn what(&self) -> &'static str {
        match self.kind {
            Kind::Tune => "tune its schedule",
            Kind::Fuse => "fuse it with what stands beside it",
            Kind::Narrow => "store narrower, with --dtype f16 or bf16",
            Kind::Memory => "fuse it with what writes or reads its arrays",
        }
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        let kind = match self.kind {
            Kind::Tune => "tune",
            Kind::Fuse => "fuse",
            Kind::Narrow => "narrow",
            Kind::Memory => "memory-bound",
        };
        json!({ "kernel": self.kernel, "gain_s": self.gain, "kind": kind, "why": self.why(), "what": self.what() })
    }
}

#[cfg(test)]
mod tests {
    use ir::{Bytes, Floor, Flops};

    use super::*;
    use crate::manifest::{Kernel, Param};

    fn check(dtype: DType, bound: Bound, least: f64, takes: f64, wanted: Option<(Kind, f64)>) {
        let kernel = Kernel {
            symbol: "k".into(),
            name: "k".into(),
            family: "map".into(),
            blocks: 1,
            scratch: Bytes(0),
            params: vec![Param {
                dtype,
                len: 1,
                written: true,
            }],
            rules: vec![],
            flops: Flops(0),
            bytes: Bytes(0),
            meaning: String::new(),
            tile: None,
            launch: None,
        };
        let line = Line {
            kernel: &kernel,
            calls: 2,
            seconds: takes,
            floor: Some(Floor {
                seconds: least,
                bound,
            }),
        };
        let found = Advice::of(&[line], 2.0 * takes);
        let found: Vec<_> = found.iter().map(|a| (a.kind as u8, a.gain)).collect();
        let wanted = wanted.map(|(kind, gain)| (kind as u8, gain));
        assert_eq!(found, wanted.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn what_helps_follows_from_what_bounds() {
        check(
            DType::F32,
            Bound::Products,
            1.0,
            4.0,
            Some((Kind::Tune, 6.0)),
        );
        check(DType::F32, Bound::Products, 3.0, 4.0, None);
        check(
            DType::F32,
            Bound::Memory,
            3.0,
            4.0,
            Some((Kind::Narrow, 4.0)),
        );
        check(
            DType::F16,
            Bound::Memory,
            3.0,
            4.0,
            Some((Kind::Memory, 8.0)),
        );
        check(DType::F16, Bound::Memory, 1.0, 4.0, Some((Kind::Tune, 6.0)));
        check(
            DType::F16,
            Bound::Memory,
            1e-6,
            4e-6,
            Some((Kind::Fuse, 8e-6)),
        );
    }
}
