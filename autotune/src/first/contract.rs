//! Cycles of contractions on a CPU, so that schedules can be ranked.
//!
//! A count of what cores do: multiply-adds, loads beside them, the end of each tile, panels that come from beyond the
//! second-level cache, and blocks that threads share unevenly. It knows nothing of the machine but vectors, registers and
//! caches. Constants without a source were fitted to 300 samples of each of ten shapes, two threads of a Zen 5
//! (`benches/results/first-choice.md`, 2026-11-25).

use ir::{ContractSchedule, Left, Simd};
use passes::KernelFamily;

/// Cycles after which a multiply-add's result is ready; four on Zen 4, Golden Cove and Ice Lake.
/// Source: Fog, "Instruction tables", 2025, `VFMADD231PS`.
const FMA_CYCLES: f64 = 4.0;

/// Rows of a tile of attention.
const MOST_ROWS: u32 = 14;

/// Bytes of a way of a first-level cache, which is the distance of lines that share a set: 64 sets of 64 bytes on all
/// targets. Source: AMD 57647 and Intel 248966, "Cache".
const WAY: u64 = 4096;

/// Cycles to read a line from the second-level cache, as far as they are not hidden.
const MISSED: f64 = 2.5;

/// The part of the second-level cache that what is read again may take.
const CACHED: f64 = 0.75;

/// Bytes of weights that come from memory in a cycle of a core, while others ask for some, too.
const MEMORY_BYTES: f64 = 3.5;

/// Bytes that come from the last cache in a cycle, and how many second-level caches it is as large as.
const FAR_BYTES: f64 = 9.0;
const FAR_CACHES: f64 = 8.0;

/// Bytes that come from the second-level cache in a cycle; 64 at most. Source: AMD 58455, "Cache".
const NEAR_BYTES: f64 = 48.0;

/// Loads beside products of which all but one are hidden.
const LOADS_HIDDEN: f64 = 4.0;

/// Cycles to begin and end a tile, beyond those of its results.
const TILE: f64 = 40.0;

/// Cycles of each vector of results.
const RESULT: f64 = 4.0;

/// Cycles of a round of a loop beside its products.
const ROUND: f64 = 1.0;

/// Cycles to take a block.
const BLOCK: f64 = 2500.0;

/// Of computing and moving, the part of the shorter one that does not happen at the time of the longer.
const APART: f64 = 0.4;

/// Pieces that a launch is cut into for each thread: blocks are taken some at a time.
const PIECES: u64 = 8;

/// Threads for which a schedule should be good.
const THREADS: [u64; 4] = [1, 2, 4, 8];

/// Vectors of products of a round as it is written out at most: more do not stay decoded.
const WRITTEN: u32 = 96;

/// Cycles of a contraction under a schedule, summed over numbers of threads.
pub(super) fn cycles(simd: &Simd, contraction: &KernelFamily, s: &ContractSchedule) -> f64 {
    let KernelFamily::Contract {
        batch,
        rows,
        columns,
        depth,
        ..
    } = *contraction
    else {
        unreachable!("the caller looked")
    };
    let grid = Grid::new(
        batch as u64,
        [rows as u64, s.block_rows.into()],
        [columns as u64, s.block_columns.into()],
    );
    let block = |[rows, columns]: [u64; 2]| block_cycles(simd, s, [rows, columns], depth);
    // A whole block, and those cut off by the last row, by the last column, and by both.
    let whole = [grid.rows.size, grid.columns.size];
    let rest = [grid.rows.last, grid.columns.last];
    let costs = [
        [block(whole), block([rest[0], whole[1]])],
        [block([whole[0], rest[1]]), block(rest)],
    ];
    let panels = 4.0 * depth as f64 * whole[1] as f64;
    let of = |threads: u64| {
        let (slowest, fetched) = grid.slowest(&costs, threads);
        // What a thread has not read, and what it reads for other rows when its caches have lost it.
        let lost = (grid.count() as f64 / threads as f64 - fetched).max(0.0);
        let far = panels * (fetched / MEMORY_BYTES + lost / rate(simd, panels));
        together(slowest, far)
    };
    THREADS.map(of).iter().sum()
}

/// Cycles of two things that happen at about the same time.
fn together(a: f64, b: f64) -> f64 {
    a.max(b) + APART * a.min(b)
}

