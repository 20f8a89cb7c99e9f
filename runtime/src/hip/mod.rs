//! AMD's devices through HIP, and others with a library of the same functions.
//!
//! The library is looked for when a device is asked for, so programs start without it (see `docs/adr/0025`).

mod device;
mod fit;
mod library;

use std::{path::Path, sync::Arc};

use crate::{
    Artifact, DeviceError, DriverDevice, DriverError, Launches, Unfit, driver::Built,
    engine::Loaded, manifest::TargetCode,
};
use device::Hip;

/// All devices of HIP here.
///
/// # Errors
/// There is no library, or it refuses. One without devices gives none.
pub fn hip_devices(library: Option<&Path>) -> Result<Vec<DriverDevice>, DriverError> {
    device::devices(library)
}

/// A device of HIP, opened.
pub(crate) struct Card(Arc<Hip>);

impl Card {
    /// Opens the device of this number.
    pub fn open(number: u32, library: Option<&Path>) -> Result<Self, DriverError> {
        Hip::open(number, library).map(|card| Self(Arc::new(card)))
    }

    /// The device and its driver, in words.
    pub fn describe(&self) -> String {
        self.0.info.to_string()
    }

    /// The target that is made for this device.
    pub fn target(&self) -> String {
        format!("rocm:{}", self.0.info.arch)
    }

    /// How well a target fits, the least the best.
    pub fn fit(&self, target: &TargetCode) -> Result<u32, Unfit> {
        let card = &self.0;
        fit::fit(target, &card.info.arch, card.threads, card.info.shared)
    }

    /// Loads the kernels of a target that fits.
    pub fn build(
        self,
        artifact: &Artifact,
        target: &TargetCode,
        launches: Launches,
    ) -> Result<Box<dyn Loaded>, DeviceError> {
        let functions = device::load(&self.0, artifact, target)?;
        Ok(Box::new(Built::new(self.0, functions, launches)))
    }
}
