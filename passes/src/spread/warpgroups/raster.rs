//! The order in which blocks work on the tiles of a grid.

use ir::lane::Index;

/// Tiles one after the other: along some places of one axis of the grid, then down another, then the next places of the
/// first, then along the third. Those that are worked on at a time then share operands, which the cache holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raster {
    /// The axes, the one of which some places are taken first.
    axes: [usize; 3],
    /// How many places.
    group: u32,
    /// Whether the second axis is walked from its end.
    reversed: bool,
}

impl Raster {
    /// For products: some columns of tiles, row by row.
    pub const fn columns(group: u32) -> Self {
        Self {
            axes: [1, 2, 0],
            group,
            reversed: false,
        }
    }

    /// For attention: some heads, query tile by query tile, the last ones first, since they may see most keys.
    pub const fn heads(group: u32) -> Self {
        Self {
            axes: [0, 1, 2],
            group,
            reversed: true,
        }
    }

    /// The place of a tile on each axis of a grid.
    pub fn places(&self, tile: &Index, grid: &[i64]) -> [Index; 3] {
        let [along, down, _] = self.axes.map(|axis| grid[axis]);
        let outer = tile.clone().floor_div(along * down);
        let outer = if grid[self.axes[2]] == 1 {
            Index::Const(0)
        } else {
            outer
        };
        let within = match &outer {
            Index::Const(_) => tile.clone(),
            _ => tile.clone().modulo(along * down),
        };
        let group = i64::from(self.group).clamp(1, along);
        let first = within.clone().floor_div(group * down) * group;
        let within = within.modulo(group * down);
        // The last group may be smaller.
        let (row, column) = if along % group == 0 {
            (within.clone().floor_div(group), within.modulo(group))
        } else {
            let size = (first.clone() * -1 + along).min(group);
            (
                Index::Div(within.clone().into(), size.clone().into()),
                Index::Mod(within.into(), size.into()),
            )
        };
        let row = if self.reversed {
            row * -1 + (down - 1)
        } else {
            row
        };
        let mut places = [const { Index::Const(0) }; 3];
        let found = [first + column, row, outer];
        for (axis, place) in self.axes.into_iter().zip(found) {
            places[axis] = if grid[axis] == 1 { 0.into() } else { place };
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn value(index: &Index, tile: i64) -> i64 {
        let of = |x: &Index| value(x, tile);
        match index {
            Index::Const(n) => *n,
            Index::Counter(_) => tile,
            Index::Add(a, b) => of(a) + of(b),
            Index::Mul(a, b) => of(a) * of(b),
            Index::Div(a, b) => of(a) / of(b),
            Index::Mod(a, b) => of(a) % of(b),
            Index::Min(a, b) => of(a).min(of(b)),
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn every_tile_has_its_turn() {
        for grid in [[1, 5, 3], [2, 8, 7], [3, 1, 1], [1, 7, 1], [4, 6, 1]] {
            for group in [1, 2, 3, 8] {
                for raster in [Raster::columns(group), Raster::heads(group)] {
                    let tile = Index::from(ir::tile::Counter(0));
                    let places = raster.places(&tile, &grid);
                    let count = grid.iter().product::<i64>();
                    let all: BTreeSet<[i64; 3]> = (0..count)
                        .map(|t| [0, 1, 2].map(|axis| value(&places[axis], t)))
                        .collect();
                    assert_eq!(all.len() as i64, count, "{grid:?} {raster:?}");
                    let inside =
                        |p: &[i64; 3]| p.iter().zip(&grid).all(|(p, n)| (0..*n).contains(p));
                    assert!(all.iter().all(inside), "{grid:?} {raster:?}");
                }
            }
        }
    }

    #[test]
    fn neighbours_in_time_are_neighbours_in_the_grid() {
        let tile = Index::from(ir::tile::Counter(0));
        let places = Raster::columns(2).places(&tile, &[1, 4, 3]);
        let first: Vec<_> = (0..5)
            .map(|t| [2, 1].map(|a| value(&places[a], t)))
            .collect();
        assert_eq!(first, [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0]]);
    }
}
