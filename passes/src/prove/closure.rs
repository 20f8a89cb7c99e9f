//! Congruence closure: which terms are equal, given that some are.

use std::collections::HashMap;

use super::TermId;
use crate::egraph::Term;

/// Classes of equal terms.
pub(super) struct Closure {
    parents: Vec<TermId>,
}

impl Closure {
    /// The classes of `terms`, operands first, in which both sides of each equation are equal.
    pub(super) fn new(terms: &[Term], equations: impl Iterator<Item = (TermId, TermId)>) -> Self {
        let mut closure = Self {
            parents: (0..terms.len()).collect(),
        };
        for (a, b) in equations {
            closure.union(a, b);
        }
        // Each round merges at least two classes or is the last.
        loop {
            let mut merged = false;
            let mut known: HashMap<Term, TermId> = HashMap::new();
            for (id, term) in terms.iter().enumerate() {
                let mut term = term.clone();
                for child in egg::Language::children_mut(&mut term) {
                    *child = closure.class(usize::from(*child)).into();
                }
                let other = *known.entry(term).or_insert(id);
                merged |= closure.union(id, other);
            }
            if !merged {
                return closure;
            }
        }
    }

    /// The first term of the class of `id`.
    pub(super) fn class(&self, mut id: TermId) -> TermId {
        while self.parents[id] != id {
            id = self.parents[id];
        }
        id
    }

    /// Whether that was news.
    fn union(&mut self, a: TermId, b: TermId) -> bool {
        let (a, b) = (self.class(a), self.class(b));
        self.parents[a.max(b)] = a.min(b);
        a != b
    }
}
