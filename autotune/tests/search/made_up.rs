//! Kernels with their spaces, and a time for each schedule that is made up: of what is counted, of how parts of it meet, and of
//! noise that belongs to the schedule.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, PoisonError},
};

use autotune::{Search, Seen, Space, first_choice, space};
use ir::{
    Bytes, ContractSchedule, Form, Kernel, Schedule, Simd, Simt, Target, lane,
    tile::{self, Counts},
};

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
        let program = &lowered.program;
        let types = tile::types(program).unwrap();
        let work = tile::count_block(program, &types, &vec![0; program.grid.len()]).unwrap();
        let blocks = program.blocks() as f64;
        let seconds = match (&self.target.form, schedule) {
            (Form::Simt(simt), _) => {
                let lane = lowered.lane.as_ref().unwrap();
                lanes(&self.target, simt, &work, blocks, lane)
            }
            (Form::Simd(simd), Schedule::Contract(s)) => core(simd, &work, blocks, s),
            _ => unreachable!("no such kernel is asked for"),
        };
        let mut hasher = DefaultHasher::new();
        schedule.hash(&mut hasher);
        let noise = (hasher.finish() % 1000) as f64 / 1000.0;
        // One of some has no right result.
        (noise < 0.97).then_some(seconds * (1.0 + 0.04 * noise))
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

/// As many blocks share a unit as shared memory lets; warps hide waiting, up to a point.
fn lanes(target: &Target, simt: &Simt, work: &Counts, blocks: f64, lane: &lane::Program) -> f64 {
    let units = f64::from(simt.units);
    let rate = target.roofline.flops_per_second / units;
    let traffic = target.roofline.bytes_per_second / units;
    let shared = lane.shared_bytes() as f64 / simt.shared.0 as f64;
    let resident = (1.0 / shared.max(0.1)).floor().clamp(1.0, 8.0);
    let warps = resident * f64::from(lane.warps);
    let hidden = warps / (warps + 6.0) / (1.0 + (warps / 24.0).powi(2));
    let moving = (bytes(&work.loaded) + 2.0 * bytes(&work.stored)) / traffic;
    let computing = work.flops().0 as f64 / rate;
    let block = computing.max(moving) + 0.3 * computing.min(moving) + 2e-7 * shared;
    (blocks / units / resident).ceil() * resident * block / hidden
}

/// Few sums wait for each other, many spill; blocks beyond the cache move what they read twice; four threads share them.
fn core(simd: &Simd, work: &Counts, blocks: f64, s: &ContractSchedule) -> f64 {
    let sums = f64::from(s.rows * s.lanes) * 4.0 / simd.vector.0 as f64;
    let waiting = 1.0 + (6.0 / sums).powi(2) + (sums / 26.0).powi(8);
    let loads = 1.0 / f64::from(s.rows) + 8.0 / f64::from(s.lanes);
    let rounds = 1.0 + 0.2 / f64::from(s.unroll) + 0.002 * f64::from(s.unroll) * sums;
    let touched = f64::from(s.block_rows) / f64::from(s.block_columns);
    let moved = bytes(&work.loaded) * (1.0 + 0.3 * touched.log2().abs());
    let far = (moved / simd.l2.0 as f64).max(0.2);
    let block = work.flops().0 as f64 * (waiting * rounds + loads) + 3.0 * moved * far + 2e4;
    (blocks / 4.0).ceil() * block
}

fn bytes(of: &[Bytes]) -> f64 {
    of.iter().map(|b| b.0 as f64).sum()
}

pub fn best(seen: &[Seen]) -> f64 {
    let ratios = seen.iter().filter_map(|s| s.ratio);
    ratios.min_by(f64::total_cmp).unwrap_or(f64::INFINITY)
}
