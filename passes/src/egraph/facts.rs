//! What is known of each class: the one type of its members, and whether it depends on inputs.

use egg::{Analysis, DidMerge, EGraph, Id};
use ir::{Attr, TensorType, ops::Leaf};

use super::language::Term;

/// What is known of a term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// An attribute.
    Attr(Attr),
    /// A tensor.
    Tensor {
        /// Its type.
        ty: TensorType,
        /// No input reaches it: its value is known when the model is compiled.
        fixed: bool,
    },
    /// The outputs of a graph.
    Outputs,
}

impl Fact {
    /// The attribute.
    pub fn attr(&self) -> Option<&Attr> {
        if let Self::Attr(attr) = self {
            Some(attr)
        } else {
            None
        }
    }

    /// The type of the tensor.
    pub fn ty(&self) -> Option<&TensorType> {
        if let Self::Tensor { ty, .. } = self {
            Some(ty)
        } else {
            None
        }
    }

    /// Whether no input reaches the tensor.
    pub fn is_fixed(&self) -> bool {
        matches!(self, Self::Tensor { fixed: true, .. })
    }

    /// What is known of `term`, given what is known of its children; none if it is ill typed.
    pub fn of<'a>(term: &Term, child: impl Fn(Id) -> &'a Self) -> Option<Self> {
        match term {
            Term::Attr(attr) => Some(Self::Attr(attr.clone())),
            Term::Outputs(_) => Some(Self::Outputs),
            Term::Op(..) => {
                let op = term.op(|id| child(id).attr().cloned())?;
                let operands = term.split().1;
                let types: Option<Vec<_>> =
                    operands.iter().map(|id| child(*id).ty().cloned()).collect();
                let ty = op.infer(&types?).ok()?;
                let fixed = !matches!(op.leaf(), Some(Leaf::Input(_)))
                    && operands.iter().all(|id| child(*id).is_fixed());
                Some(Self::Tensor { ty, fixed })
            }
        }
    }
}

/// Gives each class its [`Fact`].
#[derive(Clone, Debug, Default)]
pub struct Facts;

impl Analysis<Term> for Facts {
    type Data = Fact;

    fn make(egraph: &mut EGraph<Term, Self>, term: &Term, _: Id) -> Fact {
        Fact::of(term, |id| &egraph[id].data)
            .unwrap_or_else(|| panic!("only well typed terms enter the e-graph; found {term:?}"))
    }

    fn merge(&mut self, a: &mut Fact, b: Fact) -> DidMerge {
        match (a, b) {
            (
                Fact::Tensor { ty, fixed },
                Fact::Tensor {
                    ty: other,
                    fixed: also,
                },
            ) => {
                assert_eq!(*ty, other, "equal terms have one type");
                let merged = *fixed || also;
                let did = DidMerge(merged != *fixed, merged != also);
                *fixed = merged;
                did
            }
            (a, b) => {
                assert_eq!(*a, b, "attributes are equal only to themselves");
                DidMerge(false, false)
            }
        }
    }
}
