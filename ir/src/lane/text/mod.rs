//! The text form of lane programs: prints, and parses back to an equal program.
//!
//! ```text
//! // y = 2 x, of 1000 numbers, 128 to a block
//! lane doubled grid [8] warps 4 lanes 32 {
//!   param %x : f32[1000]
//!   param %y : f32[1000] written
//!   when (#0 * 128 + warp * 32 + lane < 1000) {
//!     %0 = load %x[#0 * 128 + warp * 32 + lane] : 1
//!     %1 = add %0, %0
//!     store %y[#0 * 128 + warp * 32 + lane] = %1
//!   }
//! }
//! ```
//!
//! Arrays have names, variables have numbers: `%x`, `%2`. Counters are `#0`, `#1`, first those of the grid. An index is
//! made of integers, counters, `lane`, `warp`, variables, `+`, `-`, `*`, `div(a, b)`, `mod(a, b)`, `min(a, b)`,
//! `max(a, b)` and `xor(a, b)`. What is left out: `step 1`, `unroll 1`, `else 0.0`.
//!
//! A matrix instruction says for each bit of the register and of the lane number by how many rows or columns it moves,
//! the lowest bit first; `0` repeats:
//!
//! ```text
//!   matrix "m16n8k16" : f16 to f32 word "mma_m16n8k16_f16_f32" {
//!     a [c1, r8, c8] lanes [c2, c4, r1, r2, r4]
//!     b [r1, r8] lanes [r2, r4, c1, c2, c4]
//!     c [c1, r8] lanes [c2, c4, r1, r2, r4]
//!   }
//! ```

mod fragment;
mod index;
mod parse;
mod print;
mod spell;
mod value;

pub use parse::parse;
