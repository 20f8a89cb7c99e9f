//! Symbolic sizes: polynomials with integer coefficients over named sizes.

use std::{
    collections::BTreeMap,
    fmt,
    iter::Product,
    ops::{Add, Mul},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

/// The name of a size that is known only later, such as `seq`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Symbol(Arc<str>);

impl Symbol {
    /// A symbol of this name.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The sizes a symbol may take, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bounds {
    /// Smallest size.
    pub min: i64,
    /// Largest size.
    pub max: i64,
}

/// A symbol for each size that is given.
pub type Sizes = BTreeMap<Symbol, i64>;

/// A coefficient that overflowed; it stays through sums and products, and is never [small](Dim::is_small).
const HUGE: i64 = i64::MAX;

/// The size of one axis: a polynomial over symbols, in normal form, so that equal sizes compare equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "Vec<(Vec<Symbol>, i64)>", from = "Vec<(Vec<Symbol>, i64)>")]
pub struct Dim {
    /// Coefficient by sorted product of symbols; no coefficient is zero.
    terms: BTreeMap<Vec<Symbol>, i64>,
}

impl Dim {
    /// The size that `symbol` will have.
    pub fn symbol(symbol: &str) -> Self {
        Self {
            terms: BTreeMap::from([(vec![Symbol::new(symbol)], 1)]),
        }
    }

    /// The size as a number, if no symbol occurs in it.
    pub fn known(&self) -> Option<i64> {
        match self.terms.iter().next() {
            None => Some(0),
            Some((product, c)) if self.terms.len() == 1 && product.is_empty() => Some(*c),
            Some(_) => None,
        }
    }

    /// The same size with the given symbols replaced by numbers.
    pub fn bind(&self, sizes: &Sizes) -> Self {
        let mut out = Self::default();
        for (product, c) in &self.terms {
            let mut term = Self::from(*c);
            for s in product {
                term = term
                    * sizes
                        .get(s)
                        .map_or_else(|| Self::symbol(s.name()), |n| (*n).into());
            }
            out = out + term;
        }
        out
    }

    /// The symbols that occur.
    pub fn symbols(&self) -> impl Iterator<Item = &Symbol> {
        self.terms.keys().flatten()
    }

    /// The size at these sizes of its symbols; nothing if one is not given or the size exceeds 63 bits.
    pub fn at(&self, sizes: &Sizes) -> Option<i64> {
        self.terms.iter().try_fold(0i64, |sum, (product, c)| {
            let term = product
                .iter()
                .try_fold(*c, |term, s| term.checked_mul(*sizes.get(s)?))?;
            sum.checked_add(term)
        })
    }

    /// Number of terms of the polynomial.
    pub(crate) fn term_count(&self) -> usize {
        self.terms.len()
    }

    /// The sum of the terms' magnitudes at these sizes, if it fits.
    ///
    /// # Errors
    /// A symbol that has no size.
    pub(crate) fn magnitude(
        &self,
        size_of: impl Fn(&Symbol) -> Option<i64>,
    ) -> Result<Option<i64>, Symbol> {
        let mut sum = Some(0i64);
        for (product, c) in &self.terms {
            let mut term = c.checked_abs();
            for s in product {
                let size = size_of(s).ok_or_else(|| s.clone())?;
                term = term.and_then(|t| t.checked_mul(size));
            }
            sum = sum.and_then(|n| n.checked_add(term?));
        }
        Ok(sum)
    }

    /// `self / divisor`, if that is a polynomial too.
    pub fn exact_div(&self, divisor: &Self) -> Option<Self> {
        let (lead, by) = divisor.terms.iter().next_back()?;
        if divisor.terms.len() > 1 {
            return (self == divisor).then(|| 1.into());
        }
        let mut out = Self::default();
        for (product, c) in &self.terms {
            let mut rest = product.clone();
            for s in lead {
                rest.remove(rest.iter().position(|t| t == s)?);
            }
            if c.checked_rem(*by)? != 0 {
                return None;
            }
            out.terms.insert(rest, c / by);
        }
        Some(out)
    }

    /// Whether the sum of all coefficients, without signs, is at most 2^48. Sizes that are not small
    /// have no tensor: [`crate::Op::infer`] refuses them, so that what it accepts never overflows.
    pub fn is_small(&self) -> bool {
        let mut terms = self.terms.values();
        let sum = terms.try_fold(0_u64, |sum, c| sum.checked_add(c.unsigned_abs()));
        sum.is_some_and(|sum| sum <= 1 << 48)
    }

    /// Whether the size is known and below `n`.
    pub fn is_below(&self, n: i64) -> bool {
        self.known().is_some_and(|size| size < n)
    }

    fn insert(&mut self, product: Vec<Symbol>, c: i64) {
        let sum = self.terms.entry(product.clone()).or_insert(0);
        *sum = if *sum == HUGE {
            HUGE
        } else {
            sum.checked_add(c).unwrap_or(HUGE)
        };
        if *sum == 0 {
            self.terms.remove(&product);
        }
    }
}

impl From<i64> for Dim {
    fn from(n: i64) -> Self {
        let mut d = Self::default();
        d.insert(Vec::new(), n);
        d
    }
}

impl From<Dim> for Vec<(Vec<Symbol>, i64)> {
    fn from(d: Dim) -> Self {
        d.terms.into_iter().collect()
    }
}

impl From<Vec<(Vec<Symbol>, i64)>> for Dim {
    fn from(terms: Vec<(Vec<Symbol>, i64)>) -> Self {
        let mut d = Self::default();
        for (mut product, c) in terms {
            product.sort();
            d.insert(product, c);
        }
        d
    }
}

impl Add for Dim {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        for (product, c) in other.terms {
            self.insert(product, c);
        }
        self
    }
}

impl Mul for Dim {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let mut out = Self::default();
        for (p, a) in &self.terms {
            for (q, b) in &other.terms {
                let mut product = [p.as_slice(), q].concat();
                product.sort();
                let huge = *a == HUGE || *b == HUGE;
                out.insert(
                    product,
                    if huge {
                        HUGE
                    } else {
                        a.checked_mul(*b).unwrap_or(HUGE)
                    },
                );
            }
        }
        out
    }
}

impl<'a> Product<&'a Self> for Dim {
    fn product<I: Iterator<Item = &'a Self>>(dims: I) -> Self {
        dims.fold(1.into(), |a, b| a * b.clone())
    }
}

impl fmt::Display for Dim {
    /// `seq`, `2*batch*seq + 1`: parses back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.terms.is_empty() {
            return f.write_str("0");
        }
        for (i, (product, c)) in self.terms.iter().rev().enumerate() {
            if i > 0 {
                f.write_str("+")?;
            }
            match (product.is_empty(), *c) {
                (true, c) => write!(f, "{c}")?,
                (false, 1) => {}
                (false, c) => write!(f, "{c}*")?,
            }
            for (j, s) in product.iter().enumerate() {
                write!(f, "{}{s}", if j > 0 { "*" } else { "" })?;
            }
        }
        Ok(())
    }
}
