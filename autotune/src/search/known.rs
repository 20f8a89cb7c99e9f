//! What a search knows: the space, what came of the schedules that were tried, and what a model makes of it.

use std::collections::BTreeMap;

use ir::{Kernel, Schedule, Target};

use crate::{
    database::median,
    features::{Extractor, Features},
    model::{Committee, CostModel, Example},
    random::Draw,
    space::Space,
};

/// Trials of this kernel from which on a model is more than a guess.
const ENOUGH: usize = 6;

/// How a schedule without a right result counts: as the one in the middle of those seen, at least as this ratio. More would
/// make its neighbours look bad, which most often have results.
const FAILED: f64 = 1.5;

/// Error of the model's logarithms before there is enough to tell.
const UNSURE: f64 = 0.3;

/// Draws until one has not been tried.
const DRAWS: usize = 32;

/// What strategies rank by.
pub struct Known {
    space: Space,
    default: Schedule,
    seed: u64,
    extractor: Option<Extractor>,
    general: Option<CostModel>,
    /// The general model, refined by what was seen; none before there is enough.
    own: Option<Committee>,
    seen: BTreeMap<Schedule, Option<f64>>,
    /// Features of those that were looked at; none of those that cannot be lowered.
    features: BTreeMap<Schedule, Option<Features>>,
}

impl Known {
    pub(super) fn new(
        kernel: &Kernel,
        target: &Target,
        space: Space,
        default: Schedule,
        seed: u64,
        general: Option<&CostModel>,
    ) -> Self {
        Self {
            // Without one, all schedules are alike.
            extractor: Extractor::new(kernel, target, &default).ok(),
            space,
            default,
            seed,
            general: general.cloned(),
            own: None,
            seen: BTreeMap::new(),
            features: BTreeMap::new(),
        }
    }

    /// The space.
    pub fn space(&self) -> &Space {
        &self.space
    }

    pub(super) fn default(&self) -> &Schedule {
        &self.default
    }

    /// Whether something was told of a schedule.
    pub fn tried(&self, schedule: &Schedule) -> bool {
        self.seen.contains_key(schedule)
    }

    pub(super) fn count(&self) -> usize {
        self.seen.len()
    }

    /// A schedule of the space that can be lowered and was not tried; none if some draws found none.
    pub fn sample(&mut self, draw: &mut Draw) -> Option<Schedule> {
        if self.space.is_empty() {
            return None;
        }
        (0..DRAWS).find_map(|_| {
            let schedule = self.space.sample(draw.any()).clone();
            let fresh = !self.tried(&schedule) && self.lowers(&schedule);
            fresh.then_some(schedule)
        })
    }

    /// All schedules of the space that can be lowered and were not tried.
    pub fn untried(&mut self) -> Vec<Schedule> {
        let all = self.space.iter().filter(|s| !self.seen.contains_key(s));
        let mut all: Vec<Schedule> = all.cloned().collect();
        all.retain(|schedule| self.lowers(schedule));
        all
    }

    /// The fastest of those tried, in order.
    pub fn elite(&self, count: usize) -> Vec<Schedule> {
        let timed = self
            .seen
            .iter()
            .filter_map(|(s, ratio)| Some((s, (*ratio)?)));
        let mut timed: Vec<_> = timed.collect();
        timed.sort_by(|a, b| a.1.total_cmp(&b.1));
        let best = timed.into_iter().take(count);
        best.map(|(schedule, _)| schedule.clone()).collect()
    }

    /// How long a schedule is thought to take: a logarithm of the ratio to the default one, by the model, or by an
    /// estimate before there is one. None if it cannot be lowered.
    pub fn score(&mut self, schedule: &Schedule) -> Option<f64> {
        if self.extractor.is_none() {
            return Some(0.0);
        }
        self.look(schedule);
        let features = self.features.get(schedule)?.as_ref()?;
        Some(self.foresee(features).unwrap_or(features.estimate().ln()))
    }

    /// Opinions on a schedule whose features were made, one of each model; none before there is enough.
    pub fn opinions(&self, schedule: &Schedule) -> Option<Vec<f64>> {
        let own = self.own.as_ref()?;
        let features = self.features.get(schedule)?.as_ref()?.values();
        let all = (0..own.len()).map(|member| own.opinion(member, features));
        Some(all.collect())
    }

