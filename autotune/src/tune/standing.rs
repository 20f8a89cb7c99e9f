//! How far tuning is.

use std::time::Duration;

use super::Searches;

/// How far tuning is, for whoever watches.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Trials that were made, those of an earlier run included.
    pub done: usize,
    /// Trials that were asked for.
    pub of: usize,
    /// The model's time by the best schedules seen, of that by the defaults, as the sum of its kernels.
    pub ratio: f64,
    /// Trials in a second, of this run.
    pub rate: f64,
    /// Time that is left at this rate; none before the first trial.
    pub left: Option<Duration>,
}

impl Searches<'_> {
    pub(super) fn standing(&self, elapsed: Duration) -> Standing {
        let [mut before, mut now] = [0.0, 0.0];
        for (state, task) in self.each.iter().zip(self.tasks) {
            let seconds = state.default_s().unwrap_or(0.0) * task.calls as f64;
            before += seconds;
            now += seconds * state.search.best().1;
        }
        let made = (self.done - self.before) as f64;
        let rate = made / elapsed.as_secs_f64().max(1e-9);
        let by_rate = |rate: f64| {
            let left = self.settings.trials.saturating_sub(self.done) as f64 / rate;
            let limit = self.settings.time_limit.map(|l| l.saturating_sub(elapsed));
            let left = Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX);
            limit.map_or(left, |l| l.min(left))
        };
        Standing {
            done: self.done,
            of: self.settings.trials,
            ratio: if before > 0.0 { now / before } else { 1.0 },
            rate,
            left: (made > 0.0).then(|| by_rate(rate)),
        }
    }
}
