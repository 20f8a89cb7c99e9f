//! Places values in one arena, so that values that are not needed at the same time share memory.

use std::ops::Range;

/// A value that lives from one launch to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Size in bytes.
    pub bytes: usize,
    /// The launch that writes it.
    pub first: usize,
    /// The last launch that reads it.
    pub last: usize,
}

/// Every value begins at a multiple of this many bytes.
pub const ALIGNMENT: usize = 64;

/// Offsets of the values, and the size of the arena, in bytes.
///
/// Largest first, each at the lowest place that is free while it lives.
pub fn place(values: &[Lifetime]) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by_key(|i| (std::cmp::Reverse(values[*i].bytes), *i));
    let mut offsets = vec![0; values.len()];
    let mut placed: Vec<(Range<usize>, usize)> = Vec::new();
    let mut arena = 0;
    for i in order {
        let value = &values[i];
        let size = value.bytes.next_multiple_of(ALIGNMENT);
        let alive = |j: usize| values[j].first <= value.last && value.first <= values[j].last;
        let mut at = 0;
        for (taken, j) in &placed {
            if alive(*j) && at < taken.end && taken.start < at + size {
                at = taken.end;
            }
        }
        offsets[i] = at;
        arena = arena.max(at + size);
        placed.push((at..at + size, i));
        placed.sort_by_key(|(range, j)| (range.start, *j));
    }
    (offsets, arena)
}
