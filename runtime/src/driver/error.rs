//! Why a driver's device does not run something.

use super::{Driver, Meaning, Refusal};

/// A programming interface of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interface {
    /// NVIDIA's driver.
    Cuda,
    /// AMD's, and what is compatible with it.
    Hip,
    /// Huawei's.
    AscendCl,
}

impl Interface {
    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cuda => "CUDA",
            Self::Hip => "HIP",
            Self::AscendCl => "AscendCL",
        }
    }

    /// How `--device` and `--target` begin.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Cuda => "cuda",
            Self::Hip => "rocm",
            Self::AscendCl => "ascend",
        }
    }

    /// What to do where there is no library.
    const fn help(self) -> &'static str {
        match self {
            Self::Cuda => {
                "install NVIDIA's driver, which brings it, or name it: TILEWRIGHT_CUDA=.../libcuda.so.1"
            }
            Self::Hip => {
                "install ROCm's runtime (on Debian libamdhip64-5), or name the library: TILEWRIGHT_HIP=.../libamdhip64.so"
            }
            Self::AscendCl => {
                "install CANN's runtime and source its set_env.sh, or name the library: TILEWRIGHT_ASCEND=.../libascendcl.so"
            }
        }
    }
}

/// Why a driver's device does not run something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DriverError {
    /// There is no library to talk to the driver with.
    #[error("{}: no library: {}; help: {}", interface.name(), tried.join("; "), interface.help())]
    NoLibrary {
        /// Whose.
        interface: Interface,
        /// What was tried, with what the system's loader said.
        tried: Vec<String>,
    },
    /// The driver is older than what is needed of it.
    #[error("{}: {what}: wanted a driver for {} {wanted} or newer, found one for {found}; help: install a newer driver", interface.name(), interface.name())]
    TooOld {
        /// Whose.
        interface: Interface,
        /// What needs more.
        what: String,
        /// The version that is needed.
        wanted: String,
        /// The version that is there.
        found: String,
    },
    /// The driver has no such device.
    #[error("{}:{wanted}: {}", interface.kind(), there_is(found))]
    NoDevice {
        /// Whose.
        interface: Interface,
        /// The number asked for.
        wanted: u32,
        /// The devices that there are, in words.
        found: Vec<String>,
    },
    /// No code is made for such devices.
    #[error("{device}: is {arch}; code is made for {least} and newer")]
    TooSmall {
        /// The device.
        device: String,
        /// What it is.
        arch: String,
        /// The least that it may be.
        least: &'static str,
    },
    /// The device has too little memory.
    #[error("{device}: out of memory: {what} of {wanted} bytes; {free} of {total} bytes are free")]
    Memory {
        /// The device.
        device: String,
        /// What needs memory.
        what: String,
        /// Bytes that it needs.
        wanted: u64,
        /// Bytes that nobody uses.
        free: u64,
        /// Bytes that the device has.
        total: u64,
    },
    /// The device stopped working for this process.
    #[error(
        "{device}: the device was lost: {call} for {what}: {code}; help: this process cannot use it any more, start another; with `--no-graph`, the vendor's checker finds a kernel that is at fault"
    )]
    Lost {
        /// The device.
        device: String,
        /// The function that found it.
        call: &'static str,
        /// What it was called for.
        what: String,
        /// The error's name and number.
        code: String,
    },
    /// The driver refuses.
    #[error("{device}: {call} for {what}: {code}")]
    Call {
        /// The device, or the interface while no device is known.
        device: String,
        /// The function.
        call: &'static str,
        /// What it was called for.
        what: String,
        /// The error's name and number.
        code: String,
    },
    /// The driver does not take the code of a kernel.
    #[error("{device}: kernel {kernel}: its code for {arch} is not taken: {reason}")]
    Code {
        /// The device.
        device: String,
        /// The kernel.
        kernel: String,
        /// What the code is for.
        arch: String,
        /// What the driver says.
        reason: String,
    },
    /// Code that the user compiles with the vendor's tools is not there.
    #[error(
        "{device}: no kernel object {path} for kernel {kernel}; help: the artifact holds text for the vendor's compiler, make the object where that is installed: {command}"
    )]
    NoObject {
        /// The device.
        device: String,
        /// The kernel.
        kernel: String,
        /// The file that was looked for.
        path: String,
        /// How it is made.
        command: String,
    },
}

fn there_is(found: &[String]) -> String {
    match found {
        [] => "the driver finds no device".into(),
        some => format!("no such device; there are {}", some.join(", ")),
    }
}

/// The error that a refusal is.
pub(super) fn refused<D: Driver>(driver: &D, refusal: Refusal, what: &str) -> DriverError {
    let Refusal { call, code } = refusal;
    let (device, what) = (driver.describe(), what.to_string());
    let lost = driver.meaning(code) == Meaning::Lost;
    let code = driver.name(code);
    match lost {
        true => DriverError::Lost {
            device,
            call,
            what,
            code,
        },
        false => DriverError::Call {
            device,
            call,
            what,
            code,
        },
    }
}

/// As [`refused`], where memory was asked for.
pub(super) fn no_memory<D: Driver>(
    driver: &D,
    refusal: Refusal,
    what: &str,
    wanted: u64,
) -> DriverError {
    if driver.meaning(refusal.code) != Meaning::Memory {
        return refused(driver, refusal, &format!("{what} of {wanted} bytes"));
    }
    // A driver that does not say leaves zeros.
    let [free, total] = driver.free_memory().unwrap_or_default();
    DriverError::Memory {
        device: driver.describe(),
        what: what.into(),
        wanted,
        free,
        total,
    }
}
