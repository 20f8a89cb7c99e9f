//! Runs of a repeated pattern in a sequence.

/// A stretch of a sequence that is one pattern, several times over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Where it starts.
    pub(super) start: usize,
    /// Length of the pattern.
    pub(super) period: usize,
    /// How many times it occurs; at least 2.
    pub(super) times: usize,
}

impl Run {
    /// How many elements it covers.
    pub(super) fn len(&self) -> usize {
        self.period * self.times
    }
}

/// Disjoint runs, in order: always the one that saves most (the weight of all its patterns but one), then
/// those before and after it. Of runs that save as much, the shortest pattern, then the earliest.
pub(super) fn runs<T: PartialEq>(items: &[T], weight: impl Fn(usize) -> usize + Copy) -> Vec<Run> {
    find(items, 0, items.len(), weight)
}

fn find<T: PartialEq>(
    items: &[T],
    from: usize,
    to: usize,
    weight: impl Fn(usize) -> usize + Copy,
) -> Vec<Run> {
    let mut best: Option<(usize, Run)> = None;
    for period in 1..=(to - from) / 2 {
        let mut start = from;
        while start + period < to {
            let same = (start..to - period)
                .take_while(|i| items[*i] == items[i + period])
                .count();
            let times = same / period + 1;
            if times > 1 {
                let run = Run {
                    start,
                    period,
                    times,
                };
                let saved = (start..start + run.len() - period).map(weight).sum();
                if best.is_none_or(|(most, _)| saved > most) {
                    best = Some((saved, run));
                }
            }
            start += 1;
        }
    }
    let Some((_, run)) = best else {
        return Vec::new();
    };
    let mut out = find(items, from, run.start, weight);
    out.push(run);
    out.extend(find(items, run.start + run.len(), to, weight));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(items: &str, wanted: &[(usize, usize, usize)]) {
        let items: Vec<char> = items.chars().collect();
        let found: Vec<_> = runs(&items, |_| 1)
            .iter()
            .map(|r| (r.start, r.period, r.times))
            .collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn the_run_that_saves_most_comes_first() {
        check("xababab", &[(1, 2, 3)]);
        check("aaaa", &[(0, 1, 4)]);
        check("abc", &[]);
        check("xaaaybcbcbcbcz", &[(1, 1, 3), (5, 2, 4)]);
    }
}
