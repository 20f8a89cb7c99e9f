//! A program as a list of steps with jumps, so that a warp can stop anywhere and go on.

use super::super::{Access, Bulk, For, Index, Program, Stmt, Types, Value};
use super::matrix::{Fragments, GroupFragments};
use crate::tile::{Counter, Place, Var};

/// A program, flattened.
pub(super) struct Code<'a> {
    pub program: &'a Program,
    pub types: Types,
    pub vars: Slots<Var>,
    pub counters: Slots<Counter>,
    pub steps: Vec<Step<'a>>,
    /// The statement of each step.
    pub places: Vec<Place>,
    /// Of each matrix instruction.
    pub fragments: Vec<Fragments>,
    /// Of each warpgroup instruction.
    pub groups: Vec<GroupFragments>,
}

/// What a warp does next.
#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    Let(Var, &'a Value),
    /// Assigns a product of the warpgroup.
    Product(Var, &'a Value),
    Store {
        to: &'a Access,
        value: Var,
    },
    Copy {
        to: &'a Access,
        from: &'a Access,
        width: u32,
    },
    Commit,
    Wait {
        pending: u32,
    },
    Barrier,
    Bulk(&'a Bulk),
    /// Begins a loop, or goes to `exit`.
    Enter {
        of: &'a For,
        exit: usize,
    },
    /// Ends a round; goes to `body` if there is another one.
    Repeat {
        of: &'a For,
        body: usize,
    },
    /// Goes on with fewer lanes, or to `exit`.
    When {
        guard: &'a [(Index, Index)],
        exit: usize,
    },
    /// Goes on with the lanes from before.
    Merge,
}

/// Dense numbers for names.
pub(super) struct Slots<T>(Vec<T>);

impl<T: Ord + Copy> Slots<T> {
    fn new(names: impl IntoIterator<Item = T>) -> Self {
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        Self(names)
    }

    /// The number of a name.
    pub fn of(&self, name: T) -> usize {
        self.0
            .binary_search(&name)
            .expect("verified: every name is defined")
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<'a> Code<'a> {
    pub fn new(program: &'a Program, types: Types) -> Self {
        let mut counters: Vec<_> = (0..).map(Counter).take(program.grid.len()).collect();
        loops(&program.body, &mut counters);
        let mut code = Self {
            program,
            vars: Slots::new(types.keys().copied()),
            types,
            counters: Slots::new(counters),
            steps: vec![],
            places: vec![],
            fragments: program.matrix.iter().map(Fragments::new).collect(),
            groups: program.warpgroup.iter().map(GroupFragments::new).collect(),
        };
        code.flatten(&program.body, &mut Place::default());
        code
    }

    fn flatten(&mut self, body: &'a [Stmt], place: &mut Place) {
        for (i, stmt) in body.iter().enumerate() {
            place.0.push(i);
            match stmt {
                Stmt::Let(var, value @ Value::Product { .. }) => {
                    self.push(Step::Product(*var, value), place);
                }
                Stmt::Let(var, value) => self.push(Step::Let(*var, value), place),
                Stmt::Store { to, value } => self.push(Step::Store { to, value: *value }, place),
                Stmt::Copy { to, from, width } => {
                    let width = *width;
                    self.push(Step::Copy { to, from, width }, place);
                }
                Stmt::Commit => self.push(Step::Commit, place),
                Stmt::Wait { pending } => self.push(Step::Wait { pending: *pending }, place),
                Stmt::Barrier => self.push(Step::Barrier, place),
                Stmt::Bulk(bulk) => self.push(Step::Bulk(bulk), place),
                Stmt::For(of) => {
                    let start = self.steps.len();
                    self.push(Step::Enter { of, exit: 0 }, place);
                    self.flatten(&of.body, place);
                    let body = start + 1;
                    self.push(Step::Repeat { of, body }, place);
                    let exit = self.steps.len();
                    self.steps[start] = Step::Enter { of, exit };
                }
                Stmt::When { guard, body } => {
                    let start = self.steps.len();
                    self.push(Step::When { guard, exit: 0 }, place);
                    self.flatten(body, place);
                    self.push(Step::Merge, place);
                    let exit = self.steps.len();
                    self.steps[start] = Step::When { guard, exit };
                }
            }
            place.0.pop();
        }
    }

    fn push(&mut self, step: Step<'a>, place: &Place) {
        self.steps.push(step);
        self.places.push(place.clone());
    }

    /// Lanes of a warp.
    pub fn lanes(&self) -> usize {
        self.program.lanes as usize
    }
}

/// Adds the counters of all loops.
fn loops(body: &[Stmt], counters: &mut Vec<Counter>) {
    for stmt in body {
        match stmt {
            Stmt::For(l) => {
                counters.push(l.counter);
                loops(&l.body, counters);
            }
            Stmt::When { body, .. } => loops(body, counters),
            _ => {}
        }
    }
}
