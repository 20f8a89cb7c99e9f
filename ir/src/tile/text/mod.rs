//! The text form of tile programs: prints, and parses back to an equal program.
//!
//! ```text
//! // y[row] = sum of x[row, ..], 8 rows to a block, of 20 rows of 384
//! tile row_sums grid [3] {
//!   param %x : f32[7680]
//!   param %y : f32[20] written
//!   %0 = splat 0.0 : f32 8x16
//!   %4 = for #1 in 0 .. 384 step 16 carry (%1 = %0) {
//!     %2 = load %x[(#0 * 8 + row) * 384 + #1 + lane] where (#0 * 8 + row < 20) : 8x16
//!     %3 = add %1, %2
//!     yield %3
//!   }
//!   %5 = reduce sum lanes %4
//!   store %y[#0 * 8 + row] where (#0 * 8 + row < 20) = %5
//! }
//! ```
//!
//! Arrays have names, tiles have numbers: `%x`, `%2`. Counters are `#0`, `#1`, first those of the grid.
//! An index is made of integers, counters, `row`, `lane`, `+`, `-`, `*`, `div(a, b)`, `mod(a, b)`,
//! `min(a, b)`, `max(a, b)` and elements of arrays, `%ids[row]`. What is left out: `step 1`, `unroll 1`,
//! `else 0.0`.

mod index;
mod parse;
mod print;
mod value;

pub use parse::parse;
