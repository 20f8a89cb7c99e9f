//! `cargo xtask demo`: from nothing to sentence embeddings.

use crate::{error::Error, process, root::Root, setup};

/// Sets up, builds, and runs `examples/embed.rs` on the model that set-up unpacked.
pub fn run(root: &Root) -> Result<(), Error> {
    setup::run(root)?;
    process::run(
        root.cargo()
            .args(["build", "--release", "--bin", "tilewright"]),
    )?;
    process::run(
        root.cargo()
            .args(["run", "--release", "--example", "embed", "--"])
            .arg(root.toolchain(setup::MODEL)),
    )
}
