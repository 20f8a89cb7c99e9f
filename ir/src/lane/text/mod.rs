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
//!
//! Devices that copy boxes of tensors and multiply by warpgroups have a few more lines at the head of a program, of which
//! maps are known by their number, and statements:
//!
//! ```text
//!   map 0 of %x [256, 100] strides [256] box [64, 64] swizzle 128
//!   mbarrier %full[3] arrivals 1
//!   warpgroup "m64n8k16" : bf16 to f32 word "wgmma_m64n8k16_bf16_f32" {
//!     a [c1, r8, c8] lanes [c2, c4, r1, r2, r4] warps [r16, r32]
//!     c [c1, r8] lanes [c2, c4, r1, r2, r4] warps [r16, r32]
//!   }
//!   expect %full[0] bytes 8192
//!   copy_box %xs[0] = map 0 [#1 * 64, #0 * 64] signal %full[0]
//!   await %full[0] parity 0
//!   %3 = product "m64n8k16" %xs[0] by depth swizzle 128 lines 512 chunks 0, %ws[0] by side swizzle 128 lines 512 chunks 0, %2
//!   commit products
//!   wait products 0
//!   arrive %empty[0]
//!   registers fewer 40
//! ```

mod bulk;
mod fragment;
mod index;
mod parse;
mod print;
mod spell;
mod value;

pub use parse::parse;
