//! The OpenCL library, loaded when it is first asked for.

#![allow(unsafe_code, reason = "functions of a library are declared here")]
#![allow(non_snake_case, reason = "names as the specification has them")]

use std::{ffi::c_void, path::Path, ptr, sync::Arc};

use libloading::os::unix::{Library as Shared, RTLD_LOCAL, RTLD_NOW};

use super::OpenClError;

/// A handle of a platform, device, context, queue, program, kernel, buffer or event.
pub(super) type Raw = *mut c_void;

/// Where the system's loader looks by itself.
const NAMES: [&str; 2] = ["libOpenCL.so.1", "libOpenCL.so"];

macro_rules! functions {
    ($($name:ident($($arg:ty),*) -> $result:ty;)*) => {
        /// Functions of OpenCL 1.2, as its specification declares them.
        pub(super) struct Functions {
            $(pub $name: unsafe extern "C" fn($($arg),*) -> $result,)*
        }

        impl Functions {
            fn find(shared: &Shared) -> Result<Self, libloading::Error> {
                Ok(Self {
                    // SAFETY: the types are those of the specification, whose binary interface never changes.
                    $($name: unsafe { *shared.get(stringify!($name))? },)*
                })
            }
        }
    };
}

functions! {
    clGetPlatformIDs(u32, *mut Raw, *mut u32) -> i32;
    clGetPlatformInfo(Raw, u32, usize, *mut c_void, *mut usize) -> i32;
    clGetDeviceIDs(Raw, u64, u32, *mut Raw, *mut u32) -> i32;
    clGetDeviceInfo(Raw, u32, usize, *mut c_void, *mut usize) -> i32;
    clCreateContext(*const isize, u32, *const Raw, *const c_void, *mut c_void, *mut i32) -> Raw;
    clReleaseContext(Raw) -> i32;
    clCreateCommandQueue(Raw, Raw, u64, *mut i32) -> Raw;
    clReleaseCommandQueue(Raw) -> i32;
    clCreateProgramWithSource(Raw, u32, *const *const u8, *const usize, *mut i32) -> Raw;
    clBuildProgram(Raw, u32, *const Raw, *const i8, *const c_void, *mut c_void) -> i32;
    clGetProgramBuildInfo(Raw, Raw, u32, usize, *mut c_void, *mut usize) -> i32;
    clReleaseProgram(Raw) -> i32;
    clCreateKernel(Raw, *const i8, *mut i32) -> Raw;
    clReleaseKernel(Raw) -> i32;
    clSetKernelArg(Raw, u32, usize, *const c_void) -> i32;
    clCreateBuffer(Raw, u64, usize, *mut c_void, *mut i32) -> Raw;
    clReleaseMemObject(Raw) -> i32;
    clEnqueueWriteBuffer(Raw, Raw, u32, usize, usize, *const c_void, u32, *const Raw, *mut Raw) -> i32;
    clEnqueueReadBuffer(Raw, Raw, u32, usize, usize, *mut c_void, u32, *const Raw, *mut Raw) -> i32;
    clEnqueueNDRangeKernel(Raw, Raw, u32, *const usize, *const usize, *const usize, u32, *const Raw, *mut Raw) -> i32;
    clFinish(Raw) -> i32;
    clGetEventProfilingInfo(Raw, u32, usize, *mut c_void, *mut usize) -> i32;
    clReleaseEvent(Raw) -> i32;
}

impl Functions {
    /// Loads the library at `path` if there is one, else the one that the system's loader finds.
    pub fn load(path: Option<&Path>) -> Result<Arc<Self>, OpenClError> {
        let mut tried = Vec::new();
        let named = path.into_iter().map(Path::to_path_buf);
        for name in named.chain(NAMES.map(Into::into)) {
            // SAFETY: whoever runs a program trusts the libraries that the system's loader finds, or that they named.
            let shared = unsafe { Shared::open(Some(&name), RTLD_NOW | RTLD_LOCAL) };
            let functions = shared.and_then(|s| Ok((Self::find(&s)?, s)));
            match functions {
                Ok((functions, shared)) => {
                    // Drivers have threads of their own: the library stays.
                    std::mem::forget(shared);
                    return Ok(Arc::new(functions));
                }
                Err(e) => tried.push(reason(&e)),
            }
        }
        Err(OpenClError::NoLibrary { tried })
    }

    /// The handles of all devices of all platforms, in the library's order.
    pub fn devices(&self) -> Vec<Raw> {
        let platforms = list(|n, to, count| {
            // SAFETY: `to` has room for `n` handles.
            unsafe { (self.clGetPlatformIDs)(n, to, count) }
        });
        let devices = platforms.into_iter().flat_map(|p| {
            list(|n, to, count| {
                // SAFETY: as above, and the platform is one that the library listed.
                unsafe { (self.clGetDeviceIDs)(p, DEVICE_TYPE_ALL, n, to, count) }
            })
        });
        devices.collect()
    }
}

const DEVICE_TYPE_ALL: u64 = 0xffff_ffff;

/// Handles, asked for once for their number and once for themselves; none where the library has none.
fn list(call: impl Fn(u32, *mut Raw, *mut u32) -> i32) -> Vec<Raw> {
    let mut count = 0;
    if call(0, ptr::null_mut(), &mut count) != 0 {
        return Vec::new();
    }
    let mut all = vec![ptr::null_mut(); count as usize];
    match call(count, all.as_mut_ptr(), ptr::null_mut()) {
        0 => all,
        _ => Vec::new(),
    }
}

/// What the loader says, without the wrapping.
fn reason(e: &libloading::Error) -> String {
    std::error::Error::source(e).map_or_else(|| e.to_string(), ToString::to_string)
}
