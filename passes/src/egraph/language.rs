//! Terms of the e-graph: they name no op.

use std::{collections::BTreeMap, fmt, sync::LazyLock};

use egg::{FromOp, Id, Language};
use ir::{Attr, Op};

/// A node of the e-graph, of a pattern or of a proof.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Term {
    /// An op: its attributes in the order of their names, then its operands.
    Op(&'static str, Vec<Id>),
    /// An attribute.
    Attr(Attr),
    /// The outputs of a graph, in order.
    Outputs(Vec<Id>),
}

/// Names of ops and of their attributes.
static SYNTAX: LazyLock<BTreeMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    Op::names()
        .into_iter()
        .map(|name| {
            (
                name,
                Op::attr_names(name).expect("a listed op has attributes"),
            )
        })
        .collect()
});

impl Term {
    /// The names of the attributes of the op named `op`, and that name for good.
    pub(crate) fn syntax(op: &str) -> Option<(&'static str, &'static [&'static str])> {
        SYNTAX
            .get_key_value(op)
            .map(|(name, attrs)| (*name, attrs.as_slice()))
    }

    /// The children that are attributes, and those that are operands.
    pub fn split(&self) -> (&[Id], &[Id]) {
        match self {
            Self::Op(name, children) => children.split_at(SYNTAX[name].len()),
            Self::Attr(_) => (&[], &[]),
            Self::Outputs(children) => (&[], children),
        }
    }

    /// The op, given the value of each attribute; none if they do not spell one.
    pub fn op(&self, attr: impl Fn(Id) -> Option<Attr>) -> Option<Op> {
        let Self::Op(name, _) = self else { return None };
        let names = SYNTAX[name].iter();
        let values = self.split().0.iter();
        let attrs = names
            .zip(values)
            .map(|(n, id)| Some(((*n).to_owned(), attr(*id)?)));
        Op::parse(name, &attrs.collect::<Option<_>>()?).ok()
    }
}

impl Language for Term {
    type Discriminant = (u8, &'static str);

    fn discriminant(&self) -> Self::Discriminant {
        match self {
            Self::Op(name, _) => (0, name),
            Self::Attr(_) => (1, ""),
            Self::Outputs(_) => (2, ""),
        }
    }

    fn matches(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Op(a, x), Self::Op(b, y)) => a == b && x.len() == y.len(),
            (Self::Attr(a), Self::Attr(b)) => a == b,
            (Self::Outputs(x), Self::Outputs(y)) => x.len() == y.len(),
            _ => false,
        }
    }

    fn children(&self) -> &[Id] {
        match self {
            Self::Op(_, children) | Self::Outputs(children) => children,
            Self::Attr(_) => &[],
        }
    }

    fn children_mut(&mut self) -> &mut [Id] {
        match self {
            Self::Op(_, children) | Self::Outputs(children) => children,
            Self::Attr(_) => &mut [],
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Op(name, _) => f.write_str(name),
            Self::Attr(attr) => write!(f, "{attr}"),
            Self::Outputs(_) => f.write_str("outputs"),
        }
    }
}

/// A word of a pattern that is no term.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// No op has this name.
    #[error("pattern: no op is named `{0}`")]
    Unknown(String),
    /// An op with fewer children than it has attributes.
    #[error("pattern: {op} has attributes {attributes:?}, so at least {} children; found {found}", attributes.len())]
    Children {
        /// The op.
        op: &'static str,
        /// Names of its attributes.
        attributes: &'static [&'static str],
        /// Number of children.
        found: usize,
    },
}

impl FromOp for Term {
    type Error = PatternError;

    /// A word without children is an attribute: a truth value, an integer, a number, or a word.
    fn from_op(op: &str, children: Vec<Id>) -> Result<Self, PatternError> {
        if children.is_empty() {
            let attr = if let Ok(x) = op.parse() {
                Attr::Bool(x)
            } else if let Ok(x) = op.parse() {
                Attr::Int(x)
            } else if let Ok(x) = op.parse::<f64>() {
                Attr::Num(x.into())
            } else {
                Attr::Word(op.into())
            };
            return Ok(Self::Attr(attr));
        }
        let (name, attributes) =
            Self::syntax(op).ok_or_else(|| PatternError::Unknown(op.into()))?;
        if children.len() < attributes.len() {
            return Err(PatternError::Children {
                op: name,
                attributes,
                found: children.len(),
            });
        }
        Ok(Self::Op(name, children))
    }
}
