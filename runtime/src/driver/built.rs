//! Kernels of one target, loaded by a driver, and the weights that were sent.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use super::{
    Address, Driver, DriverError, Refusal, engine::DriverEngine, error::refused, memory::Region,
    stream::Stream,
};
use crate::{
    Artifact, DeviceError, Launches, Options,
    engine::{Engine, Loaded, States},
    manifest::{BufferRef, Program, TargetCode},
};

/// A device with the kernels of one target.
pub(crate) struct Built<D: Driver> {
    pub(super) functions: Vec<Arc<D::Function>>,
    pub(super) launches: Launches,
    weights: Mutex<BTreeMap<Weight, Arc<Region<D>>>>,
    /// Why the device is lost, once it is.
    lost: Arc<OnceLock<DriverError>>,
    // Dropped last: what is in the device goes first.
    pub(super) driver: Arc<D>,
}

impl<D: Driver> Drop for Built<D> {
    fn drop(&mut self) {
        // Kernels are given back to the thread's device. One that was lost has nothing to give back.
        let _ = self.driver.enter();
    }
}

/// Section, offset, length.
type Weight = (u32, u64, u64);

fn key(buffer: BufferRef) -> Option<Weight> {
    match buffer {
        BufferRef::Weight {
            section,
            offset,
            len,
        } => Some((section.0, offset, len)),
        _ => None,
    }
}

/// What executors of a lost device answer.
pub(super) struct Health(Arc<OnceLock<DriverError>>);

impl Health {
    /// Fails if the device was lost before.
    pub fn check(&self) -> Result<(), DriverError> {
        match self.0.get() {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// The error that a refusal is; a loss is kept for whoever asks next.
    pub fn refused<D: Driver>(&self, driver: &D, refusal: Refusal, what: &str) -> DriverError {
        let error = refused(driver, refusal, what);
        if let DriverError::Lost { .. } = error {
            return self.0.get_or_init(|| error).clone();
        }
        error
    }
}

impl<D: Driver> Built<D> {
    /// A device, and the kernels of a target in order.
    pub fn new(driver: Arc<D>, functions: Vec<D::Function>, launches: Launches) -> Self {
        Self {
            driver,
            functions: functions.into_iter().map(Arc::new).collect(),
            launches,
            weights: Mutex::default(),
            lost: Arc::default(),
        }
    }

    pub(super) fn health(&self) -> Health {
        Health(Arc::clone(&self.lost))
    }

    /// Fails if the weights of a program that were not sent yet do not fit beside `more` bytes, before anything is asked for.
    pub(super) fn require_memory(
        &self,
        artifact: &Artifact,
        program: &Program,
        more: u64,
    ) -> Result<(), DriverError> {
        let sent = self.weights.lock().unwrap_or_else(PoisonError::into_inner);
        let args = program.steps.iter().flat_map(|s| &s.args);
        let weights: BTreeSet<Weight> = args.filter_map(|a| key(*a)).collect();
        let unsent = weights.iter().filter(|w| !sent.contains_key(w));
        let wanted = more + unsent.map(|(_, _, len)| len).sum::<u64>();
        match self.driver.free_memory() {
            Ok([free, total]) if wanted > free => Err(DriverError::Memory {
                device: self.driver.describe(),
                what: format!("{}: weights and activations", artifact.manifest().model),
                wanted,
                free,
                total,
            }),
            // A driver that does not say is asked for the memory itself.
            _ => Ok(()),
        }
    }

    /// A weight in the device's memory, sent once whoever uses it.
    pub(super) fn weight(
        &self,
        artifact: &Artifact,
        buffer: BufferRef,
        stream: &Stream<D>,
    ) -> Result<Arc<Region<D>>, DeviceError> {
        let key = key(buffer).expect("asked for weights only");
        let (section, _, len) = key;
        let mut sent = self.weights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(region) = sent.get(&key) {
            return Ok(Arc::clone(region));
        }
        let bytes = artifact.weight(buffer)?.expect("the buffer is a weight");
        let what = format!("weight {}", artifact.sections()[section as usize].name);
        let region = Arc::new(Region::new(&self.driver, &what, len)?);
        if len > 0 {
            let from = Address(bytes.as_ptr() as u64);
            let copied = self
                .driver
                .send(region.at(), from, bytes.len(), stream.handle)
                .and_then(|()| self.driver.finish(stream.handle));
            copied.map_err(|r| self.health().refused(&*self.driver, r, &what))?;
        }
        sent.insert(key, Arc::clone(&region));
        Ok(region)
    }
}

impl<D: Driver> Loaded for Built<D> {
    fn describe(&self) -> String {
        self.driver.describe()
    }

    fn engine(
        &self,
        artifact: &Arc<Artifact>,
        target: &TargetCode,
        program: &Program,
        options: &Options,
        states: Option<States>,
    ) -> Result<Box<dyn Engine>, DeviceError> {
        let engine = DriverEngine::new(self, artifact, target, program, options, states)?;
        Ok(Box::new(engine))
    }
}
