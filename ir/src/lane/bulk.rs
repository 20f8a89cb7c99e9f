//! Devices that copy boxes of tensors by themselves, count arrivals, and multiply by groups of warps.
//!
//! Names are those of the PTX ISA: tensor maps, mbarriers, warpgroups.

use serde::{Deserialize, Serialize};

use super::{Index, Layout};
use crate::{DType, tile::Var};

/// Warps that multiply together.
pub const WARPGROUP: u32 = 4;

/// A parameter as a tensor of which boxes are copied. Axes are innermost first; elements along axis 0 lie side by side.
///
/// Its host encodes it before the launch. Strides but the first, which is 1, are multiples of 16 bytes, so is what a
/// box holds along axis 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TensorMap {
    /// The parameter, by position.
    pub param: u32,
    /// Elements along each axis: 1 to 5 axes.
    pub sizes: Vec<i64>,
    /// Elements from one place on an axis to the next, for each axis but the first.
    pub strides: Vec<i64>,
    /// Elements of a box along each axis, at most 256.
    pub extents: Vec<u32>,
    /// How a box lies in shared memory; where this is a swizzle, the box has along axis 0 as many bytes as it is wide.
    pub swizzle: Swizzle,
}

/// How chunks of 16 bytes of shared memory change places: some bits of a chunk's number are changed (exclusive or) by
/// the bits three above them, of the address in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Swizzle {
    /// They stay.
    None,
    /// Bit 4 by bit 7: lines of 32 bytes.
    B32,
    /// Bits 4 and 5 by bits 7 and 8: lines of 64 bytes.
    B64,
    /// Bits 4 to 6 by bits 7 to 9: lines of 128 bytes.
    B128,
}

/// Counters in shared memory on which lanes wait. Each goes through phases: one ends when as many lanes have arrived as
/// are counted on, and all bytes that were expected have come. Phases have parity 0, 1, 0, ..
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mbarrier {
    /// Name, a C identifier that no array has.
    pub name: String,
    /// How many there are.
    pub len: u32,
    /// Arrivals that end a phase.
    pub arrivals: u32,
}

/// One counter of an [`Mbarrier`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Signal {
    /// By position in the program.
    pub mbarrier: u32,
    /// Which of its counters; the same in all lanes of a warp.
    pub slot: Index,
}

/// An operand in shared memory, as a warpgroup reads it: *lines* of elements side by side, in groups of eight. With
/// `w` elements in a line of the swizzle, element `p` of line `l` is at
/// `at + (l div 8) * next_lines + (l mod 8) * w + (p div w) * next_chunk + p mod w`, its address then swizzled.
///
/// Where the swizzle acts, the array starts at a multiple of 1024 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SharedTile {
    /// The shared array, by position.
    pub array: u32,
    /// Offset of its first element, the same in all lanes of a warp; a multiple of 16 bytes.
    pub at: Index,
    /// Whether lines lie along the depth, so that `a` has a line for each row and `b` one for each column; else there is a
    /// line for each place along the depth.
    pub along_depth: bool,
    /// How it lies; not [`Swizzle::None`].
    pub swizzle: Swizzle,
    /// Elements from eight lines to the next eight.
    pub next_lines: u32,
    /// Elements from where a line of the swizzle ends to where it goes on.
    pub next_chunk: u32,
}

/// An instruction by which a warpgroup starts adding the product of two matrices to a third.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WarpgroupInstr {
    /// Name, as the vendor's documents have it.
    pub name: String,
    /// Element type of `a` and `b`.
    pub operands: DType,
    /// Element type of `c`.
    pub accumulator: DType,
    /// Fragment of `a`, `m x k`, where it lies in registers; four warps.
    pub a: Layout,
    /// Fragment of `c`, `m x n`; four warps.
    pub c: Layout,
    /// A word that the target's own printer knows.
    pub word: String,
}

