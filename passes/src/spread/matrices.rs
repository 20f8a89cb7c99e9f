//! Fragments read from shared memory by whole warps, as 8 x 8 matrices.

use ir::{
    DType,
    lane::{self, Access, Layout, Memory, Step},
    tile::{Axis, Var},
};

use super::{Spreader, dot::contiguous, shared::Staged};

/// Rows of a matrix, and elements of one.
const SIDE: i64 = 8;

/// Most register bits of a fragment that one instruction fills: four matrices of a pair of registers.
const MOST_BITS: usize = 3;

impl Spreader<'_> {
    /// Whether fragments of this layout are what reading matrices gives.
    pub(super) fn reads_matrices(&self, layout: &Layout, dtype: DType) -> bool {
        let step = |along: Axis, by: u32| match along {
            Axis::Lanes => Step::columns(by),
            Axis::Rows => Step::rows(by),
        };
        let fits = |along: Axis, across: Axis| {
            let lane = [step(along, 2), step(along, 4)].into_iter();
            let lane = lane.chain([1, 2, 4].map(|by| step(across, by)));
            layout.register.first() == Some(&step(along, 1)) && layout.lane.iter().copied().eq(lane)
        };
        self.simt.load_matrix
            && matches!(dtype, DType::F16 | DType::Bf16)
            && (fits(Axis::Lanes, Axis::Rows) || fits(Axis::Rows, Axis::Lanes))
    }

    /// The registers of a fragment, which start at a multiple of their number, if they can be read so.
    pub(super) fn matrices(
        &mut self,
        staged: &Staged,
        layout: &Layout,
        registers: std::ops::Range<u32>,
    ) -> Option<Var> {
        let bits = registers.len().ilog2() as usize;
        if !self.reads_matrices(layout, staged.dtype) || bits == 0 {
            return None;
        }
        let taken = bits.min(MOST_BITS);
        let transposed = staged.along != contiguous(layout);
        // A lane says where a row starts: three bits for which row, the others for which matrix.
        let row = |by: u32| match staged.along {
            Axis::Lanes => Step::rows(by),
            Axis::Rows => Step::columns(by),
        };
        let mut lane = vec![row(1), row(2), row(4)];
        lane.extend(&layout.register[1..taken]);
        lane.resize(layout.lane.len(), Step::NONE);
        let rows = Layout {
            register: layout.register[taken..].to_vec(),
            lane,
            warp: layout.warp.clone(),
        };
        let others = rows
            .register
            .iter()
            .chain(&rows.lane[3..])
            .chain(&rows.warp);
        if !others.into_iter().all(|s| staged.delta(s) % SIDE == 0) || !staged.starts_at(SIDE) {
            return None;
        }
        let parts = registers
            .step_by(1 << taken)
            .map(|register| {
                let from = Access {
                    memory: Memory::Shared(staged.array),
                    at: self.place(staged, &rows, register >> taken),
                    guard: vec![],
                };
                self.set(lane::Value::LoadMatrix {
                    from,
                    count: 1 << (taken - 1),
                    transposed,
                })
            })
            .collect();
        Some(self.concat(parts))
    }
}
