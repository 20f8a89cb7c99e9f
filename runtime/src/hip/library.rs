//! The functions of HIP that are used.

#![allow(unsafe_code, reason = "functions of a library are declared here")]
#![allow(non_snake_case, reason = "names as the vendor has them")]

use std::{
    ffi::{CStr, c_char, c_void},
    path::Path,
    sync::Arc,
};

use libloading::os::unix::Library;

use crate::{
    DriverError,
    driver::{Interface, functions, open},
};

/// A handle of a stream, event, module, function or graph, or an address.
pub(super) type Raw = *mut c_void;

/// Where the system's loader looks by itself: what developers link, then what releases 7, 6 and 5 install.
const NAMES: [&str; 4] = [
    "libamdhip64.so",
    "libamdhip64.so.7",
    "libamdhip64.so.6",
    "libamdhip64.so.5",
];

/// Attributes of devices, by their numbers since ROCm 5.0. Source: `hipDeviceAttribute_t` of hip_runtime_api.h, ROCm/HIP.
pub(super) mod number {
    pub const MAX_THREADS_PER_BLOCK: i32 = 56;
    pub const MULTIPROCESSOR_COUNT: i32 = 63;
    pub const MAX_SHARED_MEMORY_PER_BLOCK: i32 = 74;
    /// `hipStreamNonBlocking`
    pub const STREAM_NON_BLOCKING: u32 = 1;
    /// `hipStreamCaptureModeThreadLocal`
    pub const CAPTURE_THREAD_LOCAL: i32 = 1;
    /// `hipErrorNoDevice`
    pub const NO_DEVICE: i32 = 100;
}

// As hip_runtime_api.h of ROCm 5 and later declares them.
functions! {
    Interface::Hip, "5.0";
    hipInit = "hipInit" (u32);
    hipRuntimeGetVersion = "hipRuntimeGetVersion" (*mut i32);
    hipGetDeviceCount = "hipGetDeviceCount" (*mut i32);
    hipSetDevice = "hipSetDevice" (i32);
    hipDeviceGetName = "hipDeviceGetName" (*mut c_char, i32, i32);
    hipDeviceGetAttribute = "hipDeviceGetAttribute" (*mut i32, i32, i32);
    hipDeviceTotalMem = "hipDeviceTotalMem" (*mut usize, i32);
    hipGetDeviceProperties = "hipGetDeviceProperties" (*mut c_void, i32);
    hipMemGetInfo = "hipMemGetInfo" (*mut usize, *mut usize);
    hipMalloc = "hipMalloc" (*mut Raw, usize);
    hipFree = "hipFree" (Raw);
    hipHostMalloc = "hipHostMalloc" (*mut Raw, usize, u32);
    hipHostFree = "hipHostFree" (Raw);
    hipMemcpyHtoDAsync = "hipMemcpyHtoDAsync" (Raw, Raw, usize, Raw);
    hipMemcpyDtoHAsync = "hipMemcpyDtoHAsync" (Raw, Raw, usize, Raw);
    hipMemsetAsync = "hipMemsetAsync" (Raw, i32, usize, Raw);
    hipStreamCreateWithFlags = "hipStreamCreateWithFlags" (*mut Raw, u32);
    hipStreamDestroy = "hipStreamDestroy" (Raw);
    hipStreamSynchronize = "hipStreamSynchronize" (Raw);
    hipStreamBeginCapture = "hipStreamBeginCapture" (Raw, i32);
    hipStreamEndCapture = "hipStreamEndCapture" (Raw, *mut Raw);
    hipGraphInstantiate = "hipGraphInstantiate" (*mut Raw, Raw, *mut Raw, *mut c_char, usize);
    hipGraphLaunch = "hipGraphLaunch" (Raw, Raw);
    hipGraphDestroy = "hipGraphDestroy" (Raw);
    hipGraphExecDestroy = "hipGraphExecDestroy" (Raw);
    hipEventCreate = "hipEventCreate" (*mut Raw);
    hipEventRecord = "hipEventRecord" (Raw, Raw);
    hipEventElapsedTime = "hipEventElapsedTime" (*mut f32, Raw, Raw);
    hipEventDestroy = "hipEventDestroy" (Raw);
    hipModuleLoadData = "hipModuleLoadData" (*mut Raw, *const c_void);
    hipModuleUnload = "hipModuleUnload" (Raw);
    hipModuleGetFunction = "hipModuleGetFunction" (*mut Raw, Raw, *const c_char);
    hipModuleLaunchKernel = "hipModuleLaunchKernel" (Raw, u32, u32, u32, u32, u32, u32, u32, Raw, *mut Raw, *mut Raw);
}

