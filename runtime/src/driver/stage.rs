//! Memory of this process that a device copies from and to by itself.

#![allow(unsafe_code, reason = "the memory is the driver's")]

use std::{slice, sync::Arc};

use super::{Address, Driver, DriverError, error::no_memory};

/// Such memory; it starts as zeros.
pub(super) struct Stage<D: Driver> {
    driver: Arc<D>,
    at: Address,
    len: usize,
}

impl<D: Driver> Stage<D> {
    /// Asks for memory; none is fine.
    pub fn new(driver: &Arc<D>, what: &str, len: usize) -> Result<Self, DriverError> {
        let mut stage = Self {
            driver: Arc::clone(driver),
            at: Address(0),
            len: 0,
        };
        if len > 0 {
            let at = driver.allocate_here(len);
            stage.at = at.map_err(|r| no_memory(&**driver, r, what, len as u64))?;
            stage.len = len;
            // SAFETY: the driver gave this memory, of `len` bytes, to nobody else.
            unsafe { (stage.at.0 as *mut u8).write_bytes(0, len) };
        }
        Ok(stage)
    }

    pub fn at(&self) -> Address {
        self.at
    }

    pub fn bytes(&self) -> &[u8] {
        match self.len {
            0 => &[],
            // SAFETY: the memory is this process's and has been written whole; the engine waits for copies before it
            // lets anyone look.
            len => unsafe { slice::from_raw_parts(self.at.0 as *const u8, len) },
        }
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        match self.len {
            0 => &mut [],
            // SAFETY: as above, and `&mut self` excludes other slices.
            len => unsafe { slice::from_raw_parts_mut(self.at.0 as *mut u8, len) },
        }
    }
}

impl<D: Driver> Drop for Stage<D> {
    fn drop(&mut self) {
        if self.len > 0 {
            // What cannot be given back to a lost device is the system's again when the process ends.
            if self.driver.enter().is_ok() {
                self.driver.free_here(self.at);
            }
        }
    }
}
