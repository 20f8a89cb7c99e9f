//! Where rules apply: in the case files, and for a rule that no case has, at random.

use std::{collections::BTreeMap, sync::Arc};

use egg::{ENodeOrVar, Id, PatternAst, Var};
use ir::{
    Attr, DType, Graph, TensorType, ValueId,
    ops::{self, Absent},
};
use passes::{
    egraph::{EGraph, Fact, Term, infer_pattern, instances},
    rules::{Bindings, Rule, table},
    saturate,
};

use super::{cases, options, random::Random};

/// The e-graphs of all case files of `rewrite`, each at several random sizes.
pub struct Samples {
    egraphs: Vec<EGraph>,
    /// Values of attributes by op and position, as the cases have them.
    attrs: BTreeMap<(&'static str, usize), Vec<Attr>>,
    types: Vec<TensorType>,
}

impl Samples {
    pub fn new() -> Self {
        let rules = table();
        let mut egraphs = Vec::new();
        for (i, file) in cases::files("rewrite").iter().enumerate() {
            let graph = cases::read(file);
            for round in 0..2 {
                let sizes = cases::small_sizes(&graph, &mut Random(i as u64 * 2 + round));
                let bound = graph.bind(&sizes).unwrap();
                egraphs.push(saturate(&bound, &rules, &options()));
            }
        }
        let mut attrs: BTreeMap<_, Vec<Attr>> = BTreeMap::new();
        let dims: [&[i64]; 9] = [
            &[],
            &[3],
            &[4],
            &[3, 4],
            &[4, 3],
            &[4, 4],
            &[2, 3, 4],
            &[2, 3, 3],
            &[2, 2, 3, 4],
        ];
        let types: Vec<_> = dims
            .iter()
            .map(|d| TensorType::fixed(DType::F32, d))
            .collect();
        for egraph in &egraphs {
            for term in egraph.classes().flat_map(|c| &c.nodes) {
                let Term::Op(name, _) = term else { continue };
                for (i, id) in term.split().0.iter().enumerate() {
                    let attr = egraph[*id].data.attr().unwrap().clone();
                    let known = attrs.entry((*name, i)).or_default();
                    if !known.contains(&attr) && known.len() < 64 {
                        known.push(attr);
                    }
                }
            }
        }
        Self {
            egraphs,
            attrs,
            types,
        }
    }

    /// Where `rule` applies in the case files, some in each.
    pub fn in_cases(&self, rule: &Arc<Rule>) -> Vec<Bindings> {
        let mut out: Vec<Bindings> = Vec::new();
        for egraph in &self.egraphs {
            for bound in instances(rule, egraph).into_iter().take(2) {
                if !out.contains(&bound) {
                    out.push(bound);
                }
            }
        }
        out.truncate(8);
        out
    }

    /// Where `rule` applies at random operands, if that is found.
    pub fn at_random(&self, rule: &Rule) -> Vec<Bindings> {
        let mut random = Random::of(&rule.name);
        let mut out = Vec::new();
        for _ in 0..20_000 {
            if out.len() == 4 {
                break;
            }
            let Some(mut bound) = self.guess(&rule.left.ast, &mut random) else {
                continue;
            };
            let left = infer_pattern(&rule.left.ast, &bound);
            if rule.conditions_hold(&mut bound)
                && left.is_some_and(|l| {
                    infer_pattern(&rule.right.ast, &bound).is_some_and(|r| r.ty() == l.ty())
                })
            {
                out.push(bound);
            }
        }
        out
    }

    fn guess(&self, pattern: &PatternAst<Term>, random: &mut Random) -> Option<Bindings> {
        let mut facts: Vec<Fact> = Vec::new();
        let mut bound: BTreeMap<Var, Fact> = BTreeMap::new();
        for (id, node) in pattern.items() {
            let fact = match node {
                ENodeOrVar::ENode(term) => Fact::of(term, |i| &facts[usize::from(i)])?,
                ENodeOrVar::Var(v) => match bound.get(v) {
                    Some(fact) => fact.clone(),
                    None => self.guess_one(pattern, id, random)?,
                },
            };
            if let ENodeOrVar::Var(v) = node {
                bound.insert(*v, fact.clone());
            }
            facts.push(fact);
        }
        Some(Bindings::new(bound))
    }

