//! Streams and marks in them, given back when nobody uses them.

use std::{sync::Arc, time::Duration};

use super::{Done, Driver, DriverError, Handle, error::refused};

/// What an engine gives its work to.
pub(super) struct Stream<D: Driver> {
    driver: Arc<D>,
    pub handle: Handle,
}

impl<D: Driver> Stream<D> {
    pub fn new(driver: &Arc<D>) -> Result<Self, DriverError> {
        let handle = driver.make_stream();
        Ok(Self {
            handle: handle.map_err(|r| refused(&**driver, r, "runs"))?,
            driver: Arc::clone(driver),
        })
    }
}

impl<D: Driver> Drop for Stream<D> {
    fn drop(&mut self) {
        if self.driver.enter().is_ok() {
            // What it still does uses memory of its engine. A device that was lost does nothing.
            let _ = self.driver.finish(self.handle);
            self.driver.end_stream(self.handle);
        }
    }
}

/// Marks before and after pieces of work.
pub(super) struct Marks<D: Driver> {
    driver: Arc<D>,
    events: Vec<Handle>,
}

impl<D: Driver> Marks<D> {
    /// Two for each of `count` pieces.
    pub fn new(driver: &Arc<D>, count: usize) -> Result<Self, DriverError> {
        let mut marks = Self {
            driver: Arc::clone(driver),
            events: Vec::with_capacity(2 * count),
        };
        for _ in 0..2 * count {
            let event = driver.make_event();
            let event = event.map_err(|r| refused(&**driver, r, "times"))?;
            marks.events.push(event);
        }
        Ok(marks)
    }

    pub fn before(&self, piece: usize, stream: Handle) -> Done {
        self.driver.mark(self.events[2 * piece], stream)
    }

    pub fn after(&self, piece: usize, stream: Handle) -> Done {
        self.driver.mark(self.events[2 * piece + 1], stream)
    }

    /// How long a piece took, once the stream has done it.
    pub fn time(&self, piece: usize) -> Done<Duration> {
        let [first, last] = [self.events[2 * piece], self.events[2 * piece + 1]];
        self.driver.between(first, last)
    }
}

impl<D: Driver> Drop for Marks<D> {
    fn drop(&mut self) {
        if self.driver.enter().is_ok() {
            for event in &self.events {
                self.driver.end_event(*event);
            }
        }
    }
}
