//! The schedule that the analytical model thinks best: what a kernel gets before anything was measured.

use ir::{
    AttentionSchedule, ContractSchedule, Form, Kernel, Left, MapSchedule, Order, RowsSchedule,
    Schedule, Simd, Target,
};
use passes::{KernelFamily, LowerError, family};

/// Blocks that a launch should have at least, so that a few threads end at about the same time.
const BLOCKS: i64 = 16;

/// Elements that a block of a map should have, so that taking it costs little beside computing it.
const MAP_BLOCK: u32 = 4096;

/// Rounds between which a multiply-add's result is ready; four cycles on Zen 4, Golden Cove and Ice Lake.
/// Source: Fog, "Instruction tables", 2025, `VFMADD231PS`.
const FMA_CYCLES: i64 = 4;

/// Rows of a tile. Rows of the left operand that lie a multiple of 2 KiB apart share the 8 ways of few sets of the
/// first-level cache; 30 rows were measured at a third of the speed of 14 (Zen 4, depth 1536, 2026-11-24).
const MOST_ROWS: i64 = 14;

/// The first schedule for `kernel`.
///
/// # Errors
/// No template computes the kernel.
pub fn first_choice(kernel: &Kernel, target: &Target) -> Result<Schedule, LowerError> {
    let simd = match &target.form {
        Form::Simd(simd) => simd,
        Form::Simt(simt) => return crate::simt::choose(kernel, target, simt),
        Form::Tensor(core) => return crate::tensor::choose(kernel, target, core),
    };
    let lanes = (simd.vector.0 / 4) as u32;
    Ok(match family(kernel)? {
        KernelFamily::Map { .. } | KernelFamily::Fold { .. } => Schedule::Map(MapSchedule {
            lanes: 4 * lanes,
            block: MAP_BLOCK,
        }),
        KernelFamily::Rows { rows, .. } => {
            let block = (rows / BLOCKS).clamp(1, 32) as u32;
            Schedule::Rows(RowsSchedule {
                lanes: 4 * lanes,
                block,
            })
        }
        KernelFamily::Contract {
            batch,
            rows,
            columns,
            depth,
            ..
        } => Schedule::Contract(contract(simd, batch, rows, columns, depth)),
        KernelFamily::Attention {
            heads,
            queries,
            depth,
            ..
        } => {
            let (tile, lanes) = tile(simd, queries, i64::from(2 * lanes), depth);
            let parts = (BLOCKS as u64).div_ceil(heads as u64) as i64;
            let block = multiple((queries as u64).div_ceil(parts as u64) as i64, tile);
            Schedule::Attention(AttentionSchedule {
                rows: tile as u32,
                lanes,
                unroll: 4,
                block_queries: block as u32,
            })
        }
    })
}

/// The smallest multiple of `of` that is not below `n`.
fn multiple(n: i64, of: i64) -> i64 {
    (n.max(1) as u64).next_multiple_of(of as u64) as i64
}

fn contract(simd: &Simd, batch: i64, rows: i64, columns: i64, depth: i64) -> ContractSchedule {
    let (tile, lanes) = tile(simd, rows, columns, depth);
    // A block reads its rows of the left operand once per panel: half of the second-level cache holds them.
    let cached = (simd.l2.0 / 2) as i64 / (4 * depth.max(1));
    let panels = (columns as u64).div_ceil(lanes.into()) as i64;
    let blocks = (BLOCKS as u64).div_ceil((batch * panels) as u64) as i64;
    let wanted = (rows as u64).div_ceil(blocks as u64) as i64;
    let block_rows = multiple(wanted.min(cached.max(tile)), tile);
    ContractSchedule {
        rows: tile as u32,
        lanes,
        unroll: 4,
        block_rows: block_rows as u32,
        block_columns: lanes,
        left: Left::InPlace,
        order: Order::Rows,
    }
}

/// Rows and lanes of the accumulator tile: fewest cycles for the whole, then fewest loads.
fn tile(simd: &Simd, rows: i64, columns: i64, depth: i64) -> (i64, u32) {
    let vector = (simd.vector.0 / 4) as i64;
    let registers = i64::from(simd.registers);
    // One vector a row loads as much as it multiplies; it serves only columns that fill no more.
    let narrow = columns <= vector;
    let shapes = (if narrow { 1 } else { 2 }..=4).flat_map(|vectors| {
        // Accumulators, a row of the right operand and one number of the left one.
        let most = ((registers - 1 - vectors) / vectors).clamp(1, MOST_ROWS);
        (1..=most).map(move |r| (r, vectors))
    });
    let cost = |&(r, vectors): &(i64, i64)| {
        let lanes = vectors * vector;
        let panels = (columns as u64).div_ceil(lanes as u64) as i64;
        let tiles = |r: i64| {
            let fma = (r * vectors).max(FMA_CYCLES);
            let loads = vectors + (r as u64).div_ceil(2) as i64;
            (fma.max(loads) * depth + 4 * r * vectors + 32) * panels
        };
        let cycles = rows / r * tiles(r) + if rows % r > 0 { tiles(rows % r) } else { 0 };
        // Loads per product, which share the core's ports with whatever else runs there.
        let loads = (vectors + r) * 1000 / (r * vectors);
        (cycles / 64, loads, r)
    };
    let (r, vectors) = shapes
        .min_by_key(cost)
        .expect("a tile of one vector always fits");
    (r, (vectors * vector) as u32)
}