/// Bytes that come in a cycle, if so many are read in turn.
fn rate(simd: &Simd, bytes: f64) -> f64 {
    let held = bytes / simd.l2.0 as f64;
    match held {
        _ if held <= CACHED => NEAR_BYTES,
        _ if held <= FAR_CACHES => FAR_BYTES,
        _ => MEMORY_BYTES,
    }
}

/// Cycles of a block of this many rows and columns whose panels are in a cache.
fn block_cycles(simd: &Simd, s: &ContractSchedule, [rows, columns]: [u64; 2], depth: i64) -> f64 {
    let vectors = s.lanes / (simd.vector.0 / 4) as u32;
    let tile = |r: u32| {
        let missed = match s.left {
            Left::InPlace => crowded(simd, r, depth),
            Left::Rows => 0.0,
        };
        tile_cycles(r, vectors, s.unroll, depth) + missed * depth as f64
    };
    let column = column_cycles(rows, s.rows, tile);
    let panels = columns.div_ceil(s.lanes.into()) as f64;
    let panel = 4.0 * depth as f64 * f64::from(s.lanes);
    let left = 4.0 * (rows * depth as u64) as f64;
    // Beyond the first rows of a panel, or, where rows have all panels, beyond the first panel of a row.
    let again = (rows.div_ceil(s.rows.into()) - 1) as f64 * panels * panel;
    let (moved, copied) = match s.left {
        Left::InPlace => (
            again / rate(simd, panel) + panels * left / rate(simd, left),
            0.0,
        ),
        Left::Rows => {
            let all = 4.0 * (depth as u64 * columns) as f64;
            (
                again / rate(simd, all) + panels * left / NEAR_BYTES,
                left / 16.0,
            )
        }
    };
    together(panels * column, moved) + copied + BLOCK
}

/// One side of a grid of blocks.
struct Side {
    /// Blocks.
    count: u64,
    /// Elements of a block.
    size: u64,
    /// Elements of the last one.
    last: u64,
}

impl Side {
    fn new([elements, block]: [u64; 2]) -> Self {
        let count = elements.div_ceil(block);
        Self {
            count,
            size: block.min(elements),
            last: elements - (count - 1) * block,
        }
    }
}

/// The blocks of a launch, those of the same columns one after the other.
struct Grid {
    batch: u64,
    rows: Side,
    columns: Side,
}

impl Grid {
    fn new(batch: u64, rows: [u64; 2], columns: [u64; 2]) -> Self {
        Self {
            batch,
            rows: Side::new(rows),
            columns: Side::new(columns),
        }
    }

    fn count(&self) -> u64 {
        self.batch * self.rows.count * self.columns.count
    }

    /// Cycles of the slowest of some threads, and how often a thread goes on to other columns; `costs` are those of a
    /// block, by whether its columns and its rows are the last.
    fn slowest(&self, costs: &[[f64; 2]; 2], threads: u64) -> (f64, f64) {
        let count = self.count();
        let pieces = if threads == 1 { 1 } else { threads * PIECES };
        let piece = count.div_ceil(pieces);
        let mut busy = vec![0.0f64; threads as usize];
        for first in (0..count).step_by(piece as usize) {
            let blocks = first..count.min(first + piece);
            let next = busy.iter_mut().min_by(|a, b| a.total_cmp(b));
            *next.expect("there is a thread") += self.cost(costs, blocks.start, blocks.end);
        }
        let slowest = busy.into_iter().fold(0.0, f64::max);
        let turns = count.div_ceil(piece).div_ceil(threads);
        let fetched =
            (turns * piece.div_ceil(self.rows.count)).min(self.batch * self.columns.count);
        (slowest, fetched as f64)
    }

    /// Cycles of the blocks `from..to`.
    fn cost(&self, costs: &[[f64; 2]; 2], from: u64, to: u64) -> f64 {
        // Of the first `n` blocks: how many there are, those of the last columns, of the last rows, and of both.
        let (rows, matrix) = (self.rows.count, self.rows.count * self.columns.count);
        let before = |n: u64| {
            let (whole, rest) = (n / matrix, n % matrix);
            let last = whole * rows + rest.saturating_sub(matrix - rows);
            [n, last, n / rows, whole].map(|x| x as f64)
        };
        let (a, b) = (before(from), before(to));
        let [all, last, ends, both] = [0, 1, 2, 3].map(|i| b[i] - a[i]);
        costs[0][0] * (all - last - ends + both)
            + costs[0][1] * (ends - both)
            + costs[1][0] * (last - both)
            + costs[1][1] * both
    }
}

