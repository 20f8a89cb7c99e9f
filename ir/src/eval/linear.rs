//! Index expressions as sums of multiples, simplified under the sizes of their axes.

use std::collections::BTreeMap;

use crate::{BinaryFn, Expr, UnaryFn};

/// `constant + sum of coefficient * atom`. An atom is an axis, or an expression that is no such sum.
///
/// Every number is an integer; arithmetic that would pass 64 bits gives no sum at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Linear {
    pub(crate) constant: i64,
    /// No coefficient is 0.
    pub(crate) terms: BTreeMap<Expr, i64>,
}

impl Linear {
    fn constant(constant: i64) -> Self {
        let terms = BTreeMap::new();
        Self { constant, terms }
    }

    fn atom(atom: Expr) -> Self {
        let terms = BTreeMap::from([(atom, 1)]);
        Self { constant: 0, terms }
    }

    /// The sum that equals `expr`, where axis `a` counts below `sizes[a]`.
    pub(crate) fn of(expr: &Expr, sizes: &[i64]) -> Option<Self> {
        Some(match expr {
            Expr::Size(d) => Self::constant(d.known()?),
            Expr::Num(x) if x.get().fract() == 0.0 && x.get().abs() < 9e15 => {
                Self::constant(x.get() as i64)
            }
            Expr::Axis(a) if sizes[*a] == 1 => Self::constant(0),
            Expr::Unary(UnaryFn::Neg, a) => Self::of(a, sizes)?.times(-1)?,
            Expr::Binary(BinaryFn::Add, a, b) => {
                Self::of(a, sizes)?.plus(1, &Self::of(b, sizes)?)?
            }
            Expr::Binary(BinaryFn::Sub, a, b) => {
                Self::of(a, sizes)?.plus(-1, &Self::of(b, sizes)?)?
            }
            Expr::Binary(BinaryFn::Mul, a, b) => {
                let (a, b) = (Self::of(a, sizes)?, Self::of(b, sizes)?);
                match (a.known(), b.known()) {
                    (Some(c), _) => b.times(c)?,
                    (_, Some(c)) => a.times(c)?,
                    _ => Self::atom(expr.clone()),
                }
            }
            Expr::Binary(f @ (BinaryFn::FloorDiv | BinaryFn::Mod), a, b) => {
                match Self::of(b, sizes)?.known() {
                    Some(by) if by > 0 => Self::of(a, sizes)?.divided(*f, by, sizes)?,
                    _ => Self::atom(expr.clone()),
                }
            }
            _ => Self::atom(expr.clone()),
        })
    }

    /// `floor(self / by)` or `self mod by`.
    fn divided(self, f: BinaryFn, by: i64, sizes: &[i64]) -> Option<Self> {
        let mut quotient = Self::constant(self.constant.div_euclid(by));
        let mut rest = Self::constant(self.constant.rem_euclid(by));
        for (atom, c) in self.terms {
            let of = if c % by == 0 {
                &mut quotient
            } else {
                &mut rest
            };
            of.terms.insert(atom, if c % by == 0 { c / by } else { c });
        }
        let within = rest.range(sizes).is_some_and(|(lo, hi)| lo >= 0 && hi < by);
        let atom = || Self::atom(rest.expr().with(f, Expr::int(by)));
        match (f, within) {
            (BinaryFn::Mod, true) => Some(rest),
            (BinaryFn::Mod, false) => Some(atom()),
            (_, true) => Some(quotient),
            (_, false) => quotient.plus(1, &atom()),
        }
    }

    /// `self + by * other`
    pub(crate) fn plus(mut self, by: i64, other: &Self) -> Option<Self> {
        self.constant = self.constant.checked_add(other.constant.checked_mul(by)?)?;
        for (atom, c) in &other.terms {
            let term = self.terms.entry(atom.clone()).or_insert(0);
            *term = term.checked_add(c.checked_mul(by)?)?;
        }
        self.terms.retain(|_, c| *c != 0);
        Some(self)
    }

    fn times(self, by: i64) -> Option<Self> {
        Self::default().plus(by, &self)
    }

    /// The value, if nothing varies.
    fn known(&self) -> Option<i64> {
        self.terms.is_empty().then_some(self.constant)
    }

