//! ONNX files: the node cases of the package `onnx`, and models as exporters write them.

mod contrib;
mod errors;
mod exported;
#[path = "../support/folder.rs"]
mod folder;
mod mutations;
mod nodes;
mod outcome;
mod page;
#[path = "../support/mod.rs"]
mod support;
mod twins;
