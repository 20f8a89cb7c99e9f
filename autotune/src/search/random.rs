//! Schedules at random: what every other strategy has to beat.

use std::collections::BTreeSet;

use ir::Schedule;

use super::{Known, Strategy};
use crate::random::Draw;

/// Schedules that are drawn at a time.
const SOME: usize = 64;

/// Draws from the space, each schedule as likely as any other.
pub(super) struct Random;

impl Strategy for Random {
    fn name(&self) -> &'static str {
        "random"
    }

    fn rank(&self, known: &mut Known, draw: &mut Draw) -> Vec<Schedule> {
        let mut drawn = BTreeSet::new();
        let mut some = vec![];
        for _ in 0..4 * SOME {
            if some.len() == SOME {
                break;
            }
            if let Some(schedule) = known.sample(draw)
                && drawn.insert(schedule.clone())
            {
                some.push(schedule);
            }
        }
        some
    }
}
