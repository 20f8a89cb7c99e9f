//! Tensor copies, mbarriers, and products of warpgroups.
//!
//! What products give is under way until the wait for their group. LLVM knows nothing of this: what it may move is tied to
//! the instructions it must stay behind or before, the registers in and out of their inline assembly.

use std::collections::BTreeMap;

use ir::{
    DType,
    lane::{Bulk, LeftOperand, Memory, Program, SharedTile, Signal, Stmt, Value as Term},
    tile::Var,
};

use super::{
    Emitter, Unsupported,
    held::{Held, Part, several},
};
use crate::{
    linear::{Atom, Linear},
    mlir::text::{Elem, Text, Type, Value},
    simt::dialect::{Left, Tile, Warpgroups},
};

const WORD: Type = Type::scalar(Elem::I32);

/// What a program has of tensor maps and mbarriers, where it runs.
#[derive(Default)]
pub(super) struct Places {
    /// Addresses of tensor maps.
    pub maps: Vec<Value>,
    /// Words: addresses of shared arrays, and of the first counter of each mbarrier.
    pub arrays: Vec<Value>,
    pub mbarriers: Vec<Value>,
}

/// Operands of a product's left side.
type Words = BTreeMap<Var, Vec<Value>>;

/// Whether a program has what not all devices have.
pub(super) fn wanted(program: &Program) -> bool {
    !(program.maps.is_empty() && program.mbarriers.is_empty() && program.warpgroup.is_empty())
}

/// Starts all mbarriers by one lane, before any lane goes on.
pub(super) fn start(
    text: &mut Text,
    program: &Program,
    device: &dyn Warpgroups,
    places: &Places,
    thread: Value,
) {
    let one = text.int(WORD, 1);
    let first = text.compare("ult", thread, one);
    text.line(format_args!("scf.if {first} {{"));
    for map in &places.maps {
        device.prefetch(text, *map);
    }
    for (mbarrier, base) in program.mbarriers.iter().zip(&places.mbarriers) {
        for slot in 0..mbarrier.len {
            let by = text.int(WORD, i64::from(8 * slot));
            let at = text.binary("arith.addi", *base, by);
            device.start(text, at, mbarrier.arrivals);
        }
    }
    device.started(text);
    text.line(format_args!("}}"));
}