    /// An operand or an attribute, by the place at which `at` is used.
    fn guess_one(&self, pattern: &PatternAst<Term>, at: Id, random: &mut Random) -> Option<Fact> {
        let place = pattern.items().find_map(|(_, node)| {
            let ENodeOrVar::ENode(term @ Term::Op(name, children)) = node else {
                return None;
            };
            let i = children.iter().position(|c| *c == at)?;
            (i < term.split().0.len()).then_some((*name, i))
        });
        match place {
            None => {
                let ty = self.types[random.below(self.types.len())].clone();
                Some(Fact::Tensor {
                    ty,
                    fixed: random.below(2) == 0,
                })
            }
            Some(place) => {
                let known = self.attrs.get(&place)?;
                Some(Fact::Attr(known[random.below(known.len())].clone()))
            }
        }
    }
}

/// `pattern` as a graph whose inputs are its variables; none if it is ill typed.
pub fn graph_of(pattern: &PatternAst<Term>, bound: &Bindings) -> Option<Graph> {
    let mut graph = Graph::new("side");
    let mut values: Vec<Option<ValueId>> = Vec::new();
    let mut known: BTreeMap<Var, Option<ValueId>> = BTreeMap::new();
    let mut attrs: Vec<Option<Attr>> = Vec::new();
    for (_, node) in pattern.items() {
        let (value, attr) = match node {
            ENodeOrVar::Var(v) => {
                let fact = bound.get(*v)?;
                let value = match (known.get(v), fact.ty()) {
                    (Some(value), _) => *value,
                    (None, None) => None,
                    (None, Some(ty)) => {
                        let (name, ty, absent) = (v.to_string(), ty.clone(), Absent::Required);
                        Some(
                            graph
                                .push(
                                    ops::Input {
                                        name,
                                        ty,
                                        absent,
                                        below: 0,
                                    },
                                    &[],
                                )
                                .ok()?,
                        )
                    }
                };
                known.insert(*v, value);
                (value, fact.attr().cloned())
            }
            ENodeOrVar::ENode(Term::Attr(attr)) => (None, Some(attr.clone())),
            ENodeOrVar::ENode(term) => {
                let op = term.op(|id| attrs[usize::from(id)].clone())?;
                let inputs: Option<Vec<_>> = term
                    .split()
                    .1
                    .iter()
                    .map(|id| values[usize::from(*id)])
                    .collect();
                (Some(graph.push(op, &inputs?).ok()?), None)
            }
        };
        values.push(value);
        attrs.push(attr);
    }
    graph.output("y", values.pop()??);
    Some(graph)
}

/// The same bindings with `to` for the element type `from`.
pub fn retyped(bound: &Bindings, from: DType, to: DType) -> Bindings {
    let ty = |ty: &TensorType| {
        if ty.dtype == from {
            ty.with_dtype(to)
        } else {
            ty.clone()
        }
    };
    Bindings::new(bound.iter().map(|(v, fact)| {
        let fact = match fact {
            Fact::Attr(Attr::Type(t)) => Fact::Attr(Attr::Type(ty(t))),
            Fact::Tensor { ty: t, fixed } => Fact::Tensor {
                ty: ty(t),
                fixed: *fixed,
            },
            other => other.clone(),
        };
        (*v, fact)
    }))
}

/// Keeps the size of what is evaluated small.
pub fn is_small(bound: &Bindings) -> bool {
    bound.iter().all(|(_, fact)| {
        fact.ty()
            .is_none_or(|ty| ty.elements().known().is_some_and(|n| n <= 20_000))
    })
}

/// What the variables are, for messages.
pub fn spelled(bound: &Bindings) -> String {
    let parts = bound.iter().map(|(v, fact)| match fact {
        Fact::Attr(attr) => format!("{v} = {attr}"),
        Fact::Tensor { ty, .. } => format!("{v}: {ty}"),
        Fact::Outputs => v.to_string(),
    });
    parts.collect::<Vec<_>>().join(", ")
}
