//! Extraction: one term for each class that an output needs, so that what is shared is paid once.
//!
//! First greedily: each class takes the member whose term, with everything below it counted once, costs
//! least. That is blind to what others share, so choices are then changed, one class at a time and all users
//! of a class at once, as long as the whole gets cheaper.

use std::collections::{BTreeMap, HashMap, HashSet};

use egg::{Id, Language, RecExpr};
use ir::{Op, Roofline, Sizes, TensorType};

use crate::{
    cost::Work,
    egraph::{EGraph, Fact, Term},
};

/// Seconds that any node counts for, so that of two terms that cost nothing the smaller is taken.
const NODE: f64 = 1e-12;

/// A term and what it costs.
#[derive(Clone, Debug)]
pub struct Extracted {
    /// The outputs.
    pub expr: RecExpr<Term>,
    /// Seconds, as the sum of its ops.
    pub seconds: f64,
}

struct Member {
    term: Term,
    /// Classes of its operands.
    operands: Vec<usize>,
    seconds: f64,
}

/// Seconds of a class's term, the member at its root, and the seconds of each class in it.
type Best = (f64, usize, BTreeMap<usize, f64>);

/// The part of an e-graph that is reachable from a class, by position; operands that are attributes are left out.
struct Classes {
    members: Vec<Vec<Member>>,
    root: usize,
}

impl Classes {
    /// Of members that cost as much, those of `before` come first, so that nothing changes without gain; then those of fewer
    /// operands.
    fn of(egraph: &EGraph, before: &RecExpr<Term>, on: &Roofline, sizes: &Sizes) -> Self {
        let mut known: HashSet<Term> = HashSet::new();
        let mut ids: Vec<Id> = Vec::new();
        for (_, term) in before.items() {
            let term = term
                .clone()
                .map_children(|c| egraph.find(ids[usize::from(c)]));
            ids.push(egraph.lookup(term.clone()).expect("rules remove no term"));
            known.insert(term);
        }
        let root = *ids.last().expect("a graph has outputs");
        let mut places: HashMap<Id, usize> = HashMap::new();
        let mut costs: HashMap<(Op, Vec<TensorType>), f64> = HashMap::new();
        let mut order = vec![egraph.find(root)];
        places.insert(order[0], 0);
        let mut members = Vec::new();
        let mut next = 0;
        while next < order.len() {
            let class = &egraph[order[next]];
            let mut nodes: Vec<&Term> = class.nodes.iter().collect();
            nodes.sort_unstable_by_key(|term| {
                let found = (*term).clone().map_children(|c| egraph.find(c));
                (!known.contains(&found), term.children().len(), *term)
            });
            nodes.dedup();
            let mut found = Vec::new();
            for term in nodes {
                let operands: Vec<usize> = term
                    .split()
                    .1
                    .iter()
                    .map(|id| {
                        let id = egraph.find(*id);
                        *places.entry(id).or_insert_with(|| {
                            order.push(id);
                            order.len() - 1
                        })
                    })
                    .collect();
                let mut seconds = NODE;
                if !class.data.is_fixed() && matches!(term, Term::Op(..)) {
                    let attr = |id| egraph[id].data.attr().cloned();
                    let op = term.op(attr).expect("attributes spell ops").bind(sizes);
                    let types: Vec<TensorType> = operands
                        .iter()
                        .map(|o| {
                            egraph[order[*o]]
                                .data
                                .ty()
                                .expect("operands are tensors")
                                .bind(sizes)
                        })
                        .collect();
                    seconds += *costs
                        .entry((op, types))
                        .or_insert_with_key(|(op, types)| Work::of(op, types).seconds(on));
                }
                found.push(Member {
                    term: term.clone(),
                    operands,
                    seconds,
                });
            }
            members.push(found);
            next += 1;
        }
        Self { members, root: 0 }
    }

