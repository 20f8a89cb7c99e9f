//! Index expressions as sums of integer multiples.

use std::collections::BTreeMap;

use super::Index;

/// `constant + sum of coefficient * atom`, equal to the index it was made from.
///
/// An atom is a counter, `Row`, `Lane`, or an index that is no such sum itself: a quotient, a remainder, a
/// minimum, a maximum, an element of an array, a product of two that vary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Affine {
    /// What does not vary.
    pub constant: i64,
    /// Coefficient of each atom; none is 0.
    pub terms: BTreeMap<Index, i64>,
}

impl Affine {
    /// The sum of `constant` and no term.
    pub fn constant(constant: i64) -> Self {
        Self {
            constant,
            ..Self::default()
        }
    }

    /// `1 * atom`
    pub fn atom(atom: Index) -> Self {
        Self {
            constant: 0,
            terms: BTreeMap::from([(atom, 1)]),
        }
    }

    /// The value, if nothing varies.
    pub fn known(&self) -> Option<i64> {
        self.terms.is_empty().then_some(self.constant)
    }

    /// By how much the sum grows when `of` (a counter, `Row` or `Lane`) grows by 1; none if that depends on
    /// more, because `of` occurs within another atom.
    pub fn stride(&self, of: &Index) -> Option<i64> {
        let hidden = |atom: &&Index| *atom != of && atom.mentions(of);
        match self.terms.keys().find(hidden) {
            Some(_) => None,
            None => Some(self.terms.get(of).copied().unwrap_or(0)),
        }
    }

    /// Whether every atom is a counter, `Row` or `Lane`.
    pub fn is_plain(&self) -> bool {
        let plain = |a: &Index| matches!(a, Index::Counter(_) | Index::Row | Index::Lane);
        self.terms.keys().all(plain)
    }

    /// `self + by * other`; none if a number passes 64 bits.
    pub fn plus(&self, by: i64, other: &Self) -> Option<Self> {
        let mut sum = self.clone();
        sum.constant = sum.constant.checked_add(other.constant.checked_mul(by)?)?;
        for (atom, c) in &other.terms {
            let term = sum.terms.entry(atom.clone()).or_insert(0);
            *term = term.checked_add(c.checked_mul(by)?)?;
        }
        sum.terms.retain(|_, c| *c != 0);
        Some(sum)
    }

    /// The same sum with `value` in place of `atom`; none if a number passes 64 bits.
    pub fn replace(&self, atom: &Index, value: &Self) -> Option<Self> {
        let mut rest = self.clone();
        match rest.terms.remove(atom) {
            Some(c) => rest.plus(c, value),
            None => Some(rest),
        }
    }

    /// The multiples of `by > 0` in it, divided by it, and the rest: `self = by * quotient + rest`.
    pub fn split(&self, by: i64) -> (Self, Self) {
        let mut quotient = Self::constant(self.constant.div_euclid(by));
        let mut rest = Self::constant(self.constant.rem_euclid(by));
        for (atom, c) in &self.terms {
            if c % by == 0 {
                quotient.terms.insert(atom.clone(), c / by);
            } else {
                rest.terms.insert(atom.clone(), *c);
            }
        }
        (quotient, rest)
    }
}

impl From<Affine> for Index {
    fn from(sum: Affine) -> Self {
        let terms = sum.terms.into_iter().map(|(atom, c)| atom * c);
        let varying = terms.reduce(|a, b| a + b).unwrap_or(Self::Const(0));
        varying + sum.constant
    }
}
