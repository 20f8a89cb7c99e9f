//! Handles that are given back.

#![allow(unsafe_code, reason = "handles are given back to the library")]

use std::sync::Arc;

use super::library::{Functions, Raw};

/// A handle that this process owns.
pub(super) struct Object {
    raw: Raw,
    release: unsafe extern "C" fn(Raw) -> i32,
    /// What was made from, and must live as long.
    _parents: Vec<Arc<Object>>,
}

// SAFETY: OpenCL's functions may be called from any thread at any time (specification 1.2, appendix A.2), but
// clSetKernelArg, which is called only while a kernel is not shared yet.
unsafe impl Send for Object {}
// SAFETY: as above.
unsafe impl Sync for Object {}

impl Object {
    /// Owns a handle that the library has just made.
    pub fn new(
        raw: Raw,
        release: unsafe extern "C" fn(Raw) -> i32,
        parents: &[&Arc<Object>],
    ) -> Self {
        Self {
            raw,
            release,
            _parents: parents.iter().map(|p| Arc::clone(p)).collect(),
        }
    }

    /// The handle, valid as long as this lives.
    pub fn raw(&self) -> Raw {
        self.raw
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        // SAFETY: the handle was made by the library, and is given back once. A refusal leaves nothing to do.
        unsafe { (self.release)(self.raw) };
    }
}

/// Numbers of the interface that are used here.
pub(super) mod number {
    pub const DEVICE_MAX_WORK_GROUP_SIZE: u32 = 0x1004;
    pub const DEVICE_MAX_MEM_ALLOC_SIZE: u32 = 0x1010;
    pub const DEVICE_GLOBAL_MEM_SIZE: u32 = 0x101f;
    pub const DEVICE_LOCAL_MEM_SIZE: u32 = 0x1023;
    pub const DEVICE_MAX_COMPUTE_UNITS: u32 = 0x1002;
    pub const DEVICE_SINGLE_FP_CONFIG: u32 = 0x101b;
    pub const DEVICE_NAME: u32 = 0x102b;
    pub const DEVICE_VENDOR: u32 = 0x102c;
    pub const DRIVER_VERSION: u32 = 0x102d;
    pub const DEVICE_VERSION: u32 = 0x102f;
    pub const DEVICE_PLATFORM: u32 = 0x1031;
    pub const PLATFORM_NAME: u32 = 0x0902;
    pub const FP_CORRECTLY_ROUNDED_DIVIDE_SQRT: u64 = 1 << 7;
    pub const QUEUE_PROFILING_ENABLE: u64 = 1 << 1;
    pub const PROGRAM_BUILD_LOG: u32 = 0x1183;
    pub const MEM_READ_WRITE: u64 = 1;
    pub const MEM_READ_ONLY: u64 = 1 << 2;
    pub const MEM_COPY_HOST_PTR: u64 = 1 << 5;
    pub const PROFILING_COMMAND_START: u32 = 0x1282;
    pub const PROFILING_COMMAND_END: u32 = 0x1283;
}

/// Turns what a function that makes something gives back into an owned handle, or the error's number.
pub(super) fn made(
    functions: &Functions,
    release: fn(&Functions) -> unsafe extern "C" fn(Raw) -> i32,
    parents: &[&Arc<Object>],
    make: impl FnOnce(*mut i32) -> Raw,
) -> Result<Object, i32> {
    let mut code = 0;
    let raw = make(&mut code);
    match (code, raw.is_null()) {
        (0, false) => Ok(Object::new(raw, release(functions), parents)),
        (0, true) => Err(-6),
        (code, _) => Err(code),
    }
}