impl<'a> Emitter<'a> {
    fn device(&self) -> &'a dyn Warpgroups {
        let device = self.dialect.warpgroups();
        device.expect("`module` has asked whether the device has them")
    }

    pub(super) fn bulk(&mut self, bulk: &Bulk) {
        let device = self.device();
        match bulk {
            Bulk::Copy {
                map,
                from,
                array,
                at,
                signal,
            } => {
                let size = self.program.array(Memory::Shared(*array)).dtype.size();
                let at = self.linear(at).times(size as i64);
                let to = self.moved(self.places.arrays[*array as usize], &at);
                let mut places = Vec::new();
                for place in from {
                    let sum = self.linear(place);
                    places.push(self.integer(&sum, WORD));
                }
                let signal = self.signal(signal);
                let map = self.places.maps[*map as usize];
                device.copy_box(&mut self.text, to, map, &places, signal);
            }
            Bulk::Expect { signal, bytes } => {
                let signal = self.signal(signal);
                device.expect(&mut self.text, signal, *bytes);
            }
            Bulk::Arrive(signal) => {
                let signal = self.signal(signal);
                device.arrive(&mut self.text, signal);
            }
            Bulk::Await { signal, parity } => {
                let signal = self.signal(signal);
                let parity = self.linear(parity);
                let parity = self.integer(&parity, WORD);
                device.await_phase(&mut self.text, signal, parity);
            }
            Bulk::Commit => {
                device.commit(&mut self.text);
                self.flight.commit();
            }
            Bulk::Wait { pending } => {
                let ended = self.flight.wait(*pending);
                self.tied(ended, |text, held| device.wait(text, *pending, held));
            }
            Bulk::Registers { count, more } => {
                device.registers(&mut self.text, *count, *more);
            }
        }
    }

    /// A word moved on by so many.
    fn moved(&mut self, start: Value, by: &Linear) -> Value {
        if by.known() == Some(0) {
            return start;
        }
        let by = self.integer(by, WORD);
        self.text.binary("arith.addi", start, by)
    }

    fn signal(&mut self, signal: &Signal) -> Value {
        let slot = self.linear(&signal.slot).times(8);
        self.moved(self.places.mbarriers[signal.mbarrier as usize], &slot)
    }

    /// An instruction that variables go through.
    fn tied(
        &mut self,
        vars: impl IntoIterator<Item = Var>,
        act: impl FnOnce(&mut Text, &[Value]) -> Vec<Value>,
    ) {
        let vars: Vec<(Var, Held)> = vars.into_iter().map(|var| (var, self.held(var))).collect();
        let mut words = Vec::new();
        for (_, held) in &vars {
            for part in &held.parts {
                words.push(self.text.single(*part));
            }
        }
        let mut words = act(&mut self.text, &words).into_iter().map(Part::from);
        for (var, held) in vars {
            let now: Vec<Part> = words.by_ref().take(held.parts.len()).collect();
            self.tied
                .last_mut()
                .expect("the function is a region")
                .push((var, held.clone()));
            self.set(var, Held::new(held.dtype, now));
        }
    }

    /// A product and those right after it; gives how many came after. All registers that they take and other
    /// instructions made are ordered before them.
    pub(super) fn products(&mut self, first: &Stmt, others: &[Stmt]) -> Result<usize, Unsupported> {
        let product = |statement: &'_ Stmt| matches!(statement, Stmt::Let(_, Term::Product { .. }));
        let run: Vec<&Stmt> = [first]
            .into_iter()
            .chain(others.iter().take_while(|s| product(s)))
            .collect();
        let mut words = self.left_words(&run);
        if !self.fenced {
            let made: Vec<Var> = run.iter().filter_map(|s| self.summed(s)).collect();
            let device = self.device();
            let left: Vec<Value> = words.values().flatten().copied().collect();
            let mut through = Vec::new();
            self.tied(made, |text, held| {
                let all: Vec<Value> = held.iter().chain(&left).copied().collect();
                let mut all = device.fence(text, &all);
                through = all.split_off(held.len());
                all
            });
            let mut through = through.into_iter();
            for word in words.values_mut().flatten() {
                *word = through.next().expect("each word comes back");
            }
            self.fenced = true;
        }
        for statement in &run {
            self.product(statement, &words)?;
        }
        Ok(run.len() - 1)
    }

    /// Left operands that lie in registers, as words.
    fn left_words(&mut self, run: &[&Stmt]) -> Words {
        let mut words = Words::new();
        for statement in run {
            if let Stmt::Let(
                _,
                Term::Product {
                    a: LeftOperand::Held(a),
                    ..
                },
            ) = statement
                && !words.contains_key(a)
            {
                let mut all = Vec::new();
                let held = self.held(*a);
                for pair in held.chunks(&mut self.text, 4 / held.dtype.size()) {
                    all.push(self.text.bits(pair, several(Elem::I32, 1)));
                }
                words.insert(*a, all);
            }
        }
        words
    }

    /// The sum that a product adds to, if other instructions made it.
    fn summed(&self, product: &Stmt) -> Option<Var> {
        match product {
            Stmt::Let(_, Term::Product { c, .. }) => {
                let made =
                    self.vars.contains_key(c) && !self.zeros.contains(c) && !self.flight.has(*c);
                made.then_some(*c)
            }
            _ => None,
        }
    }

    fn product(&mut self, statement: &Stmt, words: &Words) -> Result<(), Unsupported> {
        let Stmt::Let(var, Term::Product { instr, a, b, c }) = statement else {
            unreachable!("a run is of products");
        };
        let instr = &self.program.warpgroup[*instr as usize];
        let left = match a {
            LeftOperand::Held(a) => Left::Held(words[a].clone()),
            LeftOperand::Shared(tile) => Left::Shared(self.tile(tile)?),
        };
        let right = self.tile(b)?;
        let mut sums = Vec::new();
        for part in &self.held(*c).parts {
            sums.push(self.text.single(*part));
        }
        let sums = (!self.zeros.contains(c)).then_some(&sums[..]);
        let device = self.device();
        let results = device.product(&mut self.text, instr, &left, &right, sums);
        let results = results.ok_or_else(|| Unsupported {
            what: instr.name.clone(),
            dtype: instr.operands,
        })?;
        self.flight.product(*c, *var);
        let held = Held::new(DType::F32, results.into_iter().map(Part::from));
        self.set(*var, held);
        Ok(())
    }

    /// A sixteenth of an address in an array. What is divided when compiling comes last: it is all that changes from
    /// product to product.
    fn sixteenth(&mut self, array: u32, at: &Linear) -> Value {
        let (mut whole, mut rest) = (at.clone(), at.clone());
        whole.terms.retain(|_, factor| *factor % 16 == 0);
        rest.terms.retain(|_, factor| *factor % 16 != 0);
        rest.constant = 0;
        whole.constant /= 16;
        for factor in whole.terms.values_mut() {
            *factor /= 16;
        }
        let four = self.text.int(WORD, 4);
        let mut start = self.places.arrays[array as usize];
        start = self.text.binary("arith.shrui", start, four);
        if rest.known().is_none() {
            let rest = self.integer(&rest, WORD);
            let rest = self.text.binary("arith.shrui", rest, four);
            start = self.text.binary("arith.addi", start, rest);
        }
        self.moved(start, &whole)
    }

    /// A sum with variables that are sums themselves written out.
    fn resolved(&self, sum: &Linear) -> Linear {
        let mut all = Linear::constant(sum.constant);
        for (atom, factor) in &sum.terms {
            let term = match atom {
                Atom::Var(var) => self.sums.get(var).map(|sum| self.resolved(sum)),
                _ => None,
            };
            let term = term.unwrap_or_else(|| Linear::atom(atom.clone()));
            all = all.plus(&term.times(*factor));
        }
        all
    }

    fn tile(&mut self, tile: &SharedTile) -> Result<Tile, Unsupported> {
        let dtype = self.program.array(Memory::Shared(tile.array)).dtype;
        let size = dtype.size() as u32;
        let at = self.linear(&tile.at).times(size.into());
        // Groups of eight lines begin where the pattern of the swizzle does; within a line a tile begins anywhere.
        let line = i64::from(tile.swizzle.line());
        let known = self.resolved(&at);
        let mut within = known.clone();
        within.constant = known.constant.rem_euclid(8 * line);
        within.terms.retain(|_, factor| *factor % (8 * line) != 0);
        if known.divisor() % 16 != 0 || !self.span(&within).within(0, line - 1) {
            let what = format!(
                "a product's operand that does not begin in the first of eight lines of {line} bytes (`{}`)",
                self.program.shared[tile.array as usize].name
            );
            return Err(Unsupported { what, dtype });
        }
        Ok(Tile {
            start: self.sixteenth(tile.array, &at),
            along_depth: tile.along_depth,
            swizzle: tile.swizzle,
            next_lines: tile.next_lines * size,
            next_chunk: tile.next_chunk * size,
        })
    }
}
