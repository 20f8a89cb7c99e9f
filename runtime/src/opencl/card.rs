//! One OpenCL device.

#![allow(unsafe_code, reason = "the driver is asked through its library")]

use std::{
    ffi::{CString, c_void},
    path::Path,
    ptr,
    sync::Arc,
};

use super::{
    OpenClError,
    library::{Functions, Raw},
    object::{Object, made, number},
};
use crate::{
    Unfit,
    manifest::{Code, Kernel, Launch, TargetCode},
};

/// What a driver says about its device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardInfo {
    /// Its position over all platforms.
    pub number: u32,
    /// The platform.
    pub platform: String,
    /// The device.
    pub name: String,
    /// Who made it.
    pub vendor: String,
    /// The driver's version.
    pub driver: String,
    /// The version of OpenCL.
    pub version: String,
    /// Compute units.
    pub units: u64,
    /// Most lanes of a block.
    pub threads: u64,
    /// Bytes of shared memory.
    pub shared: u64,
    /// Bytes of memory.
    pub memory: u64,
    /// Most bytes of one buffer.
    pub buffer: u64,
}

/// An OpenCL device, opened.
pub struct Card {
    pub(super) functions: Arc<Functions>,
    pub(super) device: Device,
    pub(super) context: Arc<Object>,
    pub(super) info: CardInfo,
    exact_division: bool,
}

/// A handle that the library keeps.
#[derive(Clone, Copy)]
pub(super) struct Device(pub Raw);

// SAFETY: a device's handle is valid as long as the process, on all threads.
unsafe impl Send for Device {}
// SAFETY: as above.
unsafe impl Sync for Device {}

/// All OpenCL devices here.
///
/// # Errors
/// There is no OpenCL library. A library without devices gives none.
pub fn cards(library: Option<&Path>) -> Result<Vec<CardInfo>, OpenClError> {
    let functions = Functions::load(library)?;
    let devices = functions.devices();
    let infos = (0..).zip(devices).map(|(n, d)| info(&functions, n, d));
    Ok(infos.collect())
}

impl Card {
    /// Opens the device of this number; `library` says where OpenCL's library is, else the system's loader looks.
    ///
    /// # Errors
    /// There is no library, no such device, or the driver refuses.
    pub fn open(wanted: u32, library: Option<&Path>) -> Result<Self, OpenClError> {
        let functions = Functions::load(library)?;
        let devices = functions.devices();
        let Some(device) = devices.get(wanted as usize).copied() else {
            let found = (0..).zip(&devices);
            let found = found.map(|(n, d)| words(&info(&functions, n, *d)));
            let found = found.collect();
            return Err(OpenClError::NoDevice { wanted, found });
        };
        let info = info(&functions, wanted, device);
        let context = made(
            &functions,
            |f| f.clReleaseContext,
            &[],
            |code| {
                // SAFETY: the device is one that the library listed; no callback is given.
                unsafe {
                    (functions.clCreateContext)(
                        ptr::null(),
                        1,
                        &device,
                        ptr::null(),
                        ptr::null_mut(),
                        code,
                    )
                }
            },
        );
        let context = context.map_err(|code| OpenClError::Call {
            device: words(&info),
            call: "clCreateContext",
            what: "the device".into(),
            code,
        })?;
        let config = uint(&functions, device, number::DEVICE_SINGLE_FP_CONFIG);
        Ok(Self {
            device: Device(device),
            context: Arc::new(context),
            info,
            exact_division: config & number::FP_CORRECTLY_ROUNDED_DIVIDE_SQRT != 0,
            functions,
        })
    }

    /// What the driver says.
    pub fn info(&self) -> &CardInfo {
        &self.info
    }

    /// The device and its driver, in words.
    pub fn describe(&self) -> String {
        words(&self.info)
    }

