//! How a product is made of matrix instructions, each warp some of them.

use ir::lane::{Layout, MatrixInstr, Step};

use super::SpreadError;

/// A product of tiles by one matrix instruction.
#[derive(Clone, Debug)]
pub(super) struct Tiling {
    pub instr: MatrixInstr,
    /// Instructions of a warp along rows, columns and depth.
    pub times: [u32; 3],
    /// The left operand, as instructions want it: registers of a fragment, then depth, then rows.
    pub a: Layout,
    /// The right operand: registers of a fragment, then depth, then columns.
    pub b: Layout,
    /// The sum: registers of a fragment, then columns, then rows.
    pub c: Layout,
}

/// `count` steps that double from `first` on.
fn doubling(count: u32, first: u32, step: fn(u32) -> Step) -> impl Iterator<Item = Step> {
    (0..count.ilog2()).map(move |i| step(first << i))
}

impl Tiling {
    /// Whether several fragments may be read at once, since each is of depth 1.
    pub fn reads_ahead(&self) -> bool {
        self.instr.sides().2 == 1
    }

    /// For a product of `sides`: rows, columns and depth; with warps along rows and columns.
    pub fn new(instr: &MatrixInstr, sides: [u32; 3], warps: [u32; 2]) -> Result<Self, SpreadError> {
        let (m, n, k) = instr.sides();
        let small = [m, n, k];
        if sides.iter().zip(small).any(|(side, s)| side % s != 0) {
            return Err(SpreadError::Dot {
                found: sides,
                wanted: small,
                name: instr.name.clone(),
            });
        }
        let [rows, columns, depth] = [0, 1, 2].map(|i| sides[i] / small[i]);
        let [down, across] = [warps[0].min(rows), warps[1].min(columns)];
        let times = [rows / down, columns / across, depth];
        // Warps that the tile has no room for repeat what others do.
        let by_row = |first: fn(u32) -> Step| -> Vec<Step> {
            let steps = doubling(down, m * times[0], first);
            let spare = (warps[0] / down).ilog2() as usize;
            steps.chain(vec![Step::NONE; spare]).collect()
        };
        let by_column = |first: fn(u32) -> Step| -> Vec<Step> {
            let steps = doubling(across, n * times[1], first);
            let spare = (warps[1] / across).ilog2() as usize;
            steps.chain(vec![Step::NONE; spare]).collect()
        };
        let none: fn(u32) -> Step = |_| Step::NONE;
        let layout = |fragment: &Layout, repeats: [Vec<Step>; 2], warp: [Vec<Step>; 2]| Layout {
            register: [fragment.register.clone(), repeats.concat()].concat(),
            lane: fragment.lane.clone(),
            warp: warp.concat(),
        };
        let row_repeats: Vec<_> = doubling(times[0], m, Step::rows).collect();
        let column_repeats: Vec<_> = doubling(times[1], n, Step::columns).collect();
        let a_depth = doubling(depth, k, Step::columns).collect();
        let b_depth = doubling(depth, k, Step::rows).collect();
        Ok(Self {
            times,
            a: layout(
                &instr.a,
                [a_depth, row_repeats.clone()],
                [by_column(none), by_row(Step::rows)],
            ),
            b: layout(
                &instr.b,
                [b_depth, column_repeats.clone()],
                [by_column(Step::columns), by_row(none)],
            ),
            c: layout(
                &instr.c,
                [column_repeats, row_repeats],
                [by_column(Step::columns), by_row(Step::rows)],
            ),
            instr: instr.clone(),
        })
    }
}