    /// The cheapest member of each class by the cost of its own term, shared parts counted once.
    fn greedy(&self) -> Vec<usize> {
        let n = self.members.len();
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); n];
        for (class, members) in self.members.iter().enumerate() {
            for operand in members.iter().flat_map(|m| &m.operands) {
                users[*operand].push(class);
            }
        }
        let mut best: Vec<Option<Best>> = vec![None; n];
        let mut todo: std::collections::BTreeSet<usize> = (0..n).rev().collect();
        while let Some(class) = todo.pop_last() {
            for (i, member) in self.members[class].iter().enumerate() {
                let mut below: BTreeMap<usize, f64> = BTreeMap::new();
                let ready = member.operands.iter().all(|o| {
                    best[*o].as_ref().is_some_and(|(_, _, set)| {
                        below.extend(set);
                        true
                    })
                });
                if !ready || below.contains_key(&class) {
                    continue;
                }
                below.insert(class, member.seconds);
                let total: f64 = below.values().sum();
                let is_better = |(cost, other, _): &Best| {
                    total < *cost * (1.0 - 1e-9) || (total <= *cost && i < *other)
                };
                if best[class].as_ref().is_none_or(is_better) {
                    best[class] = Some((total, i, below));
                    todo.extend(&users[class]);
                }
            }
        }
        let chosen = best.into_iter().map(|b| b.map_or(0, |(_, i, _)| i));
        chosen.collect()
    }

    /// Classes that the root needs under `choice`, operands first; none if they form a cycle.
    fn order(&self, choice: &[usize]) -> Option<Vec<usize>> {
        let mut state = vec![0_u8; choice.len()];
        let mut out = Vec::new();
        let mut stack = vec![(self.root, 0)];
        state[self.root] = 1;
        while let Some((class, next)) = stack.pop() {
            match self.members[class][choice[class]].operands.get(next) {
                None => {
                    state[class] = 2;
                    out.push(class);
                }
                Some(operand) => {
                    stack.push((class, next + 1));
                    match state[*operand] {
                        0 => {
                            state[*operand] = 1;
                            stack.push((*operand, 0));
                        }
                        1 => return None,
                        _ => {}
                    }
                }
            }
        }
        Some(out)
    }

    fn seconds(&self, choice: &[usize]) -> Option<f64> {
        let order = self.order(choice)?;
        Some(
            order
                .iter()
                .map(|c| self.members[*c][choice[*c]].seconds)
                .sum(),
        )
    }

    /// Changes worth trying: one class takes another member, or all classes that can use a class do.
    fn moves(&self) -> Vec<Vec<(usize, usize)>> {
        let mut users: BTreeMap<usize, BTreeMap<usize, usize>> = BTreeMap::new();
        let mut out = Vec::new();
        for (class, members) in self.members.iter().enumerate() {
            for (i, member) in members.iter().enumerate() {
                if members.len() > 1 {
                    out.push(vec![(class, i)]);
                }
                for operand in &member.operands {
                    users.entry(*operand).or_default().entry(class).or_insert(i);
                }
            }
        }
        let together = users.into_values().filter(|u| u.len() > 1);
        out.extend(together.map(|u| u.into_iter().collect::<Vec<_>>()));
        out
    }

    fn extract(&self, egraph: &EGraph, choice: &[usize]) -> RecExpr<Term> {
        let mut expr = crate::egraph::Interner::default();
        let mut places: HashMap<usize, Id> = HashMap::new();
        for class in self
            .order(choice)
            .expect("a choice that was taken has no cycle")
        {
            let member = &self.members[class][choice[class]];
            let attrs = member.term.split().0.iter();
            let mut children: Vec<Id> = attrs
                .map(|id| match &egraph[*id].data {
                    Fact::Attr(attr) => expr.add(Term::Attr(attr.clone())),
                    other => panic!("attributes come first; found {other:?}"),
                })
                .collect();
            children.extend(member.operands.iter().map(|o| places[o]));
            let mut rest = children.into_iter();
            let term = member.term.clone().map_children(|_| {
                rest.next()
                    .expect("a term has its attributes and operands as children")
            });
            places.insert(class, expr.add(term));
        }
        expr.done()
    }
}

/// The cheapest terms equal to `before`, a term of `egraph`, distinct, best first; at most `most`.
pub fn extract(
    egraph: &EGraph,
    before: &RecExpr<Term>,
    on: &Roofline,
    sizes: &Sizes,
    most: usize,
) -> Vec<Extracted> {
    let classes = Classes::of(egraph, before, on, sizes);
    let moves = classes.moves();
    let mut choice = classes.greedy();
    let mut seconds = classes
        .seconds(&choice)
        .expect("greedy choices have no cycle");
    let after = |choice: &[usize], change: &[(usize, usize)]| {
        let mut tried = choice.to_vec();
        change.iter().for_each(|(class, i)| tried[*class] = *i);
        tried
    };
    let mut near: Vec<(f64, Vec<usize>)> = Vec::new();
    // Each round keeps at least one change; a bound keeps the time linear in the size of the e-graph.
    for _ in 0..8 {
        let before = seconds;
        near.clear();
        for change in &moves {
            let tried = after(&choice, change);
            let Some(cost) = classes.seconds(&tried) else {
                continue;
            };
            if cost < seconds * (1.0 - 1e-9) {
                near.clear();
                (choice, seconds) = (tried, cost);
            } else if tried != choice {
                near.push((cost, tried));
            }
        }
        if seconds == before {
            break;
        }
    }
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    let mut out: Vec<Extracted> = Vec::new();
    for (seconds, choice) in std::iter::once((seconds, choice)).chain(near) {
        if out.len() >= most {
            break;
        }
        let expr = classes.extract(egraph, &choice);
        if out.iter().all(|e| e.expr != expr) {
            out.push(Extracted { expr, seconds });
        }
    }
    out
}
