//! What warpgroups do with the tiles that they are given.

use std::{collections::BTreeMap, rc::Rc};

use ir::{
    lane::{
        self, Bulk, Index, LeftOperand, SharedTile, Signal, Swizzle, WARPGROUP, WarpgroupInstr,
    },
    tile::{Axis, Carried, Counter, For, Stmt, Value, Var},
};

use super::{
    super::{Scope, Spreader},
    plan::{Plan, Site, Tile},
    tiling::Tiling,
};

/// A role under construction.
pub(in super::super) struct Consumers {
    plan: Rc<Plan>,
    /// The first counter that no loop has.
    counters: u32,
    pub(super) instructions: Vec<WarpgroupInstr>,
    /// The stage of each ring that is in use.
    stages: BTreeMap<usize, Index>,
    /// Rings and stages that products read which are not waited for yet.
    open: Vec<(usize, Index)>,
    /// The loop whose products are waited for a round later: its ring, and the rounds of that which were over before.
    behind: Option<(Counter, usize, Var)>,
}

impl Consumers {
    pub(super) fn new(plan: Rc<Plan>, counters: u32) -> Self {
        Self {
            plan,
            counters,
            instructions: vec![],
            stages: BTreeMap::new(),
            open: vec![],
            behind: None,
        }
    }

    pub(super) fn next_counter(&self) -> u32 {
        self.counters
    }
}

