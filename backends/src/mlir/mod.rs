//! MLIR text and what becomes of it: shared by all that ends in LLVM.

pub(crate) mod text;

pub(crate) mod binary;
mod coefficients;
mod functions;
pub(crate) mod numbers;
mod power;

mod bridge;

pub(crate) use bridge::{Machine, Output, code, end_with_parent};
pub use bridge::{Refusal, Stage};
