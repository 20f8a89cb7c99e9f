//! Why an OpenCL device does not run something.

/// Why an OpenCL device does not run something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenClError {
    /// There is no library to talk to drivers with.
    #[error(
        "OpenCL: no library: {}; help: install a driver (on Debian pocl-opencl-icd), or name the library: TILEWRIGHT_OPENCL=.../libOpenCL.so.1",
        tried.join("; ")
    )]
    NoLibrary {
        /// What was tried, with what the system's loader said.
        tried: Vec<String>,
    },
    /// The library finds no such device.
    #[error("opencl:{wanted}: {}", there_is(found))]
    NoDevice {
        /// The number asked for.
        wanted: u32,
        /// The devices that it finds, in words.
        found: Vec<String>,
    },
    /// The driver refuses.
    #[error("{device}: {call} for {what}: {}", code_name(*code))]
    Call {
        /// The device.
        device: String,
        /// The function.
        call: &'static str,
        /// What it was called for.
        what: String,
        /// The error's number.
        code: i32,
    },
    /// The driver does not take a text.
    #[error("{device}: kernel {kernel} is not taken by the driver's compiler:\n{log}")]
    Build {
        /// The device.
        device: String,
        /// The kernel.
        kernel: String,
        /// What the compiler says.
        log: String,
    },
    /// The model does not fit the device.
    #[error("{device}: {what} of {wanted} bytes; the device has {most}")]
    Memory {
        /// The device.
        device: String,
        /// What needs memory.
        what: String,
        /// Bytes that it needs.
        wanted: u64,
        /// Bytes that there may be.
        most: u64,
    },
}

fn there_is(found: &[String]) -> String {
    match found {
        [] => "the library finds no device; help: drivers are listed in /etc/OpenCL/vendors, or in the folder that OCL_ICD_VENDORS names".into(),
        some => format!("no such device; there are {}", some.join(", ")),
    }
}

/// An error's name, as the OpenCL 1.2 specification has it, for those that a user may meet.
pub(super) fn code_name(code: i32) -> String {
    let name = match code {
        -1 => "CL_DEVICE_NOT_FOUND",
        -2 => "CL_DEVICE_NOT_AVAILABLE",
        -3 => "CL_COMPILER_NOT_AVAILABLE",
        -4 => "CL_MEM_OBJECT_ALLOCATION_FAILURE",
        -5 => "CL_OUT_OF_RESOURCES",
        -6 => "CL_OUT_OF_HOST_MEMORY",
        -11 => "CL_BUILD_PROGRAM_FAILURE",
        -46 => "CL_INVALID_KERNEL_NAME",
        -49 => "CL_INVALID_ARG_INDEX",
        -52 => "CL_INVALID_KERNEL_ARGS",
        -54 => "CL_INVALID_WORK_GROUP_SIZE",
        -61 => "CL_INVALID_BUFFER_SIZE",
        -1001 => "CL_PLATFORM_NOT_FOUND_KHR",
        _ => return format!("error {code}"),
    };
    format!("{name} ({code})")
}