/// Where the left operand of a warpgroup's product is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LeftOperand {
    /// In registers, as the instruction's fragment.
    Held(Var),
    /// In shared memory.
    Shared(SharedTile),
}

/// What such devices do beside what all do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Bulk {
    /// One lane starts the copy of a box into shared memory, where it lies side by side, swizzled as the map says. It
    /// ends by itself: then as many bytes come to the signal. What lies outside the tensor is written as zeros.
    Copy {
        /// By position in the program.
        map: u32,
        /// First place of the box on each axis.
        from: Vec<Index>,
        /// The shared array, by position.
        array: u32,
        /// Offset of the box in it, in elements.
        at: Index,
        /// Who is told.
        signal: Signal,
    },
    /// Each lane that comes here arrives, after adding so many bytes to what the phase expects.
    Expect {
        /// At which counter.
        signal: Signal,
        /// How many bytes.
        bytes: u32,
    },
    /// Each lane that comes here arrives. What it did before is seen by whom the phase's end lets go on, and the products
    /// for which its warp has waited are over for them; what other lanes of the warp did is not.
    Arrive(Signal),
    /// Waits until the phase of this parity has ended: goes on if the current phase has the other parity.
    Await {
        /// At which counter.
        signal: Signal,
        /// 0 or 1; the same in all lanes of a warp.
        parity: Index,
    },
    /// Closes the warpgroup's open group of products.
    Commit,
    /// Waits until all but the warpgroup's last `pending` groups of products have ended.
    Wait {
        /// Groups that may still be under way.
        pending: u32,
    },
    /// From here on each lane of the warpgroup may have so many registers; a hint.
    Registers {
        /// A multiple of 8, from 24 to 240.
        count: u32,
        /// Whether that is more than before.
        more: bool,
    },
}

impl Swizzle {
    /// Bytes of a line; 16 where nothing changes places.
    pub const fn line(self) -> u32 {
        match self {
            Self::None => 16,
            Self::B32 => 32,
            Self::B64 => 64,
            Self::B128 => 128,
        }
    }

    /// Where the byte at `address` lies.
    pub const fn place(self, address: u64) -> u64 {
        let chunks = (self.line() / 16 - 1) as u64;
        address ^ (address >> 3 & chunks << 4)
    }
}

impl TensorMap {
    /// Elements of a box.
    pub fn box_len(&self) -> u64 {
        self.extents.iter().map(|n| u64::from(*n)).product()
    }
}

impl WarpgroupInstr {
    /// `(m, n, k)`
    pub fn sides(&self) -> (u32, u32, u32) {
        let (m, k) = self.a.shape();
        (m, self.c.shape().1, k)
    }

    /// Whether the fragments fit together, for warps of so many lanes.
    pub fn fits(&self, lanes: u32) -> bool {
        let both = [&self.a, &self.c];
        both.iter()
            .all(|l| l.is_whole() && l.warps() == WARPGROUP && l.lanes() == lanes)
            && self.a.shape().0 == self.c.shape().0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CUDA C++ Programming Guide, "Swizzle modes": with 128 bytes, chunk `j` of line `i` lies at `j xor (i mod 8)`.
    #[test]
    fn chunks_change_places_by_their_line() {
        let chunk = |swizzle: Swizzle, line: u64, chunk: u64| {
            let width = u64::from(swizzle.line());
            let place = swizzle.place(line * width + chunk * 16);
            (place / width, place % width / 16)
        };
        for line in 0..16 {
            for j in 0..8 {
                assert_eq!(chunk(Swizzle::B128, line, j), (line, j ^ (line % 8)));
            }
            for j in 0..4 {
                assert_eq!(chunk(Swizzle::B64, line, j), (line, j ^ (line / 2 % 4)));
            }
            for j in 0..2 {
                assert_eq!(chunk(Swizzle::B32, line, j), (line, j ^ (line / 4 % 2)));
            }
        }
        assert_eq!(Swizzle::None.place(12345), 12345);
    }
}
