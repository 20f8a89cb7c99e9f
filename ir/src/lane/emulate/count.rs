//! What a run costs the memories of a device.

use serde::{Deserialize, Serialize};

use crate::{Bytes, Flops};

/// Bytes that global memory moves at once.
const SECTOR: usize = 32;
/// Banks of shared memory.
const BANKS: usize = 32;
/// Bytes side by side in one bank.
const WORD: usize = 4;

/// What the lanes of the blocks that ran did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Operations on floats, of lanes one by one and of matrix instructions.
    pub flops: Flops,
    /// Sectors of 32 bytes in global memory that warps touched; each once for each access of a warp.
    pub global_transactions: u64,
    /// Bytes of global memory that warps asked for; each once for each access of a warp.
    pub global_bytes: Bytes,
    /// Passes over the 32 banks of shared memory.
    pub shared_wavefronts: u64,
    /// Passes that were needed only because lanes met in one bank.
    pub bank_conflicts: u64,
    /// Those of reads.
    #[serde(default)]
    pub read_conflicts: u64,
    /// Meetings of all lanes of a block.
    pub barriers: u64,
    /// Registers that a warp exchanged.
    pub shuffles: u64,
    /// Matrix instructions of a warp.
    pub matrix: u64,
    /// Copies of boxes. What they read of global memory is counted with that of warps.
    #[serde(default)]
    pub box_copies: u64,
    /// Bytes that they wrote to shared memory.
    #[serde(default)]
    pub box_bytes: Bytes,
    /// Products of a warpgroup.
    #[serde(default)]
    pub products: u64,
}

impl Counts {
    /// An access of a warp to global memory: where each lane starts, in bytes, and how many it moves.
    pub(super) fn global(&mut self, starts: impl Iterator<Item = usize>, bytes: usize) {
        let mut starts: Vec<_> = starts.collect();
        starts.sort_unstable();
        starts.dedup();
        self.global_bytes.0 += (starts.len() * bytes) as u64;
        // An access is aligned and at most half a sector long.
        starts.dedup_by_key(|start| *start / SECTOR);
        self.global_transactions += starts.len() as u64;
    }

    /// A row of a box in global memory: where each element starts, in order, and its size.
    pub(super) fn row(&mut self, starts: impl Iterator<Item = usize>, bytes: usize) {
        let mut sector = None;
        for start in starts {
            self.global_bytes.0 += bytes as u64;
            if sector.replace(start / SECTOR) != Some(start / SECTOR) {
                self.global_transactions += 1;
            }
        }
    }

    /// An access of a warp to shared memory: each lane and where it starts, in bytes, and how many bytes it moves.
    /// Lanes are in order. Of 8 bytes half of 32 lanes move at once, of 16 a quarter.
    pub(super) fn shared(&mut self, lanes: impl Iterator<Item = (usize, usize)>, bytes: usize) {
        let together = BANKS / bytes.div_ceil(WORD);
        let mut words = Vec::with_capacity(BANKS);
        let mut phase = None;
        for (lane, start) in lanes {
            if phase != Some(lane / together) {
                self.phase(&mut words);
                phase = Some(lane / together);
            }
            words.extend(start / WORD..(start + bytes).div_ceil(WORD));
        }
        self.phase(&mut words);
    }

    /// Words that are asked for at once; a word is read once for all lanes.
    fn phase(&mut self, words: &mut Vec<usize>) {
        if words.is_empty() {
            return;
        }
        words.sort_unstable();
        words.dedup();
        let mut banks = [0u64; BANKS];
        words.iter().for_each(|word| banks[word % BANKS] += 1);
        let passes = banks.into_iter().max().unwrap_or(0);
        self.shared_wavefronts += passes;
        self.bank_conflicts += passes - 1;
        words.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(bytes: usize, stride: usize) -> (u64, u64) {
        let mut counts = Counts::default();
        counts.shared((0..32).map(|lane| (lane, lane * stride)), bytes);
        (counts.shared_wavefronts, counts.bank_conflicts)
    }

    #[test]
    fn banks_that_lanes_share_take_more_passes() {
        assert_eq!(shared(4, 4), (1, 0));
        assert_eq!(shared(4, 0), (1, 0), "one word for all");
        assert_eq!(shared(2, 2), (1, 0), "two lanes to a word");
        assert_eq!(shared(4, 8), (2, 1));
        assert_eq!(shared(4, 128), (32, 31));
        assert_eq!(shared(8, 8), (2, 0));
        assert_eq!(shared(16, 16), (4, 0));
        assert_eq!(shared(16, 128), (32, 28));
        assert_eq!(shared(16, 144), (4, 0));
    }

    #[test]
    fn sectors_are_counted_once() {
        let mut counts = Counts::default();
        counts.global((0..32).map(|lane| lane * 4), 4);
        assert_eq!(
            (counts.global_transactions, counts.global_bytes.0),
            (4, 128)
        );
        counts.global((0..32).map(|lane| lane * 64), 4);
        assert_eq!(
            (counts.global_transactions, counts.global_bytes.0),
            (36, 256)
        );
        counts.global([8, 8, 8].into_iter(), 8);
        assert_eq!(
            (counts.global_transactions, counts.global_bytes.0),
            (37, 264)
        );
    }
}
