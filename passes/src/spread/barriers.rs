//! Puts barriers where lanes of a block read from shared memory what others wrote, or write what others read.

use std::collections::BTreeSet;

use ir::lane::{For, Memory, Stmt, Value};

/// Shared arrays that were written, and that were read, since the last barrier on some path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Open {
    written: BTreeSet<u32>,
    read: BTreeSet<u32>,
}

impl Open {
    fn with(mut self, other: &Self) -> Self {
        self.written.extend(&other.written);
        self.read.extend(&other.read);
        self
    }
}

/// The same statements with the barriers that they need. A tile is written in one go: writes of one array that no
/// read stands between need no barrier; nor do arrays of `others`, which have theirs.
pub(super) fn place(body: &[Stmt], others: &BTreeSet<u32>) -> Vec<Stmt> {
    walk(body, &mut Open::default(), others)
}

fn walk(body: &[Stmt], open: &mut Open, others: &BTreeSet<u32>) -> Vec<Stmt> {
    let mut out = Vec::with_capacity(body.len());
    for stmt in body {
        let (reads, writes) = touched(stmt);
        let [reads, writes] = [reads, writes].map(|i| i.filter(|i| !others.contains(i)));
        let meets = reads.is_some_and(|i| open.written.contains(&i))
            || writes.is_some_and(|i| open.read.contains(&i));
        if meets {
            out.push(Stmt::Barrier);
            *open = Open::default();
        }
        open.read.extend(reads);
        open.written.extend(writes);
        match stmt {
            Stmt::For(l) => out.push(Stmt::For(rounds(l, open, others))),
            Stmt::Barrier => {
                *open = Open::default();
                out.push(Stmt::Barrier);
            }
            stmt => out.push(stmt.clone()),
        }
    }
    out
}

/// A loop's body, after which the next round or the rest may follow.
fn rounds(l: &For, open: &mut Open, others: &BTreeSet<u32>) -> For {
    loop {
        let mut end = open.clone();
        let body = walk(&l.body, &mut end, others);
        let either = open.clone().with(&end);
        if either == *open {
            return For { body, ..l.clone() };
        }
        *open = either;
    }
}

/// The shared array that a statement reads, and the one that it writes.
fn touched(stmt: &Stmt) -> (Option<u32>, Option<u32>) {
    let shared = |memory: &Memory| match memory {
        Memory::Shared(i) => Some(*i),
        Memory::Param(_) => None,
    };
    match stmt {
        Stmt::Let(_, Value::Load { from, .. } | Value::LoadMatrix { from, .. }) => {
            (shared(&from.memory), None)
        }
        Stmt::Store { to, .. } | Stmt::Copy { to, .. } => (None, shared(&to.memory)),
        _ => (None, None),
    }
}
