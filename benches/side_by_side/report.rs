//! What was measured.

use std::fmt;

use serde::Serialize;

/// The runners at one shape and number of threads.
#[derive(Serialize)]
pub struct Case {
    pub batch: usize,
    pub seq: usize,
    pub threads: usize,
    pub runs_per_round: usize,
    pub samples: Vec<Sample>,
}

/// One runner: for each round the median of its runs, and that over onnxruntime's of the same round.
#[derive(Serialize)]
pub struct Sample {
    pub name: String,
    pub version: String,
    pub seconds: Vec<f64>,
    pub ratios: Vec<f64>,
    /// Largest difference from torch over torch's largest value.
    pub error: f64,
}

/// The value at this part of the sorted list.
fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = part * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    low + (high - low) * at.fract()
}

/// The middle value.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            batch,
            seq,
            threads,
            runs_per_round,
            samples,
        } = self;
        let rounds = samples.first().map_or(0, |s| s.seconds.len());
        writeln!(
            f,
            "MiniLM ({batch},{seq}), {threads} threads, {rounds} rounds of {runs_per_round} runs"
        )?;
        writeln!(
            f,
            "  runner        version        min ms  median ms   quartiles ms      x onnxruntime (quartiles)   error"
        )?;
        for s in samples {
            let ms = |part| quantile(&s.seconds, part) * 1e3;
            let ratio = |part| quantile(&s.ratios, part);
            writeln!(
                f,
                "  {:<12}  {:<12} {:8.2}   {:8.2}   {:6.2} .. {:6.2}   {:6.3} ({:.3} .. {:.3})   {:.1e}",
                s.name,
                s.version,
                ms(0.0),
                ms(0.5),
                ms(0.25),
                ms(0.75),
                ratio(0.5),
                ratio(0.25),
                ratio(0.75),
                s.error
            )?;
        }
        Ok(())
    }
}
