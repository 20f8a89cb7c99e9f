//! A warp: where it stands, what its lanes hold.

use super::super::For;
use super::{
    code::{Code, Step},
    copies::Copies,
    fault::{RunFault, Stop},
};
use crate::tile::{Counter, Var};

/// A warp of the block that runs.
pub(super) struct Warp {
    pub number: usize,
    /// The next step.
    pub at: usize,
    /// By slot of the variable; the lanes of a register side by side. Those of lanes that take no part mean nothing.
    pub vars: Vec<Vec<f64>>,
    /// By slot of the counter.
    pub counters: Vec<i64>,
    /// The loops around, with the first value that is too large.
    loops: Vec<(Counter, i64)>,
    /// Lanes that take part, and those that do outside of each `when` around.
    pub mask: u64,
    outer: Vec<u64>,
    pub copies: Copies,
    /// In programs with products, by slot of the variable: the product that will give it, 0 if it has its value.
    pub pending: Vec<u32>,
    /// Variables, by slot, that products may still read.
    pub held: Vec<(usize, u32)>,
}

impl Warp {
    pub fn new(code: &Code, number: usize) -> Self {
        Self {
            number,
            at: 0,
            vars: vec![vec![]; code.vars.len()],
            counters: vec![0; code.counters.len()],
            loops: vec![],
            mask: u64::MAX >> (64 - code.lanes()),
            outer: vec![],
            copies: Copies::new(code.lanes()),
            pending: if code.groups.is_empty() {
                vec![]
            } else {
                vec![0; code.vars.len()]
            },
            held: vec![],
        }
    }

    /// Stands at the start of another block.
    pub fn restart(&mut self, code: &Code, place: &[i64]) {
        self.at = 0;
        for (axis, n) in place.iter().enumerate() {
            self.counters[code.counters.of(Counter(axis as u32))] = *n;
        }
        self.copies.restart();
        self.pending.fill(0);
        self.held.clear();
    }

    /// Assigns variables what others hold, all at once, since the next value of one may be the current one of another.
    fn carry(&mut self, code: &Code, pairs: impl Iterator<Item = (Var, Var)>) -> Result<(), Stop> {
        let values = pairs.map(|(to, from)| {
            let from = code.vars.of(from);
            let pending = self.pending.get(from).copied();
            (to, self.vars[from].clone(), pending)
        });
        for (to, value, pending) in values.collect::<Vec<_>>() {
            self.free(code, to)?;
            let to = code.vars.of(to);
            self.vars[to] = value;
            if let Some(pending) = pending {
                self.pending[to] = pending;
            }
        }
        Ok(())
    }

    /// The lane's number in its block.
    pub fn thread(&self, code: &Code, lane: usize) -> usize {
        self.number * code.lanes() + lane
    }

    /// Fails unless all lanes take part.
    pub fn together(&self, code: &Code) -> Result<(), Stop> {
        let (lanes, active) = (code.program.lanes, self.mask.count_ones());
        if active == lanes {
            Ok(())
        } else {
            Err(RunFault::Apart { lanes, active }.in_warp())
        }
    }

    /// Takes a step that is about nothing but where to go on; false if it is another one.
    pub fn go(&mut self, code: &Code, step: Step) -> Result<bool, Stop> {
        match step {
            Step::Enter { of, exit } => self.enter(code, of, exit)?,
            Step::Repeat { of, body } => self.repeat(code, of, body)?,
            Step::When { guard, exit } => {
                let mask = self.below(code, guard, self.mask)?;
                if mask == 0 {
                    self.at = exit;
                } else {
                    self.outer.push(self.mask);
                    self.mask = mask;
                    self.at += 1;
                }
            }
            Step::Merge => {
                self.mask = self.outer.pop().expect("a merge ends a when");
                self.at += 1;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn enter(&mut self, code: &Code, of: &For, exit: usize) -> Result<(), Stop> {
        let bound = |index| {
            let ints = self.index(code, index, self.mask)?;
            ints.common(self.mask)
                .map_err(|(a, b)| RunFault::Bound(a, b).in_warp())
        };
        let (start, end) = (bound(&of.start)?, bound(&of.end)?);
        let runs = start < end;
        let each = of.carried.iter();
        self.carry(
            code,
            each.map(|c| (if runs { c.current } else { c.result }, c.init)),
        )?;
        if runs {
            self.counters[code.counters.of(of.counter)] = start;
            self.loops.push((of.counter, end));
            self.at += 1;
        } else {
            self.at = exit;
        }
        Ok(())
    }

    fn repeat(&mut self, code: &Code, of: &For, body: usize) -> Result<(), Stop> {
        let (_, end) = *self.loops.last().expect("a round ends within its loop");
        let counter = &mut self.counters[code.counters.of(of.counter)];
        let next = counter.checked_add(of.step);
        let next = next.ok_or(RunFault::Overflow.in_warp())?;
        let again = next < end;
        *counter = next;
        let each = of.carried.iter();
        self.carry(
            code,
            each.map(|c| (if again { c.current } else { c.result }, c.next)),
        )?;
        if again {
            self.at = body;
        } else {
            self.loops.pop();
            self.at += 1;
        }
        Ok(())
    }

    /// Place of the block, and of the round of each loop around.
    pub fn counts(&self, code: &Code) -> Vec<(Counter, i64)> {
        let axes = (0..).map(Counter).take(code.program.grid.len());
        let all = axes.chain(self.loops.iter().map(|(c, _)| *c));
        all.map(|c| (c, self.counters[code.counters.of(c)]))
            .collect()
    }
}
