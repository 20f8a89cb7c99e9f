//! Offsets as affine forms, simplified by the ranges of their axes.

use std::collections::BTreeMap;

/// `constant + sum of coefficient * atom`, in normal form; no coefficient is zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Affine {
    /// Coefficients.
    pub terms: BTreeMap<Atom, i64>,
    /// What is added.
    pub constant: i64,
}

/// A part of an offset that is not a sum or a multiple of others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Atom {
    /// The coordinate on an axis of the stage.
    Axis(usize),
    /// `floor(a / d)`
    Div(Affine, i64),
    /// `a mod d`
    Mod(Affine, i64),
    /// An element of an integer operand, by its flat offset.
    Load(usize, Affine),
}

impl Affine {
    /// The coordinate on `axis`.
    pub fn axis(axis: usize) -> Self {
        Self::atom(Atom::Axis(axis))
    }

    /// One atom.
    pub fn atom(atom: Atom) -> Self {
        Self {
            terms: BTreeMap::from([(atom, 1)]),
            constant: 0,
        }
    }

    /// A constant.
    pub fn constant(constant: i64) -> Self {
        Self {
            terms: BTreeMap::new(),
            constant,
        }
    }

    /// The value, if nothing varies.
    pub fn known(&self) -> Option<i64> {
        self.terms.is_empty().then_some(self.constant)
    }

    /// `self + factor * other`
    pub fn plus(mut self, factor: i64, other: &Self) -> Self {
        self.constant += factor * other.constant;
        for (atom, c) in &other.terms {
            let sum = self.terms.entry(atom.clone()).or_insert(0);
            *sum += factor * c;
            if *sum == 0 {
                self.terms.remove(atom);
            }
        }
        self
    }

    /// `factor * self`
    pub fn times(&self, factor: i64) -> Self {
        Self::default().plus(factor, self)
    }

    /// The coefficient of the coordinate on `axis`.
    pub fn coefficient(&self, axis: usize) -> i64 {
        self.terms.get(&Atom::Axis(axis)).copied().unwrap_or(0)
    }

    /// The axes that occur, also within atoms.
    pub fn axes(&self) -> Vec<usize> {
        let mut axes: Vec<usize> = self.terms.keys().flat_map(Atom::axes).collect();
        axes.sort_unstable();
        axes.dedup();
        axes
    }

    /// Whether it depends on numbers of a run.
    pub fn loads(&self) -> bool {
        self.terms.keys().any(|atom| match atom {
            Atom::Axis(_) => false,
            Atom::Div(a, _) | Atom::Mod(a, _) => a.loads(),
            Atom::Load(..) => true,
        })
    }

    /// Whether only coordinates occur.
    pub fn is_plain(&self) -> bool {
        self.terms.keys().all(|a| matches!(a, Atom::Axis(_)))
    }

    /// Smallest and largest value over axes of these sizes; loads may be anything that is not negative.
    pub fn range(&self, sizes: &[i64]) -> (i64, i64) {
        let mut range = (self.constant, self.constant);
        for (atom, c) in &self.terms {
            let (lo, hi) = match atom {
                Atom::Axis(a) => (0, sizes[*a] - 1),
                Atom::Mod(_, d) => (0, d - 1),
                Atom::Div(a, d) => {
                    let (lo, hi) = a.range(sizes);
                    (lo.div_euclid(*d), hi.div_euclid(*d))
                }
                Atom::Load(..) => (0, i64::from(i32::MAX)),
            };
            range.0 += (c * lo).min(c * hi);
            range.1 += (c * lo).max(c * hi);
        }
        range
    }

    /// `(floor(self / d), self mod d)`, split as far as the ranges allow.
    pub fn div_mod(&self, d: i64, sizes: &[i64]) -> (Self, Self) {
        let (mut whole, mut rest) = (Self::default(), Self::default());
        for (atom, c) in &self.terms {
            let target = if c % d == 0 { &mut whole } else { &mut rest };
            target.terms.insert(atom.clone(), *c);
        }
        whole.constant = self.constant.div_euclid(d) * d;
        rest.constant = self.constant.rem_euclid(d);
        let quotient = Self {
            terms: whole
                .terms
                .iter()
                .map(|(a, c)| (a.clone(), c / d))
                .collect(),
            constant: whole.constant / d,
        };
        let (lo, hi) = rest.range(sizes);
        if lo.div_euclid(d) == hi.div_euclid(d) {
            let q = lo.div_euclid(d);
            return (
                quotient.plus(1, &Self::constant(q)),
                rest.plus(1, &Self::constant(-q * d)),
            );
        }
        let div = Self::atom(Atom::Div(rest.clone(), d));
        (quotient.plus(1, &div), Self::atom(Atom::Mod(rest, d)))
    }

    /// The form with each coordinate replaced; `sizes` are those of the axes that the replacements mention.
    pub fn substitute(&self, of: &dyn Fn(usize) -> Self, sizes: &[i64]) -> Self {
        let mut out = Self::constant(self.constant);
        for (atom, c) in &self.terms {
            let new = match atom {
                Atom::Axis(a) => of(*a),
                Atom::Div(a, d) => a.substitute(of, sizes).div_mod(*d, sizes).0,
                Atom::Mod(a, d) => a.substitute(of, sizes).div_mod(*d, sizes).1,
                Atom::Load(operand, a) => Self::atom(Atom::Load(*operand, a.substitute(of, sizes))),
            };
            out = out.plus(*c, &new);
        }
        out
    }
}

impl Atom {
    fn axes(&self) -> Vec<usize> {
        match self {
            Self::Axis(a) => vec![*a],
            Self::Div(a, _) | Self::Mod(a, _) | Self::Load(_, a) => a.axes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `floor` and `mod` of mixed-radix positions come apart again.
    #[test]
    fn positions_split_into_coordinates() {
        let sizes = [12, 32];
        let at = Affine::axis(0).times(32).plus(1, &Affine::axis(1));
        assert_eq!(at.div_mod(32, &sizes), (Affine::axis(0), Affine::axis(1)));
        let (q, r) = Affine::axis(0).div_mod(5, &sizes);
        assert!(!q.is_plain() && !r.is_plain());
        let back = q.times(5).plus(1, &r).substitute(
            &|a| {
                if a == 0 {
                    Affine::constant(11)
                } else {
                    Affine::axis(a)
                }
            },
            &sizes,
        );
        assert_eq!(back, Affine::constant(11));
    }
}
