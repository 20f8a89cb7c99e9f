//! How many pairs of samples are taken.

use super::{
    Policy,
    statistics::{LEAST_PAIRS, interval, ratio},
};

/// Probability that equal times are told apart, over all looks.
const MISS: f64 = 0.05;
/// Between a look and the next, the pairs become so many times as many.
const GROWTH: f64 = 1.5;
/// An interval of the ratio that is narrower says enough, wherever it lies.
const NARROW: f64 = 0.01;

/// When to look at the pairs, and whether they say enough.
///
/// Who looks often and stops when an interval of 95 % does not hold 1 finds a difference far too often where there is none.
/// Here the looks are counted beforehand, and each gets its share of the probability (Bonferroni).
pub(super) struct Looks {
    next: usize,
    most: usize,
    miss: f64,
}

impl Looks {
    pub fn new(policy: &Policy) -> Self {
        let most = policy.most.max(policy.least) as usize;
        let first = (policy.least as usize).max(LEAST_PAIRS);
        let looks = std::iter::successors(Some(first), |n| Some(after(*n)));
        let looks = looks.take_while(|n| *n < most).count().max(1);
        Self {
            next: first,
            most,
            miss: MISS / looks as f64,
        }
    }

    /// Whether these pairs are enough.
    pub fn are_enough(&mut self, samples: &[f64], baseline: &[f64]) -> bool {
        if samples.len() >= self.most {
            return true;
        }
        if samples.len() < self.next {
            return false;
        }
        self.next = after(self.next);
        let separates =
            interval(samples, baseline, self.miss).is_some_and(|r| r.low > 1.0 || r.high < 1.0);
        let is_narrow = ratio(samples, baseline).is_some_and(|r| r.high - r.low < NARROW);
        separates || is_narrow
    }
}

fn after(look: usize) -> usize {
    (look as f64 * GROWTH).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy {
        least: 10,
        most: 200,
        seconds: 1.0,
    };

    /// Pseudo-random numbers in 0..1 (splitmix64: Steele, Lea and Flood 2014).
    fn random(state: &mut u64) -> f64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A time with a floor and a heavy tail (Pareto, index 1.5).
    fn time(floor: f64, noise: f64, state: &mut u64) -> f64 {
        floor * (1.0 + noise * ((1.0 - random(state)).powf(-1.0 / 1.5) - 1.0))
    }

    fn taken(truth: f64, noise: f64, state: &mut u64) -> [Vec<f64>; 2] {
        let mut looks = Looks::new(&POLICY);
        let mut sides = [vec![], vec![]];
        while !looks.are_enough(&sides[0], &sides[1]) {
            sides[0].push(time(truth, noise, state));
            sides[1].push(time(1.0, noise, state));
        }
        sides
    }

    #[test]
    fn equal_times_are_seldom_told_apart() {
        let mut state = 23;
        let mut faster = 0;
        let mut apart = 0;
        for _ in 0..2000 {
            let [samples, baseline] = taken(1.0, 0.1, &mut state);
            let ratio = ratio(&samples, &baseline).unwrap();
            faster += u32::from(ratio.high < 1.0);
            apart += u32::from(ratio.high < 1.0 || ratio.low > 1.0);
        }
        // The last interval is one of 95 %, beside the looks that stopped before.
        assert!(faster < 2000 * 5 / 100, "{faster} of 2000");
        assert!(apart < 2000 * 9 / 100, "{apart} of 2000");
    }

    #[test]
    fn clear_differences_take_few_pairs_and_small_ones_many() {
        let mut state = 29;
        let mut mean = |truth, noise| {
            let runs = (0..50).map(|_| taken(truth, noise, &mut state)[0].len());
            runs.sum::<usize>() / 50
        };
        assert!(mean(0.7, 0.05) <= 15);
        assert!(mean(1.5, 0.05) <= 15);
        assert!(mean(1.01, 0.2) > 100);
        // Equal times on a quiet machine: a tie is seen.
        assert!(mean(1.0, 0.003) <= 30);
    }

    #[test]
    fn policies_are_kept() {
        let policy = Policy {
            least: 7,
            most: 7,
            ..POLICY
        };
        let mut looks = Looks::new(&policy);
        let ones = [1.0; 8];
        assert!(!looks.are_enough(&ones[..6], &ones[..6]));
        assert!(looks.are_enough(&ones[..7], &ones[..7]));
        // No more than the least, if that is more than the most.
        let policy = Policy {
            least: 3,
            most: 1,
            ..POLICY
        };
        let mut looks = Looks::new(&policy);
        assert!(!looks.are_enough(&ones[..2], &ones[..2]));
        assert!(looks.are_enough(&ones[..3], &ones[..3]));
    }
}
