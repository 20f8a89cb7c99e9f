//! From tile programs to lane programs: who holds which element, and how elements change hands.
//!
//! Results of dots and folds have layouts of their own, and what is computed from them keeps these. Everything else
//! (loads, constants, coordinates, and functions of them) is computed where it is first wanted, in the layout that it
//! is wanted in, and once more for another. Where an element must change hands, it goes through shared memory.

mod access;
mod barriers;
mod blocked;
mod dot;
mod index;
mod layouts;
mod matrices;
mod reduce;
mod scope;
mod shared;
mod stream;
mod tiling;
mod value;
mod warpgroups;

use std::collections::{BTreeMap, BTreeSet};

use ir::{
    DType, Schedule, Simt, Skew,
    lane::{self, MatrixInstr},
    tile::{self, Array, Carried, Counter, For, Memory, Shape, Stmt, Var},
};

use layouts::Layouts;
use scope::Scope;
pub use warpgroups::{Warpgroups, spread as spread_warpgroups};

/// What a schedule says about lanes and warps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Warps along the rows of products, and along their columns. Powers of two.
    pub warps: [u32; 2],
    /// The matrix instruction that is preferred, by position among the target's.
    pub instr: u32,
    /// Tiles of operands in shared memory at a time.
    pub stages: u32,
    /// How operands of products lie in shared memory.
    pub skew: Skew,
}

impl Spread {
    /// So many warps, without products.
    pub const fn of_warps(warps: u32) -> Self {
        Self {
            warps: [warps, 1],
            instr: 0,
            stages: 1,
            skew: Skew::Pad,
        }
    }

    /// What `schedule` says, if it is for a device of many lanes.
    pub fn of(schedule: &Schedule) -> Option<Self> {
        match schedule {
            Schedule::SimtMap(s) => Some(Self::of_warps(s.warps)),
            Schedule::SimtRows(s) => Some(Self::of_warps(s.warps)),
            Schedule::SimtGemv(s) => Some(Self::of_warps(s.warps)),
            Schedule::SimtStream(s) => Self::of(&Schedule::SimtContract(s.tile)),
            Schedule::SimtContract(s) => Some(Self {
                warps: [s.warp_rows, s.warp_columns],
                instr: s.instr,
                stages: s.stages,
                skew: s.skew,
            }),
            Schedule::SimtAttention(s) => Some(Self {
                warps: [s.warp_rows, s.warp_columns],
                instr: s.instr,
                stages: s.stages,
                skew: s.skew,
            }),
            Schedule::Map(_)
            | Schedule::Rows(_)
            | Schedule::Contract(_)
            | Schedule::Attention(_)
            | Schedule::WarpgroupContract(_)
            | Schedule::WarpgroupAttention(_) => None,
        }
    }
}

/// Why a tile program has no lane program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpreadError {
    /// A tile that layouts do not reach.
    #[error("{var}: wanted sides that are powers of two, found {shape}")]
    Sides {
        /// The variable.
        var: Var,
        /// Its shape.
        shape: Shape,
    },
    /// A product that no instruction divides.
    #[error(
        "a product of {}: wanted multiples of {}, the sides of {name}",
        sides(found),
        sides(wanted)
    )]
    Dot {
        /// Rows, columns and depth.
        found: [u32; 3],
        /// Those of the instruction.
        wanted: [u32; 3],
        /// The instruction.
        name: String,
    },
    /// Operands that no instruction takes.
    #[error("the target has no matrix instruction for {0}")]
    NoInstr(DType),
    /// Warps that no layout numbers.
    #[error("warps: wanted powers of two along rows and columns, found {} and {}", .0[0], .0[1])]
    Warps([u32; 2]),
    /// An operand that a tensor copy does not bring, or not whole.
    #[error("warpgroups: {0}")]
    Warpgroup(#[from] warpgroups::Misfit),
    /// An array of a block's own.
    #[error("array `{0}`: blocks of lanes have no arrays in tile programs")]
    Local(String),
}

fn sides([rows, columns, depth]: &[u32; 3]) -> String {
    format!("{rows} rows, {columns} columns, depth {depth}")
}

/// The program that every lane of a block of `program` runs.
///
/// # Errors
/// A tile whose sides are not powers of two, or a product that the chosen instruction does not divide.
///
/// # Panics
/// The tile program has faults.
pub fn spread(
    program: &tile::Program,
    simt: &Simt,
    spread: &Spread,
) -> Result<lane::Program, SpreadError> {
    if let Some(array) = program.locals.first() {
        return Err(SpreadError::Local(array.name.clone()));
    }
    if !spread.warps.iter().all(|n| n.is_power_of_two()) {
        return Err(SpreadError::Warps(spread.warps));
    }
    let layouts = Layouts::find(program, simt, spread)?;
    let mut spreader = Spreader::new(program, simt, layouts);
    spreader.warps = spread.warps[0] * spread.warps[1];
    spreader.stages = spread.stages;
    spreader.skew = spread.skew;
    spreader.body(&program.body);
    let outermost = spreader.scopes.pop().expect("the outermost scope");
    Ok(lane::Program {
        name: program.name.clone(),
        params: program.params.clone(),
        shared: spreader.shared,
        grid: program.grid.clone(),
        warps: spreader.warps,
        lanes: simt.lanes,
        matrix: spreader.matrix,
        maps: vec![],
        mbarriers: vec![],
        warpgroup: vec![],
        body: barriers::place(&outermost.stmts, &spreader.streamed),
    })
}

