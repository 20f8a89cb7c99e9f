//! Integers of a block: sums of counters, in 64 bits.

use ir::tile::Memory;

use super::{Emitter, typed};
use crate::{
    linear::{Atom, Linear},
    mlir::text::{Elem, Type, Value},
    span::Span,
};

const INTEGER: Type = Type::scalar(Elem::I64);

impl Emitter<'_> {
    pub(super) fn integer(&mut self, sum: &Linear) -> Value {
        if let Some(n) = sum.known() {
            return self.text.int(INTEGER, n);
        }
        if let Some(value) = self.computed.iter().find_map(|known| known.get(sum)) {
            return *value;
        }
        // Outer counters come first in the order of atoms, so that what a loop does not change is a
        // sum of its own.
        let value = if sum.constant == 0 {
            let mut rest = sum.clone();
            let (atom, factor) = rest.terms.pop_last().expect("a sum without terms is known");
            let term = self.term_of(&atom, factor);
            match rest.terms.is_empty() {
                true => term,
                false => {
                    let start = self.integer(&rest);
                    self.plus(start, term)
                }
            }
        } else {
            let start = self.integer(&sum.clone().shifted(-sum.constant));
            let constant = self.text.int(INTEGER, sum.constant);
            self.plus(start, constant)
        };
        if !self.may_change(sum) {
            let known = self.computed.last_mut().expect("the function is a region");
            known.insert(sum.clone(), value);
        }
        value
    }

    /// Whether a later access may give the sum another value.
    fn may_change(&self, sum: &Linear) -> bool {
        sum.mentions(&|atom| match atom {
            Atom::Load(Memory::Local(_), _) => true,
            Atom::Load(memory, _) => self.program.array(*memory).written,
            _ => false,
        })
    }

    fn term_of(&mut self, atom: &Atom, factor: i64) -> Value {
        let value = self.atom(atom);
        if factor == 1 {
            return value;
        }
        let factor = self.text.int(INTEGER, factor);
        self.text.op(
            INTEGER,
            format_args!("arith.muli {value}, {factor} overflow<nsw> : i64"),
        )
    }

    fn plus(&mut self, a: Value, b: Value) -> Value {
        self.text.op(
            INTEGER,
            format_args!("arith.addi {a}, {b} overflow<nsw> : i64"),
        )
    }

    fn atom(&mut self, atom: &Atom) -> Value {
        let (name, a, b) = match atom {
            Atom::Counter(counter) => return self.counters[counter],
            Atom::Row | Atom::Lane => unreachable!("places are constants where integers are made"),
            Atom::Warp | Atom::Var(_) | Atom::Xor(..) => {
                unreachable!("tile programs have no such integers")
            }
            Atom::Load(memory, at) => return self.element(*memory, at),
            Atom::Product(a, b) => ("arith.muli", a, b),
            Atom::Div(a, b) => ("arith.divui", a, b),
            Atom::Mod(a, b) => ("arith.remui", a, b),
            Atom::Min(a, b) => ("arith.minsi", a, b),
            Atom::Max(a, b) => ("arith.maxsi", a, b),
        };
        let (a, b) = (self.integer(a), self.integer(b));
        self.text.binary(name, a, b)
    }

    /// An element of an integer array, in 64 bits.
    fn element(&mut self, memory: Memory, at: &Linear) -> Value {
        let dtype = self.program.array(memory).dtype;
        let value = self.read(memory, at, None);
        let name = match dtype {
            ir::DType::U8 | ir::DType::Bool => "arith.extui",
            _ => "arith.extsi",
        };
        self.text.convert(name, value, INTEGER)
    }

    /// The values of an index at `width` lanes from `first`.
    pub(super) fn integers(&mut self, index: &ir::tile::Index, first: u32, width: u32) -> Value {
        let sum = self.at_lanes(index, first, Some(width));
        if let Some(stride) = sum.lane_stride() {
            let start = self.integer(&sum.at_lane(i64::from(first)));
            let start = self.text.broadcast(start, Some(width));
            if stride == 0 {
                return start;
            }
            let ty = typed(Elem::I64, Some(width));
            let lanes = self.text.iota(Elem::I64, width);
            let stride = self.text.int(ty, stride);
            let offsets = self.text.binary("arith.muli", lanes, stride);
            return self.text.binary("arith.addi", start, offsets);
        }
        let lanes: Vec<Value> = (first..first + width)
            .map(|lane| {
                let sum = self.at_lanes(index, lane, None);
                self.integer(&sum)
            })
            .collect();
        self.text.gather(&lanes)
    }

    /// An index at lanes from `first`: one without a width, else as many as the width.
    pub(super) fn at_lanes(
        &mut self,
        index: &ir::tile::Index,
        first: u32,
        width: Option<u32>,
    ) -> Linear {
        let first = i64::from(first);
        let last = first + i64::from(width.unwrap_or(1)) - 1;
        self.scope.lane = Span::new(first, last);
        self.scope.linear(index)
    }
}
