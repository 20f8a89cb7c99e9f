//! Operands of products that are copied to shared memory some rounds of a loop ahead.
//!
//! A tile has as many slots in shared memory as there are stages. A round waits for its own copies, meets the other
//! warps, which have done with the round before, starts the copies of a later round into the slot that is free by
//! that, and multiplies. Where the loop ends earlier, zeros are copied.

use ir::{
    lane::{self, Layout, Memory},
    tile::{Access, Axis, Counter, For, Index, Shape, Stmt, Value, Var},
};

use super::{
    Spreader,
    access::once,
    scope::down,
    shared::{Reading, Staged, moved},
    tiling::Tiling,
};

/// Bytes that a copy moves, one of these.
const WIDTHS: [u32; 3] = [4, 8, 16];

/// A tile that is copied ahead.
pub(super) struct Stream<'a> {
    var: Var,
    along: Axis,
    from: &'a Access,
    shape: Shape,
    layout: Layout,
    staged: Staged,
    /// Elements of a slot.
    len: i64,
    /// Elements of a copy.
    width: u32,
}

/// The streams of a loop, and when they run.
pub(super) struct Streams<'a> {
    all: Vec<Stream<'a>>,
    counter: Counter,
    start: Index,
    end: Index,
    step: i64,
}

impl<'a> Spreader<'a> {
    /// The operands of products in a loop that can be copied ahead; the copies of its first rounds are started.
    pub(super) fn streams(&mut self, l: &'a For) -> Streams<'a> {
        let mut streams = Streams {
            all: vec![],
            counter: l.counter,
            start: l.start.clone(),
            end: l.end.clone(),
            step: l.step,
        };
        if !self.simt.asynchronous || self.stages < 2 {
            return streams;
        }
        for (var, layout, tiling) in self.operands(&l.body) {
            let along = self.orientation(var, &layout, &tiling);
            let known = streams.all.iter().any(|s| s.var == var && s.along == along);
            if !known {
                let reading = self.reading(var, &layout, along, &tiling);
                let stream = self.stream(l, var, along, reading);
                streams.all.extend(stream);
            }
        }
        if streams.all.is_empty() {
            return streams;
        }
        if self.scopes.len() > 1 {
            // The last rounds of the loop before may still be read.
            self.push(lane::Stmt::Barrier);
        }
        for round in 0..i64::from(self.stages) - 1 {
            let at = streams.start.clone() + round * l.step;
            self.copies(&streams, &at, &lane::Index::Const(round));
        }
        streams
    }

    /// The operands of a body's products that are not in the registers where they are wanted.
    fn operands(&self, body: &[Stmt]) -> Vec<(Var, Layout, Tiling)> {
        let dots = body.iter().filter_map(|stmt| match stmt {
            Stmt::Let(var, Value::Dot { a, b, .. }) => Some((&self.layouts.tilings[var], *a, *b)),
            _ => None,
        });
        let each = dots.flat_map(|(t, a, b)| [(a, &t.a, t), (b, &t.b, t)]);
        each.filter(|(var, layout, _)| {
            let own = self.layouts.own.get(var);
            own.is_none_or(|own| moved(own, layout).is_none())
        })
        .map(|(var, layout, tiling)| (var, layout.clone(), tiling.clone()))
        .collect()
    }

    /// The load that a tile is, if it is one and no more, done in this body.
    fn loaded(&self, body: &'a [Stmt], var: Var) -> Option<(&'a Access, Shape)> {
        let def = body.iter().find_map(|stmt| match stmt {
            Stmt::Let(v, value) if *v == var => Some(value),
            _ => None,
        })?;
        match def {
            Value::Load { from, shape, other } if other.get() == 0.0 => Some((from, *shape)),
            Value::Broadcast(x, shape) if self.layouts.types[x].1 == *shape => {
                self.loaded(body, *x)
            }
            _ => None,
        }
    }

    fn stream(
        &mut self,
        l: &'a For,
        var: Var,
        along: Axis,
        reading: Reading,
    ) -> Option<Stream<'a>> {
        let (from, shape) = self.loaded(&l.body, var)?;
        let pairs = from.guard.iter().flat_map(|(a, b)| [a, b]);
        if pairs.chain([&from.at]).any(gathers) {
            return None;
        }
        let dtype = self.program.array(from.memory).dtype;
        let layout = self
            .layouts
            .preferred(var, self.simt.access.0 / dtype.size() as u64);
        let (staged, len) = Staged::new(shape, dtype, (along, reading), self.skew);
        let ranges = self.scopes[self.at].ranges.in_loop(l);
        let ready = self.ready(from, (shape, &ranges), dtype, &layout);
        let width = ready.run.min(self.run(&staged, &layout, layout.width()));
        if !WIDTHS.contains(&(width * dtype.size() as u32)) {
            return None;
        }
        let array = self.array(dtype, len * i64::from(self.stages));
        self.streamed.insert(array);
        Some(Stream {
            var,
            along,
            from,
            shape,
            layout,
            staged: staged.within(array),
            len,
            width,
        })
    }

