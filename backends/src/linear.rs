//! Index expressions as sums, so that strides, bounds and alignment can be read off them.

use std::collections::BTreeMap;

use ir::tile::{Counter, Index, Memory, Var};

use crate::span::Span;

/// `constant + sum of coefficient * atom`; no coefficient is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Linear {
    pub constant: i64,
    pub terms: BTreeMap<Atom, i64>,
}

/// What a sum cannot look into.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Atom {
    Counter(Counter),
    Row,
    Lane,
    /// A warp of a block.
    Warp,
    /// A variable of one integer.
    Var(Var),
    Product(Box<Linear>, Box<Linear>),
    Div(Box<Linear>, Box<Linear>),
    Mod(Box<Linear>, Box<Linear>),
    Min(Box<Linear>, Box<Linear>),
    Max(Box<Linear>, Box<Linear>),
    Xor(Box<Linear>, Box<Linear>),
    Load(Memory, Box<Linear>),
}

/// What is known of the variables of an index where it is used.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// Each counter in terms of those that exist at run time: unrolled loops add to theirs.
    pub counters: BTreeMap<Counter, Linear>,
    /// Bounds of the counters that exist at run time.
    pub spans: BTreeMap<Counter, Span>,
    pub row: Span,
    pub lane: Span,
    pub warp: Span,
    /// Bounds of variables.
    pub vars: BTreeMap<Var, Span>,
}

impl Linear {
    pub fn constant(constant: i64) -> Self {
        Self {
            constant,
            terms: BTreeMap::new(),
        }
    }

    pub fn atom(atom: Atom) -> Self {
        Self {
            constant: 0,
            terms: BTreeMap::from([(atom, 1)]),
        }
    }

    /// The value, if it depends on nothing.
    pub fn known(&self) -> Option<i64> {
        self.terms.is_empty().then_some(self.constant)
    }

    pub fn plus(mut self, other: &Self) -> Self {
        self.constant += other.constant;
        for (atom, coefficient) in &other.terms {
            let sum = self.terms.remove(atom).unwrap_or(0) + coefficient;
            if sum != 0 {
                self.terms.insert(atom.clone(), sum);
            }
        }
        self
    }

    pub fn shifted(mut self, by: i64) -> Self {
        self.constant += by;
        self
    }

    pub fn times(mut self, factor: i64) -> Self {
        if factor == 0 {
            return Self::constant(0);
        }
        self.constant *= factor;
        for coefficient in self.terms.values_mut() {
            *coefficient *= factor;
        }
        self
    }

    pub fn minus(self, other: &Self) -> Self {
        self.plus(&other.clone().times(-1))
    }

    /// Whether an atom for which `is` holds occurs, at any depth.
    pub fn mentions(&self, is: &dyn Fn(&Atom) -> bool) -> bool {
        self.terms.keys().any(|atom| atom.mentions(is))
    }

    /// The step from lane to lane, if it is the same everywhere.
    pub fn lane_stride(&self) -> Option<i64> {
        let hidden = |atom: &Atom| *atom != Atom::Lane && atom.mentions(&|a| *a == Atom::Lane);
        if self.terms.keys().any(hidden) {
            return None;
        }
        Some(self.terms.get(&Atom::Lane).copied().unwrap_or(0))
    }

    /// The value at one lane, where [`Self::lane_stride`] is known.
    pub fn at_lane(&self, lane: i64) -> Self {
        let mut sum = self.clone();
        let stride = sum.terms.remove(&Atom::Lane).unwrap_or(0);
        sum.shifted(stride * lane)
    }

    /// A number that divides every value.
    pub fn divisor(&self) -> i64 {
        let constant = self.constant.unsigned_abs() as i64;
        self.terms.values().fold(constant, |d, c| gcd(d, *c))
    }
}

impl Atom {
    fn mentions(&self, is: &dyn Fn(&Self) -> bool) -> bool {
        is(self)
            || match self {
                Self::Counter(_) | Self::Row | Self::Lane | Self::Warp | Self::Var(_) => false,
                Self::Load(_, a) => a.mentions(is),
                Self::Product(a, b)
                | Self::Div(a, b)
                | Self::Mod(a, b)
                | Self::Min(a, b)
                | Self::Max(a, b)
                | Self::Xor(a, b) => a.mentions(is) || b.mentions(is),
            }
    }
}

