//! Integers of a lane: sums of counters and of the numbers of lane and warp, in 32 bits where all of it fits.

use ir::{DType, lane::Index};

use super::Emitter;
use crate::{
    linear::{Atom, Linear, Scope, place},
    mlir::text::{Elem, Type, Value},
    span::Span,
};

/// The sum that an index is.
pub(super) fn linear(scope: &Scope, index: &Index) -> Linear {
    let part = |index: &Index| linear(scope, index);
    match index {
        Index::Const(n) => Linear::constant(*n),
        Index::Counter(c) => scope.counters[c].clone(),
        Index::Lane => place(scope.lane, Atom::Lane),
        Index::Warp => place(scope.warp, Atom::Warp),
        Index::Var(var) => Linear::atom(Atom::Var(*var)),
        Index::Add(a, b) => part(a).plus(&part(b)),
        Index::Mul(a, b) => scope.product(part(a), part(b)),
        Index::Div(a, b) => scope.quotient(part(a), part(b)),
        Index::Mod(a, b) => scope.remainder(part(a), part(b)),
        Index::Min(a, b) => scope.smaller(part(a), part(b)),
        Index::Max(a, b) => scope.larger(part(a), part(b)),
        Index::Xor(a, b) => match (part(a), part(b)) {
            (a, b) if b.known() == Some(0) => a,
            (a, b) if a.known() == Some(0) => b,
            (a, b) => Linear::atom(Atom::Xor(a.into(), b.into())),
        },
    }
}

/// Whether lanes of a warp may differ in it.
pub(super) fn varies(atom: &Atom) -> bool {
    matches!(atom, Atom::Lane | Atom::Var(_))
}

impl Emitter<'_> {
    pub(super) fn linear(&self, index: &Index) -> Linear {
        linear(&self.scope, index)
    }

    pub(super) fn span(&self, sum: &Linear) -> Span {
        self.scope.span(sum)
    }

    /// Whether a sum and all that it is made of can be computed in 32 bits, in any order.
    fn is_narrow(&self, sum: &Linear) -> bool {
        let size = |span: Span| i128::from(span.lo.unsigned_abs().max(span.hi.unsigned_abs()));
        let mut total = i128::from(sum.constant.unsigned_abs());
        for (atom, factor) in &sum.terms {
            let term = self.span(&Linear::atom(atom.clone()));
            total += size(term) * i128::from(factor.unsigned_abs());
            if i32::try_from(*factor).is_err() {
                return false;
            }
        }
        total <= i128::from(i32::MAX) && sum.terms.keys().all(|atom| self.is_narrow_atom(atom))
    }

    fn is_narrow_atom(&self, atom: &Atom) -> bool {
        match atom {
            Atom::Counter(_) | Atom::Row | Atom::Lane | Atom::Warp | Atom::Var(_) => true,
            Atom::Load(_, a) => self.is_narrow(a),
            Atom::Product(a, b)
            | Atom::Div(a, b)
            | Atom::Mod(a, b)
            | Atom::Min(a, b)
            | Atom::Max(a, b)
            | Atom::Xor(a, b) => self.is_narrow(a) && self.is_narrow(b),
        }
    }

    /// A type that has room for all of these.
    pub(super) fn room(&self, sums: &[&Linear]) -> Type {
        Type::scalar(match sums.iter().all(|sum| self.is_narrow(sum)) {
            true => Elem::I32,
            false => Elem::I64,
        })
    }

    /// The value of an index, in the type that has room.
    pub(super) fn index(&mut self, index: &Index) -> Value {
        let sum = self.linear(index);
        let ty = self.room(&[&sum]);
        self.integer(&sum, ty)
    }

    /// The value of a sum; in 64 bits if it needs them, then brought to `ty`.
    pub(super) fn integer(&mut self, sum: &Linear, ty: Type) -> Value {
        if let Some(n) = sum.known() {
            return self.text.int(ty, n);
        }
        let room = self.room(&[sum]);
        if room != ty {
            let value = self.integer_in(sum, room);
            return self.resized(value, ty);
        }
        self.integer_in(sum, ty)
    }

    fn integer_in(&mut self, sum: &Linear, ty: Type) -> Value {
        if let Some(n) = sum.known() {
            return self.text.int(ty, n);
        }
        let key = (ty, sum.clone());
        if let Some(value) = self.computed.iter().find_map(|known| known.get(&key)) {
            return *value;
        }
        // Outer counters come first in the order of atoms, so that what a loop does not change is a
        // sum of its own.
        let value = match sum.constant {
            0 => {
                let mut rest = sum.clone();
                let (atom, factor) = rest.terms.pop_last().expect("a sum without terms is known");
                let value = self.atom(&atom, ty);
                let term = match factor {
                    1 => value,
                    factor => {
                        let factor = self.text.int(ty, factor);
                        self.exact("muli", value, factor)
                    }
                };
                match rest.terms.is_empty() {
                    true => term,
                    false => {
                        let start = self.integer_in(&rest, ty);
                        self.exact("addi", start, term)
                    }
                }
            }
            constant => {
                let start = self.integer_in(&sum.clone().shifted(-constant), ty);
                let constant = self.text.int(ty, constant);
                self.exact("addi", start, constant)
            }
        };
        let known = self.computed.last_mut().expect("the function is a region");
        known.insert(key, value);
        value
    }

    /// An operation whose result has room in its type.
    fn exact(&mut self, name: &str, a: Value, b: Value) -> Value {
        let ty = a.ty;
        self.text.op(
            ty,
            format_args!("arith.{name} {a}, {b} overflow<nsw> : {ty}"),
        )
    }

    pub(super) fn resized(&mut self, value: Value, ty: Type) -> Value {
        match value.ty.elem.bits() < ty.elem.bits() {
            true => self.text.convert("arith.extsi", value, ty),
            false => self.text.convert("arith.trunci", value, ty),
        }
    }

    fn atom(&mut self, atom: &Atom, ty: Type) -> Value {
        let (name, a, b) = match atom {
            Atom::Counter(counter) => {
                let value = self.counters[counter];
                return self.resized(value, ty);
            }
            Atom::Lane => return self.resized(self.lane, ty),
            Atom::Warp => return self.resized(self.warp, ty),
            Atom::Var(var) => {
                let held = self.held(*var);
                let value = self.text.single(held.parts[0]);
                return match held.dtype {
                    DType::U8 | DType::Bool => self.text.convert("arith.extui", value, ty),
                    _ => self.resized(value, ty),
                };
            }
            Atom::Row | Atom::Load(..) => unreachable!("lane programs have no such integers"),
            Atom::Product(a, b) => ("arith.muli", a, b),
            Atom::Div(a, b) => ("arith.divui", a, b),
            Atom::Mod(a, b) => ("arith.remui", a, b),
            Atom::Min(a, b) => ("arith.minsi", a, b),
            Atom::Max(a, b) => ("arith.maxsi", a, b),
            Atom::Xor(a, b) => ("arith.xori", a, b),
        };
        let (a, b) = (self.integer_in(a, ty), self.integer_in(b, ty));
        self.text.binary(name, a, b)
    }
}