/// Cycles of a term of the sums of `r` rows of the left operand in place, for lines that the first-level cache cannot
/// keep: those a multiple of 4 KiB apart share the ways of a set.
fn crowded(simd: &Simd, r: u32, depth: i64) -> f64 {
    let ways = simd.l1.0 / WAY;
    // Sets that lines of a column fall on.
    let sets = (1..=WAY)
        .find(|n| (n * 4 * depth as u64).is_multiple_of(WAY))
        .unwrap_or(WAY);
    let missed = u64::from(r).saturating_sub(sets * ways);
    missed as f64 * MISSED
}

/// Cycles of so many rows of a panel in tiles of `tile` rows, of which the last may be smaller; `of` are those of a tile.
fn column_cycles(rows: u64, tile: u32, of: impl Fn(u32) -> f64) -> f64 {
    let (whole, rest) = (rows / u64::from(tile), (rows % u64::from(tile)) as u32);
    whole as f64 * of(tile) + if rest > 0 { of(rest) } else { 0.0 }
}

/// Cycles of a tile of `r` rows.
fn tile_cycles(r: u32, vectors: u32, unroll: u32, depth: i64) -> f64 {
    let sums = f64::from(r * vectors);
    // A vector of the right operand, and a number of each row of the left one.
    let loads = f64::from(vectors + r);
    // They share the core's ports with whatever else runs there.
    let product = sums.max(FMA_CYCLES).max(loads) + loads / LOADS_HIDDEN;
    let unrolled = if r * vectors * unroll > WRITTEN {
        2.0 * ROUND
    } else {
        ROUND / f64::from(unroll)
    };
    (product + unrolled) * depth as f64 + RESULT * sums + TILE
}

/// Rows and lanes of the tile with the fewest cycles, then with the fewest loads.
pub(super) fn tile(simd: &Simd, rows: i64, columns: i64, depth: i64) -> (u32, u32) {
    let vector = (simd.vector.0 / 4) as u32;
    // One vector a row loads as much as it multiplies; it serves only columns that fill no more.
    let least = if columns <= i64::from(vector) { 1 } else { 2 };
    let shapes = (least..=4).flat_map(|vectors| {
        // Accumulators, a row of the right operand and one number of the left one.
        let most = ((simd.registers - 1 - vectors) / vectors).clamp(1, MOST_ROWS);
        (1..=most).map(move |r| (r, vectors))
    });
    let cost = |&(r, vectors): &(u32, u32)| {
        let panels = (columns as u64).div_ceil((vectors * vector).into()) as f64;
        column_cycles(rows as u64, r, |r| tile_cycles(r, vectors, 4, depth)) * panels
    };
    let ranked = shapes.map(|shape| (cost(&shape), shape));
    let best = ranked.min_by(|(a, _), (b, _)| a.total_cmp(b));
    let (_, (r, vectors)) = best.expect("a tile of one vector always fits");
    (r, vectors * vector)
}

#[cfg(test)]
mod tests {
    use super::Grid;

    /// Of every range of blocks the cost is the sum of its blocks' costs, one by one.
    #[test]
    fn cost_is_the_sum_over_blocks() {
        let costs = [[1000.0, 100.0], [10.0, 1.0]];
        for sides in [[1, 7, 5], [3, 1, 4], [2, 4, 1], [3, 3, 2], [1, 1, 1]] {
            let [batch, rows, columns] = sides;
            let grid = Grid::new(batch, [rows * 8 - 3, 8], [columns * 16, 16]);
            let one = |block: u64| {
                let last = [
                    block / rows % columns == columns - 1,
                    block % rows == rows - 1,
                ];
                costs[usize::from(last[0])][usize::from(last[1])]
            };
            for from in 0..grid.count() {
                for to in from..=grid.count() {
                    let wanted: f64 = (from..to).map(one).sum();
                    assert_eq!(
                        grid.cost(&costs, from, to),
                        wanted,
                        "{sides:?} {from}..{to}"
                    );
                }
            }
        }
    }

    /// Fifteen blocks, the last of which is small, are shared better by two threads than eight.
    #[test]
    fn small_last_blocks_even_out() {
        let slowest = |size: u64| {
            let grid = Grid::new(1, [128, size], [384, 384]);
            let of = |rows: u64| rows as f64;
            let costs = [[of(size), of(grid.rows.last)]; 2];
            grid.slowest(&costs, 2).0
        };
        assert_eq!(slowest(9), 65.0);
        assert_eq!(slowest(18), 72.0);
    }
}
