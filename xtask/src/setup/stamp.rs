//! A stamp says that a step is done, and with which pins.

use std::{fs, path::PathBuf};

use crate::{error::Error, root::Root};

/// The stamp of one step: a small file written after the step's result is in place.
pub struct Stamp(PathBuf);

impl Stamp {
    /// The stamp of the step with this name.
    pub fn of(root: &Root, step: &str) -> Stamp {
        Stamp(root.toolchain("stamps").join(step))
    }

    /// Whether the step was done with exactly these pins.
    pub fn matches(&self, pins: &str) -> bool {
        fs::read_to_string(&self.0).is_ok_and(|found| found == pins)
    }

    /// Records the step as done; whole or not at all.
    pub fn write(&self, pins: &str) -> Result<(), Error> {
        let partial = self.0.with_extension("partial");
        fs::write(&partial, pins).map_err(Error::file("write", &partial))?;
        fs::rename(&partial, &self.0).map_err(Error::file("write", &self.0))
    }
}