impl Scope {
    /// The sum that an index is.
    pub fn linear(&self, index: &Index) -> Linear {
        match index {
            Index::Const(n) => Linear::constant(*n),
            Index::Counter(c) => self.counters[c].clone(),
            Index::Row => place(self.row, Atom::Row),
            Index::Lane => place(self.lane, Atom::Lane),
            Index::Add(a, b) => self.linear(a).plus(&self.linear(b)),
            Index::Mul(a, b) => self.product(self.linear(a), self.linear(b)),
            Index::Div(a, b) => self.quotient(self.linear(a), self.linear(b)),
            Index::Mod(a, b) => self.remainder(self.linear(a), self.linear(b)),
            Index::Min(a, b) => self.smaller(self.linear(a), self.linear(b)),
            Index::Max(a, b) => self.larger(self.linear(a), self.linear(b)),
            Index::Load(memory, at) => Linear::atom(Atom::Load(*memory, self.linear(at).into())),
        }
    }

    /// The bounds of a sum.
    pub fn span(&self, sum: &Linear) -> Span {
        let start = Span::point(sum.constant);
        sum.terms.iter().fold(start, |total, (atom, coefficient)| {
            total.plus(self.atom_span(atom).times(Span::point(*coefficient)))
        })
    }

    /// The least value of `sum` over the atoms for which `inner` holds, in terms of the others; none if an
    /// opaque part mixes both kinds.
    pub fn least(&self, sum: &Linear, inner: &dyn Fn(&Atom) -> bool) -> Option<Linear> {
        let mut least = Linear::constant(sum.constant);
        for (atom, coefficient) in &sum.terms {
            if atom.mentions(inner) {
                least.constant += self.atom_span(atom).times(Span::point(*coefficient)).lo;
            } else {
                least.terms.insert(atom.clone(), *coefficient);
            }
        }
        (least.constant > Span::ANY.lo).then_some(least)
    }

    fn atom_span(&self, atom: &Atom) -> Span {
        match atom {
            Atom::Counter(c) => self.spans[c],
            Atom::Row => self.row,
            Atom::Lane => self.lane,
            Atom::Product(a, b) => self.span(a).times(self.span(b)),
            Atom::Div(a, b) => self.span(a).divided(self.span(b)),
            Atom::Mod(a, b) => self.span(a).modulo(self.span(b)),
            Atom::Min(a, b) => self.span(a).min(self.span(b)),
            Atom::Max(a, b) => self.span(a).max(self.span(b)),
            Atom::Warp => self.warp,
            Atom::Var(var) => self.vars[var],
            Atom::Xor(a, b) => self.span(a).xor(self.span(b)),
            Atom::Load(..) => Span::ANY,
        }
    }

    pub fn smaller(&self, a: Linear, b: Linear) -> Linear {
        let over = self.span(&a.clone().minus(&b));
        match (over.hi <= 0, over.lo >= 0) {
            (true, _) => a,
            (_, true) => b,
            _ => Linear::atom(Atom::Min(a.into(), b.into())),
        }
    }

    pub fn larger(&self, a: Linear, b: Linear) -> Linear {
        let over = self.span(&a.clone().minus(&b));
        match (over.lo >= 0, over.hi <= 0) {
            (true, _) => a,
            (_, true) => b,
            _ => Linear::atom(Atom::Max(a.into(), b.into())),
        }
    }

    pub fn product(&self, a: Linear, b: Linear) -> Linear {
        match (a.known(), b.known()) {
            (Some(n), _) => b.times(n),
            (_, Some(n)) => a.times(n),
            _ => {
                let (a, b) = if a <= b { (a, b) } else { (b, a) };
                Linear::atom(Atom::Product(a.into(), b.into()))
            }
        }
    }

    pub fn quotient(&self, a: Linear, b: Linear) -> Linear {
        let Some(d) = b.known() else {
            return Linear::atom(Atom::Div(a.into(), b.into()));
        };
        let Some((whole, rest)) = self.split(&a, d) else {
            return Linear::atom(Atom::Div(a.into(), b.into()));
        };
        let low = match self.coarse(&rest, d) {
            None => match self.span(&rest).within(0, d - 1) {
                true => Linear::constant(0),
                false => Linear::atom(Atom::Div(rest.into(), Linear::constant(d).into())),
            },
            Some((grain, coarse, _)) => self.quotient(coarse, Linear::constant(d / grain)),
        };
        whole.plus(&low)
    }

