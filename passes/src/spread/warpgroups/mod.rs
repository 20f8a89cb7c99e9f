//! Warpgroups that multiply, and a warp that feeds them.
//!
//! The tile program is walked twice. Its *consumers* run all of it, on tiles that come in shared memory; one lane of
//! its *producer* runs the same loops, and only starts the copies. Between them stand *rings*: places in shared memory
//! for tiles that are copied together, with an mbarrier for those that are full and one for those that are empty. A
//! block works on tile after tile of the grid, so that the producer is ahead when consumers turn to the next.

mod consumer;
mod epilogue;
mod plan;
mod producer;
mod raster;
mod tensor;
mod tiling;

use std::rc::Rc;

use ir::{
    Schedule, Simt,
    lane::{self, Bulk, WARPGROUP},
    tile::{self, Carried, Counter, Var},
};

pub(super) use consumer::Consumers;
use plan::Plan;
pub use raster::Raster;

use super::{Layouts, SpreadError, Spreader};

/// Registers that a lane of the producer keeps: the least that can be asked for. PTX ISA, `setmaxnreg`.
const PRODUCER: u32 = 24;

/// Most registers that a lane can ask for. PTX ISA, `setmaxnreg`.
const MOST: u32 = 240;

/// Registers of a block. CUDA C++ Programming Guide, "Technical Specifications per Compute Capability": 64 K. Noted
/// 2026-11-25 from memory.
const REGISTERS: u32 = 64 << 10;

/// What a schedule says about warpgroups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warpgroups {
    /// Those that multiply, one below the other. A power of two.
    pub consumers: u32,
    /// Tiles of an operand in shared memory at a time.
    pub stages: u32,
    /// In which order blocks work on the grid.
    pub raster: Raster,
}

/// Why warpgroups do not compute a tile program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// An operand that is computed.
    #[error("operand {0}: wanted a plain copy of memory, found a tile that is computed")]
    Computed(Var),
    /// Elements that no box of a tensor has.
    #[error(
        "array `{array}`: wanted elements side by side along one side of a tile and a multiple of 16 bytes apart along \
         the other, found {} and {} bytes down rows and along lanes", step(found[0]), step(found[1])
    )]
    Strides {
        /// Its name.
        array: String,
        /// Bytes from row to row and from lane to lane, where they are constant.
        found: [Option<i64>; 2],
    },
    /// A tile that starts where no box does.
    #[error(
        "array `{array}`: wanted tiles that start a multiple of 16 bytes apart, found {found} bytes"
    )]
    Start {
        /// Its name.
        array: String,
        /// The distance.
        found: i64,
    },
    /// A tensor that passes the end of its array, as far as its coordinates are known.
    #[error(
        "array `{array}`: wanted a tensor of at most {len} elements, found coordinates of {found}"
    )]
    Extent {
        /// Its name.
        array: String,
        /// Elements of the tensor.
        found: i64,
        /// Elements of the array.
        len: i64,
    },
    /// Elements that are left out, but not past the end of an axis.
    #[error("array `{0}`: wanted guards that end one side of a tile each, found another")]
    Guard(String),
    /// A tile that boxes do not fill.
    #[error(
        "array `{array}`: wanted 16, 32 or a multiple of 64 elements of 16 bits side by side, in 8 to 256 lines; found {found} in {lines}"
    )]
    Box {
        /// Its name.
        array: String,
        /// Elements side by side.
        found: u32,
        /// Lines of them.
        lines: u32,
    },
    /// Elements that would go through shared memory.
    #[error("wanted elements that stay in their lanes, found some that change hands")]
    Exchange,
    /// Rows that no number of warpgroups has.
    #[error("wanted rows that a power of two of warpgroups covers, found {0}")]
    Rows(u32),
}

fn step(bytes: Option<i64>) -> String {
    bytes.map_or("varying".into(), |n| n.to_string())
}

impl Warpgroups {
    /// What `schedule` says, if it is for warpgroups.
    pub fn of(schedule: &Schedule) -> Option<Self> {
        match schedule {
            Schedule::WarpgroupContract(s) => Some(Self {
                consumers: s.block_rows / tiling::ROWS,
                stages: s.stages,
                raster: Raster::columns(s.group),
            }),
            Schedule::WarpgroupAttention(s) => Some(Self {
                consumers: s.block_queries / tiling::ROWS,
                stages: s.stages,
                raster: Raster::heads(s.group),
            }),
            _ => None,
        }
    }

    /// Warps that multiply.
    const fn warps(&self) -> u32 {
        self.consumers * WARPGROUP
    }

    /// Registers that a lane of a consumer may have.
    pub fn registers(&self, lanes: u32) -> u32 {
        let each = REGISTERS / (WARPGROUP * lanes);
        let left = each.saturating_sub(PRODUCER) / self.consumers.max(1);
        (left / 8 * 8).min(MOST)
    }
}

