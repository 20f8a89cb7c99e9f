//! A learned model of how long schedules take, relative to the default schedule of the same kernel.
//!
//! It is fitted to trials of any number of kernels, shapes and devices, and then refined by those of the kernel at hand: the
//! same trees go on growing, on what the first ones leave unexplained. The same examples and seed give the same model.
//!
//! Why trees, and why our own: `docs/adr/0033-search.md`.

mod committee;
mod learned;
mod trees;

use std::collections::BTreeMap;

pub(crate) use committee::Committee;
use trees::{Row, Settings, Trees};

/// From many kernels. Small steps, few columns and large leaves: what is learned must hold for shapes that were not seen.
const GENERAL: Settings = Settings {
    trees: 100,
    depth: 5,
    rate: 0.05,
    columns: 0.2,
    leaf: 10.0,
    shrink: 2.0,
};

/// From trials of one kernel, of which there are few.
const OWN: Settings = Settings {
    trees: 60,
    depth: 4,
    rate: 0.1,
    columns: 0.5,
    leaf: 2.0,
    shrink: 1.0,
};

/// Beyond this logarithm slow is slow: a factor of 20.
const SLOWEST: f64 = 3.0;

/// Examples of one kernel that count in full; of more, all together count as much.
const ENOUGH: f64 = 100.0;

/// A schedule's features and how long it took.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// What distinguishes the kernel and its target from others of the examples.
    pub task: String,
    /// As [`crate::features::Extractor`] makes them.
    pub features: Vec<f32>,
    /// Time over the time of the default schedule, measured in turn with it.
    pub ratio: f64,
}

/// A model of times. The default model says that all schedules take as long as the default one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CostModel {
    base: Trees,
    own: Trees,
}

impl CostModel {
    /// A model fitted to examples; those whose ratio is no positive number are left out.
    pub fn fit(examples: &[Example], seed: u64) -> Self {
        let mut count: BTreeMap<&str, f64> = BTreeMap::new();
        for example in examples {
            *count.entry(&example.task).or_default() += 1.0;
        }
        let weight = |at: usize| (ENOUGH / count[examples[at].task.as_str()]).min(1.0);
        Self {
            base: grow(examples, &GENERAL, seed, weight, |_| 0.0),
            own: Trees::default(),
        }
    }

    /// The model with further trees for one kernel, fitted to what this one leaves unexplained of its examples.
    pub fn refine(&self, examples: &[Example], seed: u64) -> Self {
        self.refine_by(examples, |_| 1.0, seed)
    }

    /// The same where examples count by their position.
    fn refine_by(&self, examples: &[Example], weight: impl Fn(usize) -> f64, seed: u64) -> Self {
        let known = |features: &[f32]| self.base.value(features);
        Self {
            base: self.base.clone(),
            own: grow(examples, &OWN, seed, weight, known),
        }
    }

    /// The natural logarithm of the ratio of times that it expects.
    pub fn predict(&self, features: &[f32]) -> f64 {
        self.base.value(features) + self.own.value(features)
    }
}

/// Whether an example has a time.
fn sound(example: &Example) -> bool {
    example.ratio > 0.0 && example.ratio.is_finite()
}

fn grow(
    examples: &[Example],
    settings: &Settings,
    seed: u64,
    weight: impl Fn(usize) -> f64,
    known: impl Fn(&[f32]) -> f64,
) -> Trees {
    let all = examples.iter().enumerate();
    let counted = all.filter(|(at, e)| sound(e) && weight(*at) > 0.0);
    let rows: Vec<Row<'_>> = counted
        .map(|(at, e)| Row {
            columns: &e.features,
            wanted: e.ratio.ln().clamp(-SLOWEST, SLOWEST) - known(&e.features),
            weight: weight(at),
        })
        .collect();
    Trees::grow(&rows, settings, seed)
}

/// Spearman's rank correlation of two lists, with the mean of their ranks for equal numbers; none if one of the lists has no
/// two distinct numbers.
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a, b) = (ranks(a), ranks(b));
    let n = a.len() as f64;
    let mean = (n + 1.0) / 2.0;
    let sum = |x: &[f64], y: &[f64]| -> f64 {
        let each = x.iter().zip(y);
        each.map(|(x, y)| (x - mean) * (y - mean)).sum()
    };
    let spread = (sum(&a, &a) * sum(&b, &b)).sqrt();
    (spread > 0.0 && a.len() == b.len()).then(|| sum(&a, &b) / spread)
}

/// Ranks from 1 on; equal numbers share the mean of theirs.
fn ranks(numbers: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|a, b| numbers[*a].total_cmp(&numbers[*b]));
    let mut ranks = vec![0.0; numbers.len()];
    let mut smaller = 0.0;
    for equal in order.chunk_by(|a, b| numbers[*a] == numbers[*b]) {
        let count = equal.len() as f64;
        for i in equal {
            ranks[*i] = smaller + (count + 1.0) / 2.0;
        }
        smaller += count;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_share_their_ranks() {
        assert_eq!(ranks(&[30.0, 10.0, 20.0, 20.0]), [4.0, 1.0, 2.5, 2.5]);
        assert_eq!(ranks(&[5.0, 5.0, 5.0]), [2.0, 2.0, 2.0]);
    }

    /// The third by `scipy.stats.spearmanr([1, 2, 2, 4], [1, 3, 2, 4])`.
    #[test]
    fn correlation_is_of_ranks() {
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[10.0, 100.0, 1e9]), Some(1.0));
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), Some(-1.0));
        let tied = spearman(&[1.0, 2.0, 2.0, 4.0], &[1.0, 3.0, 2.0, 4.0]).unwrap();
        assert!((tied - 0.948_683_298).abs() < 1e-9, "{tied}");
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(spearman(&[], &[]), None);
    }

    fn example(task: &str, x: f32, ratio: f64) -> Example {
        Example {
            task: task.into(),
            features: vec![x],
            ratio,
        }
    }

    #[test]
    fn what_is_no_time_is_left_out() {
        let all = [0.5, f64::NAN, 0.0, -1.0, f64::INFINITY];
        let all: Vec<_> = all.iter().map(|r| example("a", 1.0, *r)).collect();
        assert_eq!(CostModel::fit(&all, 1), CostModel::fit(&all[..1], 1));
        let none = CostModel::fit(&all[1..], 1);
        assert_eq!(none.predict(&[1.0]), 0.0);
    }

    #[test]
    fn a_refined_model_follows_its_own_kernel() {
        let others = (0..200).map(|i| example("a", i as f32 / 10.0, f64::from(1 + i)));
        let general = CostModel::fit(&others.collect::<Vec<_>>(), 1);
        let own = (0..20).map(|i| example("b", i as f32, f64::from(20 - i)));
        let own = general.refine(&own.collect::<Vec<_>>(), 1);
        let rising = |m: &CostModel| m.predict(&[19.0]) > m.predict(&[1.0]);
        assert!(rising(&general) && !rising(&own));
    }
}