    pub fn remainder(&self, a: Linear, b: Linear) -> Linear {
        let Some(d) = b.known() else {
            return Linear::atom(Atom::Mod(a.into(), b.into()));
        };
        let Some((_, rest)) = self.split(&a, d) else {
            return Linear::atom(Atom::Mod(a.into(), b.into()));
        };
        match self.coarse(&rest, d) {
            None => match self.span(&rest).within(0, d - 1) {
                true => rest,
                false => Linear::atom(Atom::Mod(rest.into(), Linear::constant(d).into())),
            },
            Some((grain, coarse, fine)) => {
                let high = self.remainder(coarse, Linear::constant(d / grain));
                high.times(grain).plus(&fine)
            }
        }
    }

    /// `a = d whole + rest` with `rest >= 0`, if that can be seen.
    fn split(&self, a: &Linear, d: i64) -> Option<(Linear, Linear)> {
        let mut whole = Linear::constant(a.constant.div_euclid(d));
        let mut rest = Linear::constant(a.constant.rem_euclid(d));
        for (atom, coefficient) in &a.terms {
            match coefficient % d {
                0 => whole.terms.insert(atom.clone(), coefficient / d),
                _ => rest.terms.insert(atom.clone(), *coefficient),
            };
        }
        (self.span(&rest).lo >= 0).then_some((whole, rest))
    }

    /// `rest = grain coarse + fine`, with `grain` above 1 and dividing `d`, and `0 <= fine < grain`.
    fn coarse(&self, rest: &Linear, d: i64) -> Option<(i64, Linear, Linear)> {
        let mut grains: Vec<i64> = rest.terms.values().map(|c| gcd(d, *c)).collect();
        grains.sort_unstable();
        grains
            .into_iter()
            .rev()
            .filter(|g| *g > 1)
            .find_map(|grain| {
                let mut coarse = Linear::constant(rest.constant / grain);
                let mut fine = Linear::constant(rest.constant % grain);
                for (atom, coefficient) in &rest.terms {
                    match coefficient % grain {
                        0 => coarse.terms.insert(atom.clone(), coefficient / grain),
                        _ => fine.terms.insert(atom.clone(), *coefficient),
                    };
                }
                let fits = self.span(&fine).within(0, grain - 1) && self.span(&coarse).lo >= 0;
                fits.then_some((grain, coarse, fine))
            })
    }
}

pub(crate) fn place(span: Span, atom: Atom) -> Linear {
    match span.single() {
        Some(at) => Linear::constant(at),
        None => Linear::atom(atom),
    }
}

fn gcd(a: i64, b: i64) -> i64 {
    match b {
        0 => a.abs(),
        _ => gcd(b, a % b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        let c = Counter(0);
        Scope {
            counters: BTreeMap::from([(c, Linear::atom(Atom::Counter(c)))]),
            spans: BTreeMap::from([(c, Span::new(0, 99))]),
            row: Span::point(3),
            lane: Span::new(0, 15),
            warp: Span::point(0),
            vars: BTreeMap::new(),
        }
    }

    fn check(index: Index, expected: Linear) {
        assert_eq!(scope().linear(&index), expected);
    }

    fn counter() -> Index {
        Index::Counter(Counter(0))
    }

    #[test]
    fn multiples_leave_quotients() {
        let at = counter() * 32 + Index::Lane;
        let counter = Linear::atom(Atom::Counter(Counter(0)));
        check(at.clone().floor_div(32), counter.clone());
        check(at.clone().modulo(32), Linear::atom(Atom::Lane));
        check((at + 40).floor_div(32), counter.shifted(1));
    }

    #[test]
    fn a_grain_that_divides_both_sides_is_taken_out() {
        let at = counter() * 16 + Index::Lane;
        let counter = Linear::atom(Atom::Counter(Counter(0)));
        let four = || Box::new(Linear::constant(4));
        let high = |kind: fn(Box<Linear>, Box<Linear>) -> Atom| {
            Linear::atom(kind(counter.clone().into(), four()))
        };
        check(at.clone().floor_div(64), high(Atom::Div));
        check(
            at.modulo(64),
            high(Atom::Mod).times(16).plus(&Linear::atom(Atom::Lane)),
        );
    }

    #[test]
    fn rows_are_constants_and_bounds_decide_minima() {
        check(Index::Row * 10, Linear::constant(30));
        check(Index::Lane.min(16), Linear::atom(Atom::Lane));
        check(Index::Lane.max(15), Linear::constant(15));
    }

    #[test]
    fn the_least_value_over_lanes_is_in_terms_of_counters() {
        let s = scope();
        let room = s.linear(&(counter() * -16 + Index::Lane * -1 + 500));
        let least = s.least(&room, &|a| *a == Atom::Lane).unwrap();
        assert_eq!(least.constant, 485);
        assert!(!least.mentions(&|a| *a == Atom::Lane));
    }
}
