//! Proofs as text: each term once, under a number.

use std::fmt;

use super::{Proof, ProofTerm};
use crate::egraph::Term;

impl fmt::Display for Proof {
    /// Terms that are ops, one a line; then the steps, and what follows from them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "proof about {}", self.about)?;
        for (id, term) in self.terms.iter().enumerate() {
            match term {
                ProofTerm::Attr(_) => {}
                ProofTerm::Op(name, children) => {
                    let attrs = Term::syntax(name).map_or(0, |(_, attrs)| attrs.len());
                    let (attrs, operands) = children.split_at(attrs.min(children.len()));
                    let operands: Vec<_> = operands.iter().map(|o| format!("t{o}")).collect();
                    write!(f, "  t{id} = {name}({})", operands.join(", "))?;
                    let attrs: Vec<_> = attrs.iter().map(|a| self.spell(*a)).collect();
                    let gap = if attrs.is_empty() { "" } else { " " };
                    writeln!(f, "{gap}{}", attrs.join(" "))?;
                }
                ProofTerm::Outputs(outputs) => {
                    let outputs: Vec<_> = outputs.iter().map(|o| format!("t{o}")).collect();
                    writeln!(f, "  t{id} = outputs({})", outputs.join(", "))?;
                }
            }
        }
        for step in &self.steps {
            writeln!(f, "  t{} = t{} by {}", step.left, step.right, step.rule)?;
        }
        writeln!(f, "  so t{} = t{}", self.before, self.after)
    }
}

impl Proof {
    fn spell(&self, attr: usize) -> String {
        match self.terms.get(attr) {
            Some(ProofTerm::Attr(attr)) => attr.to_string(),
            _ => format!("t{attr}"),
        }
    }
}