impl Spreader<'_> {
    fn consumers(&mut self) -> &mut Consumers {
        self.warpgroups.as_mut().expect("this is a role")
    }

    pub(super) fn plan(&mut self) -> Rc<Plan> {
        Rc::clone(&self.consumers().plan)
    }

    pub(super) fn fresh_counter(&mut self) -> Counter {
        let consumers = self.consumers();
        consumers.counters += 1;
        Counter(consumers.counters - 1)
    }

    /// Before a loop: waits for what lasts through it. The rings of which rounds end within, with their numbers.
    pub(in super::super) fn enter(&mut self, l: &For) -> Vec<(usize, Var)> {
        if self.warpgroups.is_none() {
            return vec![];
        }
        let plan = self.plan();
        for round in plan.before(Site::Loop(l.counter)) {
            self.acquire(round.ring);
        }
        let rounds = &self.scopes[self.at].rounds;
        let rings: Vec<_> = plan
            .within(l.counter)
            .into_iter()
            .map(|r| (r, rounds[&r]))
            .collect();
        if let (true, [(ring, before)]) = (waits_later(&plan, l), rings.as_slice()) {
            self.consumers().behind = Some((l.counter, *ring, *before));
        }
        rings
    }

    /// In a loop: numbers of rounds as they are there.
    pub(in super::super) fn count(&mut self, rings: &[(usize, Var)]) -> Vec<Var> {
        let each = rings.iter().map(|(ring, _)| {
            let current = self.fresh();
            self.scopes[self.at].rounds.insert(*ring, current);
            current
        });
        each.collect()
    }

    /// After a loop: numbers of rounds that it carries, of which `scope` has the last.
    pub(in super::super) fn counted(
        &mut self,
        rings: &[(usize, Var)],
        current: Vec<Var>,
        scope: &Scope<'_>,
    ) -> Vec<Carried> {
        let each = rings.iter().zip(current).map(|((ring, init), current)| {
            let result = self.fresh();
            self.scopes[self.at].rounds.insert(*ring, result);
            Carried {
                init: *init,
                current,
                next: scope.rounds[ring],
                result,
            }
        });
        each.collect()
    }

    /// After a loop: gives back what lasted through it.
    pub(in super::super) fn leave(&mut self, l: &For) {
        if self.warpgroups.is_none() {
            return;
        }
        if let Some((_, ring, _)) = self.consumers().behind.take_if(|b| b.0 == l.counter) {
            self.bulk(Bulk::Wait { pending: 0 });
            let last = self.stage_before(ring);
            self.free(ring, last, vec![]);
        }
        self.give_back(Site::Loop(l.counter));
    }

    /// What lasted to the end of a statement.
    fn give_back(&mut self, site: Site) {
        for round in self.plan().after(site) {
            let stage = self.consumers().stages[&round.ring].clone();
            self.free(round.ring, stage, vec![]);
            self.advance(round.ring);
        }
    }

    /// The result of a dot, in its own layout.
    pub(in super::super) fn product(&mut self, dot: Var, [a, _]: [Var; 2], acc: Var) -> Var {
        let plan = self.plan();
        let tiling = &plan.tilings[&dot];
        let [left, right] = plan.operands[&dot];
        let mut sum = self.want(acc, &tiling.c);
        let held = left.is_none().then(|| {
            let x = self.want(a, &tiling.a);
            let width = tiling.instr.a.width();
            let parts = (0..tiling.steps).map(|i| i * width..(i + 1) * width);
            let parts: Vec<Var> = parts
                .map(|part| self.pick(x, tiling.a.width(), part))
                .collect();
            parts
        });
        let round = plan.rounds.get(&dot);
        for round in plan.before(Site::Dot(dot)).chain(round) {
            self.acquire(round.ring);
        }
        let instr = self.warpgroup_instruction(tiling);
        for step in 0..tiling.steps {
            let a = match (&held, left) {
                (Some(parts), _) => LeftOperand::Held(parts[step as usize]),
                (None, place) => {
                    let place = place.expect("an operand is in registers or comes");
                    LeftOperand::Shared(self.shared_tile(place, tiling, step, true))
                }
            };
            let right = right.expect("the right operand comes");
            let b = self.shared_tile(right, tiling, step, false);
            sum = self.set(lane::Value::Product {
                instr,
                a,
                b,
                c: sum,
            });
        }
        self.bulk(Bulk::Commit);
        if let Some(round) = round {
            self.finish(dot, round.ring);
        } else {
            self.ended();
        }
        self.give_back(Site::Dot(dot));
        sum
    }

    /// After the products of a dot that uses up a round of a ring.
    fn finish(&mut self, dot: Var, ring: usize) {
        match self.consumers().behind {
            Some((_, behind, before)) if behind == ring => {
                // The tensor cores have this round while the one before is given back.
                self.bulk(Bulk::Wait { pending: 1 });
                let now = self.scopes[self.at].rounds[&ring];
                let last = self.stage_before(ring);
                self.free(ring, last, vec![(Index::Var(before), Index::Var(now))]);
            }
            _ => {
                let stage = self.consumers().stages[&ring].clone();
                self.consumers().open.push((ring, stage));
                // What is for the next round runs while this one goes on.
                if !self.plan().ahead.contains(&dot) {
                    self.ended();
                }
            }
        }
        self.advance(ring);
    }

    /// Waits for all products, and gives back what they read.
    fn ended(&mut self) {
        self.bulk(Bulk::Wait { pending: 0 });
        for (ring, stage) in std::mem::take(&mut self.consumers().open) {
            self.free(ring, stage, vec![]);
        }
    }

    pub(super) fn bulk(&mut self, bulk: Bulk) {
        self.push(lane::Stmt::Bulk(bulk));
    }

    /// Stage and phase of a ring's round.
    pub(super) fn turn(&mut self, ring: usize) -> (Index, Index) {
        let stages = i64::from(self.plan().rings[ring].stages);
        let round = Index::Var(self.scopes[self.at].rounds[&ring]);
        let stage = self.kept(round.clone().modulo(stages));
        (stage, round.floor_div(stages))
    }

    /// The stage of the round before.
    fn stage_before(&mut self, ring: usize) -> Index {
        let stages = i64::from(self.plan().rings[ring].stages);
        let round = Index::Var(self.scopes[self.at].rounds[&ring]);
        self.kept((round + (stages - 1)).modulo(stages))
    }

    /// Waits for the tiles of a ring's round.
    fn acquire(&mut self, ring: usize) {
        let (stage, phase) = self.turn(ring);
        self.consumers().stages.insert(ring, stage.clone());
        self.bulk(Bulk::Await {
            signal: full(ring, stage),
            parity: phase.modulo(2),
        });
    }

    /// One lane of each warp says that a stage is empty, where these pairs hold.
    fn free(&mut self, ring: usize, stage: Index, pairs: Vec<(Index, Index)>) {
        let mut guard = vec![(Index::Lane, 1.into())];
        guard.extend(pairs);
        self.push(lane::Stmt::When {
            guard,
            body: vec![lane::Stmt::Bulk(Bulk::Arrive(empty(ring, stage)))],
        });
    }

    /// The next round of a ring.
    pub(super) fn advance(&mut self, ring: usize) {
        let round = Index::Var(self.scopes[self.at].rounds[&ring]);
        let next = self.set(lane::Value::Index(vec![round + 1]));
        self.scopes[self.at].rounds.insert(ring, next);
    }

    /// Where a product's step along the depth finds an operand.
    fn shared_tile(
        &mut self,
        (ring, tile): (usize, usize),
        tiling: &Tiling,
        step: u32,
        left: bool,
    ) -> SharedTile {
        let plan = self.plan();
        let tile = &plan.rings[ring].tiles[tile];
        let stage = self.consumers().stages[&ring].clone();
        let start = self.kept(stage * tile.len);
        let along_depth = (tile.along == Axis::Lanes) == left;
        let depth = step * tiling.sides[2];
        // Each warpgroup has rows of its own.
        let rows = if left && tiling.c.warps() > WARPGROUP {
            Index::Warp.floor_div(i64::from(WARPGROUP)) * i64::from(tiling.sides[0])
        } else {
            Index::Const(0)
        };
        let within =
            |element: u32| i64::from(element / tile.width * tile.chunk() + element % tile.width);
        let at = if along_depth {
            rows * i64::from(tile.width) + within(depth)
        } else {
            // Rows of a warpgroup are whole boxes.
            rows * i64::from(tile.chunk() / tile.width) + i64::from(depth * tile.width)
        };
        let size = tiling.instr.operands.size() as u32;
        SharedTile {
            array: tile.array,
            at: start + at,
            along_depth,
            swizzle: swizzle(tile.width * size),
            next_lines: 8 * tile.width,
            next_chunk: tile.chunk(),
        }
    }

    /// The position of an instruction among those of the program.
    fn warpgroup_instruction(&mut self, tiling: &Tiling) -> u32 {
        let all = &mut self.consumers().instructions;
        let known = all.iter().position(|i| *i == tiling.instr);
        let at = known.unwrap_or(all.len());
        if known.is_none() {
            all.push(tiling.instr.clone());
        }
        at as u32
    }
}

