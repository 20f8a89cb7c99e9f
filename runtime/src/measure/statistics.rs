//! How two sets of times compare that were taken in turn.

/// Fewer pairs have no 95 % interval: the least and the largest of five miss the median one time in sixteen.
pub const LEAST_PAIRS: usize = 6;

/// Probability that an interval misses.
const MISS: f64 = 0.05;

/// Time of a candidate, as a multiple of the baseline's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The median over pairs.
    pub value: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The median of the ratios of pairs, with the interval between two order statistics that holds it with a probability of
/// at least 95 %, whatever the distribution of the noise, as long as pairs are independent (Conover, Practical
/// Nonparametric Statistics, 3rd edition, section 3.2). The order of the pairs does not matter.
///
/// `None` if there are fewer than [`LEAST_PAIRS`], a side has more than the other, or a time is not above 0.
pub fn ratio(samples: &[f64], baseline: &[f64]) -> Option<Ratio> {
    interval(samples, baseline, MISS)
}

/// As [`ratio`], for an interval that misses with probability `miss` at most.
pub(super) fn interval(samples: &[f64], baseline: &[f64], miss: f64) -> Option<Ratio> {
    let all = samples.iter().chain(baseline);
    if samples.len() != baseline.len() || all.into_iter().any(|t| !(t.is_finite() && *t > 0.0)) {
        return None;
    }
    let pairs = samples.iter().zip(baseline);
    let mut logs: Vec<f64> = pairs.map(|(s, b)| (s / b).ln()).collect();
    logs.sort_by(f64::total_cmp);
    let outer = outer(logs.len(), miss)?;
    let n = logs.len();
    Some(Ratio {
        value: ((logs[(n - 1) / 2] + logs[n / 2]) / 2.0).exp(),
        low: logs[outer].exp(),
        high: logs[n - 1 - outer].exp(),
    })
}

/// How many of `n` sorted numbers to leave out at each end, so that the median lies between the rest but for
/// probability `miss`: the most for which `P(Binomial(n, 1/2) <= outer) <= miss / 2`. None if there is no such number.
fn outer(n: usize, miss: f64) -> Option<usize> {
    // In logarithms, since 2^-n is 0 for large n.
    let mut term = -(n as f64) * std::f64::consts::LN_2;
    let mut below = 0.0;
    let mut outer = None;
    for k in 0..n / 2 + 1 {
        below += term.exp();
        if below > miss / 2.0 {
            break;
        }
        outer = Some(k);
        term += ((n - k) as f64 / (k + 1) as f64).ln();
    }
    outer
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pseudo-random numbers in 0..1 (splitmix64: Steele, Lea and Flood 2014).
    fn random(state: &mut u64) -> f64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A time as machines give it: a floor, noise that has no variance (Pareto, index 1.5), now and then an interrupt, and a
    /// drift that both sides see.
    fn time(floor: f64, drift: f64, state: &mut u64) -> f64 {
        let tail = (1.0 - random(state)).powf(-1.0 / 1.5) - 1.0;
        let interrupt = if random(state) < 0.02 { 3.0 } else { 0.0 };
        floor * drift * (1.0 + 0.02 * tail + interrupt)
    }

    fn pairs(n: usize, truth: f64, state: &mut u64) -> [Vec<f64>; 2] {
        let mut sides = [vec![], vec![]];
        for i in 0..n {
            let drift = 1.0 + 0.3 * (i as f64 / 5.0).sin();
            sides[0].push(time(truth * 1e-3, drift, state));
            sides[1].push(time(1e-3, drift, state));
        }
        sides
    }

    #[test]
    fn intervals_hold_the_truth_as_often_as_they_say() {
        let mut state = 3;
        for n in [6, 10, 25, 60, 200] {
            for truth in [0.8, 1.0, 1.3] {
                let held = (0..2000).filter(|_| {
                    let [samples, baseline] = pairs(n, truth, &mut state);
                    let ratio = ratio(&samples, &baseline).unwrap();
                    assert!(ratio.low <= ratio.value && ratio.value <= ratio.high);
                    (ratio.low..=ratio.high).contains(&truth)
                });
                let held = held.count() as f64 / 2000.0;
                // Three standard deviations of a share of 0.95 among 2000. Not always either: that says nothing.
                assert!((0.935..1.0).contains(&held), "{n} pairs, {truth}: {held}");
            }
        }
    }

    #[test]
    fn more_pairs_say_more() {
        let mut state = 5;
        let mut width = |n| {
            let [samples, baseline] = pairs(n, 1.0, &mut state);
            let ratio = ratio(&samples, &baseline).unwrap();
            ratio.high - ratio.low
        };
        let widths = [10, 40, 160, 640].map(&mut width);
        assert!(widths.is_sorted_by(|a, b| a > b), "{widths:?}");
    }

    #[test]
    fn the_order_of_pairs_does_not_matter() {
        let mut state = 11;
        let [mut samples, mut baseline] = pairs(31, 0.9, &mut state);
        let before = ratio(&samples, &baseline);
        for i in (1..samples.len()).rev() {
            let j = (random(&mut state) * (i + 1) as f64) as usize;
            samples.swap(i, j);
            baseline.swap(i, j);
        }
        assert_eq!(ratio(&samples, &baseline), before);
        // A permutation of one side alone makes other pairs.
        samples.rotate_left(1);
        assert_ne!(ratio(&samples, &baseline), before);
    }

    #[test]
    fn sides_that_change_places_give_the_inverse() {
        let [samples, baseline] = pairs(20, 0.7, &mut 17);
        let (a, b) = (
            ratio(&samples, &baseline).unwrap(),
            ratio(&baseline, &samples).unwrap(),
        );
        for (x, y) in [(a.value, b.value), (a.low, b.high), (a.high, b.low)] {
            assert!((x * y - 1.0).abs() < 1e-12, "{x} {y}");
        }
    }

    #[test]
    fn what_cannot_be_compared_gives_none() {
        let six = [1.0; LEAST_PAIRS];
        let whole = Ratio {
            value: 1.0,
            low: 1.0,
            high: 1.0,
        };
        assert_eq!(ratio(&six, &six), Some(whole));
        assert_eq!(ratio(&six[1..], &six[1..]), None);
        assert_eq!(ratio(&six, &six[1..]), None);
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let mut times = six;
            times[2] = wrong;
            assert_eq!(ratio(&times, &six), None);
            assert_eq!(ratio(&six, &times), None);
        }
        assert_eq!(ratio(&[], &[]), None);
    }

    #[test]
    fn bounds_are_those_of_the_table() {
        // Conover, table A3: two-sided 95 % by the sign test.
        let table = [
            (5, None),
            (6, Some(0)),
            (9, Some(1)),
            (20, Some(5)),
            (100, Some(39)),
        ];
        for (n, wanted) in table {
            assert_eq!(outer(n, 0.05), wanted, "{n}");
        }
        // 2^-2000 is 0 in f64.
        assert_eq!(outer(2000, 0.05), Some(955));
    }
}
