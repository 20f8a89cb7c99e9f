//! Loops and conditions.

use ir::{
    lane::{For, Index, Stmt},
    tile::Carried,
};

use super::{
    Emitter, Unsupported,
    guard::Guard,
    held::{Held, Part, parts},
};
use crate::{
    linear::{Atom, Linear},
    mlir::text::{Type, Value},
    span::Span,
};

/// Most rounds that are written out one after the other, whatever a loop asks for.
const MOST_ROUNDS: i64 = 64;

impl Emitter<'_> {
    pub(super) fn when(
        &mut self,
        pairs: &[(Index, Index)],
        body: &[Stmt],
    ) -> Result<(), Unsupported> {
        match self.guard(pairs) {
            Guard::Never => Ok(()),
            Guard::Always => self.statements(body),
            Guard::Where(condition) => {
                self.text.line(format_args!("scf.if {condition} {{"));
                let before = self.flight.clone();
                self.region(|e| e.statements(body))?;
                self.flight.left(&before);
                self.text.line(format_args!("}}"));
                Ok(())
            }
        }
    }

    pub(super) fn each(&mut self, each: &For) -> Result<(), Unsupported> {
        let (start, end) = (self.linear(&each.start), self.linear(&each.end));
        let unroll = i64::from(each.unroll).clamp(1, MOST_ROUNDS);
        let rounds = match end.clone().minus(&start).known() {
            Some(length) if length <= 0 => Some(0),
            Some(length) => Some((length - 1) / each.step + 1),
            None => None,
        };
        match rounds {
            Some(rounds) if rounds <= unroll => self.written_out(each, &start, rounds),
            Some(rounds) if rounds % unroll == 0 => self.looped(each, &start, &end, unroll),
            _ => self.looped(each, &start, &end, 1),
        }
    }

    /// All rounds, one after the other.
    fn written_out(&mut self, each: &For, start: &Linear, rounds: i64) -> Result<(), Unsupported> {
        let mut current: Vec<Held> = each.carried.iter().map(|c| self.held(c.init)).collect();
        let before = self.flight.first_round(&each.carried);
        for round in 0..rounds {
            let at = start.clone().shifted(round * each.step);
            current = self.round(each, at, current)?;
        }
        self.flight = self.flight.at_end(&before, &each.carried);
        self.assign(&each.carried, |c| c.result, current);
        Ok(())
    }

    fn looped(
        &mut self,
        each: &For,
        start: &Linear,
        end: &Linear,
        unroll: i64,
    ) -> Result<(), Unsupported> {
        let stride = each.step * unroll;
        let (low, high) = (self.span(start), self.span(end));
        // The counter goes one step beyond the last round.
        let beyond = end.clone().shifted(stride);
        let ty = self.room(&[start, end, &beyond]);
        let [from, to] = [start, end].map(|sum| self.integer(sum, ty));
        let step = self.text.int(ty, stride);

        let sizes: Vec<usize> = each.carried.iter().map(|c| self.chunk(c)).collect();
        let inits: Vec<Held> = each.carried.iter().map(|c| self.held(c.init)).collect();
        let first = self.chunked(&inits, &sizes);
        let types: Vec<Type> = first.iter().map(|v| v.ty).collect();
        let counter = self.text.name(ty);
        let current: Vec<Value> = types.iter().map(|ty| self.text.name(*ty)).collect();
        let head = format!("scf.for {counter} = {from} to {to} step {step}");
        let mut results = Vec::new();
        let list = types.iter().map(Type::to_string).collect::<Vec<_>>();
        let list = list.join(", ");
        if types.is_empty() {
            self.text.line(format_args!("{head} : {ty} {{"));
        } else {
            let pairs = current.iter().zip(&first);
            let pairs: Vec<String> = pairs.map(|(c, i)| format!("{c} = {i}")).collect();
            let pairs = pairs.join(", ");
            results = self.text.results(
                &types,
                format_args!("{head} iter_args({pairs}) -> ({list}) : {ty} {{"),
            );
        }

        self.counters.insert(each.counter, counter);
        let last = (high.hi - 1).max(low.lo) - (unroll - 1) * each.step;
        self.scope
            .spans
            .insert(each.counter, Span::new(low.lo, last.max(low.lo)));
        let start = self.flight.at_start(each);
        self.flight = start.clone();
        self.open();
        let mut held = self.unchunked(&inits, &current);
        for round in 0..unroll {
            let at = Linear::atom(Atom::Counter(each.counter)).shifted(round * each.step);
            held = self.round(each, at, held)?;
        }
        if !types.is_empty() {
            let next = self.chunked(&held, &sizes);
            let next: Vec<String> = next.iter().map(Value::to_string).collect();
            self.text
                .line(format_args!("scf.yield {} : {list}", next.join(", ")));
        }
        self.close();
        self.flight = self.flight.at_end(&start, &each.carried);
        self.text.line(format_args!("}}"));
        let results = self.unchunked(&inits, &results);
        self.assign(&each.carried, |c| c.result, results);
        Ok(())
    }

    /// One round, with the counter at `at`; gives what goes to the next.
    fn round(
        &mut self,
        each: &For,
        at: Linear,
        current: Vec<Held>,
    ) -> Result<Vec<Held>, Unsupported> {
        self.scope.counters.insert(each.counter, at);
        self.assign(&each.carried, |c| c.current, current);
        self.statements(&each.body)?;
        self.flight.next_round(&each.carried);
        Ok(each.carried.iter().map(|c| self.held(c.next)).collect())
    }

    fn assign(&mut self, carried: &[Carried], which: fn(&Carried) -> ir::tile::Var, to: Vec<Held>) {
        for (c, held) in carried.iter().zip(to) {
            self.set(which(c), held);
        }
    }

    /// Registers that a loop carries together: an accumulator of a matrix instruction, or a word.
    fn chunk(&self, carried: &Carried) -> usize {
        let held = self.held(carried.init);
        let width = held.parts.len();
        if held.dtype == ir::DType::Bool {
            return 1;
        }
        let wide = self.program.matrix.iter().filter(|m| {
            self.dialect.wide_accumulators()
                && matches!(m.spelling, ir::lane::Spelling::Word(_))
                && m.accumulator == held.dtype
        });
        let wide = wide.map(|m| m.c.width() as usize);
        let word = 4usize.div_ceil(held.dtype.size());
        let sizes = wide.filter(|size| width.is_multiple_of(*size)).max();
        match sizes {
            Some(size) => size,
            None if width.is_multiple_of(word) => word,
            None => 1,
        }
    }

    fn chunked(&mut self, held: &[Held], sizes: &[usize]) -> Vec<Value> {
        let pairs = held.iter().zip(sizes);
        pairs
            .flat_map(|(h, size)| h.chunks(&mut self.text, *size))
            .collect()
    }

    /// Variables like these, from their parts.
    fn unchunked(&self, like: &[Held], values: &[Value]) -> Vec<Held> {
        let mut all = values.iter().flat_map(|v| parts(*v));
        let take = |h: &Held| {
            let own: Vec<Part> = all.by_ref().take(h.parts.len()).collect();
            Held::new(h.dtype, own)
        };
        like.iter().map(take).collect()
    }
}
