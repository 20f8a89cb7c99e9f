//! `cargo xtask emulate`: every kernel family on every kind of device of many lanes, lane by lane.

use crate::{error::Error, process, root::Root, setup};

/// Sets up, then runs all cases and planted faults of `autotune/tests/emulate`, of which `cargo xtask test` runs a part.
pub fn run(root: &Root) -> Result<(), Error> {
    setup::run(root)?;
    process::run(root.cargo().args([
        "test",
        "--package",
        "tilewright-autotune",
        "--test",
        "emulate",
        "--",
        "--full",
    ]))
}
