//! OpenCL devices: texts compiled by their drivers.
//!
//! The library is looked for when a device is asked for, so programs start without it (see `docs/adr/0021`).

mod built;
mod card;
mod engine;
mod error;
mod library;
mod object;

pub use card::{Card, CardInfo, cards};
pub use error::OpenClError;

pub(crate) use built::Built;
