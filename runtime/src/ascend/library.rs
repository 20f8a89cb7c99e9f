//! The functions of AscendCL that are used.

#![allow(unsafe_code, reason = "functions of a library are declared here")]
#![allow(non_snake_case, reason = "names as the vendor has them")]

use std::{
    ffi::{CStr, c_char, c_void},
    path::Path,
    ptr,
    sync::Arc,
};

use crate::{
    DriverError,
    driver::{Interface, functions, open},
};

/// A handle of a stream, event, binary or function, or an address.
pub(super) type Raw = *mut c_void;

const NAMES: [&str; 1] = ["libascendcl.so"];

/// Numbers of the interface. Source: include/external/acl of hicann/runtime, and the error codes of CANN's documentation.
pub(super) mod number {
    /// `ACL_ERROR_REPEAT_INITIALIZE`: somebody else in this process has started it.
    pub const REPEAT_INITIALIZE: i32 = 100_002;
    /// `ACL_ERROR_RT_MEMORY_ALLOCATION`
    pub const MEMORY_ALLOCATION: i32 = 207_001;
    /// Errors inside of the device or its driver, such as `ACL_ERROR_RT_AICORE_EXCEPTION` (507015).
    pub const INTERNAL: std::ops::RangeInclusive<i32> = 507_000..=507_999;
    /// `ACL_MEM_MALLOC_HUGE_FIRST`
    pub const HUGE_FIRST: i32 = 0;
    /// `ACL_HBM_MEM`
    pub const HBM: i32 = 1;
    pub const HOST_TO_DEVICE: i32 = 1;
    pub const DEVICE_TO_HOST: i32 = 2;
    /// Cores, for `aclrtGetDeviceInfo`.
    pub const AI_CORES: i32 = 101;
}

functions! {
    Interface::AscendCl, "8.0";
    aclInit = "aclInit" (*const c_char);
    aclrtGetDeviceCount = "aclrtGetDeviceCount" (*mut u32);
    aclrtSetDevice = "aclrtSetDevice" (i32);
    aclrtGetMemInfo = "aclrtGetMemInfo" (i32, *mut usize, *mut usize);
    aclrtMalloc = "aclrtMalloc" (*mut Raw, usize, i32);
    aclrtFree = "aclrtFree" (Raw);
    aclrtMallocHost = "aclrtMallocHost" (*mut Raw, usize);
    aclrtFreeHost = "aclrtFreeHost" (Raw);
    aclrtMemcpy = "aclrtMemcpy" (Raw, usize, *const c_void, usize, i32);
    aclrtCreateStream = "aclrtCreateStream" (*mut Raw);
    aclrtDestroyStream = "aclrtDestroyStream" (Raw);
    aclrtSynchronizeStream = "aclrtSynchronizeStream" (Raw);
    aclrtCreateEvent = "aclrtCreateEvent" (*mut Raw);
    aclrtRecordEvent = "aclrtRecordEvent" (Raw, Raw);
    aclrtEventElapsedTime = "aclrtEventElapsedTime" (*mut f32, Raw, Raw);
    aclrtDestroyEvent = "aclrtDestroyEvent" (Raw);
    aclrtBinaryLoadFromFile = "aclrtBinaryLoadFromFile" (*const c_char, Raw, *mut Raw);
    aclrtBinaryGetFunction = "aclrtBinaryGetFunction" (Raw, *const c_char, *mut Raw);
    aclrtBinaryUnLoad = "aclrtBinaryUnLoad" (Raw);
    aclrtLaunchKernel = "aclrtLaunchKernel" (Raw, u32, *const c_void, usize, Raw);
}

type SocName = unsafe extern "C" fn() -> *const c_char;
type DeviceInfo = unsafe extern "C" fn(u32, i32, *mut i64) -> i32;
type SyncAddress = unsafe extern "C" fn(*mut Raw) -> i32;

/// The library, loaded.
pub(super) struct Loaded {
    pub functions: Functions,
    soc_name: Option<SocName>,
    device_info: Option<DeviceInfo>,
    sync_address: Option<SyncAddress>,
}

impl Loaded {
    /// Loads the library at `path` if there is one, else the one that the system's loader finds, and starts it.
    pub fn load(path: Option<&Path>) -> Result<Arc<Self>, DriverError> {
        let library = open(Interface::AscendCl, path, &NAMES)?;
        // SAFETY: the types are those of the vendor's header.
        let loaded = unsafe {
            Self {
                functions: Functions::find(library)?,
                soc_name: library.get("aclrtGetSocName").ok().map(|f| *f),
                device_info: library.get("aclrtGetDeviceInfo").ok().map(|f| *f),
                sync_address: library.get("aclrtGetHardwareSyncAddr").ok().map(|f| *f),
            }
        };
        // SAFETY: null stands for no configuration.
        match unsafe { (loaded.functions.aclInit)(ptr::null()) } {
            0 | number::REPEAT_INITIALIZE => Ok(Arc::new(loaded)),
            code => Err(DriverError::Call {
                device: Interface::AscendCl.name().into(),
                call: "aclInit",
                what: "the driver".into(),
                code: format!("error {code}"),
            }),
        }
    }

    /// What the chip is called, such as `Ascend910B3`; known once a device is the thread's.
    pub fn chip(&self) -> String {
        let Some(ask) = self.soc_name else {
            return "an unknown chip".into();
        };
        // SAFETY: there are no arguments.
        let name = unsafe { ask() };
        if name.is_null() {
            return "an unknown chip".into();
        }
        // SAFETY: the library gave a text that ends with NUL and stays.
        unsafe { CStr::from_ptr(name) }
            .to_string_lossy()
            .into_owned()
    }

    /// A number that the driver says of a device; 0 if it does not.
    pub fn device_info(&self, device: u32, what: i32) -> u64 {
        let mut value = 0;
        match self.device_info {
            // SAFETY: there is room for the answer.
            Some(ask) => match unsafe { ask(device, what, &mut value) } {
                0 => value.unsigned_abs(),
                _ => 0,
            },
            None => 0,
        }
    }

    /// Where cores and units of the thread's device meet; null if the library does not say.
    pub fn sync_address(&self) -> u64 {
        let mut at = ptr::null_mut();
        if let Some(ask) = self.sync_address {
            // SAFETY: there is room for the answer. A refusal leaves null.
            unsafe { ask(&mut at) };
        }
        at as u64
    }
}
