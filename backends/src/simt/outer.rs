//! The matrix instruction that every device has.

use ir::{
    DType,
    lane::{Layout, MatrixInstr, Spelling, Step},
};

/// `c[i, j] += a[i] b[j]` in f32: each lane has 4 x 4 elements, side by side in pieces of 4; the lanes of a warp lie in
/// a field of 8 columns and as many rows as it takes.
pub(crate) fn outer(lanes: u32) -> MatrixInstr {
    let across = [4, 8, 16].map(Step::columns);
    let down: Vec<Step> = (2..)
        .map(|bit| Step::rows(1 << bit))
        .take(lanes.ilog2() as usize - across.len())
        .collect();
    let rows = [1, 2].map(Step::rows);
    let columns = [1, 2].map(Step::columns);
    let repeat = |steps: &[Step]| vec![Step::NONE; steps.len()];
    MatrixInstr {
        name: "fma".into(),
        operands: DType::F32,
        accumulator: DType::F32,
        a: Layout {
            register: rows.into(),
            lane: [repeat(&across), down.clone()].concat(),
            warp: vec![],
        },
        b: Layout {
            register: columns.into(),
            lane: [across.into(), repeat(&down)].concat(),
            warp: vec![],
        },
        c: Layout {
            register: [columns, rows].concat(),
            lane: [across.into(), down].concat(),
            warp: vec![],
        },
        spelling: Spelling::Outer,
    }
}

#[cfg(test)]
mod tests {
    use super::outer;

    #[test]
    fn fragments_fit() {
        for (lanes, sides) in [(32, (16, 32, 1)), (64, (32, 32, 1))] {
            assert!(outer(lanes).fits(lanes));
            assert_eq!(outer(lanes).sides(), sides);
        }
    }
}
