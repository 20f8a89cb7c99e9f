//! What can go wrong while a lane program runs.

use std::fmt;

use super::{
    super::{Swizzle, VerifyError},
    stuck::{self, Waiting},
};
use crate::tile::{Counter, Place, Var};

/// Why a program did not run to its end, or has no result.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EmulateError {
    /// The program has a fault.
    #[error(transparent)]
    Verify(#[from] Box<VerifyError>),
    /// Too few or too many parameters.
    #[error("lane program `{program}`: wanted {wanted} parameters, found {found}")]
    Params {
        /// Name of the program.
        program: String,
        /// How many it has.
        wanted: usize,
        /// How many were given.
        found: usize,
    },
    /// A parameter of another length.
    #[error(
        "lane program `{program}`, parameter `{array}`: wanted {wanted} elements, found {found}"
    )]
    Length {
        /// Name of the program.
        program: String,
        /// Name of the parameter.
        array: String,
        /// Its length.
        wanted: i64,
        /// The length that was given.
        found: usize,
    },
    /// A step that no lane may take.
    #[error("lane program `{program}`, {place}, at {}{thread}: {fault}", spell(.counters))]
    Run {
        /// Name of the program.
        program: String,
        /// The statement.
        place: Place,
        /// Place of the block, and of the round of each loop around.
        counters: Vec<(Counter, i64)>,
        /// Who took it.
        thread: Thread,
        /// What happened.
        fault: Box<RunFault>,
    },
    /// A result that depends on the order of warps, or on when copies end.
    #[error(
        "lane program `{program}`, parameter `{array}`: wanted one result in every order, found {first} and {second} \
         at element {at}"
    )]
    Order {
        /// Name of the program.
        program: String,
        /// Name of the parameter.
        array: String,
        /// The element.
        at: usize,
        /// Its value in one order.
        first: f64,
        /// Its value in another.
        second: f64,
    },
}

/// A lane of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thread {
    /// Its warp.
    pub warp: u32,
    /// Its number in the warp; none for the warp as a whole.
    pub lane: Option<u32>,
}

/// What a lane does to an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Reads it.
    Read,
    /// Writes it.
    Write,
    /// Starts a copy to it.
    Copy,
}

