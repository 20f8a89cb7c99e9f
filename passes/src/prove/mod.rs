//! Proofs that a rewritten graph equals the one it came from, and their checker.
//!
//! A proof is a list of equations between terms. Each is an instance of one rule: its left term matches the
//! rule's left side, its right term the right side, under one substitution that meets the conditions. What
//! follows by congruence (equal operands give equal results) is not written down, so that a proof does not
//! grow with the size of what surrounds a step.

mod check;
mod closure;
mod credit;
mod print;
mod record;

use egg::{Id, RecExpr};
use ir::Attr;
use serde::{Deserialize, Serialize};

pub use check::{ProofError, check, check_with};
pub(crate) use credit::credit;
pub(crate) use record::record;

use crate::egraph::Term;

/// A term of a proof: a number of [`Proof::terms`].
pub type TermId = usize;

/// A term as proofs store it; operands are earlier terms.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofTerm {
    /// An op by name: its attributes in the order of their names, then its operands.
    #[serde(rename = "op")]
    Op(String, Vec<TermId>),
    /// An attribute.
    #[serde(rename = "attr")]
    Attr(Attr),
    /// The outputs of a graph.
    #[serde(rename = "outputs")]
    Outputs(Vec<TermId>),
}

/// An equation between two terms, as a rule has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Step {
    /// Name of the rule.
    pub rule: String,
    /// An instance of its left side.
    pub left: TermId,
    /// The instance of its right side under the same substitution.
    pub right: TermId,
}

/// A proof that two graphs have equal outputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// What it is about: a repeated layer or the rest of a graph.
    pub about: String,
    /// All terms, operands first, none twice.
    pub terms: Vec<ProofTerm>,
    /// The outputs before.
    pub before: TermId,
    /// The outputs after.
    pub after: TermId,
    /// Equations from which `before = after` follows.
    pub steps: Vec<Step>,
}

/// Collects terms without duplicates.
#[derive(Default)]
struct Terms {
    terms: Vec<ProofTerm>,
    places: std::collections::HashMap<ProofTerm, TermId>,
}

impl Terms {
    fn add(&mut self, term: ProofTerm) -> TermId {
        if let Some(id) = self.places.get(&term) {
            return *id;
        }
        self.terms.push(term.clone());
        self.places.insert(term, self.terms.len() - 1);
        self.terms.len() - 1
    }

    /// `term` with these children.
    fn add_term(&mut self, term: &Term, children: Vec<TermId>) -> TermId {
        self.add(match term {
            Term::Op(name, _) => ProofTerm::Op((*name).to_owned(), children),
            Term::Attr(attr) => ProofTerm::Attr(attr.clone()),
            Term::Outputs(_) => ProofTerm::Outputs(children),
        })
    }

    fn add_expr(&mut self, expr: &RecExpr<Term>) -> Vec<TermId> {
        let mut places: Vec<TermId> = Vec::with_capacity(expr.len());
        for (_, term) in expr.items() {
            let children = egg::Language::children(term).iter();
            let children = children.map(|c| places[usize::from(*c)]).collect();
            places.push(self.add_term(term, children));
        }
        places
    }
}

impl Proof {
    /// The terms as those of the e-graph; none if some op is unknown or an operand comes later.
    fn language(&self) -> Option<Vec<Term>> {
        let earlier = |at: usize, children: &[TermId]| -> Option<Vec<Id>> {
            let ok = children.iter().all(|c| *c < at);
            ok.then(|| children.iter().map(|c| Id::from(*c)).collect())
        };
        let terms = self.terms.iter().enumerate().map(|(at, term)| {
            Some(match term {
                ProofTerm::Op(name, children) => {
                    let (name, attrs) = Term::syntax(name)?;
                    let children = earlier(at, children)?;
                    (children.len() >= attrs.len()).then_some(Term::Op(name, children))?
                }
                ProofTerm::Attr(attr) => Term::Attr(attr.clone()),
                ProofTerm::Outputs(children) => Term::Outputs(earlier(at, children)?),
            })
        });
        terms.collect()
    }
}
