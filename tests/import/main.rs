//! Importers: their numbers against `transformers`, and what they make of bad files.

mod errors;
mod families;
#[path = "../support/folder.rs"]
mod folder;
mod kernels;
#[cfg(target_os = "linux")]
mod memory;
mod mutations;
mod numbers;
#[path = "../support/mod.rs"]
mod support;
mod variants;