/// A step that no lane may take.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RunFault {
    /// An access outside its array.
    #[error("array `{array}`: wanted {width} elements within 0..{len}, found those from {at}")]
    Outside {
        /// Name of the array.
        array: String,
        /// Its length.
        len: i64,
        /// Number of elements.
        width: u32,
        /// Offset of the first.
        at: i64,
    },
    /// An access of several elements that does not start at a multiple of their number.
    #[error("array `{array}`: wanted an offset that is a multiple of {width}, found {at}")]
    Misaligned {
        /// Name of the array.
        array: String,
        /// Number of elements.
        width: u32,
        /// Offset of the first.
        at: i64,
    },
    /// A read of what the block has not written.
    #[error("shared `{array}`: element {at} is read before it is written")]
    Unset {
        /// Name of the array.
        array: String,
        /// The element.
        at: usize,
    },
    /// Two lanes at one element, one of which changes it.
    #[error("shared `{array}`: {this} element {at}, which {other} {}; wanted a barrier between", theirs.verb())]
    Race {
        /// Name of the array.
        array: String,
        /// The element.
        at: usize,
        /// What this lane does.
        this: Touch,
        /// The other lane.
        other: Thread,
        /// What it did since the last barrier.
        theirs: Touch,
    },
    /// A use of what a copy is about to write.
    #[error(
        "shared `{array}`: {this} element {at}, to which {other} has a copy under way; \
         wanted its wait before, and a barrier for other lanes"
    )]
    UnderWay {
        /// Name of the array.
        array: String,
        /// The element.
        at: usize,
        /// What this lane does.
        this: Touch,
        /// The lane that started the copy.
        other: Thread,
    },
    /// A touch of what other lanes touch that meet this one at no mbarrier and at no barrier.
    #[error(
        "shared `{array}`: {this} element {at}, which {other} {}; wanted its arrival after that, awaited here, or \
         a barrier between", theirs.verb()
    )]
    Unordered {
        /// Name of the array.
        array: String,
        /// The element.
        at: usize,
        /// What this lane does.
        this: Touch,
        /// The other lane, or several of its warp.
        other: Thread,
        /// What it did.
        theirs: Touch,
    },
    /// A change of what a product may still read.
    #[error(
        "shared `{array}`: {this} element {at}, which a product of warp {warp} may still read; wanted the wait for it, \
         then an arrival of that warp, awaited here"
    )]
    Multiplied {
        /// Name of the array.
        array: String,
        /// The element.
        at: usize,
        /// What this lane does.
        this: Touch,
        /// The warp.
        warp: u32,
    },
    /// A use of what the copy of a box writes, before its phase is over.
    #[error(
        "shared `{array}`: {this} element {at}, to which a box is copied; wanted an await before, of phase {phase} of \
         `{mbarrier}`[{slot}]"
    )]
    Boxed {
        /// Name of the array.
        array: String,
        /// The element.
        at: usize,
        /// What this lane does.
        this: Touch,
        /// Name of the mbarrier.
        mbarrier: String,
        /// Which of its counters.
        slot: u32,
        /// The phase, from 0.
        phase: u32,
    },
    /// A copy of a box by no lane, or by several.
    #[error("copy_box: wanted one lane, found {0}")]
    Lanes(u32),
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
    /// An arrival that nobody counts.
    #[error(
        "mbarrier `{mbarrier}`[{slot}]: wanted {arrivals} arrivals in phase {phase}, found one more while {bytes} bytes \
         are to come"
    )]
    Arrivals {
        /// Name of the mbarrier.
        mbarrier: String,
        /// Which of its counters.
        slot: u32,
        /// The phase, from 0.
        phase: u32,
        /// How many are counted.
        arrivals: u32,
        /// Bytes that were expected and have not come.
        bytes: i64,
    },
    /// Other bytes than were expected.
    #[error(
        "mbarrier `{mbarrier}`[{slot}]: wanted the bytes that phase {phase} expects, found {} too {}",
        missing.abs(), if *missing < 0 { "many" } else { "few" }
    )]
    Bytes {
        /// Name of the mbarrier.
        mbarrier: String,
        /// Which of its counters.
        slot: u32,
        /// The phase, from 0.
        phase: u32,
        /// Bytes that are missing; below 0 if there are too many.
        missing: i64,
    },
    /// A phase that ends before a box comes whose copy started in it.
    #[error(
        "mbarrier `{mbarrier}`[{slot}]: wanted {bytes} more bytes expected in phase {phase}, since boxes may come after \
         its last arrival"
    )]
    Late {
        /// Name of the mbarrier.
        mbarrier: String,
        /// Which of its counters.
        slot: u32,
        /// The phase, from 0.
        phase: u32,
        /// Bytes of the boxes that have not come.
        bytes: u64,
    },
    /// Warps that all wait.
    #[error("no warp can go on: {}", stuck::spell(.0))]
    Stuck(Vec<Waiting>),
    /// A result that is not there yet.
    #[error("{0}: wanted the wait for its product before it is read")]
    Unready(Var),
    /// A variable that a product may still read.
    #[error("{0}: wanted the wait for the product that reads it before it is assigned again")]
    Held(Var),
    /// A product that nothing waits for.
    #[error("the product is not waited for")]
    Unended,
    /// An operand that is read otherwise than it was copied.
    #[error(
        "operand in shared `{array}`: wanted the swizzle with which its box was copied, {copied}, found {read}, at \
         element {at}"
    )]
    Swizzled {
        /// Name of the array.
        array: String,
        /// The element.
        at: usize,
        /// That of the box.
        copied: Swizzle,
        /// That of the product.
        read: Swizzle,
    },
    /// An operand at a place from which no product reads.
    #[error("operand in shared `{array}`: wanted an offset at {wanted}, found {at}")]
    Operand {
        /// Name of the array.
        array: String,
        /// What fits.
        wanted: String,
        /// The offset.
        at: i64,
    },
    /// A number that differs between the lanes of a warp.
    #[error("{what}: wanted one number for the warp, found {first} and {second}")]
    Differs {
        /// What it is for.
        what: &'static str,
        /// One number.
        first: i64,
        /// Another.
        second: i64,
    },
    /// An operand that differs between the warps of a warpgroup.
    #[error("offset of an operand: wanted one number for the warpgroup, found {0} and {1}")]
    Operands(i64, i64),
    /// A copy that nothing waits for.
    #[error("shared `{array}`: the copy to element {at} is not waited for")]
    Unwaited {
        /// Name of the array.
        array: String,
        /// The first element.
        at: usize,
    },
    /// Global memory through which lanes disturb each other.
    #[error("parameter `{array}`: {this} element {at}, which {other} of block {block} {}", theirs.verb())]
    Conflict {
        /// Name of the array.
        array: String,
        /// The element.
        at: usize,
        /// What this lane does.
        this: Touch,
        /// Block of the other lane, by its row-major number.
        block: u64,
        /// The other lane.
        other: Thread,
        /// What it did.
        theirs: Touch,
    },
    /// A step of the whole warp that some lanes do not take.
    #[error("wanted all {lanes} lanes of the warp, found {active}")]
    Apart {
        /// Lanes of a warp.
        lanes: u32,
        /// How many take part.
        active: u32,
    },
    /// Lanes that hold one element of a fragment, but not one value.
    #[error(
        "fragment {operand}: wanted one value at row {row}, column {column}, found {first} and {second}"
    )]
    Fragment {
        /// Which of `a`, `b`, `c`.
        operand: char,
        /// Row of the matrix.
        row: u32,
        /// Column of the matrix.
        column: u32,
        /// One value.
        first: f64,
        /// Another.
        second: f64,
    },
    /// A loop bound that differs between lanes.
    #[error("loop bound: wanted one number for the warp, found {0} and {1}")]
    Bound(i64, i64),
    /// An index that passes 64 bits.
    #[error("an index passes 64 bits")]
    Overflow,
    /// A quotient or remainder that is not defined.
    #[error("index: wanted a dividend of at least 0 and a divisor above 0, found {0} and {1}")]
    Division(i64, i64),
    /// An exclusive or that is not defined.
    #[error("index: wanted an exclusive or of numbers of at least 0, found {0} and {1}")]
    Negative(i64, i64),
}

/// A fault, and the lane that is to blame if it is one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stop {
    pub lane: Option<usize>,
    pub fault: RunFault,
}

impl RunFault {
    pub(super) fn in_lane(self, lane: usize) -> Stop {
        Stop {
            lane: Some(lane),
            fault: self,
        }
    }

    pub(super) fn in_warp(self) -> Stop {
        Stop {
            lane: None,
            fault: self,
        }
    }
}

impl Touch {
    /// What another lane has done.
    fn verb(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "wrote",
            Self::Copy => "copies to",
        }
    }
}

impl fmt::Display for Touch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "reads",
            Self::Write => "writes",
            Self::Copy => "copies to",
        })
    }
}

impl fmt::Display for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "warp {}", self.warp)?;
        self.lane.map_or(Ok(()), |lane| write!(f, ", lane {lane}"))
    }
}

/// `#0 = 1, #2 = 4, `
fn spell(counters: &[(Counter, i64)]) -> String {
    counters
        .iter()
        .map(|(c, n)| format!("{c} = {n}, "))
        .collect()
}
