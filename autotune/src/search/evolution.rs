//! Evolution: schedules near to the best that were seen, and others drawn at random, ranked by what is known.

use std::collections::{BTreeMap, BTreeSet};

use ir::Schedule;

use super::{Known, Strategy};
use crate::random::Draw;

/// Spaces up to this size are ranked as a whole.
const WHOLE: usize = 1024;

/// Drawn at random to begin with.
const DRAWN: usize = 96;

/// The best of those seen, which the first generation descends from, and mutations of each.
const ELITE: usize = 8;
const MUTATIONS: usize = 8;

/// Generations, how many of each have descendants, and how many.
const GENERATIONS: usize = 3;
const PARENTS: usize = 24;
const CHILDREN: usize = 2;

/// How many are ranked in the end.
const RANKED: usize = 64;

/// How often one is drawn at random whatever the model says, so that it can be found wrong.
const RANDOM: f64 = 0.1;

/// The usual strategy.
pub(super) struct Evolution;

impl Strategy for Evolution {
    fn name(&self) -> &'static str {
        "evolution"
    }

    fn rank(&self, known: &mut Known, draw: &mut Draw) -> Vec<Schedule> {
        let mut pool = Pool::default();
        if known.space().len() <= WHOLE {
            for schedule in known.untried() {
                pool.add(known, schedule);
            }
        } else {
            grow(&mut pool, known, draw);
        }
        let best = pool.best(RANKED);
        let mut taken = BTreeSet::new();
        let mut ranked = vec![];
        for schedule in best {
            if draw.unit() < RANDOM
                && let Some(other) = known.sample(draw)
                && taken.insert(other.clone())
            {
                ranked.push(other);
            }
            if taken.insert(schedule.clone()) {
                ranked.push(schedule);
            }
        }
        ranked
    }
}

fn grow(pool: &mut Pool, known: &mut Known, draw: &mut Draw) {
    for _ in 0..DRAWN {
        if let Some(schedule) = known.sample(draw) {
            pool.add(known, schedule);
        }
    }
    for parent in known.elite(ELITE) {
        for _ in 0..MUTATIONS {
            let child = known.space().mutate(&parent, draw.any());
            pool.add(known, child);
        }
    }
    for _ in 0..GENERATIONS {
        for parent in pool.best(PARENTS) {
            for _ in 0..CHILDREN {
                let child = known.space().mutate(&parent, draw.any());
                pool.add(known, child);
            }
        }
    }
}

/// Schedules that were not tried, with what is thought of them.
#[derive(Default)]
struct Pool(BTreeMap<Schedule, f64>);

impl Pool {
    fn add(&mut self, known: &mut Known, schedule: Schedule) {
        if known.tried(&schedule) || self.0.contains_key(&schedule) {
            return;
        }
        if let Some(score) = known.score(&schedule) {
            self.0.insert(schedule, score);
        }
    }

    /// The best, in order.
    fn best(&self, count: usize) -> Vec<Schedule> {
        let mut all: Vec<_> = self.0.iter().collect();
        // Stable: of equal ones the first in the order of schedules.
        all.sort_by(|a, b| a.1.total_cmp(b.1));
        let best = all.into_iter().take(count);
        best.map(|(schedule, _)| schedule.clone()).collect()
    }
}
