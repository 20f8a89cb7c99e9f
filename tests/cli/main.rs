//! The program `tilewright`, from a model to an embedding, and what it makes of wrong uses.

mod arrays;
mod claims;
mod db;
mod emit;
mod errors;
mod examples;
#[path = "../support/folder.rs"]
mod folder;
mod generate;
mod graphs;
mod kill;
mod locks;
mod pipeline;
mod profile;
mod program;
#[path = "../../autotune/tests/database/samples.rs"]
mod samples;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod targets;
mod tuned;
mod verify;
