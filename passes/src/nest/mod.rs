//! Loop nests: a kernel as few stages of index notation over flat arrays.
//!
//! Maps are inlined into the stages that use them, and every access becomes an affine offset where it
//! can, so that reshapes, permutations, slices and broadcasts cost nothing and are seen nowhere below.

mod affine;
mod build;
mod point;
mod primitive;
mod reindex;

pub(crate) use affine::{Affine, Atom};
pub(crate) use build::{NestError, leaf, nest, row_major};
pub(crate) use point::{is_cast, is_movement};
pub(crate) use primitive::is_load;

use ir::{BinaryFn, DType, F64, Monoid, Scan, UnaryFn};

/// A kernel as stages; the last one gives the kernel's result.
#[derive(Clone, Debug)]
pub(crate) struct Nest {
    /// Element type and number of elements of each operand.
    pub operands: Vec<(DType, i64)>,
    /// In order; each may load from operands and earlier stages.
    pub stages: Vec<Stage>,
    /// Element type and number of elements of the result.
    pub result: (DType, i64),
}

/// One pass over an iteration space.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    /// Sizes of the axes of the result, then of the folded ones.
    pub sizes: Vec<i64>,
    /// How many of them are axes of the result.
    pub outer: usize,
    /// What happens at each point.
    pub kind: StageKind,
    /// Flat offset of the result, by its axes; only the last stage's is written.
    pub store: Affine,
    /// Element type of the result; of positions, that of what is compared.
    pub dtype: DType,
}

/// What a stage does at each point.
#[derive(Clone, Debug)]
pub(crate) enum StageKind {
    /// A number.
    Map(Body),
    /// A fold over the axes from `outer` on.
    Fold(Monoid, Body),
    /// Attention over `[batch, head, query, value column]`.
    Attention(Box<AttentionNest>),
    /// Positions of the largest, or smallest, numbers along the axis after the result's; the result's last axis counts
    /// them.
    TopK(bool, Body),
    /// Sums of the numbers so far along the last axis.
    Scan(Scan, Body),
    /// Numbers written at computed places, one after the other; the stage's axes are those of the points.
    Scatter(Box<ScatterNest>),
}

/// Where the numbers of a scatter go.
#[derive(Clone, Debug)]
pub(crate) struct ScatterNest {
    /// Sizes of the result's axes.
    pub shape: Vec<i64>,
    /// For each axis of the result the coordinate of a point, by the points' axes.
    pub index: Vec<Affine>,
    /// What goes there.
    pub value: Body,
    /// How it meets what is there; without, it replaces it.
    pub combine: Option<Monoid>,
    /// What the result starts as, by its own axes.
    pub start: Body,
    /// The operand that the result starts as, if that is a state: it may lie where the result lies.
    pub state: Option<usize>,
}

/// The operands of an attention, at coordinates that are axes of their own.
#[derive(Clone, Debug)]
pub(crate) struct AttentionNest {
    /// Factor of the scores.
    pub scale: f64,
    /// Keys after the query's position are left out.
    pub causal: bool,
    /// Keys this far behind are left out; 0 leaves out none.
    pub window: i64,
    /// Scores are bent into this range; 0 leaves them.
    pub softcap: f64,
    /// Batch, query heads, queries, keys, depth, value columns, key heads.
    pub sizes: AttentionSizes,
    /// Query at axes `[batch, head, query, depth]`.
    pub q: Body,
    /// Key at axes `[batch, key head, key, depth]`.
    pub k: Body,
    /// Value at axes `[batch, key head, key, value column]`.
    pub v: Body,
    /// What is added to the score, at axes `[batch, head, query, key]`.
    pub mask: Option<Body>,
    /// ALiBi slope, at the same axes.
    pub slope: Option<Body>,
    /// How many keys precede the first query, where a run says so: an operand of one element.
    pub past: Option<usize>,
}

/// The sizes of an attention.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttentionSizes {
    pub batch: i64,
    pub heads: i64,
    pub queries: i64,
    pub keys: i64,
    pub depth: i64,
    pub columns: i64,
    pub key_heads: i64,
}

