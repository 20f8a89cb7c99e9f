//! Loops that carry tiles, with as many rounds written out as asked for.

use ir::tile::{Carried, For};

use super::{Emitter, Tile, Unsupported};
use crate::{
    linear::{Atom, Linear},
    mlir::text::{Elem, Type, Value},
    span::Span,
};

const INTEGER: Type = Type::scalar(Elem::I64);

impl Emitter<'_> {
    pub(super) fn each(&mut self, each: &For) -> Result<(), Unsupported> {
        let start = self.scope.linear(&each.start);
        let end = self.scope.linear(&each.end);
        for carried in &each.carried {
            let init = self.tile(carried.init);
            self.tiles.insert(carried.current, init);
        }
        let unroll = i64::from(each.unroll.max(1));
        let stride = each.step * unroll;
        match end.clone().minus(&start).known() {
            Some(length) => {
                let rounds = (length.max(0) + each.step - 1) / each.step;
                let main = rounds / unroll * stride;
                if main > stride {
                    let stop = start.clone().shifted(main);
                    self.rounds(each, &start, &stop, unroll)?;
                } else {
                    self.written_out(each, &start, main / each.step)?;
                }
                self.written_out(each, &start.shifted(main), rounds - main / each.step)?;
            }
            None if unroll == 1 => self.rounds(each, &start, &end, 1)?,
            None => {
                // The main loop ends where fewer rounds than written out are left.
                let length = end.clone().minus(&start).shifted(each.step - 1);
                let length = self.integer(&length);
                let zero = self.text.int(INTEGER, 0);
                let length = self.text.binary("arith.maxsi", length, zero);
                let step = self.text.int(INTEGER, stride);
                let turns = self.text.binary("arith.divui", length, step);
                let main = self.text.binary("arith.muli", turns, step);
                let begin = self.integer(&start);
                let stop = self.text.binary("arith.addi", begin, main);
                let stop_value = self.integer(&end);
                self.rounds_between(each, (begin, stop), unroll, self.span_of(each))?;
                self.rounds_between(each, (stop, stop_value), 1, self.span_of(each))?;
            }
        }
        for carried in &each.carried {
            let result = self.tile(carried.current);
            self.tiles.insert(carried.result, result);
        }
        Ok(())
    }

    fn span_of(&self, each: &For) -> Span {
        self.scope.spans[&each.counter]
    }

    /// Rounds without a loop.
    fn written_out(&mut self, each: &For, start: &Linear, count: i64) -> Result<(), Unsupported> {
        for round in 0..count {
            let at = start.clone().shifted(round * each.step);
            self.scope.counters.insert(each.counter, at);
            self.round(each)?;
        }
        Ok(())
    }

    fn rounds(
        &mut self,
        each: &For,
        start: &Linear,
        end: &Linear,
        unroll: i64,
    ) -> Result<(), Unsupported> {
        let lo = self.scope.span(start).lo;
        let stride = each.step * unroll;
        let hi = match (start.known(), end.known()) {
            (Some(start), Some(end)) => start + (end - 1 - start) / stride * stride,
            _ => self.scope.span(end).hi - 1,
        };
        let (start, end) = (self.integer(start), self.integer(end));
        self.rounds_between(each, (start, end), unroll, Span::new(lo, hi.max(lo)))
    }

    fn rounds_between(
        &mut self,
        each: &For,
        (start, end): (Value, Value),
        unroll: i64,
        span: Span,
    ) -> Result<(), Unsupported> {
        let whole = self.scope.spans.insert(each.counter, span);
        let atom = Linear::atom(Atom::Counter(each.counter));
        let counter = self.text.name(INTEGER);
        self.counters.insert(each.counter, counter);

        let inits = self.flatten(&each.carried, |c| c.current);
        let types: Vec<Type> = inits.iter().map(|v| v.ty).collect();
        let currents: Vec<Value> = types.iter().map(|ty| self.text.name(*ty)).collect();
        let stride = self.text.int(INTEGER, each.step * unroll);
        let list = types
            .iter()
            .map(Type::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        let results = if inits.is_empty() {
            self.text.line(format_args!(
                "scf.for {counter} = {start} to {end} step {stride} : i64 {{"
            ));
            vec![]
        } else {
            let pairs: Vec<String> = currents
                .iter()
                .zip(&inits)
                .map(|(c, i)| format!("{c} = {i}"))
                .collect();
            self.text.results(
                &types,
                format_args!(
                    "scf.for {counter} = {start} to {end} step {stride} iter_args({}) -> ({list}) : i64 {{",
                    pairs.join(", ")
                ),
            )
        };
        self.rename(&each.carried, &currents);
        self.region(|e| {
            for round in 0..unroll {
                let at = atom.clone().shifted(round * each.step);
                e.scope.counters.insert(each.counter, at);
                e.round(each)?;
            }
            if !types.is_empty() {
                let nexts = e.flatten(&each.carried, |c| c.current);
                let names: Vec<String> = nexts.iter().map(Value::to_string).collect();
                e.text
                    .line(format_args!("scf.yield {} : {list}", names.join(", ")));
            }
            Ok(())
        })?;
        self.text.line(format_args!("}}"));
        self.rename(&each.carried, &results);
        self.scope.counters.insert(each.counter, atom);
        if let Some(whole) = whole {
            self.scope.spans.insert(each.counter, whole);
        }
        Ok(())
    }

    /// One round; what it carries on becomes current.
    fn round(&mut self, each: &For) -> Result<(), Unsupported> {
        self.statements(&each.body)?;
        let nexts: Vec<Tile> = each.carried.iter().map(|c| self.tile(c.next)).collect();
        for (carried, next) in each.carried.iter().zip(nexts) {
            self.tiles.insert(carried.current, next);
        }
        Ok(())
    }

    /// The registers of all carried tiles.
    fn flatten(&self, carried: &[Carried], var: fn(&Carried) -> ir::tile::Var) -> Vec<Value> {
        let tiles = carried.iter().map(|c| self.tile(var(c)));
        tiles
            .flat_map(|tile| tile.rows.into_iter().flatten())
            .collect()
    }

    /// Gives the carried tiles other registers of the same types.
    fn rename(&mut self, carried: &[Carried], registers: &[Value]) {
        let mut next = registers.iter().copied();
        for each in carried {
            let tile = self
                .tiles
                .get_mut(&each.current)
                .expect("set before the first round");
            for register in tile.rows.iter_mut().flatten() {
                *register = next.next().expect("as many registers as before");
            }
        }
    }
}
