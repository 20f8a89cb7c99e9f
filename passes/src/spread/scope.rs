//! Scopes of a lane program: the block's own, and that of each loop.

use std::collections::BTreeMap;

use ir::{
    lane::{self, Layout},
    tile::{Axis, Counter, Program, Ranges, Value, Var},
};

use super::{Spreader, shared::Staged};

/// Statements under construction, and what they have computed.
pub(super) struct Scope<'a> {
    pub ranges: Ranges,
    /// What counts, if this is a loop's.
    pub counter: Option<Counter>,
    /// Tiles that are computed here when they are wanted.
    pub defs: BTreeMap<Var, &'a Value>,
    /// Tiles in registers.
    pub held: BTreeMap<(Var, Layout), Var>,
    /// Tiles in shared memory, contiguous along an axis.
    pub staged: BTreeMap<(Var, Down), Staged>,
    /// Integers in registers.
    pub indices: BTreeMap<lane::Index, Var>,
    /// How many rounds of each ring are over, in registers.
    pub rounds: BTreeMap<usize, Var>,
    /// Elements of integer arrays in registers.
    pub gathered: BTreeMap<Gather, Var>,
    pub stmts: Vec<lane::Stmt>,
}

/// An element of an integer array: which, where, and the guard.
pub(super) type Gather = (lane::Memory, lane::Index, Vec<(lane::Index, lane::Index)>);

/// Whether elements of a tile in shared memory lie side by side down its rows.
pub(super) type Down = bool;

/// The same as an axis.
pub(super) fn down(along: Axis) -> Down {
    along == Axis::Rows
}

impl Scope<'_> {
    pub fn outermost(program: &Program) -> Self {
        Self::new(Ranges::of(program), None)
    }

    pub fn inner(ranges: Ranges, counter: Counter) -> Self {
        Self::new(ranges, Some(counter))
    }

    fn new(ranges: Ranges, counter: Option<Counter>) -> Self {
        Self {
            ranges,
            counter,
            defs: BTreeMap::new(),
            held: BTreeMap::new(),
            staged: BTreeMap::new(),
            indices: BTreeMap::new(),
            rounds: BTreeMap::new(),
            gathered: BTreeMap::new(),
            stmts: vec![],
        }
    }

    fn knows(&self, var: Var) -> bool {
        self.defs.contains_key(&var) || self.held.keys().any(|(v, _)| *v == var)
    }
}

impl Spreader<'_> {
    /// The scope to which a tile belongs.
    pub(super) fn scope_of(&self, var: Var) -> usize {
        let at = self.scopes.iter().rposition(|s| s.knows(var));
        at.expect("verified: variables are assigned before they are read")
    }

    /// Runs `f` with statements going to scope `at`, before the loops that are open in it.
    pub(super) fn within<T>(&mut self, at: usize, f: impl FnOnce(&mut Self) -> T) -> T {
        let outside = std::mem::replace(&mut self.at, at);
        let result = f(self);
        self.at = outside;
        result
    }
}
