//! What the lane does that feeds the warpgroups: the loops of the tile program, and copies.

use ir::{
    lane::{self, Bulk},
    tile::{For, Stmt},
};

use super::{
    super::{Scope, Spreader},
    consumer::{empty, full},
    plan::{Round, Site},
};

impl<'a> Spreader<'a> {
    /// Starts the copies of a body in the order in which its products use them.
    pub(super) fn feed(&mut self, body: &'a [Stmt]) {
        let plan = self.plan();
        for stmt in body {
            match stmt {
                Stmt::Let(var, _) => {
                    for round in plan.before(Site::Dot(*var)) {
                        self.fill(round);
                    }
                    if let Some(round) = plan.rounds.get(var) {
                        self.fill(round);
                    }
                }
                Stmt::Store { .. } => {}
                Stmt::For(l) => {
                    for round in plan.before(Site::Loop(l.counter)) {
                        self.fill(round);
                    }
                    if !plan.within(l.counter).is_empty() {
                        self.feed_rounds(l);
                    }
                }
            }
        }
    }

    fn feed_rounds(&mut self, l: &'a For) {
        let [start, end] = [&l.start, &l.end].map(|bound| self.bound(bound));
        let within = self.plan().within(l.counter);
        let rounds = &self.scopes[self.at].rounds;
        let rings: Vec<_> = within
            .into_iter()
            .map(|ring| (ring, rounds[&ring]))
            .collect();
        let counter = self.fresh_counter();
        let ranges = self.scopes[self.at].ranges.in_loop(l);
        self.counters.insert(l.counter, counter.into());
        self.scopes.push(Scope::inner(ranges, counter));
        self.at += 1;
        let current = self.count(&rings);
        self.feed(&l.body);
        let scope = self.scopes.pop().expect("the loop's scope");
        self.at -= 1;
        let carried = self.counted(&rings, current, &scope);
        self.push(lane::Stmt::For(lane::For {
            counter,
            start,
            end,
            step: l.step,
            unroll: 1,
            carried,
            body: scope.stmts,
        }));
    }

    /// Starts the copies of a round as soon as its stage is empty.
    fn fill(&mut self, round: &Round) {
        let plan = self.plan();
        let ring = &plan.rings[round.ring];
        let (stage, phase) = self.turn(round.ring);
        // The first time, nobody has to empty it: the phase before the first counts as ended.
        self.bulk(Bulk::Await {
            signal: empty(round.ring, stage.clone()),
            parity: (phase + 1).modulo(2),
        });
        self.bulk(Bulk::Expect {
            signal: full(round.ring, stage.clone()),
            bytes: ring.bytes,
        });
        for (tile, from) in ring.tiles.iter().zip(&round.from) {
            let from: Vec<_> = from.iter().map(|place| self.bound(place)).collect();
            let start = self.kept(stage.clone() * tile.len);
            for i in 0..tile.boxes {
                let mut from = from.clone();
                from[0] = from[0].clone() + i64::from(i * tile.width);
                self.bulk(Bulk::Copy {
                    map: tile.map,
                    from,
                    array: tile.array,
                    at: start.clone() + i64::from(i * tile.chunk()),
                    signal: full(round.ring, stage.clone()),
                });
            }
        }
        self.advance(round.ring);
    }
}
