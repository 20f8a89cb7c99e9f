//! Products of warpgroups that are under way: which variables a wait for groups makes readable.

use std::collections::{BTreeMap, BTreeSet};

use ir::{
    lane::{Bulk, For, Stmt, Value as Term},
    tile::{Carried, Var},
};

/// Results of products, by group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Flight {
    /// Closed groups, the last one last.
    groups: Vec<BTreeSet<Var>>,
    open: BTreeSet<Var>,
}

impl Flight {
    /// A product goes on from `c`, whose registers are those of its result.
    pub fn product(&mut self, c: Var, result: Var) {
        for set in self.sets() {
            set.remove(&c);
        }
        self.open.insert(result);
    }

    pub fn commit(&mut self) {
        self.groups.push(std::mem::take(&mut self.open));
    }

    /// What has ended once all but the last `pending` groups have.
    pub fn wait(&mut self, pending: u32) -> BTreeSet<Var> {
        let ended = self.groups.len().saturating_sub(pending as usize);
        self.groups.drain(..ended).flatten().collect()
    }

    pub fn has(&self, var: Var) -> bool {
        let mut all = self.groups.iter().chain([&self.open]);
        all.any(|set| set.contains(&var))
    }

    /// The state when a round of a loop begins, the first or a later one.
    pub fn at_start(&self, each: &For) -> Self {
        let mut first = self.clone();
        first.first_round(&each.carried);
        let mut later = first.clone();
        later.walk(&each.body);
        later.next_round(&each.carried);
        later.forget(&first, &each.carried, |c| c.current);
        first.merged(&later)
    }

    /// From before a loop to the start of its first round, which it gives.
    pub fn first_round(&mut self, carried: &[Carried]) -> Self {
        self.rename(carried, |c| c.init, |c| c.current);
        self.clone()
    }

    /// From the end of a round to the start of the next.
    pub fn next_round(&mut self, carried: &[Carried]) {
        self.rename(carried, |c| c.next, |c| c.current);
    }

    /// The state after a loop that may have had no round, from what it was at the start of the rounds.
    pub fn at_end(&self, start: &Self, carried: &[Carried]) -> Self {
        let mut end = self.clone();
        end.forget(start, carried, |c| c.current);
        let mut end = end.merged(start);
        end.rename(carried, |c| c.current, |c| c.result);
        end
    }

    /// Keeps what was there before, for what was assigned inside is not known outside.
    pub fn left(&mut self, before: &Self) {
        self.forget(before, &[], |c| c.result);
    }

    fn walk(&mut self, body: &[Stmt]) {
        for statement in body {
            match statement {
                Stmt::Let(result, Term::Product { c, .. }) => self.product(*c, *result),
                Stmt::Bulk(Bulk::Commit) => self.commit(),
                Stmt::Bulk(Bulk::Wait { pending }) => {
                    self.wait(*pending);
                }
                Stmt::When { body, .. } => self.walk(body),
                Stmt::For(each) => {
                    let start = self.at_start(each);
                    let mut end = start.clone();
                    end.walk(&each.body);
                    end.next_round(&each.carried);
                    *self = end.at_end(&start, &each.carried);
                }
                _ => {}
            }
        }
    }

    fn sets(&mut self) -> impl Iterator<Item = &mut BTreeSet<Var>> {
        self.groups.iter_mut().chain([&mut self.open])
    }

    fn rename(&mut self, carried: &[Carried], from: fn(&Carried) -> Var, to: fn(&Carried) -> Var) {
        let names: BTreeMap<Var, Var> = carried.iter().map(|c| (from(c), to(c))).collect();
        for set in self.sets() {
            let renamed = set.iter().map(|var| *names.get(var).unwrap_or(var));
            *set = renamed.collect();
        }
    }

    fn forget(&mut self, before: &Self, carried: &[Carried], also: fn(&Carried) -> Var) {
        let known: BTreeSet<Var> = carried.iter().map(also).collect();
        for set in self.sets() {
            set.retain(|var| known.contains(var) || before.has(*var));
        }
    }

    /// Either: groups are counted from the last one.
    fn merged(&self, other: &Self) -> Self {
        let (long, short) = match self.groups.len() >= other.groups.len() {
            true => (self, other),
            false => (other, self),
        };
        let mut merged = long.clone();
        for (own, others) in merged
            .groups
            .iter_mut()
            .rev()
            .zip(short.groups.iter().rev())
        {
            own.extend(others);
        }
        merged.open.extend(&short.open);
        merged
    }
}

#[cfg(test)]
mod tests {
    use ir::{
        lane::{Index, LeftOperand, SharedTile, Swizzle},
        tile::Counter,
    };

    use super::*;

    fn product(result: u32, c: u32) -> Stmt {
        let tile = SharedTile {
            array: 0,
            at: Index::Const(0),
            along_depth: true,
            swizzle: Swizzle::B128,
            next_lines: 512,
            next_chunk: 0,
        };
        Stmt::Let(
            Var(result),
            Term::Product {
                instr: 0,
                a: LeftOperand::Shared(tile.clone()),
                b: tile,
                c: Var(c),
            },
        )
    }

    /// A loop that waits for the product of the round before.
    #[test]
    fn a_round_may_end_what_the_round_before_began() {
        let each = For {
            counter: Counter(0),
            start: Index::Const(0),
            end: Index::Const(8),
            step: 1,
            unroll: 1,
            carried: vec![Carried {
                init: Var(0),
                current: Var(1),
                next: Var(2),
                result: Var(3),
            }],
            body: vec![
                product(2, 1),
                Stmt::Bulk(Bulk::Commit),
                Stmt::Bulk(Bulk::Wait { pending: 1 }),
            ],
        };
        let start = Flight::default().at_start(&each);
        assert!(start.has(Var(1)));
        let mut end = start.clone();
        end.product(Var(1), Var(2));
        end.commit();
        assert!(end.wait(1).is_empty());
        end.next_round(&each.carried);
        let mut end = end.at_end(&start, &each.carried);
        assert_eq!(end.wait(0), BTreeSet::from([Var(3)]));
        assert_eq!(end, Flight::default());
    }
}
