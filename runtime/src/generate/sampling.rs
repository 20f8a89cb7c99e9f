//! Which token comes next.

use crate::random::Random;

/// How the next token is chosen: by its score, bent by the temperature, among the likeliest.
///
/// In the order of `transformers`: temperature, then `top_k`, then `top_p`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Scores are divided by it; 0 takes the likeliest token.
    pub temperature: f64,
    /// Only so many of the likeliest tokens, and those as likely as the last of them; 0 leaves out none.
    pub top_k: usize,
    /// Only the likeliest tokens that have this probability together.
    pub top_p: f64,
    /// Where the random numbers start.
    pub seed: u64,
}

impl Default for Sampling {
    /// The likeliest token.
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            seed: 0,
        }
    }
}

/// Scores of which none can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// A score is no number.
    #[error("the score of token {0} is no number")]
    NotANumber(usize),
    /// No token has a score above minus infinity, or one is infinite.
    #[error("wanted finite scores, found none, or one that is infinite")]
    Infinite,
}

impl Sampling {
    /// The tokens that may come next with their probabilities, the likeliest first, of equals the first.
    ///
    /// # Errors
    /// The scores are no numbers.
    pub fn distribution(&self, logits: &[f32]) -> Result<Vec<(usize, f64)>, Wrong> {
        if let Some(token) = logits.iter().position(|x| x.is_nan()) {
            return Err(Wrong::NotANumber(token));
        }
        let mut all: Vec<(usize, f64)> = logits.iter().map(|x| f64::from(*x)).enumerate().collect();
        // Stable, so that of equals the first comes first.
        all.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let highest = all.first().map_or(f64::NEG_INFINITY, |(_, x)| *x);
        if !highest.is_finite() {
            return Err(Wrong::Infinite);
        }
        if self.temperature <= 0.0 {
            return Ok(vec![(all[0].0, 1.0)]);
        }
        if let Some(least) = self.top_k.checked_sub(1).and_then(|k| all.get(k)) {
            let least = least.1;
            all.retain(|(_, x)| *x >= least);
        }
        for (_, x) in &mut all {
            *x = ((*x - highest) / self.temperature).exp();
        }
        normalise(&mut all);
        let mut above = 0.0;
        let kept = all.iter().take_while(|(_, p)| {
            let keep = above < self.top_p;
            above += p;
            keep
        });
        let kept = kept.count().max(1);
        all.truncate(kept);
        normalise(&mut all);
        Ok(all)
    }
}

fn normalise(all: &mut [(usize, f64)]) {
    let sum: f64 = all.iter().map(|(_, p)| p).sum();
    all.iter_mut().for_each(|(_, p)| *p /= sum);
}

/// Chooses tokens, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampler {
    how: Sampling,
    random: Random,
}

impl Sampler {
    /// From the seed on.
    pub fn new(how: Sampling) -> Self {
        Self {
            how,
            random: Random(how.seed),
        }
    }

    /// The next token.
    ///
    /// # Errors
    /// The scores are no numbers.
    pub fn next(&mut self, logits: &[f32]) -> Result<i64, Wrong> {
        let all = self.how.distribution(logits)?;
        let mut left = self.random.unit();
        let found = all.iter().find(|(_, p)| {
            left -= p;
            left < 0.0
        });
        // Rounding may leave a little; it is the last one's.
        let (token, _) = found.unwrap_or(&all[all.len() - 1]);
        Ok(*token as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGITS: [f32; 5] = [1.0, 3.0, 2.0, 3.0, -1.0];

    fn check(how: Sampling, wanted: &[(usize, f64)]) {
        let found = how.distribution(&LOGITS).unwrap();
        assert_eq!(
            found.iter().map(|(t, _)| *t).collect::<Vec<_>>(),
            wanted.iter().map(|(t, _)| *t).collect::<Vec<_>>(),
            "{how:?}"
        );
        for ((_, p), (_, q)) in found.iter().zip(wanted) {
            assert!((p - q).abs() < 1e-6, "{how:?}: {found:?}");
        }
    }

    /// Probabilities by softmax over what is kept, in the order temperature, `top_k`, `top_p`.
    #[test]
    fn distributions_are_softmax_over_what_is_kept() {
        let plain = Sampling {
            temperature: 1.0,
            ..Sampling::default()
        };
        check(Sampling::default(), &[(1, 1.0)]);
        check(
            plain,
            &[
                (1, 0.396_585),
                (3, 0.396_585),
                (2, 0.145_895),
                (0, 0.053_672),
                (4, 0.007_264),
            ],
        );
        let warm = Sampling {
            temperature: 2.0,
            ..plain
        };
        check(
            warm,
            &[
                (1, 0.321_570),
                (3, 0.321_570),
                (2, 0.195_042),
                (0, 0.118_299),
                (4, 0.043_520),
            ],
        );
        // The second and the first are equally likely, so both are kept.
        check(Sampling { top_k: 1, ..plain }, &[(1, 0.5), (3, 0.5)]);
        check(
            Sampling { top_k: 3, ..plain },
            &[(1, 0.422_319), (3, 0.422_319), (2, 0.155_362)],
        );
        // Of the three, two have 0.8446 together.
        let both = Sampling {
            top_k: 3,
            top_p: 0.84,
            ..plain
        };
        check(both, &[(1, 0.5), (3, 0.5)]);
        check(
            Sampling {
                top_p: 0.0,
                ..plain
            },
            &[(1, 1.0)],
        );
    }

    #[test]
    fn tokens_come_as_often_as_they_are_likely() {
        let how = Sampling {
            temperature: 1.0,
            top_k: 3,
            seed: 7,
            ..Sampling::default()
        };
        let mut sampler = Sampler::new(how);
        let mut counts = [0; 5];
        for _ in 0..10_000 {
            counts[sampler.next(&LOGITS).unwrap() as usize] += 1;
        }
        let mut wanted = [0.0; 5];
        for (token, p) in how.distribution(&LOGITS).unwrap() {
            wanted[token] = p;
        }
        for (count, p) in counts.iter().zip(wanted) {
            // Five standard deviations.
            let bound = 5.0 * (p * (1.0 - p) * 10_000.0_f64).sqrt();
            assert!(
                (f64::from(*count) - p * 10_000.0).abs() <= bound,
                "{counts:?}"
            );
        }
    }

    #[test]
    fn a_seed_gives_the_same_tokens_again_and_another_gives_others() {
        let tokens = |seed| {
            let how = Sampling {
                temperature: 1.0,
                seed,
                ..Sampling::default()
            };
            let mut sampler = Sampler::new(how);
            (0..50)
                .map(|_| sampler.next(&LOGITS).unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(tokens(3), tokens(3));
        assert_ne!(tokens(3), tokens(4));
    }

    #[test]
    fn scores_that_are_none_are_refused() {
        let how = Sampling::default();
        assert_eq!(
            how.distribution(&[1.0, f32::NAN]),
            Err(Wrong::NotANumber(1))
        );
        assert_eq!(how.distribution(&[]), Err(Wrong::Infinite));
        let hidden = [f32::NEG_INFINITY, f32::NEG_INFINITY];
        assert_eq!(how.distribution(&hidden), Err(Wrong::Infinite));
        assert_eq!(
            how.distribution(&[f32::INFINITY, 1.0]),
            Err(Wrong::Infinite)
        );
    }
}