    /// The smallest and the largest value, where they can be told.
    pub(crate) fn range(&self, sizes: &[i64]) -> Option<(i64, i64)> {
        let (mut lo, mut hi) = (self.constant, self.constant);
        for (atom, c) in &self.terms {
            let (a, b) = atom_range(atom, sizes)?;
            let (a, b) = (a.checked_mul(*c)?, b.checked_mul(*c)?);
            lo = lo.checked_add(a.min(b))?;
            hi = hi.checked_add(a.max(b))?;
        }
        Some((lo, hi))
    }

    /// Joins quotients with their remainders: `k b floor(e / b) + k (e mod b) = k e`.
    pub(crate) fn joined(mut self, sizes: &[i64]) -> Option<Self> {
        while let Some((k, whole, parts)) = self.find_pair() {
            for part in &parts {
                self.terms.remove(part);
            }
            self = self.plus(k, &Self::of(&whole, sizes)?)?;
        }
        Some(self)
    }

    fn find_pair(&self) -> Option<(i64, Expr, [Expr; 2])> {
        self.terms.iter().find_map(|(rest, k)| {
            let Expr::Binary(BinaryFn::Mod, whole, by) = rest else {
                return None;
            };
            let Expr::Size(size) = &**by else { return None };
            let quotient = Expr::Binary(BinaryFn::FloorDiv, whole.clone(), by.clone());
            let fits = self.terms.get(&quotient) == k.checked_mul(size.known()?).as_ref();
            fits.then(|| (*k, (**whole).clone(), [rest.clone(), quotient]))
        })
    }

    fn expr(&self) -> Expr {
        let mut sum = Expr::int(self.constant);
        for (atom, c) in &self.terms {
            sum = sum + atom.clone() * Expr::int(*c);
        }
        sum
    }

    /// The coefficient of each axis, if no other atom occurs.
    pub(crate) fn strides(&self, axes: usize) -> Option<Vec<i64>> {
        let mut strides = vec![0; axes];
        for (atom, c) in &self.terms {
            let Expr::Axis(a) = atom else { return None };
            strides[*a] = *c;
        }
        Some(strides)
    }
}

fn atom_range(atom: &Expr, sizes: &[i64]) -> Option<(i64, i64)> {
    match atom {
        Expr::Axis(a) => Some((0, (sizes[*a] - 1).max(0))),
        Expr::Binary(f @ (BinaryFn::Mod | BinaryFn::FloorDiv), a, b) => {
            let by = Linear::of(b, sizes)?.known().filter(|by| *by > 0)?;
            match f {
                BinaryFn::Mod => Some((0, by - 1)),
                _ => {
                    let (lo, hi) = Linear::of(a, sizes)?.range(sizes)?;
                    Some((lo.div_euclid(by), hi.div_euclid(by)))
                }
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(a: usize) -> Expr {
        Expr::Axis(a)
    }

    #[test]
    fn reshapes_become_strides() {
        let sizes = [4, 12, 32];
        // [4, 12, 32] read from [4, 384] and from [48, 32], flattened.
        let at = axis(1) * Expr::int(32) + axis(2);
        let flat = axis(0) * Expr::int(384) + at.clone().with(BinaryFn::Mod, Expr::int(384));
        let flat = Linear::of(&flat, &sizes).unwrap();
        assert_eq!(flat.strides(3), Some(vec![384, 32, 1]));
        let quotient = Linear::of(&at.with(BinaryFn::FloorDiv, Expr::int(32)), &sizes).unwrap();
        assert_eq!(quotient.strides(3), Some(vec![0, 1, 0]));
        assert_eq!(quotient.range(&sizes), Some((0, 11)));
    }

    #[test]
    fn quotients_join_their_remainders() {
        let sizes = [60];
        let (x, by) = (axis(0), |f, by| axis(0).with(f, Expr::int(by)));
        let inner = by(BinaryFn::FloorDiv, 5).with(BinaryFn::Mod, Expr::int(4));
        let outer = by(BinaryFn::FloorDiv, 5).with(BinaryFn::FloorDiv, Expr::int(4));
        let sum = outer * Expr::int(20) + inner * Expr::int(5) + by(BinaryFn::Mod, 5);
        let sum = Linear::of(&sum, &sizes).unwrap();
        assert_eq!(sum.strides(1), None);
        assert_eq!(sum.joined(&sizes), Linear::of(&x, &sizes));
    }
}
