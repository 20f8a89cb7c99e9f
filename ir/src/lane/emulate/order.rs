//! The order in which blocks and warps run.

use std::collections::BTreeSet;

use super::Emulation;

/// An order of warps between barriers, and of blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The first one first.
    #[default]
    Ascending,
    /// The last one first.
    Descending,
    /// Shuffled, in another way each time.
    Seeded(u64),
}

/// Some blocks of a grid: the first, the last, and others at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// How many, at least 1.
    pub count: u64,
    /// Which.
    pub seed: u64,
}

/// SplitMix64: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators", figure 17.
pub(super) struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ x >> 31
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

fn arrange<T>(mut items: Vec<T>, order: Order, round: u64) -> Vec<T> {
    match order {
        Order::Ascending => {}
        Order::Descending => items.reverse(),
        Order::Seeded(seed) => {
            let mut random = Random(seed ^ round.rotate_left(32));
            for i in (1..items.len()).rev() {
                items.swap(i, random.below(i as u64 + 1) as usize);
            }
        }
    }
    items
}

/// The warps of a block, as they take their turns after the barrier `round`.
pub(super) fn warps(count: usize, order: Order, round: u64) -> Vec<usize> {
    arrange((0..count).collect(), order, round)
}

/// The blocks to run.
pub(super) fn blocks(count: i64, options: &Emulation) -> Vec<i64> {
    let all = match options.blocks {
        Some(sample) if sample.count < count as u64 => {
            let mut random = Random(sample.seed);
            let mut some = BTreeSet::from([0]);
            if sample.count > 1 {
                some.insert(count - 1);
            }
            while (some.len() as u64) < sample.count {
                some.insert(random.below(count as u64) as i64);
            }
            some.into_iter().collect()
        }
        _ => (0..count).collect(),
    };
    arrange(all, options.order, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_the_corners_and_no_block_twice() {
        let sample = |count| Emulation {
            blocks: Some(Sample { count, seed: 7 }),
            ..Emulation::default()
        };
        assert_eq!(blocks(100, &sample(1)), [0]);
        assert_eq!(blocks(100, &sample(2)), [0, 99]);
        let some = blocks(100, &sample(9));
        assert_eq!((some.len(), some[0], some[8]), (9, 0, 99));
        assert!(some.is_sorted_by(|a, b| a < b));
        assert_eq!(blocks(3, &sample(9)), [0, 1, 2]);
    }

    #[test]
    fn orders_are_permutations() {
        assert_eq!(warps(4, Order::Descending, 0), [3, 2, 1, 0]);
        let shuffled = |round| warps(8, Order::Seeded(1), round);
        assert_ne!(shuffled(0), shuffled(1));
        let mut sorted = shuffled(0);
        sorted.sort_unstable();
        assert_eq!(sorted, warps(8, Order::Ascending, 0));
    }
}
