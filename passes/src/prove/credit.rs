//! Which rules made which ops.

use std::collections::{BTreeMap, BTreeSet};

use egg::Language;

use super::{Proof, TermId, closure::Closure};

/// For each of the terms `of`, which are part of the proof's `after`: the rules of the equations by which the
/// part of `before` that it stands for became this term. A term that was there before has none.
pub(crate) fn credit(proof: &Proof, of: &[TermId]) -> Vec<Vec<String>> {
    let terms = proof
        .language()
        .expect("recorded proofs hold known ops on earlier terms");
    let closure = Closure::new(&terms, proof.steps.iter().map(|s| (s.left, s.right)));
    let mut by_class: BTreeMap<TermId, BTreeSet<&str>> = BTreeMap::new();
    for step in &proof.steps {
        by_class
            .entry(closure.class(step.left))
            .or_default()
            .insert(&step.rule);
    }
    let children = |id: TermId| terms[id].children().iter().map(|c| usize::from(*c));
    // What the graph was, by class.
    let mut was: BTreeMap<TermId, TermId> = BTreeMap::new();
    let mut old = BTreeSet::new();
    let mut todo = vec![proof.before];
    while let Some(id) = todo.pop() {
        if old.insert(id) {
            was.insert(closure.class(id), id);
            todo.extend(children(id));
        }
    }
    let rules_of = |id: TermId| -> BTreeSet<&str> {
        if old.contains(&id) {
            return BTreeSet::new();
        }
        let outside: BTreeSet<TermId> = children(id).map(|c| closure.class(c)).collect();
        let mut rules = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut todo = vec![id];
        if !was.contains_key(&closure.class(id)) {
            // It stands for several terms at once, as joined products do: for those that contain it.
            let users = |s: &&super::Step| {
                [s.left, s.right]
                    .iter()
                    .any(|t| children(*t).any(|c| c == id))
            };
            let parts = proof.steps.iter().filter(users);
            todo.extend(parts.flat_map(|s| [s.left, s.right]));
        }
        while let Some(next) = todo.pop() {
            let class = closure.class(next);
            if !seen.insert(class) || (next != id && outside.contains(&class)) {
                continue;
            }
            rules.extend(by_class.get(&class).into_iter().flatten());
            todo.extend(was.get(&class).into_iter().flat_map(|t| children(*t)));
        }
        rules
    };
    of.iter()
        .map(|id| rules_of(*id).into_iter().map(str::to_owned).collect())
        .collect()
}