    /// How well a target fits: 0 if it is for just this device, 1 for any, 2 for another one.
    pub(crate) fn fit(&self, target: &TargetCode) -> Result<u8, Unfit> {
        let unfit = |reason| Unfit {
            target: target.target.clone(),
            reason,
        };
        let Code::Source(source) = &target.code else {
            return Err(unfit("is machine code of a processor".into()));
        };
        let launches = target
            .kernels
            .iter()
            .filter_map(|k| Some((k, k.launch.as_ref()?)));
        let too_large = |(_, l): &(&Kernel, &Launch)| {
            u64::from(l.threads) > self.info.threads || l.shared.0 > self.info.shared
        };
        if let Some((kernel, launch)) = launches.clone().find(too_large) {
            let (threads, shared) = (launch.threads, launch.shared.0);
            return Err(unfit(format!(
                "needs {threads} lanes and {shared} bytes of shared memory for a block of {}; there are {} and {}",
                kernel.name, self.info.threads, self.info.shared
            )));
        }
        Ok(match source.arch.as_str() {
            "" => 1,
            arch if self.info.name.starts_with(arch) => 0,
            _ => 2,
        })
    }

    /// Compiles the text of a kernel, with the first options that the driver takes.
    pub(super) fn build(
        &self,
        kernel: &Kernel,
        launch: &Launch,
        text: &str,
    ) -> Result<Object, OpenClError> {
        let none = [String::new()];
        let variants = match launch.variants.as_slice() {
            [] => &none,
            some => some,
        };
        let mut log = String::new();
        for variant in variants {
            match self.build_with(kernel, text, variant)? {
                Ok(program) => return Ok(program),
                Err(said) => log = said,
            }
        }
        Err(OpenClError::Build {
            device: self.describe(),
            kernel: kernel.name.clone(),
            log,
        })
    }

    fn build_with(
        &self,
        kernel: &Kernel,
        text: &str,
        variant: &str,
    ) -> Result<Result<Object, String>, OpenClError> {
        let exact = match self.exact_division {
            true => " -cl-fp32-correctly-rounded-divide-sqrt",
            false => "",
        };
        let options = CString::new(format!("-cl-std=CL1.2{exact} {variant}"))
            .expect("options were checked when the artifact was opened");
        let program = made(
            &self.functions,
            |f| f.clReleaseProgram,
            &[&self.context],
            |code| {
                // SAFETY: one text, whose length is given.
                unsafe {
                    (self.functions.clCreateProgramWithSource)(
                        self.context.raw(),
                        1,
                        &text.as_ptr(),
                        &text.len(),
                        code,
                    )
                }
            },
        );
        let program = program
            .map_err(|code| self.refused("clCreateProgramWithSource", &kernel.name, code))?;
        // SAFETY: the program and the device belong together; options end with NUL; no callback is given.
        let code = unsafe {
            (self.functions.clBuildProgram)(
                program.raw(),
                1,
                &self.device.0,
                options.as_ptr(),
                ptr::null(),
                ptr::null_mut(),
            )
        };
        if code == 0 {
            return Ok(Ok(program));
        }
        let log = string(|len, to, size| {
            // SAFETY: `to` has room for `len` bytes.
            unsafe {
                (self.functions.clGetProgramBuildInfo)(
                    program.raw(),
                    self.device.0,
                    number::PROGRAM_BUILD_LOG,
                    len,
                    to,
                    size,
                )
            }
        });
        match log.is_empty() {
            true => Err(self.refused("clBuildProgram", &kernel.name, code)),
            false => Ok(Err(log)),
        }
    }

