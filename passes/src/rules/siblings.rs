//! Products of one value with several weights, as parts of one product.
//!
//! A sibling rule adds the larger product and its parts to the e-graph and claims nothing: that a part is
//! the product it stands for follows from the rules of the table.

use std::collections::{BTreeMap, BTreeSet};

use egg::{Id, Pattern, Searcher, Var};
use ir::{Attr, Dim, TensorType};

use super::condition::var;
use crate::egraph::{EGraph, Term};

/// Terms that differ in fixed operands only, which can stand side by side.
pub struct Siblings {
    /// What each of them is.
    member: Pattern<Term>,
    /// What differs, and the axis on which it is joined.
    joined: Vec<(Var, i64)>,
}

/// The most terms that are joined.
const MOST: usize = 3;

/// Every kind of siblings.
pub fn siblings() -> Vec<Siblings> {
    let of = |member: &str, joined: &[(&str, i64)]| Siblings {
        member: member.parse().expect("the table holds patterns"),
        joined: joined.iter().map(|(v, axis)| (var(v), *axis)).collect(),
    };
    vec![
        of(
            "(linear ?act true false false ?x ?w ?b)",
            &[("?w", 1), ("?b", 0)],
        ),
        of(
            "(linear ?act true false true ?x ?w ?b)",
            &[("?w", 0), ("?b", 0)],
        ),
        of("(matmul false false ?x ?w)", &[("?w", 1)]),
        of("(matmul false true ?x ?w)", &[("?w", 0)]),
    ]
}

impl Siblings {
    /// Adds the joined terms of all siblings of `egraph`, once. Returns how many sets were joined.
    pub fn join(&self, egraph: &mut EGraph) -> usize {
        let shared: Vec<Var> = self
            .member
            .vars()
            .into_iter()
            .filter(|v| !self.is_joined(*v))
            .collect();
        let mut sets: BTreeMap<Vec<Id>, BTreeMap<Vec<Id>, egg::Subst>> = BTreeMap::new();
        for matches in self.member.search(egraph) {
            for subst in matches.substs {
                let fixed = |v: &Var| egraph[subst[*v]].data.is_fixed();
                let joined: Vec<Id> = self
                    .joined
                    .iter()
                    .map(|(v, _)| egraph.find(subst[*v]))
                    .collect();
                if self.joined.iter().all(|(v, _)| fixed(v)) && !is_joined_already(egraph, &joined)
                {
                    let key = shared.iter().map(|v| egraph.find(subst[*v])).collect();
                    sets.entry(key).or_default().entry(joined).or_insert(subst);
                }
            }
        }
        let mut count = 0;
        for members in sets.into_values() {
            let distinct: BTreeSet<Id> = members.keys().map(|k| k[0]).collect();
            let members: Vec<_> = members.into_values().collect();
            if (2..=MOST).contains(&members.len()) && distinct.len() == members.len() {
                count += usize::from(self.join_set(egraph, &members).is_some());
            }
        }
        count
    }

    fn is_joined(&self, v: Var) -> bool {
        self.joined.iter().any(|(j, _)| *j == v)
    }

    fn join_set(&self, egraph: &mut EGraph, members: &[egg::Subst]) -> Option<()> {
        let types = |egraph: &EGraph, v: Var| -> Option<Vec<TensorType>> {
            members
                .iter()
                .map(|s| egraph[s[v]].data.ty().cloned())
                .collect()
        };
        // All parts fit, or nothing is added.
        let (first, axis) = self.joined[0];
        let axis = usize::try_from(axis).ok()?;
        let parts = types(egraph, first)?;
        let other = |ty: &TensorType| {
            let mut ty = ty.clone();
            ty.shape[axis] = 1.into();
            ty
        };
        if parts.iter().any(|ty| other(ty) != other(&parts[0])) {
            return None;
        }
        let mut whole = members[0].clone();
        for (v, axis) in &self.joined {
            let axis = egraph.add(Term::Attr(Attr::Int(*axis)));
            let parts = members.iter().map(|s| s[*v]);
            let children = std::iter::once(axis).chain(parts).collect();
            let concat = egraph.add(Term::Op("concat", children));
            whole.insert(*v, concat);
        }
        let product = egraph.add_instantiation(&self.member.ast, &whole);
        let last = i64::try_from(egraph[product].data.ty()?.rank()).ok()? - 1;
        let mut start = Dim::from(0);
        for ty in &parts {
            let size = ty.shape[axis].clone();
            let [axis, size_id, start_id, step] = [
                Attr::Int(last),
                Attr::Dims(vec![size.clone()]),
                Attr::Dims(vec![start.clone()]),
                Attr::Int(1),
            ]
            .map(|a| egraph.add(Term::Attr(a)));
            egraph.add(Term::Op(
                "slice",
                vec![axis, size_id, start_id, step, product],
            ));
            start = start + size;
        }
        Some(())
    }
}

/// Whether one of the operands is made by joining or cutting: it came from siblings.
fn is_joined_already(egraph: &EGraph, operands: &[Id]) -> bool {
    operands.iter().any(|id| {
        egraph[*id]
            .nodes
            .iter()
            .any(|n| matches!(n, Term::Op("concat" | "slice", _)))
    })
}
