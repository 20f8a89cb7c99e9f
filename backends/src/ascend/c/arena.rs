//! Places in the vector unit's buffer for the tiles that a kernel makes.

/// Which bytes are taken.
#[derive(Default)]
pub(super) struct Arena {
    /// Start and length, by start.
    taken: Vec<(u64, u64)>,
    /// The most that was needed.
    pub peak: u64,
}

impl Arena {
    /// The lowest place with room for this many bytes.
    pub fn take(&mut self, bytes: u64) -> u64 {
        let bytes = bytes.next_multiple_of(super::ALIGN);
        let mut at = 0;
        let mut position = self.taken.len();
        for (i, (start, len)) in self.taken.iter().enumerate() {
            if at + bytes <= *start {
                position = i;
                break;
            }
            at = start + len;
        }
        self.taken.insert(position, (at, bytes));
        self.peak = self.peak.max(at + bytes);
        at
    }

    /// Gives a place back.
    pub fn give(&mut self, at: u64) {
        self.taken.retain(|(start, _)| *start != at);
    }
}

#[cfg(test)]
mod tests {
    use super::Arena;

    #[test]
    fn holes_are_filled() {
        let mut arena = Arena::default();
        assert_eq!([arena.take(32), arena.take(40), arena.take(8)], [0, 32, 96]);
        arena.give(32);
        assert_eq!([arena.take(65), arena.take(64)], [128, 32]);
        assert_eq!(arena.peak, 224);
    }
}
