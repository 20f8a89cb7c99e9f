//! The functions of NVIDIA's driver that are used.

#![allow(unsafe_code, reason = "functions of a library are declared here")]
#![allow(non_snake_case, reason = "names as the vendor has them")]

use std::{
    ffi::{CStr, c_char, c_void},
    path::Path,
    ptr,
    sync::Arc,
};

use cudarc::driver::sys::{
    CUdevice_attribute, CUfunction_attribute, CUjit_option, CUlaunchConfig, CUstreamCaptureMode,
    CUtensorMap, CUtensorMapDataType, CUtensorMapFloatOOBfill, CUtensorMapInterleave,
    CUtensorMapL2promotion, CUtensorMapSwizzle,
};

use crate::{
    DriverError,
    driver::{Interface, find, functions, open},
};

/// A handle of a context, stream, event, module, function or graph.
pub(super) type Raw = *mut c_void;

/// Where the system's loader looks by itself. The driver installs the first; the second is the toolkit's name for it.
const NAMES: [&str; 2] = ["libcuda.so.1", "libcuda.so"];

/// The version of CUDA whose functions are used: tensor maps are of 12.0.
const WANTED: i32 = 12000;

// As `cuda.h` of CUDA 12.0 declares them, under the names by which the library exports what the header means.
functions! {
    Interface::Cuda, "12.0";
    cuInit = "cuInit" (u32);
    cuDriverGetVersion = "cuDriverGetVersion" (*mut i32);
    cuGetErrorName = "cuGetErrorName" (i32, *mut *const c_char);
    cuDeviceGetCount = "cuDeviceGetCount" (*mut i32);
    cuDeviceGet = "cuDeviceGet" (*mut i32, i32);
    cuDeviceGetName = "cuDeviceGetName" (*mut c_char, i32, i32);
    cuDeviceGetAttribute = "cuDeviceGetAttribute" (*mut i32, CUdevice_attribute, i32);
    cuDeviceTotalMem = "cuDeviceTotalMem_v2" (*mut usize, i32);
    cuDevicePrimaryCtxRetain = "cuDevicePrimaryCtxRetain" (*mut Raw, i32);
    cuDevicePrimaryCtxRelease = "cuDevicePrimaryCtxRelease_v2" (i32);
    cuCtxSetCurrent = "cuCtxSetCurrent" (Raw);
    cuMemGetInfo = "cuMemGetInfo_v2" (*mut usize, *mut usize);
    cuMemAlloc = "cuMemAlloc_v2" (*mut u64, usize);
    cuMemFree = "cuMemFree_v2" (u64);
    cuMemHostAlloc = "cuMemHostAlloc" (*mut Raw, usize, u32);
    cuMemFreeHost = "cuMemFreeHost" (Raw);
    cuMemcpyHtoDAsync = "cuMemcpyHtoDAsync_v2" (u64, *const c_void, usize, Raw);
    cuMemcpyDtoHAsync = "cuMemcpyDtoHAsync_v2" (Raw, u64, usize, Raw);
    cuMemsetD8Async = "cuMemsetD8Async" (u64, u8, usize, Raw);
    cuStreamCreate = "cuStreamCreate" (*mut Raw, u32);
    cuStreamDestroy = "cuStreamDestroy_v2" (Raw);
    cuStreamSynchronize = "cuStreamSynchronize" (Raw);
    cuStreamBeginCapture = "cuStreamBeginCapture_v2" (Raw, CUstreamCaptureMode);
    cuStreamEndCapture = "cuStreamEndCapture" (Raw, *mut Raw);
    cuGraphInstantiateWithFlags = "cuGraphInstantiateWithFlags" (*mut Raw, Raw, u64);
    cuGraphUpload = "cuGraphUpload" (Raw, Raw);
    cuGraphLaunch = "cuGraphLaunch" (Raw, Raw);
    cuGraphDestroy = "cuGraphDestroy" (Raw);
    cuGraphExecDestroy = "cuGraphExecDestroy" (Raw);
    cuEventCreate = "cuEventCreate" (*mut Raw, u32);
    cuEventRecord = "cuEventRecord" (Raw, Raw);
    cuEventElapsedTime = "cuEventElapsedTime" (*mut f32, Raw, Raw);
    cuEventDestroy = "cuEventDestroy_v2" (Raw);
    cuModuleLoadDataEx = "cuModuleLoadDataEx" (*mut Raw, *const c_void, u32, *mut CUjit_option, *mut Raw);
    cuModuleUnload = "cuModuleUnload" (Raw);
    cuModuleGetFunction = "cuModuleGetFunction" (*mut Raw, Raw, *const c_char);
    cuFuncSetAttribute = "cuFuncSetAttribute" (Raw, CUfunction_attribute, i32);
    cuLaunchKernelEx = "cuLaunchKernelEx" (*const CUlaunchConfig, Raw, *mut Raw, *mut Raw);
    cuTensorMapEncodeTiled = "cuTensorMapEncodeTiled" (
        *mut CUtensorMap, CUtensorMapDataType, u32, Raw, *const u64, *const u64, *const u32, *const u32,
        CUtensorMapInterleave, CUtensorMapSwizzle, CUtensorMapL2promotion, CUtensorMapFloatOOBfill
    );
}

impl Functions {
    /// Loads the driver at `path` if there is one, else the one that the system's loader finds, and starts it.
    pub fn load(path: Option<&Path>) -> Result<Arc<Self>, DriverError> {
        let library = open(Interface::Cuda, path, &NAMES)?;
        // Before functions are looked for, which an old driver lacks.
        // SAFETY: the type is that of the vendor's header.
        let version: unsafe extern "C" fn(*mut i32) -> i32 =
            unsafe { find(Interface::Cuda, library, "cuDriverGetVersion", "12.0")? };
        let mut found = 0;
        // SAFETY: there is room for the answer.
        unsafe { version(&mut found) };
        if found < WANTED {
            return Err(DriverError::TooOld {
                interface: Interface::Cuda,
                what: "tensor maps and launches with attributes".into(),
                wanted: version_words(WANTED),
                found: version_words(found),
            });
        }
        let functions = Self::find(library)?;
        // SAFETY: there are no flags.
        let code = unsafe { (functions.cuInit)(0) };
        match code {
            // A driver without devices refuses so; asking for one tells that there is none.
            0 | NO_DEVICE => Ok(Arc::new(functions)),
            code => Err(DriverError::Call {
                device: Interface::Cuda.name().into(),
                call: "cuInit",
                what: "the driver".into(),
                code: functions.name(code),
            }),
        }
    }

    /// The version of CUDA that the driver is for.
    pub fn version(&self) -> String {
        let mut found = 0;
        // SAFETY: there is room for the answer.
        unsafe { (self.cuDriverGetVersion)(&mut found) };
        version_words(found)
    }

    /// An error's name and number.
    pub fn name(&self, code: i32) -> String {
        let mut name = ptr::null();
        // SAFETY: there is room for the answer.
        let found = unsafe { (self.cuGetErrorName)(code, &mut name) };
        if found != 0 || name.is_null() {
            return format!("error {code}");
        }
        // SAFETY: the driver gave a text that ends with NUL and stays.
        let name = unsafe { CStr::from_ptr(name) };
        format!("{} ({code})", name.to_string_lossy())
    }
}

/// `CUDA_ERROR_NO_DEVICE`
const NO_DEVICE: i32 = 100;

/// `12.4`, of 12040.
fn version_words(version: i32) -> String {
    format!("{}.{}", version / 1000, version % 1000 / 10)
}
