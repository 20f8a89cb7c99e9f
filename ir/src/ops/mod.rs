//! The ops: one file each, one line each in the list below.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Attr, Build, Dim, Meaning, OpDef, ShapeError, Sizes, Template, TensorType, ValueId,
    attr::{AttrError, Attrs},
};

/// How an op is written: its name and attributes.
pub trait OpSyntax: Sized {
    /// The names it may have.
    fn names() -> Vec<&'static str>;

    /// The name of this one.
    fn name(&self) -> &'static str;

    /// Names of the attributes of the op of this name, sorted.
    fn attr_names() -> Vec<&'static str> {
        Vec::new()
    }

    /// Its attributes.
    fn attrs(&self) -> Attrs;

    /// The op of this name, one of [`Self::names`], with these attributes.
    ///
    /// # Errors
    /// An attribute is missing or of another kind.
    fn parse(name: &str, attrs: &BTreeMap<String, Attr>) -> Result<Self, AttrError>;
}

/// The comments of an op's struct.
pub trait Documented {
    /// Equation, shapes and source.
    const TEXT: &'static str;
    /// Each field with what it is; the op's name says those that are no attribute.
    const FIELDS: &'static [(&'static str, &'static str)];
}

/// What is written about an op: a part of the documentation page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpDoc {
    /// The names it may have.
    pub names: Vec<&'static str>,
    /// Equation, shapes and source, in Markdown.
    pub text: &'static str,
    /// What each attribute is.
    pub attributes: Vec<(&'static str, &'static str)>,
}

fn doc_of<T: OpSyntax + Documented>() -> OpDoc {
    let known = T::attr_names();
    let attributes = T::FIELDS
        .iter()
        .copied()
        .filter(|(name, _)| known.contains(name));
    OpDoc {
        names: T::names(),
        text: T::TEXT,
        attributes: attributes.collect(),
    }
}

/// Text that spells no op.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpError {
    /// No op has this name.
    #[error("no op is named `{0}`")]
    Unknown(String),
    /// An attribute that the op does not have.
    #[error("{op}: it has no attribute `{attribute}`")]
    Extra {
        /// The op.
        op: String,
        /// The attribute.
        attribute: String,
    },
    /// An attribute is missing or of another kind.
    #[error("{op}: {source}")]
    Attr {
        /// The op.
        op: String,
        /// What is wrong.
        source: AttrError,
    },
}

macro_rules! op_list {
    ($($module:ident :: $Op:ident,)*) => {
        $(mod $module; pub use $module::$Op;)*

        /// Any op.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "each variant's type has its own")]
        pub enum Op { $($Op($Op),)* }

        $(impl From<$Op> for Op {
            fn from(op: $Op) -> Self {
                Self::$Op(op)
            }
        })*

        impl Op {
            fn def(&self) -> &dyn OpDef {
                match self { $(Self::$Op(op) => op,)* }
            }

            /// The name used in text forms and e-graphs.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$Op(op) => op.name(),)* }
            }

            /// The attributes.
            pub fn attrs(&self) -> Attrs {
                match self { $(Self::$Op(op) => op.attrs(),)* }
            }

            /// Every name an op may have, in the order of the list.
            pub fn names() -> Vec<&'static str> {
                [$($Op::names(),)*].concat()
            }

            /// Names of the attributes of the op of this name, sorted; none if no op has it.
            pub fn attr_names(name: &str) -> Option<Vec<&'static str>> {
                $(if $Op::names().contains(&name) {
                    return Some($Op::attr_names());
                })*
                None
            }

            /// What is written about each op, in the order of the list.
            pub fn docs() -> Vec<OpDoc> {
                vec![$(doc_of::<$Op>(),)*]
            }

            /// The op of this name with these attributes.
            ///
            /// # Errors
            /// No op has the name, or its attributes are others.
            pub fn parse(name: &str, attrs: &BTreeMap<String, Attr>) -> Result<Self, OpError> {
                let op = $(if $Op::names().contains(&name) {
                    $Op::parse(name, attrs).map(Self::$Op)
                } else)* {
                    return Err(OpError::Unknown(name.into()));
                };
                let op = op.map_err(|source| OpError::Attr { op: name.into(), source })?;
                let known = op.attrs();
                match attrs.keys().find(|a| !known.contains_key(a.as_str())) {
                    Some(a) => Err(OpError::Extra { op: name.into(), attribute: a.clone() }),
                    None => Ok(op),
                }
            }
        }
    };
}

