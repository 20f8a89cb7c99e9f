//! How an axis came about: which sizes follow each other in it.

use ir::{Dim, Symbol, TensorType};

use super::PadReason;

/// The factors of an axis, the slowest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Axes(Vec<Factor>);

/// A part of an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Factor {
    /// A number.
    Number(i64),
    /// A size that is known later.
    Symbol(Symbol),
    /// Some other polynomial.
    Other(Dim),
}

impl Factor {
    fn of(dim: &Dim) -> Self {
        if let Some(n) = dim.known() {
            return Self::Number(n);
        }
        let mut symbols = dim.symbols();
        match (symbols.next(), symbols.next()) {
            (Some(s), None) if *dim == Dim::symbol(s.name()) => Self::Symbol(s.clone()),
            _ => Self::Other(dim.clone()),
        }
    }

    fn size(&self) -> Dim {
        match self {
            Self::Number(n) => (*n).into(),
            Self::Symbol(s) => Dim::symbol(s.name()),
            Self::Other(d) => d.clone(),
        }
    }
}

impl Axes {
    /// An axis that is no product.
    pub fn whole(size: &Dim) -> Self {
        match Factor::of(size) {
            Factor::Number(1) => Self(vec![]),
            factor => Self(vec![factor]),
        }
    }

    pub fn factors(&self) -> &[Factor] {
        &self.0
    }

    pub fn size(&self) -> Dim {
        let sizes: Vec<_> = self.0.iter().map(Factor::size).collect();
        sizes.iter().product()
    }

    pub fn symbols(&self) -> impl Iterator<Item = &Symbol> {
        self.0.iter().flat_map(|f| {
            let (one, many) = match f {
                Factor::Number(_) => (None, None),
                Factor::Symbol(s) => (Some(s), None),
                Factor::Other(d) => (None, Some(d.symbols())),
            };
            one.into_iter().chain(many.into_iter().flatten())
        })
    }

    /// Whether it is one size, so that elements that are given come first.
    pub fn is_plain(&self) -> bool {
        match self.0.as_slice() {
            [] | [Factor::Number(_) | Factor::Symbol(_)] => true,
            factors => factors.iter().all(|f| matches!(f, Factor::Number(_))),
        }
    }
}

/// The axes of an input or weight.
pub(super) fn of_leaf(ty: &TensorType, symbols: &[Symbol]) -> Result<Vec<Axes>, PadReason> {
    let axis = |size: &Dim| {
        let axis = Axes::whole(size);
        match axis.is_plain() || axis.symbols().all(|s| !symbols.contains(s)) {
            true => Ok(axis),
            false => Err(PadReason::Order { size: size.clone() }),
        }
    };
    ty.shape.iter().map(axis).collect()
}

/// The axes of `shape` when it holds the elements of `from` in the same order; nothing if one of them is no run of factors.
pub(super) fn regroup(from: &[Axes], shape: &[Dim]) -> Option<Vec<Axes>> {
    let mut rest: Vec<Factor> = from
        .iter()
        .flat_map(|a| a.0.iter().cloned())
        .rev()
        .collect();
    let mut out = Vec::new();
    for size in shape {
        let mut wanted = size.clone();
        let mut factors = Vec::new();
        while wanted != Dim::from(1) {
            let factor = rest.pop()?;
            if let Some(left) = wanted.exact_div(&factor.size()) {
                wanted = left;
                factors.push(factor);
                continue;
            }
            // A number may be cut.
            let (Factor::Number(n), Some(part)) = (&factor, wanted.known()) else {
                return None;
            };
            if n % part != 0 {
                return None;
            }
            rest.push(Factor::Number(n / part));
            factors.push(Factor::Number(part));
            break;
        }
        out.push(Axes(joined(factors)));
    }
    rest.is_empty().then_some(out)
}

/// Neighbouring numbers as one.
fn joined(factors: Vec<Factor>) -> Vec<Factor> {
    let mut out: Vec<Factor> = Vec::new();
    for factor in factors {
        match (out.last_mut(), factor) {
            (_, Factor::Number(1)) => {}
            (Some(Factor::Number(n)), Factor::Number(m)) => *n *= m,
            (_, factor) => out.push(factor),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dims(sizes: &[&str]) -> Vec<Dim> {
        let one = |word: &&str| {
            let factors: Vec<Dim> = word
                .split('*')
                .map(|f| f.parse::<i64>().map_or_else(|_| Dim::symbol(f), Dim::from))
                .collect();
            factors.iter().product()
        };
        sizes.iter().map(one).collect()
    }

    #[test]
    fn factors_keep_their_order() {
        let from: Vec<_> = dims(&["b", "s", "12"]).iter().map(Axes::whole).collect();
        let back = |shape: &[&str], again: &[&str]| {
            let made = regroup(&from, &dims(shape))?;
            regroup(&made, &dims(again))
        };
        assert_eq!(back(&["b*s", "12"], &["b", "s", "12"]), Some(from.clone()));
        assert_eq!(
            back(&["b", "s", "3", "4"], &["b", "s*3", "4"]).map(|a| a.len()),
            Some(3)
        );
        assert_eq!(back(&["b*s*12"], &["b", "s*12"]).map(|a| a.len()), Some(2));
        for wrong in [["s", "b", "12"], ["b", "12", "s"], ["12", "b", "s"]] {
            assert_eq!(back(&["b*s*12"], &wrong), None, "{wrong:?}");
        }
        assert_eq!(regroup(&from, &dims(&["b", "2", "s", "6"])), None);
    }
}
