//! The processor as a device.

mod engine;
mod features;
mod library;
mod memory;
mod pool;

use std::{io, sync::Arc};

use crate::{
    Artifact, DeviceError, Options, Unfit,
    engine::{Engine, Loaded, States},
    manifest::{Code, Program, TargetCode},
};
use engine::CpuEngine;
use library::Entry;

pub(crate) use features::processor;
pub use features::{ARCH, features};
pub use library::KernelFn;
pub(crate) use pool::{BLOCKS_BELOW, STEPS_BELOW};

/// Machine code of one target.
pub(crate) struct MachineCode(Vec<Entry>);

impl MachineCode {
    /// Loads the code of a target that fits.
    pub fn load(artifact: &Artifact, target: &TargetCode) -> Result<Self, DeviceError> {
        let Code::Elf(elf) = &target.code else {
            unreachable!("targets that fit a processor have machine code")
        };
        let refused = |source: io::Error| DeviceError::Code {
            path: artifact.path().display().to_string(),
            target: target.target.clone(),
            source,
        };
        let code = library::Code::load(artifact.section(elf.section)?).map_err(refused)?;
        let entries: Result<_, _> = target
            .kernels
            .iter()
            .map(|k| code.entry(&k.symbol))
            .collect();
        Ok(Self(entries.map_err(refused)?))
    }
}

impl Loaded for MachineCode {
    fn describe(&self) -> String {
        String::new()
    }

    fn engine(
        &self,
        artifact: &Arc<Artifact>,
        target: &TargetCode,
        program: &Program,
        options: &Options,
        states: Option<States>,
    ) -> Result<Box<dyn Engine>, DeviceError> {
        let engine = CpuEngine::new(artifact, target, program, &self.0, options, states)?;
        Ok(Box::new(engine))
    }
}

/// Why a target does not fit this processor, if it does not.
pub(crate) fn unfit(target: &TargetCode) -> Option<Unfit> {
    let reason = match &target.code {
        Code::Source(_) => "is no machine code".into(),
        Code::Image(image) => format!("is for {}", image.arch),
        Code::Elf(elf) if elf.arch != ARCH => format!("is for {}, this is {ARCH}", elf.arch),
        Code::Elf(elf) => match features::missing(&elf.requires) {
            missing if missing.is_empty() => return None,
            missing => format!("needs {}, which this processor lacks", missing.join(", ")),
        },
    };
    Some(Unfit {
        target: target.target.clone(),
        reason,
    })
}
