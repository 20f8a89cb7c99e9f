//! The processor as a device.

mod executor;
mod features;
mod library;
mod memory;
mod model;
mod pool;

pub use executor::{Executor, KernelStats, Options};
pub use features::{ARCH, features};
pub use library::KernelFn;
pub use model::{DeviceError, Model, Unfit};
pub(crate) use pool::{BLOCKS_BELOW, STEPS_BELOW};
