//! Rules as rewrites of the e-graph: a right side enters only if its conditions hold and it has the left side's type.

use std::sync::Arc;

use egg::{Applier, ENodeOrVar, Id, Pattern, PatternAst, Rewrite, Searcher, Subst, Symbol, Var};

use super::{
    facts::{Fact, Facts},
    language::Term,
};
use crate::rules::{Bindings, Rule};

/// An e-graph of typed terms.
pub type EGraph = egg::EGraph<Term, Facts>;

/// What is known of the root of `pattern`, given what is known of its variables; none if it is ill typed.
pub fn infer_pattern(pattern: &PatternAst<Term>, bound: &Bindings) -> Option<Fact> {
    let mut facts: Vec<Fact> = Vec::with_capacity(pattern.len());
    for node in pattern {
        facts.push(match node {
            ENodeOrVar::Var(var) => bound.get(*var)?.clone(),
            ENodeOrVar::ENode(term) => Fact::of(term, |id| &facts[usize::from(id)])?,
        });
    }
    facts.pop()
}

/// What the variables of `rule` are bound to wherever it applies in `egraph`.
pub fn instances(rule: &Arc<Rule>, egraph: &EGraph) -> Vec<Bindings> {
    let apply = Apply(rule.clone());
    let found = rule.left.search(egraph);
    let found = found
        .iter()
        .flat_map(|m| m.substs.iter().map(|s| (m.eclass, s)));
    found
        .filter_map(|(eclass, subst)| apply.bindings(egraph, eclass, subst))
        .collect()
}

struct Apply(Arc<Rule>);

impl Apply {
    /// What the rule's variables are bound to, if its conditions hold and both sides have one type.
    fn bindings(&self, egraph: &EGraph, eclass: Id, subst: &Subst) -> Option<Bindings> {
        let vars = self.0.left.vars().into_iter();
        let mut bound = Bindings::new(vars.map(|v| (v, egraph[subst[v]].data.clone())));
        if !self.0.conditions_hold(&mut bound) {
            return None;
        }
        let right = infer_pattern(&self.0.right.ast, &bound)?;
        (right.ty() == egraph[eclass].data.ty()).then_some(bound)
    }
}

impl Applier<Term, Facts> for Apply {
    fn apply_one(
        &self,
        egraph: &mut EGraph,
        eclass: Id,
        subst: &Subst,
        _: Option<&PatternAst<Term>>,
        rule_name: Symbol,
    ) -> Vec<Id> {
        let Some(bound) = self.bindings(egraph, eclass, subst) else {
            return Vec::new();
        };
        let mut subst = subst.clone();
        for (var, fact) in bound.iter() {
            if let (None, Fact::Attr(attr)) = (subst.get(*var), fact) {
                let id = egraph.add(Term::Attr(attr.clone()));
                subst.insert(*var, id);
            }
        }
        let (left, right) = (&self.0.left.ast, &self.0.right.ast);
        let (id, changed) = egraph.union_instantiations(left, right, &subst, rule_name);
        if changed { vec![id] } else { Vec::new() }
    }

    fn vars(&self) -> Vec<Var> {
        let left = self.0.left.vars();
        self.0
            .right
            .vars()
            .into_iter()
            .filter(|v| left.contains(v))
            .collect()
    }
}

/// `rule` as egg runs it.
pub fn rewrite_of(rule: &Arc<Rule>) -> Rewrite<Term, Facts> {
    let searcher: Pattern<Term> = rule.left.clone();
    Rewrite::new(rule.name.as_str(), searcher, Apply(rule.clone()))
        .expect("a rule's right side has the left side's variables, or computes its own")
}