/// The library, loaded.
pub(super) struct Loaded {
    pub functions: Functions,
    /// `hipGetDeviceProperties` of ROCm 6 and later, which has another structure and another name.
    properties: Option<unsafe extern "C" fn(*mut c_void, i32) -> i32>,
    error_name: Option<unsafe extern "C" fn(i32) -> *const c_char>,
}

impl Loaded {
    /// Loads the library at `path` if there is one, else the one that the system's loader finds, and starts it.
    pub fn load(path: Option<&Path>) -> Result<Arc<Self>, DriverError> {
        let library: &Library = open(Interface::Hip, path, &NAMES)?;
        // SAFETY: the types are those of the vendor's header.
        let loaded = Self {
            functions: Functions::find(library)?,
            properties: unsafe { library.get("hipGetDevicePropertiesR0600") }
                .ok()
                .map(|f| *f),
            error_name: unsafe { library.get("hipGetErrorName") }.ok().map(|f| *f),
        };
        // SAFETY: there are no flags.
        let code = unsafe { (loaded.functions.hipInit)(0) };
        match code {
            // A driver without devices refuses so; asking for one tells that there is none.
            0 | number::NO_DEVICE => Ok(Arc::new(loaded)),
            code => Err(DriverError::Call {
                device: Interface::Hip.name().into(),
                call: "hipInit",
                what: "the driver".into(),
                code: loaded.name(code),
            }),
        }
    }

    /// `6.3.42131`
    pub fn version(&self) -> String {
        let mut found = 0;
        // SAFETY: there is room for the answer.
        unsafe { (self.functions.hipRuntimeGetVersion)(&mut found) };
        format!(
            "{}.{}.{}",
            found / 10_000_000,
            found / 100_000 % 100,
            found % 100_000
        )
    }

    /// An error's name and number.
    pub fn name(&self, code: i32) -> String {
        // SAFETY: any number is taken.
        let name = self.error_name.map(|f| unsafe { f(code) });
        match name {
            Some(name) if !name.is_null() => {
                // SAFETY: the library gave a text that ends with NUL and stays.
                let name = unsafe { CStr::from_ptr(name) };
                format!("{} ({code})", name.to_string_lossy())
            }
            _ => format!("error {code}"),
        }
    }

    /// The architecture of a device, such as `gfx942`. It stands in a structure that differs between releases, as the only
    /// text that begins so; empty if there is none.
    pub fn arch(&self, device: i32) -> String {
        // The largest of the structures has about 1500 bytes (ROCm 6.3).
        let mut bytes = vec![0_u8; 16 << 10];
        let ask = self
            .properties
            .unwrap_or(self.functions.hipGetDeviceProperties);
        // SAFETY: there is room for every release's structure.
        match unsafe { ask(bytes.as_mut_ptr().cast(), device) } {
            0 => arch_in(&bytes),
            _ => String::new(),
        }
    }
}

/// `gfx90a`, where the bytes hold `gfx90a:sramecc+:xnack-`. The device's name, which stands first, may hold it too, but
/// within other words.
fn arch_in(bytes: &[u8]) -> String {
    let words = bytes.split(|b| *b == 0);
    let found = words
        .filter_map(|w| std::str::from_utf8(w).ok())
        .find_map(|w| {
            let arch = w.split(':').next()?;
            let digits = arch.strip_prefix("gfx")?;
            let hexadecimal = digits.len() >= 3 && digits.bytes().all(|b| b.is_ascii_hexdigit());
            hexadecimal.then(|| arch.to_owned())
        });
    found.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::arch_in;

    #[test]
    fn the_architecture_is_found_in_any_structure() {
        let structure = |text: &str| {
            let mut bytes = b"AMD Instinct gfx thing\0\0\0\x07\0\0\0".to_vec();
            bytes.extend([0xff, 0xfe, 0, 0]);
            bytes.extend(text.as_bytes());
            bytes.resize(2000, 0);
            arch_in(&bytes)
        };
        assert_eq!(structure("gfx90a:sramecc+:xnack-"), "gfx90a");
        assert_eq!(structure("gfx1100"), "gfx1100");
        assert_eq!(structure("gfx"), "");
    }
}
