//! Lane programs: a block of a SIMT device, as every one of its lanes runs it.
//!
//! A block is `warps` warps of `lanes` lanes. A variable is what one lane holds: a short vector of registers.
//! Lanes of a warp step together where they take part; warps meet at barriers. Global memory is flat, as
//! in tile programs; shared memory is the block's own, undefined when it starts. How the elements of a tile are
//! dealt to lanes and registers is said by a [`Layout`].

mod alike;
mod bulk;
mod index;
mod layout;
mod matrix;

mod emulate;
mod text;
mod verify;

use serde::{Deserialize, Serialize};

pub use alike::Alike;
pub use bulk::{
    Bulk, LeftOperand, Mbarrier, SharedTile, Signal, Swizzle, TensorMap, WARPGROUP, WarpgroupInstr,
};
pub use emulate::{
    Awaited, Counts, EmulateError, Emulation, Landing, Order, RunFault, Sample, Thread, Touch,
    Waiting, WaitsFor, emulate, emulate_all,
};
pub use index::Index;
pub use layout::{Layout, Step};
pub use matrix::{MatrixInstr, Spelling};
pub use text::parse;
pub use verify::{Fault, MapFault, Types, VerifyError, types, verify};

pub use crate::tile::Carried;
use crate::{
    BinaryFn, DType, F64, UnaryFn,
    tile::{Array, Counter, Var},
};

/// A program that every lane of every block runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Program {
    /// Name, a C identifier.
    pub name: String,
    /// Arrays in global memory, given by the caller; they do not overlap. Each starts at a multiple of 64 bytes.
    pub params: Vec<Array>,
    /// Arrays in shared memory; each starts at a multiple of 16 bytes, of 1024 in a program with tensor maps.
    pub shared: Vec<Array>,
    /// Number of blocks along each axis; counters `0..grid.len()` hold a block's place.
    pub grid: Vec<i64>,
    /// Warps of a block.
    pub warps: u32,
    /// Lanes of a warp.
    pub lanes: u32,
    /// The matrix instructions that the body uses, by position.
    pub matrix: Vec<MatrixInstr>,
    /// Parameters as tensors of which boxes are copied, by position.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maps: Vec<TensorMap>,
    /// Counters on which lanes wait, by position.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mbarriers: Vec<Mbarrier>,
    /// The warpgroup instructions that the body uses, by position.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warpgroup: Vec<WarpgroupInstr>,
    /// What each lane does.
    pub body: Vec<Stmt>,
}

/// The type of a variable: so many registers of one element type in each lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Type {
    /// Element type.
    pub dtype: DType,
    /// Number of registers.
    pub width: u32,
}

/// An array of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Memory {
    /// By position among [`Program::params`].
    Param(u32),
    /// By position among [`Program::shared`].
    Shared(u32),
}

/// Elements side by side in an array; `at` of each lane is a multiple of how many there are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Access {
    /// The array.
    pub memory: Memory,
    /// Offset of the first element, in elements.
    pub at: Index,
    /// The access happens in lanes where, in every pair, the first is below the second.
    pub guard: Vec<(Index, Index)>,
}

/// One step of a lane.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Stmt {
    /// Assigns a variable.
    Let(Var, Value),
    /// Writes a variable's registers side by side.
    Store {
        /// Where to.
        to: Access,
        /// What; a width that is a power of two.
        value: Var,
    },
    /// Runs `body` with `counter = start, start + step, .. < end`.
    For(For),
    /// Runs `body` in lanes where, in every pair, the first is below the second. Barriers stand inside only if the
    /// pairs do not depend on lane or warp.
    When {
        /// The pairs.
        guard: Vec<(Index, Index)>,
        /// What those lanes do.
        body: Vec<Stmt>,
    },
    /// All lanes of the block meet; what they stored to shared memory before is seen after.
    Barrier,
    /// Starts a copy from global to shared memory that ends by itself. Where the guard of `from` does not hold,
    /// zeros are written. It belongs to the group that the lane's next [`Stmt::Commit`] closes.
    Copy {
        /// Where to, in shared memory; without a guard.
        to: Access,
        /// Where from, in global memory.
        from: Access,
        /// Number of elements; with their type 4, 8 or 16 bytes.
        width: u32,
    },
    /// Closes the lane's open group of copies.
    Commit,
    /// Waits until all but the lane's last `pending` groups of copies have ended. Other lanes see them after a barrier.
    Wait {
        /// Groups that may still be under way.
        pending: u32,
    },
    /// What devices with tensor copies and warpgroups do beside.
    Bulk(Bulk),
}

