//! Tile programs: how one block of a grid computes a kernel, the same program for every block.
//!
//! Memory is flat: an access is an offset, in elements, into a parameter or a local array. A value is a
//! *tile* of `rows x lanes` numbers; lanes are what a vector unit holds side by side. An access spells its
//! offset for each element through [`Index::Row`] and [`Index::Lane`], so strides, broadcasts, gathers and
//! ragged edges are all said in one way.

mod index;
mod place;

mod affine;
mod count;
mod eval;
mod interval;
mod text;
mod verify;

use serde::{Deserialize, Serialize};

pub use affine::Affine;
pub use count::{Counts, count, count_block};
pub use eval::{Arithmetic, EvalError, RunFault, evaluate};
pub use index::Index;
pub use interval::{Range, Ranges};
pub use place::Place;
pub use text::parse;
pub use verify::{Fault, Types, VerifyError, types, unproven, verify};

use crate::{BinaryFn, DType, F64, Monoid, UnaryFn};

/// A program that every block of a grid runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Program {
    /// Name, a C identifier.
    pub name: String,
    /// Arrays given by the caller; they do not overlap.
    pub params: Vec<Array>,
    /// Arrays of each block's own, undefined when it starts.
    pub locals: Vec<Array>,
    /// Number of blocks along each axis; counters `0..grid.len()` hold a block's place.
    pub grid: Vec<i64>,
    /// What a block does.
    pub body: Vec<Stmt>,
}

/// A flat array.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Array {
    /// Name, a C identifier, unique in the program.
    pub name: String,
    /// Element type.
    pub dtype: DType,
    /// Number of elements.
    pub len: i64,
    /// Whether the program may write it. Blocks write disjoint elements, or equal values.
    pub written: bool,
}

/// An array of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Memory {
    /// By position among [`Program::params`].
    Param(u32),
    /// By position among [`Program::locals`].
    Local(u32),
}

/// An integer that a grid axis or a loop counts; unique in its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Counter(pub u32);

/// A tile-valued variable, assigned once; unique in its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Var(pub u32);

/// The shape of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shape {
    /// Elements that are computed one after the other, or by different registers.
    pub rows: u32,
    /// Elements that a vector unit holds side by side.
    pub lanes: u32,
}

/// Where an access lies.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Access {
    /// The array.
    pub memory: Memory,
    /// Offset of each element, in elements.
    pub at: Index,
    /// The access happens at the elements where, in every pair, the first is below the second.
    pub guard: Vec<(Index, Index)>,
}

/// One step of a block.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Stmt {
    /// Assigns a variable.
    Let(Var, Value),
    /// Writes a tile.
    Store {
        /// Where to.
        to: Access,
        /// What.
        value: Var,
    },
    /// Runs `body` with `counter = start, start + step, .. < end`.
    For(For),
}

/// A loop that may carry tiles from one round to the next.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct For {
    /// What counts; known in the body.
    pub counter: Counter,
    /// First value; without `Row` and `Lane`.
    pub start: Index,
    /// First value that is too large; without `Row` and `Lane`.
    pub end: Index,
    /// Above 0.
    pub step: i64,
    /// How many rounds to write out one after the other; a hint.
    pub unroll: u32,
    /// Tiles that go from round to round.
    pub carried: Vec<Carried>,
    /// One round.
    pub body: Vec<Stmt>,
}

/// A tile that a loop carries.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Carried {
    /// Its value before the first round; known outside.
    pub init: Var,
    /// Its name within a round.
    pub current: Var,
    /// Its value for the next round; assigned in the body.
    pub next: Var,
    /// Its name after the loop.
    pub result: Var,
}

/// The direction of a fold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// `rows x lanes` to `1 x lanes`.
    Rows,
    /// `rows x lanes` to `rows x 1`.
    Lanes,
}

/// What a variable is assigned. Elementwise operands have equal shapes, or 1 row, or 1 lane: these repeat.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Value {
    /// One number everywhere.
    Splat(F64, DType, Shape),
    /// The index at each element, as `i32`.
    Coordinate(Index, Shape),
    /// A tile read from memory; `other` where the guard does not hold.
    Load {
        /// Where from.
        from: Access,
        /// Shape of the tile.
        shape: Shape,
        /// What stands where nothing is read.
        other: F64,
    },
    /// A primitive function of each number.
    Unary(UnaryFn, Var),
    /// A function of each pair of numbers; predicates give `bool`.
    Binary(BinaryFn, Var, Var),
    /// The second where the first, of `bool`, is true, else the third.
    Select(Var, Var, Var),
    /// Another element type.
    Cast(DType, Var),
    /// The tile repeated to this shape.
    Broadcast(Var, Shape),
    /// Numbers folded along an axis.
    Reduce(Monoid, Axis, Var),
    /// `acc + a b`, for `a: r x k`, `b: k x l`, `acc: r x l`, each product and sum in the type of `acc`.
    Dot {
        /// `r x k`
        a: Var,
        /// `k x l`
        b: Var,
        /// `r x l`
        acc: Var,
    },
}

impl Program {
    /// Number of blocks.
    pub fn blocks(&self) -> i64 {
        self.grid.iter().product()
    }

    /// Bytes of all locals, each at a multiple of 64.
    pub fn scratch_bytes(&self) -> usize {
        self.locals
            .iter()
            .map(Array::bytes)
            .map(|n| n.next_multiple_of(64))
            .sum()
    }

    /// The array behind a reference.
    pub fn array(&self, memory: Memory) -> &Array {
        match memory {
            Memory::Param(i) => &self.params[i as usize],
            Memory::Local(i) => &self.locals[i as usize],
        }
    }
}

impl Array {
    /// Size in bytes.
    pub fn bytes(&self) -> usize {
        usize::try_from(self.len).expect("lengths are not negative") * self.dtype.size()
    }
}

impl Shape {
    /// One number.
    pub const ONE: Self = Self { rows: 1, lanes: 1 };

    /// `rows x lanes`
    pub const fn new(rows: u32, lanes: u32) -> Self {
        Self { rows, lanes }
    }

    /// The shape to which both repeat, if there is one.
    pub fn join(self, other: Self) -> Option<Self> {
        let side = |a: u32, b: u32| (a == b || b == 1).then_some(a).or((a == 1).then_some(b));
        Some(Self {
            rows: side(self.rows, other.rows)?,
            lanes: side(self.lanes, other.lanes)?,
        })
    }
}
