//! The checker of proofs. It shares the rules' text, conditions and types with the rewriter, and nothing else:
//! it matches patterns itself, and trusts no e-graph.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use egg::{ENodeOrVar, Id, Language, PatternAst, Var};

use super::{Proof, TermId, closure::Closure};
use crate::{
    egraph::{Fact, Term},
    rules::{Bindings, Rule, table},
};

/// Why a proof proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// A term names no op, or a later term.
    #[error("{about}: terms must be known ops on earlier terms")]
    Term {
        /// What the proof is about.
        about: String,
    },
    /// Operands do not fit an op.
    #[error("{about}: term {term} is ill typed")]
    Type {
        /// What the proof is about.
        about: String,
        /// The term.
        term: TermId,
    },
    /// A step refers to a term that is not there.
    #[error("{about}, step {step}: wanted terms below {terms}")]
    OutOfRange {
        /// What the proof is about.
        about: String,
        /// The step.
        step: usize,
        /// Number of terms.
        terms: usize,
    },
    /// No rule has the name.
    #[error("{about}, step {step}: no rule is named `{rule}`")]
    UnknownRule {
        /// What the proof is about.
        about: String,
        /// The step.
        step: usize,
        /// As given.
        rule: String,
    },
    /// A side of a step is no instance of the rule's side.
    #[error(
        "{about}, step {step}: rule `{rule}` has {pattern} on its {side}; term {term} is none such"
    )]
    Mismatch {
        /// What the proof is about.
        about: String,
        /// The step.
        step: usize,
        /// The rule.
        rule: String,
        /// `left` or `right`.
        side: &'static str,
        /// That side of the rule.
        pattern: String,
        /// The term.
        term: TermId,
    },
    /// A condition does not hold.
    #[error("{about}, step {step}: rule `{rule}` holds only where {condition}")]
    Condition {
        /// What the proof is about.
        about: String,
        /// The step.
        step: usize,
        /// The rule.
        rule: String,
        /// The condition.
        condition: String,
    },
    /// The sides have different types.
    #[error("{about}, step {step}: rule `{rule}` gives its sides two types")]
    StepType {
        /// What the proof is about.
        about: String,
        /// The step.
        step: usize,
        /// The rule.
        rule: String,
    },
    /// The steps hold, but the claim does not follow.
    #[error("{about}: the steps do not make the graphs equal")]
    Gap {
        /// What the proof is about.
        about: String,
    },
}

/// Checks `proof` by the rules of the table.
///
/// # Errors
/// The first defect found.
pub fn check(proof: &Proof) -> Result<(), ProofError> {
    check_with(proof, &table())
}

/// Checks `proof` by `rules`.
///
/// # Errors
/// The first defect found.
pub fn check_with(proof: &Proof, rules: &[Arc<Rule>]) -> Result<(), ProofError> {
    let about = || proof.about.clone();
    let by_name: HashMap<&str, &Arc<Rule>> = rules.iter().map(|r| (r.name.as_str(), r)).collect();
    let terms = proof
        .language()
        .ok_or_else(|| ProofError::Term { about: about() })?;
    if proof.before.max(proof.after) >= terms.len() {
        return Err(ProofError::Term { about: about() });
    }
    let mut facts: Vec<Fact> = Vec::with_capacity(terms.len());
    for (id, term) in terms.iter().enumerate() {
        let fact = Fact::of(term, |child| &facts[usize::from(child)]);
        facts.push(fact.ok_or_else(|| ProofError::Type {
            about: about(),
            term: id,
        })?);
    }
    for (number, step) in proof.steps.iter().enumerate() {
        let rule = step.rule.clone();
        if step.left.max(step.right) >= terms.len() {
            return Err(ProofError::OutOfRange {
                about: about(),
                step: number,
                terms: terms.len(),
            });
        }
        let Some(known) = by_name.get(rule.as_str()) else {
            return Err(ProofError::UnknownRule {
                about: about(),
                step: number,
                rule,
            });
        };
        let mismatch = |side, pattern: &PatternAst<Term>, term| ProofError::Mismatch {
            about: about(),
            step: number,
            rule: rule.clone(),
            side,
            pattern: pattern.to_string(),
            term,
        };
        let mut found = BTreeMap::new();
        if !matches(&terms, &known.left.ast, step.left, &mut found) {
            return Err(mismatch("left", &known.left.ast, step.left));
        }
        let mut bound = Bindings::new(found.iter().map(|(v, id)| (*v, facts[*id].clone())));
        if let Some(condition) = known.conditions.iter().find(|c| !c.holds(&mut bound)) {
            let condition = condition.to_string();
            return Err(ProofError::Condition {
                about: about(),
                step: number,
                rule,
                condition,
            });
        }
        let computed = |found: &BTreeMap<Var, TermId>| {
            bound
                .iter()
                .all(|(v, fact)| found.get(v).is_none_or(|id| facts[*id] == *fact))
        };
        if !matches(&terms, &known.right.ast, step.right, &mut found) || !computed(&found) {
            return Err(mismatch("right", &known.right.ast, step.right));
        }
        if facts[step.left].ty() != facts[step.right].ty() {
            return Err(ProofError::StepType {
                about: about(),
                step: number,
                rule,
            });
        }
    }
    let closure = Closure::new(&terms, proof.steps.iter().map(|s| (s.left, s.right)));
    if closure.class(proof.before) != closure.class(proof.after) {
        return Err(ProofError::Gap { about: about() });
    }
    Ok(())
}

/// Whether `term` is `pattern` with terms for its variables; those of `found` stay, new ones are added.
fn matches(
    terms: &[Term],
    pattern: &PatternAst<Term>,
    term: TermId,
    found: &mut BTreeMap<Var, TermId>,
) -> bool {
    let mut todo = vec![(Id::from(pattern.len() - 1), term)];
    while let Some((at, term)) = todo.pop() {
        match &pattern[at] {
            ENodeOrVar::Var(v) => {
                if *found.entry(*v).or_insert(term) != term {
                    return false;
                }
            }
            ENodeOrVar::ENode(wanted) => {
                if !wanted.matches(&terms[term]) {
                    return false;
                }
                let children = wanted.children().iter().zip(terms[term].children());
                todo.extend(children.map(|(p, t)| (*p, usize::from(*t))));
            }
        }
    }
    true
}
