//! Everything that is counted of one schedule, before it becomes features.

use ir::{
    Form, Kernel, Schedule, Sizes, Target,
    tile::{self, Program, Types},
};
use passes::{KernelFamily, Lowered};

use super::{
    lanes::Lanes,
    walk::{Loop, Registers, Walk, Work as Round},
};
use crate::space;

/// Multiply-adds and loads that a core starts in a cycle, and cycles until the sum of one is there.
/// Source: Fog, "Instruction tables", 2025, Zen 4 and Ice Lake.
const PORTS: f64 = 2.0;
const LATENCY: f64 = 4.0;

/// Bytes of a cycle from the second-level cache, and from beyond it; cycles of a round of a loop, and of taking a block.
/// Assumed, so that schedules can be ranked.
const NEAR: f64 = 32.0;
const FAR: f64 = 6.0;
const ROUND: f64 = 1.5;
const BLOCK: f64 = 400.0;

/// A second-level cache of devices of many lanes. Assumed, so that schedules can be ranked.
const SHARED_CACHE: f64 = (32u64 << 20) as f64;

/// What the kernel has to do by any schedule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    pub flops: f64,
    /// Of operands and the result, each once.
    pub bytes: f64,
}

impl Work {
    pub fn of(kernel: &Kernel) -> Self {
        let work = ir::Work::of(&kernel.graph, &Sizes::new()).unwrap_or_default();
        Self {
            flops: (work.flops.0 as f64).max(1.0),
            bytes: ((work.read.0 + work.written.0) as f64).max(1.0),
        }
    }
}

/// The device as counts see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Machine {
    registers: Registers,
    /// Numbers that one instruction computes.
    pub vector: f64,
    /// Registers for such.
    pub held: f64,
    /// Sizes of the memories near to a unit.
    pub near: f64,
    pub far: f64,
    /// Units that take blocks; none where the number is not known.
    pub units: Option<f64>,
}

impl Machine {
    fn of(target: &Target, lowered: &Lowered) -> Self {
        match &target.form {
            Form::Simd(simd) => {
                let vector = simd.vector.0 as f64 / 4.0;
                Self {
                    registers: Registers::Rows(vector),
                    vector,
                    held: simd.registers.into(),
                    near: simd.l1.0 as f64,
                    far: simd.l2.0 as f64,
                    units: None,
                }
            }
            Form::Simt(simt) => {
                let lanes = lowered.lane.as_ref().map_or(simt.lanes, |l| l.threads());
                Self {
                    registers: Registers::Dealt(lanes.into()),
                    vector: lanes.into(),
                    held: simt.registers.into(),
                    near: simt.shared.0 as f64,
                    far: SHARED_CACHE,
                    units: Some(simt.units.into()),
                }
            }
            Form::Tensor(core) => {
                // A repeat of a vector instruction takes 256 bytes.
                let vector = 64.0;
                Self {
                    registers: Registers::Dealt(vector),
                    vector,
                    held: core.sums.size.0 as f64 / (4.0 * vector),
                    near: core.staging.size.0 as f64,
                    far: SHARED_CACHE,
                    units: Some(core.cube_cores.into()),
                }
            }
        }
    }
}

/// The loop in which most is done.
#[derive(Clone, Debug)]
pub(super) struct Hot {
    /// One round.
    pub round: Round,
    pub trips: f64,
    pub unroll: f64,
    pub carried: f64,
    /// What a run of it touches, and runs of the loops around it, the nearest first.
    pub footprints: Vec<f64>,
    /// Rounds of the whole grid.
    pub times: f64,
}

/// All that is known of a schedule.
pub(super) struct Counted {
    pub work: Work,
    pub machine: Machine,
    pub family: KernelFamily,
    pub blocks: f64,
    /// Instructions of the whole grid.
    pub total: Round,
    /// Rounds of all loops of the whole grid.
    pub rounds: f64,
    /// Bytes into the memory near to a unit, and into the one beyond.
    pub near: f64,
    pub far: f64,
    /// What one block touches.
    pub block: f64,
    /// Bytes of memory of each block's own.
    pub scratch: f64,
    pub hot: Hot,
    pub lanes: Lanes,
    /// The template, then each choice.
    pub choices: Vec<u32>,
    /// Seconds by the model that ranks first schedules, where there is one.
    modelled: Option<f64>,
    seconds_per_cycle: f64,
}

