//! What can be wrong with a lane program.

use std::fmt;

use super::super::{Memory, Type, WARPGROUP};
use crate::{
    DType, F64, UnaryFn,
    tile::{Counter, Place, Var},
};

/// Most blocks of a grid.
pub(super) const MOST_BLOCKS: i64 = 1 << 48;
/// Most lanes of a warp.
pub(super) const MOST_LANES: u32 = 64;
/// Most warps of a block.
pub(super) const MOST_WARPS: u32 = 1024;
/// Most registers of a variable.
pub(super) const MOST_REGISTERS: u32 = 4096;
/// Most bits of a side, and of a number of registers, of a fragment.
pub(super) const MOST_BITS: usize = 10;

/// The first fault of a lane program.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("lane program `{program}`, {place}: {fault}")]
pub struct VerifyError {
    /// Name of the program.
    pub program: String,
    /// Where the fault stands.
    pub place: Place,
    /// What it is.
    pub fault: Fault,
}

/// Something that a lane program must not have.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// A name that C does not take, or of two arrays.
    #[error("name: wanted a C identifier that no other array has, found `{0}`")]
    Name(String),
    /// A grid without blocks.
    #[error("grid axis {axis}: wanted a size above 0, found {size}")]
    Grid {
        /// Which.
        axis: usize,
        /// Its size.
        size: i64,
    },
    /// More blocks than can be counted.
    #[error("grid: wanted at most {MOST_BLOCKS} blocks, found more")]
    Blocks,
    /// A number that nothing counts.
    #[error("{what}: wanted 1 to {most}, found {found}")]
    Count {
        /// What is counted.
        what: String,
        /// The most there may be.
        most: u32,
        /// How many there are.
        found: u32,
    },
    /// A number of lanes that no warp has.
    #[error("{what}: wanted a power of two up to {most}, found {found}")]
    Size {
        /// Lanes.
        what: &'static str,
        /// The most there may be.
        most: u32,
        /// How many there are.
        found: u32,
    },
    /// A length below 0.
    #[error("array `{array}`: wanted a length of at least 0, found {len}")]
    Length {
        /// Name of the array.
        array: String,
        /// Its length.
        len: i64,
    },
    /// A second matrix instruction of one name.
    #[error("matrix instruction `{0}`: wanted a name that no other one has")]
    Twice(String),
    /// A matrix instruction whose fragments do not fit together.
    #[error(
        "matrix instruction `{name}`: wanted whole fragments of one product, for warps of {lanes} lanes"
    )]
    Fragments {
        /// Its name.
        name: String,
        /// Lanes of a warp.
        lanes: u32,
    },
    /// An outer product that needs numbers of other lanes.
    #[error(
        "matrix instruction `{0}`: wanted lanes that hold the row and the column of all they add to"
    )]
    NotOwn(String),
    /// A second assignment.
    #[error("{0} is assigned before; wanted a new variable")]
    Assigned(Var),
    /// A variable that has no value here.
    #[error("{0} has no value here: wanted a variable assigned before, in this scope or around it")]
    Unassigned(Var),
    /// A second loop of one counter.
    #[error("{0} counts a grid axis or another loop; wanted a new counter")]
    Counted(Counter),
    /// A counter that has no value here.
    #[error("{0} has no value here: wanted a grid axis or a loop around")]
    Uncounted(Counter),
    /// A loop bound that differs between the lanes of a warp.
    #[error("loop bound: wanted one number for the warp, found `lane`")]
    LaneBound,
    /// A loop that does not advance.
    #[error("loop step: wanted at least 1, found {0}")]
    Step(i64),
    /// A loop whose rounds are written out no time.
    #[error("loop unroll: wanted at least 1, found 0")]
    Unroll,
    /// A barrier that some lanes may not come to.
    #[error("barrier: wanted a place that all lanes of the block come to, found one under `{0}`")]
    Apart(&'static str),
    /// An array that the program lacks.
    #[error("{0}: the program has no such array")]
    NoArray(Memory),
    /// A matrix instruction that the program lacks.
    #[error("matrix instruction {0}: the program has no such one")]
    NoInstr(u32),
    /// A store to a parameter that is not written.
    #[error("store: parameter `{0}` is not declared as written")]
    ReadOnly(String),
    /// An access to another kind of memory than wanted.
    #[error("array `{array}`: wanted {wanted} memory")]
    Kind {
        /// Name of the array.
        array: String,
        /// Global or shared.
        wanted: &'static str,
    },
    /// A guard where none may stand.
    #[error("array `{0}`: wanted an access without a guard")]
    Guarded(String),
    /// A number of elements that no access moves at once.
    #[error("access to `{array}`: wanted {wanted}, found {width} elements, {bytes} bytes")]
    Width {
        /// Name of the array.
        array: String,
        /// Sizes that fit.
        wanted: &'static str,
        /// Number of elements.
        width: u32,
        /// Their size.
        bytes: u64,
    },
    /// A number of matrices that no load reads.
    #[error(
        "load_matrix: wanted 1, 2 or 4 matrices and warps of 32 lanes, found {count} and {lanes}"
    )]
    Matrices {
        /// Number of matrices.
        count: u32,
        /// Lanes of a warp.
        lanes: u32,
    },
    /// A lane that the warp lacks.
    #[error("shuffle_xor: wanted bits below {lanes}, found {found}")]
    Lanes {
        /// Lanes of a warp.
        lanes: u32,
        /// The bits.
        found: u32,
    },
    /// Another element type than wanted.
    #[error("{what}: wanted {wanted}, found {found}")]
    DType {
        /// Variable or array.
        what: String,
        /// What fits.
        wanted: String,
        /// What it is.
        found: DType,
    },
    /// Another type than wanted.
    #[error("{var}: wanted {wanted}, found {found}")]
    Type {
        /// The variable.
        var: Var,
        /// What fits.
        wanted: Type,
        /// What it is.
        found: Type,
    },
    /// A number that the element type does not hold.
    #[error("const: {dtype} does not hold {}", value.get())]
    Const {
        /// The number.
        value: F64,
        /// The element type.
        dtype: DType,
    },
    /// A variable without registers, or with more than any lane can hold.
    #[error("registers: wanted 1 to {MOST_REGISTERS}, found {0}")]
    Registers(u64),
    /// A register that the variable lacks.
    #[error("{var}: wanted a register below {width}, found {found}")]
    NoRegister {
        /// The variable.
        var: Var,
        /// How many it has.
        width: u32,
        /// The register.
        found: u32,
    },
    /// A tensor map that no device takes.
    #[error("map {map}: {fault}")]
    Map {
        /// By position.
        map: u32,
        /// What is wrong with it.
        fault: Box<MapFault>,
    },
    /// A tensor map that the program lacks.
    #[error("map {0}: the program has no such one")]
    NoMap(u32),
    /// A box with another number of axes than its map.
    #[error("copy_box: map {map} has {wanted} axes, found {found} indices")]
    Axes {
        /// By position.
        map: u32,
        /// Axes of the map.
        wanted: usize,
        /// Indices of the box.
        found: usize,
    },
    /// A write to what boxes are copied to, or products read, other than by a copy of a box.
    #[error(
        "shared `{0}`: wanted copies of boxes as its only writes, since products or such copies use it; \
         help: store to another array"
    )]
    Boxed(String),
    /// An mbarrier that the program lacks.
    #[error("mbarrier {0}: the program has no such one")]
    NoMbarrier(u32),
    /// A counter that an mbarrier lacks.
    #[error("mbarrier `{mbarrier}`: wanted a slot within 0..{len}, found {found}")]
    Slot {
        /// Name of the mbarrier.
        mbarrier: String,
        /// How many counters it has.
        len: u32,
        /// Which was asked for.
        found: i64,
    },
    /// A parity that no phase has.
    #[error("await: wanted parity 0 or 1, found {0}")]
    Parity(i64),
    /// A number that differs between the lanes of a warp.
    #[error("{0}: wanted one number for the warp, found `lane`")]
    LaneIndex(&'static str),
    /// Warps that are no whole warpgroups.
    #[error("warps: wanted whole groups of {WARPGROUP}, found {0}")]
    Warpgroups(u32),
    /// A step of a warpgroup to which some of its lanes may not come.
    #[error("{what}: wanted a place that all lanes of a warpgroup come to, found one under `{by}`")]
    Split {
        /// The step.
        what: &'static str,
        /// The statement around.
        by: &'static str,
    },
    /// A warpgroup instruction that the program lacks.
    #[error("warpgroup instruction {0}: the program has no such one")]
    NoWarpgroup(u32),
    /// An operand that no product reads.
    #[error("operand in shared `{array}`: wanted {wanted}")]
    Tile {
        /// Name of the array.
        array: String,
        /// What fits.
        wanted: &'static str,
    },
    /// A number of registers that no lane can be given.
    #[error("registers: wanted a multiple of 8 from 24 to 240, found {0}")]
    RegisterCount(u32),
    /// A function that is a term over others.
    #[error("{}: wanted a primitive function; help: expand it when lowering", .0.name())]
    Derived(UnaryFn),
}

/// What is wrong with a tensor map.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{what}: wanted {wanted}, found {found}")]
pub struct MapFault {
    /// Which part of it.
    pub what: String,
    /// What fits.
    pub wanted: String,
    /// What it is.
    pub found: String,
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Param(i) => write!(f, "parameter {i}"),
            Self::Shared(i) => write!(f, "shared array {i}"),
        }
    }
}

impl fmt::Display for Type {
    /// `f32x4`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.dtype, self.width)
    }
}
