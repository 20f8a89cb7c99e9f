//! Who holds which element of a tile.

use serde::{Deserialize, Serialize};

use super::Index;

/// By how many rows and columns a bit moves: each 0 or a power of two, and not both above 0. `(0, 0)` repeats the
/// element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Step {
    /// Rows.
    pub row: u32,
    /// Columns.
    pub column: u32,
}

/// The place of each register of each lane of each warp in a tile, linear in the bits of the three numbers.
///
/// Steps that are not (0, 0) are distinct bits, and together they reach every element.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Layout {
    /// For each bit of the register's number, the lowest first.
    pub register: Vec<Step>,
    /// For each bit of the lane's number.
    pub lane: Vec<Step>,
    /// For each bit of the warp's number.
    pub warp: Vec<Step>,
}

impl Step {
    /// Repeats.
    pub const NONE: Self = Self { row: 0, column: 0 };

    /// So many rows down.
    pub const fn rows(row: u32) -> Self {
        Self { row, column: 0 }
    }

    /// So many columns on.
    pub const fn columns(column: u32) -> Self {
        Self { row: 0, column }
    }
}

/// `(row, column)` that the bits of `number` reach.
fn reach(steps: &[Step], number: u32) -> (u32, u32) {
    let taken = steps
        .iter()
        .enumerate()
        .filter(|(bit, _)| number >> bit & 1 == 1);
    taken.fold((0, 0), |(row, column), (_, s)| {
        (row + s.row, column + s.column)
    })
}

/// `sum of step * bit of number`, as an index, for rows or for columns.
fn walk(steps: &[Step], number: &Index, side: fn(&Step) -> u32) -> Index {
    let mut sum = Index::Const(0);
    let mut bit = 0;
    while bit < steps.len() {
        let step = side(&steps[bit]);
        // Bits that double from one to the next are one field.
        let mut end = bit + 1;
        while step > 0 && end < steps.len() && side(&steps[end]) == step << (end - bit) {
            end += 1;
        }
        if step > 0 {
            let field = number.clone().floor_div(1 << bit);
            let field = if end == steps.len() {
                field
            } else {
                field.modulo(1 << (end - bit))
            };
            sum = sum + field * i64::from(step);
        }
        bit = end;
    }
    sum
}

impl Layout {
    /// Registers of a lane.
    pub fn width(&self) -> u32 {
        1 << self.register.len()
    }

    /// Lanes of a warp.
    pub fn lanes(&self) -> u32 {
        1 << self.lane.len()
    }

    /// Warps of a block.
    pub fn warps(&self) -> u32 {
        1 << self.warp.len()
    }

    /// All steps: registers, lanes, warps.
    pub fn steps(&self) -> impl Iterator<Item = Step> {
        let all = self.register.iter().chain(&self.lane).chain(&self.warp);
        all.copied()
    }

    /// Rows and columns of the tile.
    pub fn shape(&self) -> (u32, u32) {
        self.steps()
            .fold((1, 1), |(r, c), s| (r + s.row, c + s.column))
    }

    /// Row and column of an element.
    pub fn place(&self, register: u32, lane: u32, warp: u32) -> (u32, u32) {
        let [r, l, w] = [
            reach(&self.register, register),
            reach(&self.lane, lane),
            reach(&self.warp, warp),
        ];
        (r.0 + l.0 + w.0, r.1 + l.1 + w.1)
    }

    /// Row and column of a register, for the lane and warp that ask.
    pub fn index(&self, register: u32) -> (Index, Index) {
        let (row, column) = reach(&self.register, register);
        let side = |side: fn(&Step) -> u32, start: u32| {
            walk(&self.lane, &Index::Lane, side)
                + walk(&self.warp, &Index::Warp, side)
                + i64::from(start)
        };
        (side(|s| s.row, row), side(|s| s.column, column))
    }

    /// What remains when all rows are one: steps along rows repeat, register bits along rows go.
    pub fn one_row(&self) -> Self {
        self.without(|s| s.row > 0)
    }

    /// What remains when all columns are one.
    pub fn one_column(&self) -> Self {
        self.without(|s| s.column > 0)
    }

    fn without(&self, gone: fn(&Step) -> bool) -> Self {
        let repeat = |steps: &[Step]| {
            let one = |s: &Step| if gone(s) { Step::NONE } else { *s };
            steps.iter().map(one).collect()
        };
        Self {
            register: self.register.iter().filter(|s| !gone(s)).copied().collect(),
            lane: repeat(&self.lane),
            warp: repeat(&self.warp),
        }
    }

    /// Whether the steps are distinct bits that reach every element of the tile.
    pub fn is_whole(&self) -> bool {
        let (mut rows, mut columns) = (0, 0);
        for s in self.steps() {
            let single = |n: u32| n == 0 || n.is_power_of_two();
            let fits = single(s.row) && single(s.column) && (s.row == 0 || s.column == 0);
            if !fits || rows & s.row > 0 || columns & s.column > 0 {
                return false;
            }
            rows |= s.row;
            columns |= s.column;
        }
        (rows + 1).is_power_of_two() && (columns + 1).is_power_of_two()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The accumulator of `mma.m16n8k16`: PTX ISA 8.7, section 9.7.14.5.8, figure "accumulator fragment layout".
    fn accumulator() -> Layout {
        Layout {
            register: vec![Step::columns(1), Step::rows(8)],
            lane: vec![
                Step::columns(2),
                Step::columns(4),
                Step::rows(1),
                Step::rows(2),
                Step::rows(4),
            ],
            warp: vec![],
        }
    }

    #[test]
    fn fragments_are_layouts() {
        let l = accumulator();
        assert!(l.is_whole());
        assert_eq!(
            (l.width(), l.lanes(), l.warps(), l.shape()),
            (4, 32, 1, (16, 8))
        );
        // c0, c1 at row lane / 4, columns 2 (lane mod 4) and the next; c2, c3 eight rows below.
        for lane in 0..32 {
            for register in 0..4 {
                let wanted = (lane / 4 + 8 * (register / 2), 2 * (lane % 4) + register % 2);
                assert_eq!(l.place(register, lane, 0), wanted);
            }
        }
        assert_eq!(l.one_column().width(), 2);
        assert_eq!(l.one_column().place(1, 31, 0), (15, 0));
        assert_eq!(l.one_row().shape(), (1, 8));
    }

    #[test]
    fn steps_that_meet_are_no_layout() {
        let mut l = accumulator();
        l.register[1] = Step::rows(4);
        assert!(!l.is_whole());
        l.register[1] = Step::rows(16);
        assert!(!l.is_whole());
    }

    #[test]
    fn fields_of_bits_are_one_term() {
        let (row, column) = accumulator().index(3);
        let lane = Index::Lane;
        assert_eq!(row, lane.clone().floor_div(4) + 8);
        assert_eq!(column, lane.modulo(4) * 2 + 1);
    }
}
