//! Small schedules, so that tiles are whole and ragged and warps have much and little to do.

use ir::{
    Kernel, Schedule, SimtAttentionSchedule, SimtContractSchedule, SimtMapSchedule,
    SimtRowsSchedule, Target,
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
        KernelFamily::Map { .. } | KernelFamily::Fold { .. } => {
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
        KernelFamily::Contract { .. } => [
            (m, n, k, 1, 1, 1),
            (2 * m, n, 2 * k, 1, 1, 2),
            (2 * m, 2 * n, 32, 2, 2, 3),
            (m, 2 * n, k, 4, 2, 1),
        ]
        .map(
            |(block_rows, block_columns, block_depth, warp_rows, warp_columns, stages)| {
                Schedule::SimtContract(SimtContractSchedule {
                    block_rows,
                    block_columns,
                    block_depth,
                    warp_rows,
                    warp_columns,
                    stages,
                    instr: 0,
                    skew: ir::Skew::Pad,
                    splits: 1,
                })
            },
        )
        .into(),
        KernelFamily::Attention { depth, columns, .. } => {
            let (depth, columns) = (pow2(depth).max(k).max(8), pow2(columns).max(n));
            [
                (m, n.max(k), depth, columns, 1, 1, 1),
                (m, 32.max(k), k.max(8), n, 2, 1, 2),
                (2 * m, 2 * n.max(k), depth, columns, 2, 2, 2),
            ]
            .map(
                |(
                    block_queries,
                    block_keys,
                    block_depth,
                    block_columns,
                    warp_rows,
                    warp_columns,
                    stages,
                )| {
                    Schedule::SimtAttention(SimtAttentionSchedule {
                        block_queries,
                        block_keys,
                        block_depth,
                        block_columns,
                        warp_rows,
                        warp_columns,
                        stages,
                        instr: 0,
                        skew: ir::Skew::Pad,
                        rows: ir::AttentionRows::Queries,
                        splits: 1,
                    })
                },
            )
            .into()
        }
    }
}