pub use input::Absent;
pub use rope_frequencies::RopeScaling;

op_list! {
    input::Input,
    weight::Weight,
    constant::Constant,
    extent::Extent,
    unary::Unary,
    binary::Binary,
    cast::Cast,
    reduce::Reduce,
    mean::Mean,
    matmul::MatMul,
    select::Select,
    distance::Distance,
    iota::Iota,
    hold::Hold,
    reshape::Reshape,
    broadcast::Broadcast,
    permute::Permute,
    slice::Slice,
    concat::Concat,
    pad::Pad,
    windows::Windows,
    gather::Gather,
    take_along::TakeAlong,
    top_k::TopK,
    cum_sum::CumSum,
    scatter::Scatter,
    scatter_along::ScatterAlong,
    scatter_points::ScatterPoints,
    embedding::Embedding,
    linear::Linear,
    gated::Gated,
    gated_linear::GatedLinear,
    expert_linear::ExpertLinear,
    softmax::Softmax,
    layer_norm::LayerNorm,
    rms_norm::RmsNorm,
    add_layer_norm::AddLayerNorm,
    add_rms_norm::AddRmsNorm,
    l2_normalize::L2Normalize,
    rope_frequencies::RopeFrequencies,
    rope::Rope,
    attention::Attention,
    cached_attention::CachedAttention,
    all_reduce::AllReduce,
    all_gather::AllGather,
    reduce_scatter::ReduceScatter,
    all_to_all::AllToAll,
}

/// A tensor that comes from outside the graph.
#[derive(Clone, Copy, Debug)]
pub enum Leaf<'a> {
    /// Given at each run.
    Input(&'a Input),
    /// Part of the model.
    Weight(&'a Weight),
}

impl<'a> Leaf<'a> {
    /// Its name.
    pub fn name(self) -> &'a str {
        match self {
            Self::Input(input) => &input.name,
            Self::Weight(weight) => &weight.name,
        }
    }

    /// What no two leaves of a graph have in common: inputs and weights are named apart.
    pub(crate) fn key(self) -> (bool, &'a str) {
        (matches!(self, Self::Input(_)), self.name())
    }
}