/// A loop that may carry variables from one round to the next. Its bounds are the same in all lanes of a warp.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct For {
    /// What counts; known in the body.
    pub counter: Counter,
    /// First value.
    pub start: Index,
    /// First value that is too large.
    pub end: Index,
    /// Above 0.
    pub step: i64,
    /// How many rounds to write out one after the other; a hint.
    pub unroll: u32,
    /// Variables that go from round to round.
    pub carried: Vec<Carried>,
    /// One round.
    pub body: Vec<Stmt>,
}

/// What a variable is assigned. Elementwise operands have equal widths.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Value {
    /// One number in every register.
    Const(F64, Type),
    /// Integers, one for each register, as `i32`.
    Index(Vec<Index>),
    /// Registers read from memory, side by side; a width that is a power of two. `other` where the guard does not hold.
    Load {
        /// Where from.
        from: Access,
        /// How many.
        width: u32,
        /// What stands where nothing is read.
        other: F64,
    },
    /// A primitive function of each number.
    Unary(UnaryFn, Var),
    /// A function of each pair of numbers; predicates give `bool`.
    Binary(BinaryFn, Var, Var),
    /// `a b + c`, rounded once.
    Fma(Var, Var, Var),
    /// The second where the first, of `bool`, is true, else the third.
    Select(Var, Var, Var),
    /// Another element type.
    Cast(DType, Var),
    /// One after the other.
    Concat(Vec<Var>),
    /// Registers of a variable, by position; one may come more than once.
    Pick(Var, Vec<u32>),
    /// What the lane whose number differs in these bits holds; all lanes of the warp take part.
    ShuffleXor(Var, u32),
    /// `c + a b` by a matrix instruction, on fragments; all lanes of the warp take part.
    Matrix {
        /// By position in [`Program::matrix`].
        instr: u32,
        /// `m x k`
        a: Var,
        /// `k x n`
        b: Var,
        /// `m x n`
        c: Var,
    },
    /// An 8 x 8 matrix of 16-bit elements for each register pair, read from shared memory by the whole warp: lane `8 i + r`
    /// says where row `r` of matrix `i` starts, 8 elements long. Lane `l` gets elements `2 (l mod 4)` and the one
    /// after it of row `l div 4`; with `transposed`, of the transposed matrix.
    LoadMatrix {
        /// Where a lane's row starts; in shared memory, without a guard.
        from: Access,
        /// Number of matrices: 1, 2 or 4.
        count: u32,
        /// Whether matrices are turned.
        transposed: bool,
    },
    /// `c + a b` by a warpgroup, which only starts it; all its lanes take part. The result is read, other than as the `c`
    /// of a further product, after the wait for its group; so are `a` and what shared memory holds of it written over.
    Product {
        /// By position in [`Program::warpgroup`].
        instr: u32,
        /// `m x k`
        a: LeftOperand,
        /// `k x n`
        b: SharedTile,
        /// `m x n`
        c: Var,
    },
}

impl Program {
    /// Number of blocks.
    pub fn blocks(&self) -> i64 {
        self.grid.iter().product()
    }

    /// Lanes of a block.
    pub fn threads(&self) -> u32 {
        self.warps * self.lanes
    }

    /// What every shared array starts at a multiple of, in bytes.
    pub fn shared_alignment(&self) -> usize {
        if self.maps.is_empty() { 16 } else { 1024 }
    }

    /// Bytes of shared memory: each array at a multiple of the alignment, then the mbarriers, 8 bytes each.
    pub fn shared_bytes(&self) -> usize {
        let align = self.shared_alignment();
        let arrays = self.shared.iter();
        let arrays: usize = arrays.map(|a| a.bytes().next_multiple_of(align)).sum();
        let counters: usize = self.mbarriers.iter().map(|m| m.len as usize).sum();
        arrays + (8 * counters).next_multiple_of(16)
    }

    /// The array behind a reference.
    pub fn array(&self, memory: Memory) -> &Array {
        match memory {
            Memory::Param(i) => &self.params[i as usize],
            Memory::Shared(i) => &self.shared[i as usize],
        }
    }
}

impl Type {
    /// `width` registers of `dtype`.
    pub const fn new(dtype: DType, width: u32) -> Self {
        Self { dtype, width }
    }
}