    /// Memory of the device, of `contents` or undefined.
    pub(super) fn buffer(
        &self,
        what: &str,
        len: u64,
        contents: Option<&[u8]>,
    ) -> Result<Object, OpenClError> {
        if len > self.info.buffer {
            return Err(OpenClError::Memory {
                device: self.describe(),
                what: what.into(),
                wanted: len,
                most: self.info.buffer,
            });
        }
        let (flags, from) = match contents {
            Some(bytes) if !bytes.is_empty() => (
                number::MEM_READ_ONLY | number::MEM_COPY_HOST_PTR,
                bytes.as_ptr().cast_mut().cast(),
            ),
            _ => (number::MEM_READ_WRITE, ptr::null_mut()),
        };
        let size = (len as usize).max(1);
        let buffer = made(
            &self.functions,
            |f| f.clReleaseMemObject,
            &[&self.context],
            |code| {
                // SAFETY: `from` is null or has `size` bytes, which are copied before this returns.
                unsafe {
                    (self.functions.clCreateBuffer)(self.context.raw(), flags, size, from, code)
                }
            },
        );
        buffer
            .map_err(|code| self.refused("clCreateBuffer", &format!("{what} of {len} bytes"), code))
    }

    pub(super) fn refused(&self, call: &'static str, what: &str, code: i32) -> OpenClError {
        OpenClError::Call {
            device: self.describe(),
            call,
            what: what.into(),
            code,
        }
    }
}

fn words(info: &CardInfo) -> String {
    format!(
        "opencl:{} ({}, {}, driver {})",
        info.number, info.name, info.platform, info.driver
    )
}

fn info(functions: &Functions, number: u32, device: Raw) -> CardInfo {
    let text = |what| {
        string(|len, to, size| {
            // SAFETY: `to` has room for `len` bytes; the device is one that the library listed.
            unsafe { (functions.clGetDeviceInfo)(device, what, len, to, size) }
        })
    };
    let uint = |what| uint(functions, device, what);
    let mut platform: Raw = ptr::null_mut();
    // SAFETY: the answer is a handle, for which there is room.
    unsafe {
        (functions.clGetDeviceInfo)(
            device,
            number::DEVICE_PLATFORM,
            size_of::<Raw>(),
            (&raw mut platform).cast(),
            ptr::null_mut(),
        )
    };
    let platform = string(|len, to, size| {
        // SAFETY: `to` has room for `len` bytes; a platform that the driver does not tell is null, and refused.
        unsafe { (functions.clGetPlatformInfo)(platform, number::PLATFORM_NAME, len, to, size) }
    });
    CardInfo {
        number,
        platform,
        name: text(number::DEVICE_NAME),
        vendor: text(number::DEVICE_VENDOR),
        driver: text(number::DRIVER_VERSION),
        version: text(number::DEVICE_VERSION),
        units: uint(number::DEVICE_MAX_COMPUTE_UNITS),
        threads: uint(number::DEVICE_MAX_WORK_GROUP_SIZE),
        shared: uint(number::DEVICE_LOCAL_MEM_SIZE),
        memory: uint(number::DEVICE_GLOBAL_MEM_SIZE),
        buffer: uint(number::DEVICE_MAX_MEM_ALLOC_SIZE),
    }
}

/// A number of at most 64 bits; 0 if the driver does not tell.
fn uint(functions: &Functions, device: Raw, what: u32) -> u64 {
    let mut bytes = [0; 8];
    // SAFETY: there is room for 8 bytes; shorter answers leave the rest zero.
    unsafe {
        (functions.clGetDeviceInfo)(device, what, 8, bytes.as_mut_ptr().cast(), ptr::null_mut())
    };
    u64::from_le_bytes(bytes)
}

/// A text, asked for once for its length and once for itself; empty if the driver does not tell.
fn string(call: impl Fn(usize, *mut c_void, *mut usize) -> i32) -> String {
    let mut len = 0;
    if call(0, ptr::null_mut(), &mut len) != 0 || len == 0 {
        return String::new();
    }
    let mut bytes = vec![0_u8; len];
    if call(len, bytes.as_mut_ptr().cast(), ptr::null_mut()) != 0 {
        return String::new();
    }
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(len);
    String::from_utf8_lossy(&bytes[..end]).trim().to_owned()
}