    /// Starts a round: its tiles are in shared memory, and those of a later round are on their way.
    pub(super) fn next_round(&mut self, streams: &Streams<'a>) {
        if streams.all.is_empty() {
            return;
        }
        let stages = i64::from(self.stages);
        self.push(lane::Stmt::Wait {
            pending: self.stages - 2,
        });
        self.push(lane::Stmt::Barrier);
        let counter = Index::Counter(streams.counter);
        let passed = counter.clone() + streams.start.clone() * -1;
        let round = self.bound(&passed.floor_div(streams.step));
        let round = self.kept(round);
        let ahead = (stages - 1) * streams.step;
        let free = (round.clone() + (stages - 1)).modulo(stages);
        self.copies(streams, &(counter + ahead), &free);
        let slot = round.modulo(stages);
        for s in &streams.all {
            let offset = self.kept(slot.clone() * s.len);
            let staged = s.staged.at(offset);
            self.scopes[self.at]
                .staged
                .insert((s.var, down(s.along)), staged);
        }
    }

    /// No copies are under way after a loop.
    pub(super) fn last_round(&mut self, streams: &Streams<'_>) {
        if !streams.all.is_empty() {
            self.push(lane::Stmt::Wait { pending: 0 });
        }
    }

    /// Starts the copies of the round at `at` into `slot`.
    fn copies(&mut self, streams: &Streams<'_>, at: &Index, slot: &lane::Index) {
        for s in &streams.all {
            let put = |index: &Index| replaced(index, streams.counter, at);
            let mut guard: Vec<_> = (s.from.guard.iter())
                .map(|(a, b)| (put(a), put(b)))
                .collect();
            guard.insert(0, (at.clone(), streams.end.clone()));
            let from = Access {
                memory: s.from.memory,
                at: put(&s.from.at),
                guard,
            };
            let ranges = self.scopes[self.at].ranges.clone();
            let mut ready = self.ready(&from, (s.shape, &ranges), s.staged.dtype, &s.layout);
            ready.run = s.width;
            let offset = self.kept(slot.clone() * s.len);
            let staged = s.staged.at(offset);
            let mut body = vec![];
            for register in (0..s.layout.width()).step_by(s.width as usize) {
                body.push(lane::Stmt::Copy {
                    to: lane::Access {
                        memory: Memory::Shared(staged.array),
                        at: self.place(&staged, &s.layout, register),
                        guard: vec![],
                    },
                    from: self.access(&ready, register),
                    width: s.width,
                });
            }
            let guard = once(&s.layout);
            if guard.is_empty() {
                body.into_iter().for_each(|stmt| self.push(stmt));
            } else {
                self.push(lane::Stmt::When { guard, body });
            }
        }
        self.push(lane::Stmt::Commit);
    }
}

/// Whether an index has elements of arrays.
fn gathers(index: &Index) -> bool {
    matches!(index, Index::Load(..)) || index.parts().into_iter().any(gathers)
}

/// An index with another in place of a counter.
fn replaced(index: &Index, counter: Counter, by: &Index) -> Index {
    let again = |x: &Index| Box::new(replaced(x, counter, by));
    match index {
        Index::Counter(c) if *c == counter => by.clone(),
        Index::Const(_) | Index::Counter(_) | Index::Row | Index::Lane => index.clone(),
        Index::Add(a, b) => Index::Add(again(a), again(b)),
        Index::Mul(a, b) => Index::Mul(again(a), again(b)),
        Index::Div(a, b) => Index::Div(again(a), again(b)),
        Index::Mod(a, b) => Index::Mod(again(a), again(b)),
        Index::Min(a, b) => Index::Min(again(a), again(b)),
        Index::Max(a, b) => Index::Max(again(a), again(b)),
        Index::Load(memory, a) => Index::Load(*memory, again(a)),
    }
}
