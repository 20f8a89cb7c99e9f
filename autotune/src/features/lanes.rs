//! What is counted of the lane program, on devices of many lanes.

use ir::{
    Target,
    lane::{
        Counts, Emulation, Index, Landing, Memory, Order, Program, Sample, Stmt, Type, Value,
        emulate, types,
    },
    tile::Var,
};
use passes::Lowered;

/// Rounds of a loop that are emulated. Banks and sectors are met alike in all.
const ROUNDS: i64 = 1;

/// Elements of parameters up to which a block is emulated. They are zeros, which take no memory until they are used.
const ELEMENTS: i64 = 1 << 28;

/// Of a block.
#[derive(Clone, Debug, Default)]
pub(super) struct Lanes {
    /// 0 on other devices.
    pub warps: f64,
    /// Of the shared memory there is.
    pub shared: f64,
    /// 32-bit registers that loops carry, of those there are.
    pub registers: f64,
    /// Statements of the program, which is all that an instruction cache sees.
    pub statements: f64,
    /// Of some rounds of the first block; none if it was not emulated.
    pub counts: Option<Counts>,
}

impl Lanes {
    pub fn of(lowered: &Lowered, target: &Target) -> Self {
        let (Some(program), Some(simt)) = (&lowered.lane, target.simt()) else {
            return Self::default();
        };
        let Ok(types) = types(program) else {
            return Self::default();
        };
        let mut seen = Seen::default();
        seen.body(&program.body, &|v| types.get(v).copied());
        Self {
            warps: program.warps.into(),
            shared: program.shared_bytes() as f64 / simt.shared.0 as f64,
            registers: seen.carried / f64::from(simt.registers),
            statements: seen.statements,
            counts: counts(program),
        }
    }
}

#[derive(Default)]
struct Seen {
    statements: f64,
    carried: f64,
}

impl Seen {
    fn body(&mut self, body: &[Stmt], of: &impl Fn(&Var) -> Option<Type>) {
        let words = |v: &Var| of(v).map_or(0, |t| (t.width as usize * t.dtype.size()).div_ceil(4));
        for stmt in body {
            self.statements += 1.0;
            match stmt {
                Stmt::For(l) => {
                    let held: usize = l.carried.iter().map(|c| words(&c.current)).sum();
                    self.carried = self.carried.max(held as f64);
                    self.body(&l.body, of);
                }
                Stmt::When { body, .. } => self.body(body, of),
                _ => {}
            }
        }
    }
}

/// What the emulator counts of the first block over zeros, a few rounds of each loop, without the stores of results: these
/// alone need as much memory as the results. None for programs whose warps wait for each other's rounds.
fn counts(program: &Program) -> Option<Counts> {
    let elements: i64 = program.params.iter().map(|a| a.len).sum();
    if !program.mbarriers.is_empty() || elements > ELEMENTS {
        return None;
    }
    let mut short = program.clone();
    short.body = shorten(&program.body);
    short.params.iter_mut().for_each(|a| a.written = false);
    let of = |len: i64| vec![0.0; usize::try_from(len).unwrap_or(0)];
    let mut params: Vec<_> = short.params.iter().map(|a| of(a.len)).collect();
    let options = Emulation {
        order: Order::Ascending,
        landing: Landing::Earliest,
        blocks: Some(Sample { count: 1, seed: 0 }),
    };
    emulate(&short, &mut params, &options).ok()
}

/// The same statements with fewer rounds, and no stores to parameters.
fn shorten(body: &[Stmt]) -> Vec<Stmt> {
    let stays = |stmt: &&Stmt| match stmt {
        Stmt::Store { to, .. } => !matches!(to.memory, Memory::Param(_)),
        Stmt::Let(_, value) => !matches!(value, Value::Product { .. }),
        _ => true,
    };
    let short = |stmt: &Stmt| match stmt {
        Stmt::For(l) => {
            let mut l = l.clone();
            l.end = l.end.min(l.start.clone() + Index::Const(ROUNDS * l.step));
            l.body = shorten(&l.body);
            Stmt::For(l)
        }
        Stmt::When { guard, body } => Stmt::When {
            guard: guard.clone(),
            body: shorten(body),
        },
        other => other.clone(),
    };
    body.iter().filter(stays).map(short).collect()
}
