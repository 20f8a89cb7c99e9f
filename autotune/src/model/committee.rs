//! Some models of one kernel, each fitted to trials drawn anew: where they differ, too little is known.
//!
//! Breiman 1996, "Bagging predictors"; the error by the trials that a model has not seen, as in his "Out-of-bag
//! estimation" of the same year.

use super::{CostModel, Example, sound};
use crate::random::Draw;

/// How many.
const MEMBERS: u64 = 5;

/// The best of the trials, one of so many, are those whose error counts: there the search looks; but not fewer than these.
const BEST: usize = 3;
const FEWEST: usize = 6;

/// Chances that a trial is drawn at most 0, 1 and 2 times if as many are drawn as there are.
const DRAWN: [f64; 3] = [0.368, 0.736, 0.92];

/// Models of one kernel.
#[derive(Clone, Debug)]
pub(crate) struct Committee {
    members: Vec<CostModel>,
    error: f64,
}

impl Committee {
    /// Fitted to trials of one kernel; `general` is what others taught.
    pub fn new(general: &CostModel, examples: &[Example], seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let weights: Vec<Vec<f64>> = (0..MEMBERS)
            .map(|_| {
                let times = |x: f64| DRAWN.iter().filter(|chance| x >= **chance).count();
                let each = examples.iter().map(|_| times(draw.unit()) as f64);
                each.collect()
            })
            .collect();
        let members = (0..).zip(&weights).map(|(member, weights)| {
            general.refine_by(examples, |at| weights[at], seed ^ (member << 32))
        });
        let members: Vec<CostModel> = members.collect();
        let mut unseen: Vec<(f64, f64)> = vec![];
        for (at, example) in examples.iter().enumerate().filter(|(_, e)| sound(e)) {
            let of = members.iter().zip(&weights).filter(|(_, w)| w[at] == 0.0);
            let of: Vec<f64> = of.map(|(m, _)| m.predict(&example.features)).collect();
            if !of.is_empty() {
                let mean = of.iter().sum::<f64>() / of.len() as f64;
                unseen.push((mean, example.ratio.ln()));
            }
        }
        unseen.sort_by(|a, b| a.0.total_cmp(&b.0));
        unseen.truncate((unseen.len() / BEST).max(FEWEST));
        let squares: f64 = unseen.iter().map(|(f, seen)| (f - seen).powi(2)).sum();
        Self {
            members,
            error: (squares / unseen.len().max(1) as f64).sqrt(),
        }
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// The natural logarithm of the ratio of times that one member expects.
    pub fn opinion(&self, member: usize, features: &[f32]) -> f64 {
        self.members[member].predict(features)
    }

    /// The mean of what all expect.
    pub fn predict(&self, features: &[f32]) -> f64 {
        let all = self.members.iter().map(|m| m.predict(features));
        all.sum::<f64>() / self.members.len() as f64
    }

    /// The standard error of predictions among the best.
    pub fn error(&self) -> f64 {
        self.error
    }
}