    fn foresee(&self, features: &Features) -> Option<f64> {
        let features = features.values();
        let general = || Some(self.general.as_ref()?.predict(features));
        let own = self.own.as_ref().map(|own| own.predict(features));
        own.or_else(general)
    }

    fn lowers(&mut self, schedule: &Schedule) -> bool {
        self.extractor.is_none() || {
            self.look(schedule);
            self.features.get(schedule).is_some_and(Option::is_some)
        }
    }

    /// Keeps the features of a schedule.
    fn look(&mut self, schedule: &Schedule) {
        if let Some(extractor) = &self.extractor
            && !self.features.contains_key(schedule)
        {
            let features = extractor.extract(schedule).ok();
            self.features.insert(schedule.clone(), features);
        }
    }

    pub(super) fn add(&mut self, schedule: Schedule, ratio: Option<f64>) {
        self.look(&schedule);
        let sound = ratio.filter(|r| r.is_finite() && *r > 0.0);
        self.seen.insert(schedule, sound);
    }

    /// Fits the model to all that was seen.
    pub(super) fn learn(&mut self) {
        let examples = self.examples("");
        if examples.len() < ENOUGH {
            return;
        }
        let general = self.general.clone().unwrap_or_default();
        self.own = Some(Committee::new(&general, &examples, self.seed));
    }

    pub(super) fn examples(&self, task: &str) -> Vec<Example> {
        let times: Vec<f64> = self.seen.values().flatten().copied().collect();
        let failed = median(&times).unwrap_or(FAILED).max(FAILED);
        let example = |(schedule, ratio): (&Schedule, &Option<f64>)| {
            let features = self.features.get(schedule)?.as_ref()?;
            Some(Example {
                task: task.into(),
                features: features.values().to_vec(),
                ratio: ratio.unwrap_or(failed),
            })
        };
        self.seen.iter().filter_map(example).collect()
    }

    pub(super) fn best(&self) -> (&Schedule, f64) {
        let timed = self
            .seen
            .iter()
            .filter_map(|(s, ratio)| Some((s, (*ratio)?)));
        let best = timed.min_by(|a, b| a.1.total_cmp(&b.1));
        best.filter(|(_, ratio)| *ratio < 1.0)
            .unwrap_or((&self.default, 1.0))
    }

    /// The part of the best time that the best of these is expected to save, where the model's logarithms are off by a
    /// normal distribution: expected improvement, Jones, Schonlau and Welch 1998, equation 15.
    pub(super) fn expected_gain<'a>(&self, left: impl Iterator<Item = &'a Schedule>) -> f64 {
        if self.seen.is_empty() {
            return 1.0;
        }
        let best = self.best().1.ln();
        let ahead = left.filter_map(|schedule| {
            let features = self.features.get(schedule)?.as_ref()?;
            // As good as the best, where nothing is foreseen.
            Some(self.foresee(features).map_or(0.0, |f| best - f))
        });
        let Some(ahead) = ahead.max_by(f64::total_cmp) else {
            return 0.0;
        };
        let error = self.own.as_ref().map_or(UNSURE, Committee::error).max(1e-6);
        let gain = ahead * below(ahead / error) + error * density(ahead / error);
        1.0 - (-gain.max(0.0)).exp()
    }
}

/// Density of the normal distribution.
fn density(x: f64) -> f64 {
    (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// The part of the normal distribution below `x`: Abramowitz and Stegun 1964, equation 26.2.17; off by less than 1e-7.
fn below(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let powers = [
        0.319_381_530,
        -0.356_563_782,
        1.781_477_937,
        -1.821_255_978,
        1.330_274_429,
    ];
    let sum = powers.iter().rev().fold(0.0, |sum, p| (sum + p) * t);
    let above = density(x) * sum;
    if x < 0.0 { above } else { 1.0 - above }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of a table: Abramowitz and Stegun 1964, table 26.1.
    #[test]
    fn the_normal_distribution_is_as_in_tables() {
        for (x, wanted) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746),
            (-1.0, 0.158_655_254),
            (2.5, 0.993_790_335),
        ] {
            assert!((below(x) - wanted).abs() < 1e-7, "{x}: {}", below(x));
        }
    }
}