/// A lane program under construction.
struct Spreader<'a> {
    program: &'a tile::Program,
    simt: &'a Simt,
    warps: u32,
    layouts: Layouts<'a>,
    /// Scopes that are open, outermost first.
    scopes: Vec<Scope<'a>>,
    /// The scope that statements go to.
    at: usize,
    vars: u32,
    shared: Vec<Array>,
    /// Arrays through which elements change hands at once, by element type.
    scratch: BTreeMap<DType, u32>,
    /// Arrays that are copied to ahead, with barriers of their own.
    streamed: BTreeSet<u32>,
    stages: u32,
    skew: Skew,
    matrix: Vec<MatrixInstr>,
    /// What counters of the tile program are, other than counters of the same number.
    counters: BTreeMap<Counter, lane::Index>,
    /// Who multiplies, where that is not each warp by itself.
    warpgroups: Option<warpgroups::Consumers>,
}

impl<'a> Spreader<'a> {
    fn new(program: &'a tile::Program, simt: &'a Simt, layouts: Layouts<'a>) -> Self {
        Self {
            program,
            simt,
            warps: 1,
            layouts,
            scopes: vec![Scope::outermost(program)],
            at: 0,
            vars: 0,
            shared: vec![],
            scratch: BTreeMap::new(),
            streamed: BTreeSet::new(),
            stages: 1,
            skew: Skew::Pad,
            matrix: vec![],
            counters: BTreeMap::new(),
            warpgroups: None,
        }
    }

    fn body(&mut self, body: &'a [Stmt]) {
        for stmt in body {
            match stmt {
                Stmt::Let(var, value) => {
                    let scope = self.scopes.last_mut().expect("a scope is open");
                    scope.defs.insert(*var, value);
                }
                Stmt::Store { to, value } => {
                    let layout = self.layouts.natural(*value);
                    let x = self.want(*value, &layout);
                    let (_, shape) = self.layouts.types[value];
                    self.store(to, shape, &layout, x);
                }
                Stmt::For(l) => self.rounds(l),
            }
        }
    }

    fn rounds(&mut self, l: &'a For) {
        let [start, end] = [&l.start, &l.end].map(|bound| self.bound(bound));
        let layouts: Vec<_> = l
            .carried
            .iter()
            .map(|c| self.layouts.own[&c.current].clone())
            .collect();
        let init: Vec<Var> = (l.carried.iter().zip(&layouts))
            .map(|(c, layout)| self.want(c.init, layout))
            .collect();
        let streams = self.streams(l);
        let rings = self.enter(l);
        let ranges = self.scopes[self.at].ranges.in_loop(l);
        self.scopes.push(Scope::inner(ranges, l.counter));
        self.at += 1;
        let current: Vec<Var> = (l.carried.iter().zip(&layouts))
            .map(|(c, layout)| self.hold(c.current, layout))
            .collect();
        let counted = self.count(&rings);
        self.next_round(&streams);
        self.body(&l.body);
        let next: Vec<Var> = (l.carried.iter().zip(&layouts))
            .map(|(c, layout)| self.want(c.next, layout))
            .collect();
        let scope = self.scopes.pop().expect("the loop's scope");
        self.at -= 1;
        let counted = self.counted(&rings, counted, &scope);
        let result: Vec<Var> = (l.carried.iter().zip(&layouts))
            .map(|(c, layout)| self.hold(c.result, layout))
            .collect();
        let tiles = (0..init.len()).map(|i| Carried {
            init: init[i],
            current: current[i],
            next: next[i],
            result: result[i],
        });
        let carried = tiles.chain(counted).collect();
        self.push(lane::Stmt::For(lane::For {
            counter: l.counter,
            start,
            end,
            step: l.step,
            unroll: l.unroll,
            carried,
            body: scope.stmts,
        }));
        self.last_round(&streams);
        self.leave(l);
    }

    /// A new variable that holds `var` in this layout, in the scope that statements go to.
    fn hold(&mut self, var: Var, layout: &lane::Layout) -> Var {
        let held = self.fresh();
        let scope = &mut self.scopes[self.at];
        scope.held.insert((var, layout.clone()), held);
        held
    }

    fn fresh(&mut self) -> Var {
        self.vars += 1;
        Var(self.vars - 1)
    }

    fn push(&mut self, stmt: lane::Stmt) {
        self.scopes[self.at].stmts.push(stmt);
    }

    fn set(&mut self, value: lane::Value) -> Var {
        let var = self.fresh();
        self.push(lane::Stmt::Let(var, value));
        var
    }
}

/// The same array in a lane program.
fn memory(of: Memory) -> lane::Memory {
    match of {
        Memory::Param(i) => lane::Memory::Param(i),
        Memory::Local(_) => unreachable!("programs with arrays of their own are refused"),
    }
}
