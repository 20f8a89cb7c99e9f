//! `cargo xtask bless`: rewrites expected texts. Values are still compared, so a wrong result is
//! not blessed by it.

use crate::{error::Error, process, root::Root};

/// Packages that hold case tests.
const PACKAGES: &[&str] = &["tilewright-ir", "tilewright-passes", "tilewright-backends"];

/// Runs the case tests of the named package, or of all, with leave to rewrite their files.
pub fn run(root: &Root, arguments: &[String]) -> Result<(), Error> {
    let mut command = root.cargo();
    command.arg("test").env("TILEWRIGHT_BLESS", "1");
    match arguments {
        [] => command.args(PACKAGES.iter().flat_map(|package| ["-p", package])),
        [package, rest @ ..] => command.args(["-p", package]).args(rest),
    };
    process::run(&mut command)?;
    println!("read the difference before you commit it: git diff --stat");
    Ok(())
}