/// The number at one point of a stage.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Body {
    /// A constant.
    Num(F64),
    /// An integer of the point's place.
    Coordinate(Affine),
    /// An element of an operand, read only where each first is below its second.
    Load {
        operand: usize,
        at: Affine,
        guard: Vec<(Affine, Affine)>,
    },
    /// The result of an earlier stage, by its axes.
    Stage { stage: usize, at: Vec<Affine> },
    /// A primitive function.
    Unary(UnaryFn, Box<Body>),
    /// A function of two numbers.
    Binary(BinaryFn, Box<Body>, Box<Body>),
    /// The second where the first is not 0, else the third.
    Select(Box<Body>, Box<Body>, Box<Body>),
    /// Another element type.
    Cast(DType, Box<Body>),
}

impl Body {
    /// The direct parts.
    pub fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Num(_) | Self::Coordinate(_) | Self::Load { .. } | Self::Stage { .. } => vec![],
            Self::Unary(_, x) | Self::Cast(_, x) => vec![x],
            Self::Binary(_, a, b) => vec![a, b],
            Self::Select(c, a, b) => vec![c, a, b],
        }
    }

    /// This and all parts of it, each before its own.
    pub fn walk(&self) -> Vec<&Self> {
        let mut out = vec![self];
        let mut next = 0;
        while let Some(body) = out.get(next) {
            let parts = body.parts();
            out.extend(parts);
            next += 1;
        }
        out
    }

    /// The same number with each offset rewritten.
    pub fn map_offsets(&self, f: &dyn Fn(&Affine) -> Affine) -> Self {
        let again = |b: &Self| Box::new(b.map_offsets(f));
        match self {
            Self::Num(x) => Self::Num(*x),
            Self::Coordinate(a) => Self::Coordinate(f(a)),
            Self::Load { operand, at, guard } => Self::Load {
                operand: *operand,
                at: f(at),
                guard: guard.iter().map(|(a, b)| (f(a), f(b))).collect(),
            },
            Self::Stage { stage, at } => Self::Stage {
                stage: *stage,
                at: at.iter().map(f).collect(),
            },
            Self::Unary(g, x) => Self::Unary(*g, again(x)),
            Self::Binary(g, a, b) => Self::Binary(*g, again(a), again(b)),
            Self::Select(c, a, b) => Self::Select(again(c), again(a), again(b)),
            Self::Cast(d, x) => Self::Cast(*d, again(x)),
        }
    }

    /// The same number with each load of a stage, by its position and coordinates, replaced.
    pub fn map_stages(&self, f: &dyn Fn(usize, Vec<Affine>) -> Self) -> Self {
        let again = |b: &Self| Box::new(b.map_stages(f));
        match self {
            Self::Stage { stage, at } => f(*stage, at.clone()),
            Self::Num(_) | Self::Coordinate(_) | Self::Load { .. } => self.clone(),
            Self::Unary(g, x) => Self::Unary(*g, again(x)),
            Self::Binary(g, a, b) => Self::Binary(*g, again(a), again(b)),
            Self::Select(c, a, b) => Self::Select(again(c), again(a), again(b)),
            Self::Cast(d, x) => Self::Cast(*d, again(x)),
        }
    }

    /// All offsets that occur.
    pub fn offsets(&self) -> Vec<&Affine> {
        self.walk()
            .into_iter()
            .flat_map(|b| match b {
                Self::Coordinate(a) => vec![a],
                Self::Load { at, guard, .. } => std::iter::once(at)
                    .chain(guard.iter().flat_map(|(a, b)| [a, b]))
                    .collect(),
                Self::Stage { at, .. } => at.iter().collect(),
                _ => vec![],
            })
            .collect()
    }

    /// The axes that occur in any offset.
    pub fn axes(&self) -> Vec<usize> {
        let mut axes: Vec<usize> = self.offsets().into_iter().flat_map(Affine::axes).collect();
        axes.sort_unstable();
        axes.dedup();
        axes
    }
}

impl Stage {
    /// The number at each point, unless the stage is an attention.
    pub fn body(&self) -> Option<&Body> {
        match &self.kind {
            StageKind::Map(b)
            | StageKind::Fold(_, b)
            | StageKind::TopK(_, b)
            | StageKind::Scan(_, b) => Some(b),
            StageKind::Attention(_) | StageKind::Scatter(_) => None,
        }
    }

    /// The element type in which its numbers are held: floats in f32, sums of narrow integers in 32 bits.
    pub fn held(&self) -> DType {
        match self.dtype {
            DType::I64 => DType::I64,
            d if d.is_int() => DType::I32,
            _ => DType::F32,
        }
    }
}