fn swizzle(bytes: u32) -> Swizzle {
    let all = [Swizzle::B32, Swizzle::B64, Swizzle::B128];
    let found = all.into_iter().find(|s| s.line() == bytes);
    found.expect("boxes are as wide as a swizzle")
}

/// Told when the tiles of a stage have come.
pub(super) fn full(ring: usize, slot: Index) -> Signal {
    Signal {
        mbarrier: 2 * ring as u32,
        slot,
    }
}

/// Told when nobody reads a stage any more.
pub(super) fn empty(ring: usize, slot: Index) -> Signal {
    Signal {
        mbarrier: 2 * ring as u32 + 1,
        slot,
    }
}

impl Tile {
    /// Elements from one box to the next.
    pub(super) fn chunk(&self) -> u32 {
        self.width * self.lines
    }
}

/// Whether a loop's products may still run when the next round starts: it only adds them up, for some rounds that are
/// known to be more than none, and has a stage to spare.
fn waits_later(plan: &Plan, l: &For) -> bool {
    let runs = match (&l.start, &l.end) {
        (ir::tile::Index::Const(start), ir::tile::Index::Const(end)) => start < end,
        _ => false,
    };
    let mut dots = l.body.iter().filter_map(|stmt| match stmt {
        Stmt::Let(var, Value::Dot { acc, .. }) => Some((*var, *acc)),
        _ => None,
    });
    let (Some((dot, acc)), None, [sum]) = (dots.next(), dots.next(), l.carried.as_slice()) else {
        return false;
    };
    let spare = plan
        .rounds
        .get(&dot)
        .is_some_and(|r| plan.rings[r.ring].stages > 1);
    runs && spare && sum.current == acc && sum.next == dot
}