impl Counted {
    pub fn new(
        lowered: &Lowered,
        target: &Target,
        family: &KernelFamily,
        work: &Work,
        schedule: &Schedule,
    ) -> Self {
        let program = &lowered.program;
        let machine = Machine::of(target, lowered);
        let seconds_per_cycle = machine.vector * 2.0 * PORTS / target.roofline.flops_per_second;
        let modelled = match &target.form {
            Form::Simd(simd) => {
                let cycles = crate::first::cycles(simd, family, schedule);
                cycles.map(|cycles| cycles * seconds_per_cycle)
            }
            Form::Simt(simt) => crate::simt::seconds(target, simt, family, schedule),
            Form::Tensor(_) => None,
        };
        let types = tile::types(program).expect("what is lowered has types");
        let walk = Walk {
            program,
            types: &types,
            registers: machine.registers,
        };
        let trips = trips(program, &types);
        let grid = walk.grid(&trips);
        let (mut total, mut rounds) = (Round::default(), 0.0);
        let mut hot: Option<(f64, Hot)> = None;
        grid.visit(&mut |l, times, around| {
            total.add(times, &l.work);
            if around.len() >= trips.len() {
                rounds += times;
            }
            let done = times * l.work.instructions();
            if hot.as_ref().is_none_or(|(most, _)| done > *most) {
                let around = around.iter().rev().map(|l| l.footprint);
                let hottest = Hot {
                    round: l.work.clone(),
                    trips: l.trips,
                    unroll: l.unroll,
                    carried: l.carried,
                    footprints: std::iter::once(l.footprint).chain(around).collect(),
                    times,
                };
                hot = Some((done, hottest));
            }
        });
        Self {
            work: *work,
            machine,
            family: *family,
            blocks: program.blocks() as f64,
            total,
            rounds,
            near: grid.traffic(machine.near),
            far: grid.traffic(machine.far),
            block: block(&grid, trips.len()),
            scratch: program.scratch_bytes() as f64,
            hot: hot.expect("a grid is a loop").1,
            lanes: Lanes::of(lowered, target),
            choices: space::choices(schedule),
            modelled,
            seconds_per_cycle,
        }
    }

    /// Cycles of one unit that computing takes, if all operands are near.
    pub fn computing(&self) -> f64 {
        let t = &self.total;
        let moved = t.loads + t.broadcasts + t.gathers * self.machine.vector;
        let issued = (t.products + t.elementwise)
            .max(moved)
            .max(t.stores * PORTS)
            / PORTS;
        // Sums of a round that wait for those of the round before.
        let chain = if self.hot.carried > 0.0 {
            let each = self.hot.round.products / self.hot.carried;
            self.hot.times * each * LATENCY
        } else {
            0.0
        };
        issued.max(chain) + self.rounds * ROUND
    }

    /// Cycles that what comes from the caches takes.
    pub fn moving(&self) -> [f64; 2] {
        [self.near / NEAR, self.far / FAR]
    }

    /// Seconds, about; only their order means something.
    pub fn estimate(&self) -> f64 {
        let [near, far] = self.moving();
        if let Some(seconds) = self.modelled {
            return seconds;
        }
        let one = self.computing().max(near) + far + self.blocks * BLOCK;
        let idle = self.idle(self.machine.units.unwrap_or(1.0));
        one * idle * self.seconds_per_cycle
    }

    /// How much longer so many units take because some have no block at the end.
    pub fn idle(&self, units: f64) -> f64 {
        (self.blocks / units).ceil() * units / self.blocks.max(1.0)
    }
}

impl Round {
    /// Vector instructions.
    pub fn instructions(&self) -> f64 {
        self.products + self.elementwise + self.loads + self.broadcasts + self.gathers + self.stores
    }

    fn add(&mut self, times: f64, other: &Self) {
        for (sum, more) in [
            (&mut self.products, other.products),
            (&mut self.elementwise, other.elementwise),
            (&mut self.loads, other.loads),
            (&mut self.broadcasts, other.broadcasts),
            (&mut self.gathers, other.gathers),
            (&mut self.stores, other.stores),
            (&mut self.flops, other.flops),
        ] {
            *sum += times * more;
        }
    }
}

/// Blocks along each axis; the last one counts as much as it does.
fn trips(program: &Program, types: &Types) -> Vec<f64> {
    let done = |place: &[i64]| {
        let counts = tile::count_block(program, types, place)?;
        let stored: u64 = counts.stored.iter().map(|b| b.0).sum();
        Some((counts.flops().0 + stored) as f64)
    };
    let mut place = vec![0; program.grid.len()];
    let first = done(&place);
    let axes = program.grid.iter().enumerate();
    axes.map(|(axis, size)| {
        place[axis] = size - 1;
        let last = if *size > 1 { done(&place) } else { first };
        place[axis] = 0;
        match (first, last) {
            (Some(first), Some(last)) if first > 0.0 => (size - 1) as f64 + (last / first).min(1.0),
            _ => *size as f64,
        }
    })
    .collect()
}

/// What a block touches: the loops inside the grid's, and what stands beside them.
fn block(grid: &Loop, axes: usize) -> f64 {
    let mut sum = 0.0;
    grid.visit(&mut |l, _, around| {
        if around.len() == axes {
            sum += l.footprint;
        } else if around.len() + 1 == axes {
            sum += l.work.touches.iter().map(|t| t.bytes).sum::<f64>();
        }
    });
    sum
}
