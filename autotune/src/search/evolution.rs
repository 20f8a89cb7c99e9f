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
        let mut taken = BTreeSet::new();
        let mut ranked = vec![];
        for schedule in pool.by_opinion(known, RANKED) {
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

    /// The best in the mean opinion, then the best in that of each model in turn, and so on: so that those proposed at once
    /// differ where the models do. Thompson 1933, by bootstrap.
    fn by_opinion(&self, known: &Known, count: usize) -> Vec<Schedule> {
        let mut lists = vec![self.best(count)];
        let opinions = self.0.keys().map(|s| Some((s, known.opinions(s)?)));
        if let Some(opinions) = opinions.collect::<Option<Vec<_>>>() {
            let members = opinions.first().map_or(0, |(_, all)| all.len());
            for member in 0..members {
                let mut all: Vec<_> = opinions.iter().map(|(s, all)| (*s, all[member])).collect();
                all.sort_by(|a, b| a.1.total_cmp(&b.1));
                let best = all.into_iter().take(count);
                lists.push(best.map(|(schedule, _)| schedule.clone()).collect());
            }
        }
        let turns = (0..count).flat_map(|at| lists.iter().filter_map(move |l| l.get(at)));
        let mut taken = BTreeSet::new();
        let distinct = turns.filter(|s| taken.insert((*s).clone()));
        distinct.take(count).cloned().collect()
    }
}
