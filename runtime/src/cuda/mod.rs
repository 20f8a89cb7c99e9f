//! NVIDIA's devices, through their driver.
//!
//! The library is looked for when a device is asked for, so programs start without it (see `docs/adr/0025`).

mod code;
mod device;
mod fit;
mod library;
mod maps;

use std::{path::Path, sync::Arc};

use crate::{
    Artifact, DeviceError, DriverDevice, DriverError, Launches, Unfit, driver::Built,
    engine::Loaded, manifest::TargetCode,
};
use device::Cuda;

/// All devices of NVIDIA's driver here.
///
/// # Errors
/// There is no driver, or it is too old. A driver without devices gives none.
pub fn cuda_devices(library: Option<&Path>) -> Result<Vec<DriverDevice>, DriverError> {
    device::devices(library)
}

/// A device of NVIDIA's driver, opened.
pub(crate) struct Card(Arc<Cuda>);

impl Card {
    /// Opens the device of this number.
    pub fn open(number: u32, library: Option<&Path>) -> Result<Self, DriverError> {
        Cuda::open(number, library).map(|card| Self(Arc::new(card)))
    }

    /// The device and its driver, in words.
    pub fn describe(&self) -> String {
        self.0.info.to_string()
    }

    /// The target that is made for this device.
    pub fn target(&self) -> &'static str {
        fit::target(self.0.capability)
    }

    /// How well a target fits, the least the best.
    pub fn fit(&self, target: &TargetCode) -> Result<u32, Unfit> {
        let card = &self.0;
        fit::fit(target, card.capability, card.threads, card.info.shared)
    }

    /// Loads the kernels of a target that fits.
    pub fn build(
        self,
        artifact: &Artifact,
        target: &TargetCode,
        launches: Launches,
    ) -> Result<Box<dyn Loaded>, DeviceError> {
        let functions = code::load(&self.0, artifact, target)?;
        Ok(Box::new(Built::new(self.0, functions, launches)))
    }
}
