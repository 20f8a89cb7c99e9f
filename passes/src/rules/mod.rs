//! The rules: one line each, in tables by purpose.
//!
//! A rule says that two terms are equal where its conditions hold. It enters by a line in a table, which
//! `tests/rules.rs` walks; nothing here names an op outside a pattern.

mod condition;
mod define;
mod fold;
mod fuse;
mod parallel;
mod recognise;
mod rope;
mod siblings;

use std::sync::Arc;

use egg::Pattern;

pub use condition::{Bindings, Condition};
pub use siblings::{Siblings, siblings};

use crate::egraph::Term;

/// In which sense both sides of a rule are equal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sense {
    /// The same numbers, bit for bit.
    Bits,
    /// The same real numbers, rounded in other places.
    Reals,
    /// Real numbers this close, relative to the largest.
    Within(f64),
}

/// When a rule takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// First: finds what is meant in what exporters write.
    Recognise,
    /// Then: fewer, larger ops.
    Fuse,
    /// Only when parallel plans are searched.
    Parallel,
}

/// Two terms that are equal where the conditions hold.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Unique in the table.
    pub name: String,
    /// What is found.
    pub left: Pattern<Term>,
    /// What it equals.
    pub right: Pattern<Term>,
    /// In which sense.
    pub sense: Sense,
    /// What must hold; they may bind attributes that only the right side has.
    pub conditions: Vec<Condition>,
    /// When it takes part.
    pub stage: Stage,
}

/// A rule that holds in the reals, everywhere.
///
/// # Panics
/// A side is no pattern: the table is wrong.
pub fn rule(name: &str, left: &str, right: &str) -> Rule {
    let parse = |side: &str| {
        side.parse()
            .unwrap_or_else(|e| panic!("rule {name}: `{side}` is no pattern: {e}"))
    };
    Rule {
        name: name.into(),
        left: parse(left),
        right: parse(right),
        sense: Sense::Reals,
        conditions: Vec::new(),
        stage: Stage::Recognise,
    }
}

impl Rule {
    /// The same rule in this sense.
    #[must_use]
    pub fn equal(mut self, sense: Sense) -> Self {
        self.sense = sense;
        self
    }

    /// The same rule where `condition` holds too.
    #[must_use]
    pub fn when(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    /// The same rule in this stage.
    #[must_use]
    pub fn at(mut self, stage: Stage) -> Self {
        self.stage = stage;
        self
    }

    /// Whether all conditions hold; what they compute is added to `bound`.
    pub fn conditions_hold(&self, bound: &mut Bindings) -> bool {
        self.conditions.iter().all(|c| c.holds(bound))
    }
}

/// Every rule.
pub fn table() -> Vec<Arc<Rule>> {
    let tables = [
        define::rules(),
        recognise::rules(),
        rope::rules(),
        fold::rules(),
        fuse::rules(),
        parallel::rules(),
    ];
    tables.into_iter().flatten().map(Arc::new).collect()
}
