//! Devices by name, as the command line spells them.

use std::{fmt, path::PathBuf, str::FromStr};

/// Where an artifact runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Device {
    /// This processor: `cpu`.
    #[default]
    Cpu,
    /// An OpenCL device, by position over all platforms: `opencl:0`.
    OpenCl(u32),
    /// The emulator of lane programs, on the code for a target: `emulator:opencl`.
    Emulator(String),
}

/// Where the drivers of devices are, if not where the system's loader looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drivers {
    /// OpenCL's library, such as `libOpenCL.so.1`.
    pub opencl: Option<PathBuf>,
}

/// A word that names no device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("device: wanted cpu, opencl:N or emulator:TARGET, found `{0}`; help: `devices` lists them")]
pub struct UnknownDevice(pub String);

impl FromStr for Device {
    type Err = UnknownDevice;

    fn from_str(text: &str) -> Result<Self, UnknownDevice> {
        let unknown = || UnknownDevice(text.into());
        match text.split_once(':') {
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "opencl" => Ok(Self::OpenCl(0)),
            Some(("opencl", n)) => n.parse().map(Self::OpenCl).map_err(|_| unknown()),
            Some(("emulator", target)) if !target.is_empty() => Ok(Self::Emulator(target.into())),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::OpenCl(n) => write!(f, "opencl:{n}"),
            Self::Emulator(target) => write!(f, "emulator:{target}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back() {
        let target = "opencl:gfx936".to_string();
        for device in [Device::Cpu, Device::OpenCl(3), Device::Emulator(target)] {
            assert_eq!(device.to_string().parse(), Ok(device));
        }
        assert_eq!("opencl".parse(), Ok(Device::OpenCl(0)));
        for wrong in ["", "gpu", "cpu:0", "opencl:", "opencl:-1", "emulator:"] {
            assert_eq!(wrong.parse::<Device>(), Err(UnknownDevice(wrong.into())));
        }
    }
}
