//! Small schedules, so that tiles are whole and ragged and warps have much and little to do.

use ir::{
    AttentionRows, Kernel, Schedule, SimtAttentionSchedule, SimtContractSchedule, SimtGemvSchedule,
    SimtMapSchedule, SimtRowsSchedule, SimtStreamSchedule, Skew, Target,
};
use passes::KernelFamily;

/// Some schedules for a kernel; not all need fit.
pub fn of(kernel: &Kernel, target: &Target) -> Vec<Schedule> {
    let simt = target.simt().unwrap();
    // Sides that every instruction divides.
    let sides = simt.matrix.iter().map(ir::lane::MatrixInstr::sides);
    let (m, n, k) = sides.fold((1, 1, 1), |(a, b, c), (m, n, k)| {
        (a.max(m), b.max(n), c.max(k))
    });
    let n = n.min(32);
    let pow2 = |size: i64| (size.max(1) as u64).next_power_of_two() as u32;
    match passes::family(kernel).unwrap() {
        KernelFamily::Map { .. } | KernelFamily::Fold { .. } | KernelFamily::Scatter { .. } => {
            [(4, 64, 2), (1, 256, 1), (16, 8, 4)]
                .map(|(block_rows, block_columns, warps)| {
                    Schedule::SimtMap(SimtMapSchedule {
                        block_rows,
                        block_columns,
                        warps,
                    })
                })
                .into()
        }
        KernelFamily::Rows { .. } => [(1, 1024, 4), (8, 1024, 2), (2, 32, 1), (4, 16, 4)]
            .map(|(block_rows, block_columns, warps)| {
                Schedule::SimtRows(SimtRowsSchedule {
                    block_rows,
                    block_columns,
                    warps,
                })
            })
            .into(),
        KernelFamily::Contract { .. } => contractions([m, n, k]),
        KernelFamily::Attention { depth, columns, .. } => {
            let (depth, columns) = (pow2(depth).max(k).max(8), pow2(columns).max(n));
            let queries = (Skew::Pad, AttentionRows::Queries, 1);
            [
                ([m, n.max(k), depth, columns], [1, 1, 1], queries),
                ([m, 32.max(k), k.max(8), n], [2, 1, 2], queries),
                ([2 * m, 2 * n.max(k), depth, columns], [2, 2, 2], queries),
                (
                    [m, n.max(k), depth, columns],
                    [1, 2, 2],
                    (Skew::Swizzle, AttentionRows::Group, 3),
                ),
                (
                    [m, n.max(k), k.max(8), n],
                    [1, 1, 1],
                    (Skew::Swizzle, AttentionRows::Queries, 2),
                ),
            ]
            .map(
                |(sides, [warp_rows, warp_columns, stages], (skew, rows, splits))| {
                    Schedule::SimtAttention(SimtAttentionSchedule {
                        block_queries: sides[0],
                        block_keys: sides[1],
                        block_depth: sides[2],
                        block_columns: sides[3],
                        warp_rows,
                        warp_columns,
                        stages,
                        instr: 0,
                        skew,
                        rows,
                        splits,
                    })
                },
            )
            .into()
        }
    }
}

fn contractions([m, n, k]: [u32; 3]) -> Vec<Schedule> {
    let tiled = [
        ([m, n, k], [1, 1, 1], (Skew::Pad, 1)),
        ([2 * m, n, 2 * k], [1, 1, 2], (Skew::Swizzle, 1)),
        ([2 * m, 2 * n, 32], [2, 2, 3], (Skew::Pad, 1)),
        ([m, 2 * n, k], [4, 2, 1], (Skew::Swizzle, 3)),
        ([m, n, k], [1, 1, 2], (Skew::Pad, 2)),
    ]
    .map(
        |(sides, [warp_rows, warp_columns, stages], (skew, splits))| {
            Schedule::SimtContract(SimtContractSchedule {
                block_rows: sides[0],
                block_columns: sides[1],
                block_depth: sides[2],
                warp_rows,
                warp_columns,
                stages,
                instr: 0,
                skew,
                splits,
            })
        },
    );
    let few_rows = [(1, 4, 128, 1, 1), (4, 16, 32, 2, 1), (2, 64, 8, 4, 2)].map(
        |(block_rows, block_columns, block_depth, warps, splits)| {
            Schedule::SimtGemv(SimtGemvSchedule {
                block_rows,
                block_columns,
                block_depth,
                warps,
                splits,
            })
        },
    );
    let [small, _, large, ..] = &tiled;
    let shared = [(small, 3), (large, 5)].map(|(tile, blocks)| {
        let Schedule::SimtContract(tile) = *tile else {
            unreachable!("made so above")
        };
        Schedule::SimtStream(SimtStreamSchedule { tile, blocks })
    });
    tiled
        .iter()
        .cloned()
        .chain(few_rows)
        .chain(shared)
        .collect()
}
