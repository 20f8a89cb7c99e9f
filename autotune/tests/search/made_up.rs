//! Kernels with their spaces, and a time for each schedule that is made up: of what is counted, of how parts of it meet, and of
//! noise that belongs to the schedule.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, PoisonError},
};

use autotune::{Search, Seen, Space, first_choice, space};
use ir::{Kernel, Schedule, Target, tile};

#[path = "../emulate/graphs.rs"]
#[allow(dead_code, reason = "the emulator's cases use the rest")]
pub mod graphs;

pub struct Task {
    pub kernel: Kernel,
    pub target: Target,
    pub space: Space,
    pub default: Schedule,
    times: Mutex<BTreeMap<Schedule, Option<f64>>>,
}

pub fn task(text: &str, target: &str) -> Task {
    let graph = ir::text::parse(text).unwrap();
    let kernel = passes::group(&graph, &[]).unwrap().kernels.remove(0);
    let target = backends::resolve(target).unwrap();
    let space = space(&kernel, &target).unwrap();
    let default = first_choice(&kernel, &target).unwrap();
    Task {
        kernel,
        target,
        space,
        default,
        times: Mutex::default(),
    }
}

impl Task {
    pub fn search(&self, seed: u64) -> Search {
        let (space, default) = (self.space.clone(), self.default.clone());
        Search::new(&self.kernel, &self.target, space, default, seed, None)
    }

    /// Of one and the same schedule always the same; some have none.
    pub fn seconds(&self, schedule: &Schedule) -> Option<f64> {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let time = times.entry(schedule.clone());
        *time.or_insert_with(|| self.made_up(schedule))
    }

    fn made_up(&self, schedule: &Schedule) -> Option<f64> {
        let lowered = passes::lower(&self.kernel, schedule, &self.target).ok()?;
        let simt = self.target.simt().unwrap();
        let program = &lowered.program;
        let types = tile::types(program).unwrap();
        let work = tile::count_block(program, &types, &vec![0; program.grid.len()]).unwrap();
        let lane = lowered.lane.as_ref().unwrap();
        let units = f64::from(simt.units);
        let rate = self.target.roofline.flops_per_second / units;
        let traffic = self.target.roofline.bytes_per_second / units;
        let loaded: u64 = work.loaded.iter().map(|b| b.0).sum();
        let stored: u64 = work.stored.iter().map(|b| b.0).sum();
        // As many blocks share a unit as shared memory and registers let; warps hide waiting, up to a point.
        let shared = lane.shared_bytes() as f64 / simt.shared.0 as f64;
        let resident = (1.0 / shared.max(0.1)).floor().clamp(1.0, 8.0);
        let warps = resident * f64::from(lane.warps);
        let hidden = warps / (warps + 6.0) / (1.0 + (warps / 24.0).powi(2));
        let moving = (loaded as f64 + 2.0 * stored as f64) / traffic;
        let computing = work.flops().0 as f64 / rate;
        let block = computing.max(moving) + 0.3 * computing.min(moving) + 2e-7 * shared;
        let waves = (program.blocks() as f64 / units / resident).ceil() * resident;
        let mut hasher = DefaultHasher::new();
        schedule.hash(&mut hasher);
        let noise = (hasher.finish() % 1000) as f64 / 1000.0;
        let seconds = waves * block / hidden * (1.0 + 0.05 * noise);
        // One of some has no right result.
        (noise < 0.97).then_some(seconds)
    }

    pub fn seen(&self, schedule: &Schedule) -> Seen {
        let default = self.seconds(&self.default).unwrap_or(1.0);
        Seen {
            schedule: schedule.clone(),
            ratio: self.seconds(schedule).map(|s| s / default),
        }
    }

    /// Proposals, eight at a time, and what came of them.
    pub fn run(&self, search: &mut Search, trials: usize) -> Vec<Seen> {
        let mut all = vec![];
        while all.len() < trials {
            let some = search.propose(8.min(trials - all.len()));
            if some.is_empty() {
                break;
            }
            let seen: Vec<Seen> = some.iter().map(|s| self.seen(s)).collect();
            search.tell(&seen);
            all.extend(seen);
        }
        all
    }
}

pub fn best(seen: &[Seen]) -> f64 {
    let ratios = seen.iter().filter_map(|s| s.ratio);
    ratios.min_by(f64::total_cmp).unwrap_or(f64::INFINITY)
}
