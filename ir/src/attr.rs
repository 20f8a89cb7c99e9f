//! Attributes of ops as plain values, so that text forms and e-graphs need no op's name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{BinaryFn, DType, Dim, F64, Monoid, TensorType, UnaryFn};

/// The value of one attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Attr {
    /// `true`, `false`
    Bool(bool),
    /// `-3`
    Int(i64),
    /// `1e-5`: always with a point or an exponent, `inf` or `nan`.
    Num(F64),
    /// `(0,2,1)`
    Ints(Vec<i64>),
    /// `[batch,2*seq]`
    Dims(Vec<Dim>),
    /// `f32`, `gelu`, `sum`: a word of a fixed list.
    Word(String),
    /// `"encoder.layer.0.weight"`
    Text(String),
    /// `f32[batch,384]`
    Type(TensorType),
}

/// The attributes of one op, by name.
pub type Attrs = BTreeMap<&'static str, Attr>;

/// An attribute that an op lacks or cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttrError {
    /// Not given.
    #[error("attribute `{0}` is missing")]
    Missing(&'static str),
    /// Of another kind.
    #[error("attribute `{name}`: wanted {wanted}, found {found:?}")]
    Kind {
        /// Name of the attribute.
        name: &'static str,
        /// What it must be.
        wanted: &'static str,
        /// What it is.
        found: Attr,
    },
}

/// A Rust type that is stored as one attribute.
pub trait AttrField: Sized {
    /// What a value of this type is called in errors.
    const WANTED: &'static str;

    /// As an attribute.
    fn to_attr(&self) -> Attr;

    /// From an attribute of the right kind.
    fn from_attr(attr: &Attr) -> Option<Self>;
}

/// The field `name` of an op from its attributes.
///
/// # Errors
/// The attribute is missing or of another kind.
pub fn field<T: AttrField>(
    attrs: &BTreeMap<String, Attr>,
    name: &'static str,
) -> Result<T, AttrError> {
    let attr = attrs.get(name).ok_or(AttrError::Missing(name))?;
    T::from_attr(attr).ok_or_else(|| AttrError::Kind {
        name,
        wanted: T::WANTED,
        found: attr.clone(),
    })
}

macro_rules! plain_fields {
    ($($Type:ty, $Variant:ident, $wanted:literal;)*) => {$(
        impl AttrField for $Type {
            const WANTED: &'static str = $wanted;

            fn to_attr(&self) -> Attr {
                Attr::$Variant(self.clone())
            }

            fn from_attr(attr: &Attr) -> Option<Self> {
                if let Attr::$Variant(x) = attr { Some(x.clone()) } else { None }
            }
        }
    )*};
}

plain_fields! {
    bool, Bool, "true or false";
    i64, Int, "an integer";
    F64, Num, "a number with a point or an exponent";
    Vec<i64>, Ints, "a list such as (0,2,1)";
    Vec<Dim>, Dims, "a shape such as [batch,128]";
    String, Text, "text in quotes";
    TensorType, Type, "a type such as f32[batch,128]";
}

impl AttrField for Dim {
    const WANTED: &'static str = "one size, such as [seq]";

    fn to_attr(&self) -> Attr {
        Attr::Dims(vec![self.clone()])
    }

    fn from_attr(attr: &Attr) -> Option<Self> {
        let Attr::Dims(dims) = attr else { return None };
        let [size] = dims.as_slice() else { return None };
        Some(size.clone())
    }
}

impl AttrField for Option<UnaryFn> {
    const WANTED: &'static str = "a function of one number, or none";

    fn to_attr(&self) -> Attr {
        Attr::Word(self.map_or("none", UnaryFn::name).into())
    }

    fn from_attr(attr: &Attr) -> Option<Self> {
        match attr {
            Attr::Word(word) if word == "none" => Some(None),
            other => UnaryFn::from_attr(other).map(Some),
        }
    }
}

impl AttrField for Option<Monoid> {
    const WANTED: &'static str = "sum, prod, max, min or none";

    fn to_attr(&self) -> Attr {
        Attr::Word(self.map_or("none", Monoid::name).into())
    }

    fn from_attr(attr: &Attr) -> Option<Self> {
        match attr {
            Attr::Word(word) if word == "none" => Some(None),
            other => Monoid::from_attr(other).map(Some),
        }
    }
}

macro_rules! word_fields {
    ($($Type:ty, $wanted:literal;)*) => {$(
        impl $crate::AttrField for $Type {
            const WANTED: &'static str = $wanted;

            fn to_attr(&self) -> $crate::Attr {
                $crate::Attr::Word(self.name().into())
            }

            fn from_attr(attr: &$crate::Attr) -> Option<Self> {
                let $crate::Attr::Word(word) = attr else { return None };
                Self::ALL.iter().copied().find(|x| x.name() == word)
            }
        }
    )*};
}
pub(crate) use word_fields;

word_fields! {
    DType, "an element type";
    UnaryFn, "a function of one number";
    BinaryFn, "a function of two numbers";
    Monoid, "sum, prod, max or min";
}

/// Declares an op's struct, and keeps its comments for the documentation page.
macro_rules! documented {
    ($(#[doc = $doc:literal])* pub struct $Op:ident { $($(#[doc = $about:literal])* $field:ident: $Type:ty,)* }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub struct $Op { $($(#[doc = $about])* pub $field: $Type,)* }

        impl crate::ops::Documented for $Op {
            const TEXT: &'static str = concat!($($doc, "\n",)*);
            const FIELDS: &'static [(&'static str, &'static str)] =
                &[$((stringify!($field), concat!($($about, "\n",)*)),)*];
        }
    };
}
pub(crate) use documented;

/// Declares an op's struct; each field is an attribute, by its own name.
macro_rules! op_struct {
    ($(#[doc = $doc:literal])* pub struct $Op:ident = $name:literal { $($(#[doc = $about:literal])* $field:ident: $Type:ty,)* }) => {
        crate::attr::documented! {
            $(#[doc = $doc])*
            pub struct $Op { $($(#[doc = $about])* $field: $Type,)* }
        }

        impl crate::ops::OpSyntax for $Op {
            fn names() -> Vec<&'static str> {
                vec![$name]
            }

            fn name(&self) -> &'static str {
                $name
            }

            #[allow(unused_mut, reason = "an op may have no attributes")]
            fn attr_names() -> Vec<&'static str> {
                let mut names = vec![$(stringify!($field),)*];
                names.sort_unstable();
                names
            }

            fn attrs(&self) -> crate::attr::Attrs {
                crate::attr::Attrs::from([
                    $((stringify!($field), crate::attr::AttrField::to_attr(&self.$field)),)*
                ])
            }

            #[allow(unused_variables, reason = "an op may have no attributes")]
            fn parse(
                _name: &str,
                attrs: &std::collections::BTreeMap<String, crate::attr::Attr>,
            ) -> Result<Self, crate::attr::AttrError> {
                Ok(Self { $($field: crate::attr::field(attrs, stringify!($field))?,)* })
            }
        }
    };
}
pub(crate) use op_struct;
