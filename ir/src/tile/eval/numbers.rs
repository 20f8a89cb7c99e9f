//! Integers at each element of a tile.

use super::{RunFault, Shape};

/// The part of a tile from this row and lane on.
#[derive(Clone, Copy)]
pub(super) struct Window {
    row: usize,
    lane: usize,
    shape: Shape,
}

impl Window {
    pub fn whole(shape: Shape) -> Self {
        Self {
            row: 0,
            lane: 0,
            shape,
        }
    }

    pub fn element((row, lane): (usize, usize)) -> Self {
        Self {
            row,
            lane,
            shape: Shape::ONE,
        }
    }
}

/// One integer for each element of a window, or one for all.
pub(super) enum Numbers {
    One(i64),
    Each {
        /// 1 if all rows have the same numbers.
        rows: usize,
        /// 1 if all lanes have the same numbers.
        lanes: usize,
        values: Vec<i64>,
    },
}

impl Numbers {
    /// The row of each element.
    pub fn rows(window: Window) -> Self {
        if window.shape.rows == 1 {
            return Self::One(window.row as i64);
        }
        Self::Each {
            rows: window.shape.rows as usize,
            lanes: 1,
            values: (0..i64::from(window.shape.rows)).collect(),
        }
    }

    /// The lane of each element.
    pub fn lanes(window: Window) -> Self {
        if window.shape.lanes == 1 {
            return Self::One(window.lane as i64);
        }
        Self::Each {
            rows: 1,
            lanes: window.shape.lanes as usize,
            values: (0..i64::from(window.shape.lanes)).collect(),
        }
    }

    /// The number of the first element.
    pub fn first(&self) -> i64 {
        self.at(0, 0)
    }

    /// The number of an element.
    pub fn at(&self, row: usize, lane: usize) -> i64 {
        match self {
            Self::One(n) => *n,
            Self::Each {
                rows,
                lanes,
                values,
            } => {
                let row = if *rows == 1 { 0 } else { row };
                let lane = if *lanes == 1 { 0 } else { lane };
                values[row * lanes + lane]
            }
        }
    }

    fn size(&self) -> (usize, usize) {
        match self {
            Self::One(_) => (1, 1),
            Self::Each { rows, lanes, .. } => (*rows, *lanes),
        }
    }

    /// `f` of each number of both.
    pub fn with(
        &self,
        other: &Self,
        f: fn(i64, i64) -> Result<i64, RunFault>,
    ) -> Result<Self, RunFault> {
        let (a, b) = (self.size(), other.size());
        make((a.0.max(b.0), a.1.max(b.1)), |(r, l)| {
            f(self.at(r, l), other.at(r, l))
        })
    }

    /// `f` of each number, with its row and lane.
    pub fn map(
        &self,
        mut f: impl FnMut((usize, usize), i64) -> Result<i64, RunFault>,
    ) -> Result<Self, RunFault> {
        make(self.size(), |(r, l)| f((r, l), self.at(r, l)))
    }
}

fn make(
    (rows, lanes): (usize, usize),
    mut f: impl FnMut((usize, usize)) -> Result<i64, RunFault>,
) -> Result<Numbers, RunFault> {
    if (rows, lanes) == (1, 1) {
        return f((0, 0)).map(Numbers::One);
    }
    let places = (0..rows).flat_map(|r| (0..lanes).map(move |l| (r, l)));
    let values = places.map(f).collect::<Result<_, _>>()?;
    Ok(Numbers::Each {
        rows,
        lanes,
        values,
    })
}
