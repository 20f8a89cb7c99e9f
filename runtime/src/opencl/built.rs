//! Kernels of one target, compiled by the driver, and the weights that were sent.

#![allow(unsafe_code, reason = "kernels are made through the library")]

use std::{
    collections::BTreeMap,
    ffi::CString,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    Card, OpenClError,
    engine::OpenClEngine,
    library::alone,
    object::{Object, made},
};
use crate::{
    Artifact, DeviceError, Options,
    engine::{Engine, Loaded, States},
    manifest::{BufferRef, Kernel, Program, TargetCode},
};

/// A device with the kernels of one target.
pub(crate) struct Built {
    pub(super) card: Arc<Card>,
    programs: Vec<Arc<Object>>,
    weights: Mutex<BTreeMap<Weight, Arc<Object>>>,
}

/// Section, offset, length.
type Weight = (u32, u64, u64);

impl Built {
    /// Compiles every kernel of a target that fits.
    pub fn new(card: Card, artifact: &Artifact, target: &TargetCode) -> Result<Self, DeviceError> {
        let _alone = alone();
        let mut programs = Vec::new();
        for kernel in &target.kernels {
            let launch = kernel.launch.as_ref();
            let launch = launch.expect("`artifact::check` wants a launch for each text");
            let text = launch.source.expect("`Card::fit` takes texts only");
            let text = artifact.text(text)?;
            programs.push(Arc::new(card.build(kernel, launch, text)?));
        }
        Ok(Self {
            card: Arc::new(card),
            programs,
            weights: Mutex::default(),
        })
    }

    /// A kernel of its own, for one step.
    pub(super) fn kernel(&self, at: usize, kernel: &Kernel) -> Result<Object, OpenClError> {
        let name = CString::new(kernel.symbol.as_str())
            .expect("names were checked when the artifact was opened");
        let (functions, program) = (&self.card.functions, &self.programs[at]);
        let made = made(
            functions,
            |f| f.clReleaseKernel,
            &[program],
            |code| {
                // SAFETY: the program was built; the name ends with NUL.
                unsafe { (functions.clCreateKernel)(program.raw(), name.as_ptr(), code) }
            },
        );
        made.map_err(|code| self.card.refused("clCreateKernel", &kernel.name, code))
    }

    /// A weight in the device's memory, sent once whoever uses it.
    pub(super) fn weight(
        &self,
        artifact: &Artifact,
        buffer: BufferRef,
    ) -> Result<Arc<Object>, DeviceError> {
        let BufferRef::Weight {
            section,
            offset,
            len,
        } = buffer
        else {
            unreachable!("asked for weights only")
        };
        let mut sent = self.weights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(object) = sent.get(&(section.0, offset, len)) {
            return Ok(Arc::clone(object));
        }
        let bytes = artifact.weight(buffer)?;
        let name = &artifact.sections()[section.0 as usize].name;
        let object = Arc::new(self.card.buffer(&format!("weight {name}"), len, bytes)?);
        sent.insert((section.0, offset, len), Arc::clone(&object));
        Ok(object)
    }

    /// Bytes of the weights that were sent.
    pub(super) fn weight_bytes(&self) -> u64 {
        let sent = self.weights.lock().unwrap_or_else(PoisonError::into_inner);
        sent.keys().map(|(_, _, len)| len).sum()
    }
}

impl Loaded for Built {
    fn describe(&self) -> String {
        self.card.describe()
    }

    fn engine(
        &self,
        artifact: &Arc<Artifact>,
        target: &TargetCode,
        program: &Program,
        options: &Options,
        states: Option<States>,
    ) -> Result<Box<dyn Engine>, DeviceError> {
        let engine = OpenClEngine::new(self, artifact, target, program, options, states)?;
        Ok(Box::new(engine))
    }
}
