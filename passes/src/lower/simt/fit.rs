//! Which schedules a target has room for, before anything is built.

use ir::{Schedule, Simt, lane::WARPGROUP};

use super::LowerError;
use crate::spread::Warpgroups;

/// What a schedule takes.
struct Needs {
    warps: u32,
    /// Of a lane, for the tiles that are held all the time.
    registers: u64,
    /// Bytes of shared memory, without padding.
    shared: u64,
}

/// Bytes of the operands of warpgroups.
const NARROW: u64 = 2;

/// Warps of a block whose warpgroups have so many rows, with those that feed them.
const fn warps(rows: u32) -> u32 {
    (rows / 64 + 1) * WARPGROUP
}

/// Bytes of the widest operands.
const ELEMENT: u64 = 4;

fn needs(schedule: &Schedule, simt: &Simt) -> Option<Needs> {
    let area = |rows: u32, columns: u32| u64::from(rows) * u64::from(columns);
    let held =
        |elements: u64, warps: u32| elements / (u64::from(warps.max(1)) * u64::from(simt.lanes));
    let flat = |rows, columns, warps| Needs {
        warps,
        registers: held(area(rows, columns), warps),
        shared: 0,
    };
    Some(match schedule {
        Schedule::SimtMap(s) => flat(s.block_rows, s.block_columns, s.warps),
        Schedule::SimtRows(s) => flat(s.block_rows, s.block_columns, s.warps),
        Schedule::SimtContract(s) => {
            let warps = s.warp_rows * s.warp_columns;
            let operands = area(s.block_rows + s.block_columns, s.block_depth);
            Needs {
                warps,
                registers: held(area(s.block_rows, s.block_columns), warps),
                shared: operands * u64::from(s.stages) * smallest(simt, s.instr),
            }
        }
        Schedule::SimtAttention(s) => {
            let warps = s.warp_rows * s.warp_columns;
            let held_tiles = area(s.block_queries, s.block_columns + s.block_keys);
            let streamed = area(s.block_keys, s.block_depth + s.block_columns);
            let operands = area(s.block_queries, s.block_depth) + u64::from(s.stages) * streamed;
            Needs {
                warps,
                registers: held(held_tiles, warps),
                shared: operands * smallest(simt, s.instr),
            }
        }
        Schedule::WarpgroupContract(s) => {
            let operands = area(s.block_rows + s.block_columns, s.block_depth);
            Needs {
                warps: warps(s.block_rows),
                registers: held(
                    area(s.block_rows, s.block_columns),
                    warps(s.block_rows) - WARPGROUP,
                ),
                shared: operands * u64::from(s.stages) * NARROW,
            }
        }
        Schedule::WarpgroupAttention(s) => {
            // Scores, and weights two to a register.
            let held_tiles = area(
                s.block_queries,
                s.block_columns + s.block_keys + s.block_keys / 2,
            );
            let streamed = area(s.block_keys, s.block_depth + s.block_columns);
            let operands = area(s.block_queries, s.block_depth) + u64::from(s.stages) * streamed;
            Needs {
                warps: warps(s.block_queries),
                registers: held(held_tiles, warps(s.block_queries) - WARPGROUP),
                shared: operands * NARROW,
            }
        }
        Schedule::Map(_) | Schedule::Rows(_) | Schedule::Contract(_) | Schedule::Attention(_) => {
            return None;
        }
    })
}

/// Bytes of an element of the instruction's operands: no operand takes fewer.
fn smallest(simt: &Simt, instr: u32) -> u64 {
    let instr = simt.matrix.get(instr as usize);
    instr.map_or(ELEMENT, |i| i.operands.size() as u64)
}

/// Fails if the schedule takes more lanes, registers or shared memory than there are.
pub(super) fn check(kernel: &str, schedule: &Schedule, simt: &Simt) -> Result<(), LowerError> {
    let Some(needs) = needs(schedule, simt) else {
        return Ok(());
    };
    let most = match Warpgroups::of(schedule) {
        Some(groups) => groups.registers(simt.lanes),
        None => simt.registers,
    };
    let lanes = u64::from(needs.warps) * u64::from(simt.lanes);
    let all = [
        ("lanes", lanes, simt.threads.into()),
        ("registers of a lane", needs.registers, most.into()),
        ("bytes of shared memory", needs.shared, simt.shared.0),
    ];
    match all.into_iter().find(|(_, found, limit)| found > limit) {
        None => Ok(()),
        Some((what, found, limit)) => Err(LowerError::DoesNotFit {
            kernel: kernel.into(),
            what,
            found,
            limit,
        }),
    }
}
