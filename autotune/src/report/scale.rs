//! Axes: from numbers to pixels, and where ticks stand.

/// An axis from `low` to `high`, laid on pixels `from` to `to`.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    is_log: bool,
}

impl Scale {
    /// Equal steps are equally long.
    pub fn linear([low, high]: [f64; 2], [from, to]: [f64; 2]) -> Self {
        Self {
            low,
            high: if high > low { high } else { low + 1.0 },
            from,
            to,
            is_log: false,
        }
    }

    /// Equal factors are equally long.
    pub fn log(range: [f64; 2], pixels: [f64; 2]) -> Self {
        Self {
            is_log: true,
            ..Self::linear(range.map(f64::log10), pixels)
        }
    }

    /// The pixel of a number; of one beyond the axis, the end that is nearer.
    pub fn at(&self, x: f64) -> f64 {
        let x = if self.is_log { x.log10() } else { x };
        let part = ((x - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.from + part * (self.to - self.from)
    }

    /// Its least and its largest number; none for an axis without length.
    pub fn ends(&self) -> Option<[f64; 2]> {
        let ends = [self.low, self.high].map(|x| if self.is_log { 10f64.powf(x) } else { x });
        (ends[0] < ends[1]).then_some(ends)
    }

    /// Ticks: about `wanted` round numbers; of a logarithmic axis powers of ten, with 2 and 5 between where there is room.
    pub fn ticks(&self, wanted: usize) -> Vec<f64> {
        if !self.is_log {
            let step = round_step((self.high - self.low) / wanted.max(1) as f64);
            let first = (self.low / step - 1e-9).ceil() as i64;
            let last = (self.high / step + 1e-9).floor() as i64;
            return (first..=last).map(|i| i as f64 * step).collect();
        }
        let [first, last] = [self.low.floor() as i32, self.high.floor() as i32];
        let every = (last - first) as usize / wanted.max(1) + 1;
        let between: &[f64] = if 3 * (last - first) <= wanted as i32 {
            &[1.0, 2.0, 5.0]
        } else {
            &[1.0]
        };
        (first..=last)
            .step_by(every)
            .flat_map(|power| between.iter().map(move |m| m * 10f64.powi(power)))
            .filter(|x| (self.low - 1e-9..=self.high + 1e-9).contains(&x.log10()))
            .collect()
    }
}

/// The least of 1, 2, 5, 10, .. that is not below.
fn round_step(rough: f64) -> f64 {
    let power = 10f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|m| m * power);
    let fits = steps.into_iter().find(|s| *s >= rough * (1.0 - 1e-9));
    fits.unwrap_or(10.0 * power)
}

/// A range around numbers for a logarithmic axis, by a factor of two at each end.
pub fn around(numbers: impl Iterator<Item = f64>) -> Option<[f64; 2]> {
    let [low, high] = numbers.fold([f64::INFINITY, 0.0], |[low, high], x| {
        [f64::min(low, x), f64::max(high, x)]
    });
    let range = [low / 2.0, high * 2.0];
    (low > 0.0 && range[1].is_finite() && low <= high).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        let linear = |low, high| Scale::linear([low, high], [0.0, 1.0]).ticks(4);
        assert_eq!(linear(0.0, 200.0), [0.0, 50.0, 100.0, 150.0, 200.0]);
        assert_eq!(
            linear(0.7, 1.1),
            [0.7, 0.8, 0.9, 1.0, 1.1].map(|x: f64| (x * 10.0).round() * 0.1)
        );
        assert_eq!(linear(3.0, 3.0), [3.0, 3.5, 4.0]);
        let log = Scale::log([0.1, 100.0], [0.0, 300.0]);
        assert_eq!(log.ticks(4), [0.1, 1.0, 10.0, 100.0]);
        assert_eq!(
            [log.at(1.0), log.at(1e9), log.at(1e-9)],
            [100.0, 300.0, 0.0]
        );
    }

    #[test]
    fn ranges_hold_all_numbers() {
        assert_eq!(around([3.0, 40.0].into_iter()), Some([1.5, 80.0]));
        assert_eq!(around([10.0].into_iter()), Some([5.0, 20.0]));
        assert_eq!(around([].into_iter()), None);
        assert_eq!(
            Scale::log([5.0, 200.0], [0.0, 1.0]).ticks(8),
            [5.0, 10.0, 20.0, 50.0, 100.0, 200.0]
        );
    }
}
