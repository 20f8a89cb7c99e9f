//! Matrix instructions, as data.

use serde::{Deserialize, Serialize};

use super::{Layout, Type};
use crate::DType;

/// An instruction by which a warp adds the product of two small matrices to a third: `c + a b`.
///
/// Products and their sum are in f32, or in i32 for integers; the order of the sum is the hardware's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MatrixInstr {
    /// Name, as the vendor's documents have it.
    pub name: String,
    /// Element type of `a` and `b`.
    pub operands: DType,
    /// Element type of `c`.
    pub accumulator: DType,
    /// Fragment of `a`, `m x k`.
    pub a: Layout,
    /// Fragment of `b`, `k x n`.
    pub b: Layout,
    /// Fragment of `c`, `m x n`.
    pub c: Layout,
    /// How it is written.
    pub spelling: Spelling,
}

/// How a matrix instruction is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spelling {
    /// By multiply-adds of each lane's own registers: `c[i, j] += a[i] b[j]`. The depth is 1.
    Outer,
    /// By a word that the target's own printer knows.
    Word(String),
}

impl MatrixInstr {
    /// `(m, n, k)`
    pub fn sides(&self) -> (u32, u32, u32) {
        let (m, k) = self.a.shape();
        (m, self.b.shape().1, k)
    }

    /// What a lane holds of `a`, `b` and `c`.
    pub fn types(&self) -> [Type; 3] {
        [
            Type::new(self.operands, self.a.width()),
            Type::new(self.operands, self.b.width()),
            Type::new(self.accumulator, self.c.width()),
        ]
    }

    /// Whether the three fragments fit together, for warps of so many lanes.
    pub fn fits(&self, lanes: u32) -> bool {
        let all = [&self.a, &self.b, &self.c];
        let ((m, k), (kb, n)) = (self.a.shape(), self.b.shape());
        all.iter()
            .all(|l| l.is_whole() && l.warps() == 1 && l.lanes() == lanes)
            && k == kb
            && self.c.shape() == (m, n)
            && (self.spelling != Spelling::Outer || k == 1)
    }
    /// For each register of `c`, the registers of `a` and of `b` in the same lane whose product it takes, if each
    /// lane holds them: what [`Spelling::Outer`] says.
    pub fn own_registers(&self) -> Option<Vec<(u32, u32)>> {
        let bits = self.a.lane.iter().zip(&self.b.lane).zip(&self.c.lane);
        let mut bits = bits.map(|((a, b), c)| a.row == c.row && b.column == c.column);
        if !bits.all(|same| same) {
            return None;
        }
        let each = (0..self.c.width()).map(|register| {
            let (row, column) = self.c.place(register, 0, 0);
            let a = (0..self.a.width()).find(|r| self.a.place(*r, 0, 0).0 == row)?;
            let b = (0..self.b.width()).find(|r| self.b.place(*r, 0, 0).1 == column)?;
            Some((a, b))
        });
        each.collect()
    }
}
