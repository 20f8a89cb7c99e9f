//! Proofs from what the e-graph remembers.

use std::{
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

use egg::{RecExpr, TreeTerm};

use super::{Proof, Step, TermId, Terms};
use crate::egraph::{EGraph, Term};

struct Recorder {
    terms: Terms,
    /// First and last form of each part of an explanation; parts are shared, so each is walked once.
    seen: HashMap<*const TreeTerm<Term>, (TermId, TermId)>,
    steps: BTreeSet<Step>,
}

impl Recorder {
    /// The first and last form of a chain of rewrites.
    fn chain(&mut self, chain: &[Rc<TreeTerm<Term>>]) -> (TermId, TermId) {
        let mut ends: Option<(TermId, TermId)> = None;
        for part in chain {
            let (first, last) = self.part(part);
            if let Some((_, before)) = ends {
                if let Some(rule) = part.forward_rule {
                    self.steps.insert(Step {
                        rule: rule.to_string(),
                        left: before,
                        right: first,
                    });
                }
                if let Some(rule) = part.backward_rule {
                    self.steps.insert(Step {
                        rule: rule.to_string(),
                        left: first,
                        right: before,
                    });
                }
            }
            ends = Some((ends.map_or(first, |(start, _)| start), last));
        }
        ends.expect("an explanation has at least one term")
    }

    /// The first and last form of a term whose children are rewritten.
    fn part(&mut self, part: &Rc<TreeTerm<Term>>) -> (TermId, TermId) {
        if let Some(ends) = self.seen.get(&Rc::as_ptr(part)) {
            return *ends;
        }
        let children: Vec<_> = part.child_proofs.iter().map(|c| self.chain(c)).collect();
        let first = children.iter().map(|(first, _)| *first).collect();
        let last = children.iter().map(|(_, last)| *last).collect();
        let ends = (
            self.terms.add_term(&part.node, first),
            self.terms.add_term(&part.node, last),
        );
        self.seen.insert(Rc::as_ptr(part), ends);
        ends
    }
}

/// The proof that `before` equals `after`, both of which `egraph` holds in one class.
///
/// Also the place of each term of `after` among the proof's.
pub(crate) fn record(
    egraph: &mut EGraph,
    about: &str,
    before: &RecExpr<Term>,
    after: &RecExpr<Term>,
) -> (Proof, Vec<TermId>) {
    let explanation = egraph.explain_equivalence(before, after);
    let mut recorder = Recorder {
        terms: Terms::default(),
        seen: HashMap::new(),
        steps: BTreeSet::new(),
    };
    let start = *recorder
        .terms
        .add_expr(before)
        .last()
        .expect("a graph has outputs");
    let places = recorder.terms.add_expr(after);
    let end = *places.last().expect("a graph has outputs");
    recorder.chain(&explanation.explanation_trees);
    let proof = Proof {
        about: about.to_owned(),
        terms: recorder.terms.terms,
        before: start,
        after: end,
        steps: recorder.steps.into_iter().collect(),
    };
    (proof, places)
}
