//! Which schedules a kernel may have, whoever says that they are good.

use ir::{Kernel, Schedule, Target};
use serde_json::Value;

/// Largest number of a schedule: so that products of two fit 32 bits.
const LARGEST: u64 = 1 << 15;
/// Numbers of an accumulator tile on a processor; no processor has registers for half of them.
const TILE: u64 = 4096;
/// Rounds that are written out.
const UNROLLED: u32 = 64;

/// Whether a schedule, which may come from anyone, gives a program for `kernel` on `target`.
pub fn has_program(kernel: &Kernel, schedule: &Schedule, target: &Target) -> bool {
    let numbers = serde_json::to_value(schedule).expect("plain data becomes JSON");
    are_numbers(&numbers, target.simt().is_some())
        && is_tile(schedule)
        && passes::lower(kernel, schedule, target).is_ok()
}

/// Whether it does, and fits.
pub(crate) fn is_legal(kernel: &Kernel, schedule: &Schedule, target: &Target) -> bool {
    has_program(kernel, schedule, target)
        && target.simt().is_none_or(|simt| {
            passes::family(kernel).is_ok_and(|f| passes::fits(&f, schedule, simt))
        })
}

/// Whether all numbers are above 0 and not too large.
fn are_numbers(value: &Value, lanes: bool) -> bool {
    match value {
        Value::Number(n) => n.as_u64().is_some_and(|n| (1..=LARGEST).contains(&n)),
        Value::Object(map) => map.iter().all(|(key, v)| match key.as_str() {
            // A position, from 0.
            "instr" => v.as_u64().is_some_and(|n| n < LARGEST),
            // Of a processor: no side of a tile, but a number of elements.
            "block" if !lanes => v.as_u64().is_some_and(|n| n >= 1),
            _ => are_numbers(v, lanes),
        }),
        _ => true,
    }
}

/// Whether a processor's code for one tile stays small, and blocks are whole tiles.
fn is_tile(schedule: &Schedule) -> bool {
    let small = |rows: u32, lanes: u32, unroll: u32| {
        u64::from(rows) * u64::from(lanes) <= TILE && unroll <= UNROLLED
    };
    match schedule {
        Schedule::Map(s) => small(1, s.lanes, 1),
        Schedule::Rows(s) => small(1, s.lanes, 1),
        Schedule::Contract(s) => {
            let whole = s.block_rows % s.rows == 0 && s.block_columns % s.lanes == 0;
            whole && small(s.rows, s.lanes, s.unroll)
        }
        Schedule::Attention(s) => s.block_queries % s.rows == 0 && small(s.rows, s.lanes, s.unroll),
        _ => true,
    }
}