/// The program that every lane of a persistent block runs, for a tile program of 16-bit products.
///
/// # Errors
/// A product that no warpgroup instruction makes, or an operand that tensor copies do not bring.
///
/// # Panics
/// The tile program has faults.
pub fn spread(
    program: &tile::Program,
    simt: &Simt,
    groups: &Warpgroups,
) -> Result<lane::Program, SpreadError> {
    if let Some(array) = program.locals.first() {
        return Err(SpreadError::Local(array.name.clone()));
    }
    if !groups.consumers.is_power_of_two() {
        return Err(Misfit::Rows(groups.consumers * tiling::ROWS).into());
    }
    let layouts = || {
        Layouts::with(program, simt, groups.warps(), |layouts| {
            let tilings = tiling::all(layouts, simt, groups.consumers)?;
            Ok(tilings.into_iter().map(|(var, t)| (var, t.c)).collect())
        })
    };
    let own = layouts()?;
    let tilings = tiling::all(&own, simt, groups.consumers)?;
    let plan = Rc::new(Plan::of(program, &own, tilings, groups)?);
    let mut first = plan.counters;
    let mut vars = 0;
    let mut role = |layouts, producer: bool| {
        let mut s = Spreader::new(program, simt, layouts);
        s.warps = groups.warps();
        s.vars = vars;
        s.shared = plan.arrays.clone();
        s.warpgroups = Some(Consumers::new(Rc::clone(&plan), first + 1));
        let body = s.role(groups, Counter(first), |s| match producer {
            true => s.feed(&program.body),
            false => s.body(&program.body),
        });
        vars = s.vars;
        let consumers = s.warpgroups.expect("put there above");
        first = consumers.next_counter();
        (body, s.shared.len(), consumers.instructions)
    };
    let (consumer, arrays, warpgroup) = role(own, false);
    if arrays > plan.arrays.len() {
        return Err(Misfit::Exchange.into());
    }
    let (producer, ..) = role(layouts()?, true);
    Ok(epilogue::in_parts(lane::Program {
        name: program.name.clone(),
        params: program.params.clone(),
        shared: plan.arrays.clone(),
        grid: vec![i64::from(simt.units).min(program.blocks())],
        warps: groups.warps() + WARPGROUP,
        lanes: simt.lanes,
        matrix: vec![],
        maps: plan.maps.clone(),
        mbarriers: plan.mbarriers(groups.warps()),
        warpgroup,
        body: roles(groups, simt, consumer, producer),
    }))
}

/// What consumers do, then what one lane of the producer does.
fn roles(
    groups: &Warpgroups,
    simt: &Simt,
    mut consumer: Vec<lane::Stmt>,
    producer: Vec<lane::Stmt>,
) -> Vec<lane::Stmt> {
    let warps = i64::from(groups.warps());
    let one = lane::Stmt::When {
        guard: vec![
            (lane::Index::Warp, (warps + 1).into()),
            (lane::Index::Lane, 1.into()),
        ],
        body: producer,
    };
    let mut producer = vec![one];
    // Two warpgroups have all the registers that a lane can name from the start.
    if groups.consumers > 1 {
        let registers = |count, more| lane::Stmt::Bulk(Bulk::Registers { count, more });
        consumer.insert(0, registers(groups.registers(simt.lanes), true));
        producer.insert(0, registers(PRODUCER, false));
    }
    vec![
        lane::Stmt::When {
            guard: vec![(lane::Index::Warp, warps.into())],
            body: consumer,
        },
        lane::Stmt::When {
            guard: vec![((warps - 1).into(), lane::Index::Warp)],
            body: producer,
        },
    ]
}

impl Spreader<'_> {
    /// Walks the tiles of the grid that fall to a block.
    fn role(
        &mut self,
        groups: &Warpgroups,
        counter: Counter,
        walk: impl FnOnce(&mut Self),
    ) -> Vec<lane::Stmt> {
        let rings = self.plan().rings.len();
        let zero = || lane::Value::Index(vec![0.into()]);
        let init: Vec<Var> = (0..rings).map(|_| self.set(zero())).collect();
        let mut body = std::mem::take(&mut self.scopes[0].stmts);
        let current: Vec<Var> = (0..rings).map(|_| self.fresh()).collect();
        self.scopes[0].rounds = current.iter().copied().enumerate().collect();
        let tile = lane::Index::from(counter);
        for (axis, place) in (0..).zip(groups.raster.places(&tile, &self.program.grid)) {
            let place = match place {
                lane::Index::Const(_) => place,
                place => lane::Index::Var(self.set(lane::Value::Index(vec![place]))),
            };
            self.counters.insert(Counter(axis), place);
        }
        walk(self);
        let scope = self.scopes.pop().expect("the outermost scope");
        let tiles = self.program.blocks();
        let carried = (0..rings).map(|ring| Carried {
            init: init[ring],
            current: current[ring],
            next: scope.rounds[&ring],
            result: self.fresh(),
        });
        let carried = carried.collect();
        body.push(lane::Stmt::For(lane::For {
            counter,
            start: Counter(0).into(),
            end: tiles.into(),
            step: i64::from(self.simt.units).min(tiles),
            unroll: 1,
            carried,
            body: scope.stmts,
        }));
        body
    }
}