impl Op {
    /// The leaf, if the op is one.
    pub fn leaf(&self) -> Option<Leaf<'_>> {
        match self {
            Self::Input(input) => Some(Leaf::Input(input)),
            Self::Weight(weight) => Some(Leaf::Weight(weight)),
            _ => None,
        }
    }

    /// Type of the result.
    ///
    /// # Errors
    /// The operands do not fit, with the operand, axis and both sizes.
    pub fn infer(&self, inputs: &[TensorType]) -> Result<TensorType, ShapeError> {
        for (name, attr) in self.attrs() {
            let fits = match &attr {
                Attr::Dims(dims) => {
                    dims.iter().all(Dim::is_small) && dims.iter().product::<Dim>().is_small()
                }
                Attr::Type(ty) => ty.is_storable(),
                _ => continue,
            };
            if !fits {
                return Err(ShapeError::Attribute {
                    attribute: name,
                    wanted: "sizes of 0 to 2^48 elements in all".into(),
                    found: format!("{attr:?}"),
                });
            }
        }
        if let Some(operand) = inputs.iter().position(|ty| !ty.is_storable()) {
            return Err(ShapeError::TooLarge {
                operand,
                found: inputs[operand].clone(),
            });
        }
        let out = self.def().infer(inputs)?;
        if out.is_storable() {
            Ok(out)
        } else {
            Err(ShapeError::ResultTooLarge { found: out })
        }
    }

    /// Definition over operands of fitting types; a term is appended to `b`.
    pub fn meaning(&self, inputs: &[ValueId], b: &mut Build<'_>) -> Meaning {
        self.def().meaning(inputs, b)
    }

    /// How code for it starts.
    pub fn template(&self) -> Template<'_> {
        self.def().template()
    }

    /// Whether the result holds the elements of the only operand in the same row-major order.
    pub fn keeps_order(&self) -> bool {
        self.def().keeps_order()
    }

    /// The axis of the only operand along which elements far below the others do not count, if there is one.
    pub fn leaves_out(&self) -> Option<usize> {
        self.def().leaves_out()
    }

    /// Whether the result counts as given at each run, though weights alone decide it.
    pub fn holds(&self) -> bool {
        self.def().holds()
    }

    /// The op with symbols in its attributes replaced by sizes.
    pub fn bind(&self, sizes: &Sizes) -> Self {
        let attrs = self.attrs().into_iter().map(|(name, attr)| {
            let attr = match attr {
                Attr::Dims(dims) => Attr::Dims(dims.iter().map(|d| d.bind(sizes)).collect()),
                Attr::Type(ty) => Attr::Type(ty.bind(sizes)),
                other => other,
            };
            (name.to_owned(), attr)
        });
        Self::parse(self.name(), &attrs.collect()).expect("an op's own attributes spell it")
    }
}

/// Exactly `N` operands.
pub(crate) fn exactly<const N: usize>(
    inputs: &[TensorType],
) -> Result<&[TensorType; N], ShapeError> {
    inputs.try_into().map_err(|_| ShapeError::Arity {
        wanted: N.to_string(),
        found: inputs.len(),
    })
}

/// `axis` of a rank-`rank` operand 0 as a position.
pub(crate) fn axis_of(axis: i64, rank: usize) -> Result<usize, ShapeError> {
    let position = usize::try_from(axis).ok().filter(|a| *a < rank);
    position.ok_or_else(|| ShapeError::Attribute {
        attribute: "axis",
        wanted: format!("an axis below {rank}"),
        found: axis.to_string(),
    })
}

/// The number of ranks of a collective.
pub(crate) fn require_ranks(ranks: i64) -> Result<Dim, ShapeError> {
    if (1..=1 << 20).contains(&ranks) {
        return Ok(ranks.into());
    }
    Err(ShapeError::Attribute {
        attribute: "ranks",
        wanted: "1 to 2^20".into(),
        found: ranks.to_string(),
    })
}

/// The size of one of `parts` equal parts of `axis` of operand 0.
pub(crate) fn part_of(x: &TensorType, axis: usize, parts: &Dim) -> Result<Dim, ShapeError> {
    let part = x.shape[axis].exact_div(parts);
    part.ok_or_else(|| x.size_error(0, axis, &format!("a multiple of {parts}")))
}

/// Fails unless `x`, operand `operand`, has the type `wanted`.
pub(crate) fn require_same(
    wanted: &TensorType,
    operand: usize,
    x: &TensorType,
) -> Result<(), ShapeError> {
    x.require_dtype(operand, wanted.dtype.name(), |d| d == wanted.dtype)?;
    x.require_shape(operand, &wanted.shape)
}

/// The axes `axes` of a rank-`rank` operand 0 as positions: ascending, no duplicate, in range.
pub(crate) fn axes_of(axes: &[i64], rank: usize) -> Result<Vec<usize>, ShapeError> {
    let positions: Vec<usize> = axes
        .iter()
        .filter_map(|a| usize::try_from(*a).ok())
        .collect();
    let ascending = positions.windows(2).all(|w| w[0] < w[1]);
    if positions.len() != axes.len() || !ascending || positions.last().is_some_and(|a| *a >= rank) {
        return Err(ShapeError::Attribute {
            attribute: "axes",
            wanted: format!("ascending axes below {rank}"),
            found: format!("{axes:?}"),
        });
    }
    Ok(positions)
}
