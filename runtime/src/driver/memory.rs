//! Memory of a device, given back when nobody uses it.

use std::sync::Arc;

use super::{Address, Driver, DriverError, error::no_memory};

/// Memory of a device. Its contents are undefined.
pub(super) struct Region<D: Driver> {
    driver: Arc<D>,
    at: Option<Address>,
}

impl<D: Driver> Region<D> {
    /// Asks for memory; none is fine. `what` is for whom.
    pub fn new(driver: &Arc<D>, what: &str, len: u64) -> Result<Self, DriverError> {
        let at = match len {
            0 => None,
            len => {
                let at = driver.allocate(len);
                Some(at.map_err(|r| no_memory(&**driver, r, what, len))?)
            }
        };
        let driver = Arc::clone(driver);
        Ok(Self { driver, at })
    }

    /// Where it starts; 0 if it is empty.
    pub fn at(&self) -> Address {
        self.at.unwrap_or(Address(0))
    }
}

impl<D: Driver> Drop for Region<D> {
    fn drop(&mut self) {
        if let Some(at) = self.at {
            // A device that was lost has nothing to give back.
            if self.driver.enter().is_ok() {
                self.driver.free(at);
            }
        }
    }
}
