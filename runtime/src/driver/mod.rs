//! What CUDA, HIP and AscendCL have in common: devices with memory of their own, and launches given to a stream.
//!
//! A driver is a [`Driver`]; all else is written once: weights that are sent once ([`Built`]), runs that allocate nothing
//! and are replayed from a recording ([`DriverEngine`]), and errors.

mod built;
mod call;
mod engine;
mod error;
mod library;
mod memory;
mod stage;
mod stream;

use std::{fmt, sync::Arc, time::Duration};

use crate::manifest::Kernel;

pub use error::{DriverError, Interface};

pub(crate) use built::Built;
pub(crate) use call::{call, functions, made};
pub(crate) use library::{find, open};

/// A driver's device, opened. Calls are safe on any thread after [`Driver::enter`] there.
pub(crate) trait Driver: Send + Sync + Sized + 'static {
    /// A kernel that is loaded.
    type Function: Send + Sync;
    /// A kernel with its arguments, ready to be given to a stream.
    type Launch: Send + Sync;
    /// Launches that were recorded.
    type Graph: Send + Sync;

    /// The device and its driver, in words.
    fn describe(&self) -> String;

    /// What a refusal means.
    fn meaning(&self, code: i32) -> Meaning;

    /// A refusal's name, as the driver's documentation has it.
    fn name(&self, code: i32) -> String;

    /// Makes the device the calling thread's.
    fn enter(&self) -> Done;

    /// Bytes of memory that are free, and all.
    fn free_memory(&self) -> Done<[u64; 2]>;

    /// Memory of the device, at a multiple of 64; `len` is above 0.
    fn allocate(&self, len: u64) -> Done<Address>;

    /// Gives memory back that [`Driver::allocate`] gave.
    fn free(&self, at: Address);

    /// Memory of this process that the device copies from and to by itself; `len` is above 0.
    fn allocate_here(&self, len: usize) -> Done<Address>;

    /// Gives memory back that [`Driver::allocate_here`] gave.
    fn free_here(&self, at: Address);

    /// A stream: what is given to it is done in order.
    fn make_stream(&self) -> Done<Handle>;

    /// Gives a stream back.
    fn end_stream(&self, stream: Handle);

    /// A mark in a stream that has a time.
    fn make_event(&self) -> Done<Handle>;

    /// Gives a mark back.
    fn end_event(&self, event: Handle);

    /// Puts a mark into a stream.
    fn mark(&self, event: Handle, stream: Handle) -> Done;

    /// Time between two marks that were reached.
    fn between(&self, first: Handle, last: Handle) -> Done<Duration>;

    /// Copies to the device, after what the stream has to do. Both memories have `len` bytes, and live until it is done.
    fn send(&self, to: Address, from: Address, len: usize, stream: Handle) -> Done;

    /// Copies from the device, as [`Driver::send`].
    fn fetch(&self, to: Address, from: Address, len: usize, stream: Handle) -> Done;

    /// Sets `len` bytes of the device's memory to zero; `None` if it cannot.
    fn clear(&self, at: Address, len: u64, stream: Handle) -> Option<Done>;

    /// A kernel with the addresses of its parameters, for `kernel.blocks` blocks, which are above 0.
    fn prepare(
        &self,
        function: &Arc<Self::Function>,
        kernel: &Kernel,
        addresses: &[Address],
    ) -> Done<Self::Launch>;

    /// Gives a launch to a stream.
    fn launch(&self, launch: &mut Self::Launch, stream: Handle) -> Done;

    /// Records what `give` gives to a stream, without doing it; `None` if the driver cannot record.
    fn record(&self, stream: Handle, give: &mut dyn FnMut() -> Done) -> Done<Option<Self::Graph>>;

    /// Gives a recording to a stream.
    fn replay(&self, graph: &Self::Graph, stream: Handle) -> Done;

    /// Waits until a stream has done all that it was given.
    fn finish(&self, stream: Handle) -> Done;
}

/// A place in a device's or in this process's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address(pub u64);

/// A driver's stream or event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handle(pub usize);

/// A call that a driver refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The function.
    pub call: &'static str,
    /// The error's number.
    pub code: i32,
}

/// What a call gives.
pub(crate) type Done<T = ()> = Result<T, Refusal>;

/// What a refusal means for whoever called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The device has too little memory.
    Memory,
    /// The device does nothing any more in this process.
    Lost,
    /// The driver cannot record launches.
    NoRecording,
    /// Something else.
    Other,
}

/// Turns a number that a function gave back into what it means.
pub(crate) fn done(call: &'static str, code: i32) -> Done {
    match code {
        0 => Ok(()),
        code => Err(Refusal { call, code }),
    }
}

/// What a driver says about one of its devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriverDevice {
    /// As `--device` takes it, such as `cuda:0`.
    pub device: String,
    /// Its name.
    pub name: String,
    /// Its architecture, as code generators spell it, such as `sm_90`.
    pub arch: String,
    /// The driver, with its version.
    pub driver: String,
    /// Multiprocessors, compute units or cores.
    pub units: u64,
    /// Most bytes of shared memory that a block may have; 0 if the driver does not say.
    pub shared: u64,
    /// Bytes of memory.
    pub memory: u64,
}

impl fmt::Display for DriverDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            device,
            name,
            arch,
            driver,
            ..
        } = self;
        write!(f, "{device} ({name}, {arch}, {driver})")
    }
}
