//! Huawei's devices, through AscendCL.
//!
//! Artifacts hold text for these devices, which CANN's compiler makes objects of, on the user's machine; they are looked for
//! beside the artifact. The library is looked for when a device is asked for (see `docs/adr/0025`). None of this has run on a
//! device: it is tested against a library of the same functions that checks its arguments.

mod device;
mod library;
mod object;

use std::{path::Path, sync::Arc};

use crate::{
    Artifact, DeviceError, DriverDevice, DriverError, Launches, Unfit,
    driver::Built,
    engine::Loaded,
    manifest::{Code, Language, TargetCode},
};
use device::Ascend;

/// All devices of AscendCL here.
///
/// # Errors
/// There is no library, or it refuses. One without devices gives none.
pub fn ascend_devices(library: Option<&Path>) -> Result<Vec<DriverDevice>, DriverError> {
    device::devices(library)
}

/// A device of AscendCL, opened.
pub(crate) struct Card(Arc<Ascend>);

impl Card {
    /// Opens the device of this number.
    pub fn open(number: u32, library: Option<&Path>) -> Result<Self, DriverError> {
        Ascend::open(number, library).map(|card| Self(Arc::new(card)))
    }

    /// The device and its driver, in words.
    pub fn describe(&self) -> String {
        self.0.info.to_string()
    }

    /// The target that is made for this device.
    pub fn target(&self) -> String {
        let name = &self.0.info.arch;
        format!("ascend:{}", name.strip_prefix("Ascend").unwrap_or(name))
    }

    /// How well a target fits, the least the best.
    pub fn fit(&self, target: &TargetCode) -> Result<u32, Unfit> {
        let unfit = |reason| Unfit {
            target: target.target.clone(),
            reason,
        };
        match &target.code {
            Code::Source(source) if source.language == Language::AscendMlir => {
                let here = &self.0.info.arch;
                match source.arch == *here {
                    true => Ok(0),
                    false => Err(unfit(format!("is for {}, this is {here}", source.arch))),
                }
            }
            Code::Source(source) => Err(unfit(format!("is {}", source.language.name()))),
            Code::Image(image) => Err(unfit(format!("is machine code for {}", image.arch))),
            Code::Elf(_) => Err(unfit("is machine code of a processor".into())),
        }
    }

    /// Loads the kernels of a target that fits, from objects beside the artifact.
    pub fn build(
        self,
        artifact: &Artifact,
        target: &TargetCode,
        launches: Launches,
    ) -> Result<Box<dyn Loaded>, DeviceError> {
        let functions = object::load(&self.0, artifact, target)?;
        Ok(Box::new(Built::new(self.0, functions, launches)))
    }
}
