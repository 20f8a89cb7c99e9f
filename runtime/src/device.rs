//! Devices by name, as the command line spells them.

use std::{fmt, path::PathBuf, str::FromStr};

/// Where an artifact runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Device {
    /// This processor: `cpu`.
    #[default]
    Cpu,
    /// A device of NVIDIA's driver, by its number: `cuda:0`.
    Cuda(u32),
    /// A device of AMD's driver or of one that is compatible with it: `rocm:0`.
    Rocm(u32),
    /// An OpenCL device, by position over all platforms: `opencl:0`.
    OpenCl(u32),
    /// A device of Huawei's driver: `ascend:0`.
    Ascend(u32),
    /// The emulator of lane programs, on the code for a target: `emulator:opencl`.
    Emulator(String),
}

/// Where the drivers of devices are, if not where the system's loader looks, and how they are used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drivers {
    /// OpenCL's library, such as `libOpenCL.so.1`.
    pub opencl: Option<PathBuf>,
    /// NVIDIA's library, such as `libcuda.so.1`.
    pub cuda: Option<PathBuf>,
    /// AMD's library, such as `libamdhip64.so`, or one that is compatible with it.
    pub hip: Option<PathBuf>,
    /// Huawei's library, such as `libascendcl.so`.
    pub ascend: Option<PathBuf>,
    /// How runs are given to drivers that can record them.
    pub launches: Launches,
}

/// How the launches of a run are given to a driver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Launches {
    /// Recorded once, where the driver can, and replayed as one.
    #[default]
    Replayed,
    /// One by one, as vendors' checkers like it.
    Single,
}

/// A word that names no device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("device: wanted cpu, cuda:N, rocm:N, opencl:N, ascend:N or emulator:TARGET, found `{0}`; help: {nearest}`devices` lists them", nearest = nearest(.0))]
pub struct UnknownDevice(pub String);

/// A kind of device that is counted.
type Counted = fn(u32) -> Device;

const COUNTED: [(&str, Counted); 4] = [
    ("cuda", Device::Cuda),
    ("rocm", Device::Rocm),
    ("opencl", Device::OpenCl),
    ("ascend", Device::Ascend),
];

/// Names by which vendors' users know a kind, and what it is here.
const ALSO: [(&str, &str); 8] = [
    ("gpu", "cuda:0"),
    ("nvidia", "cuda:0"),
    ("hip", "rocm:0"),
    ("amd", "rocm:0"),
    ("dcu", "rocm:0"),
    ("ocl", "opencl:0"),
    ("npu", "ascend:0"),
    ("emulate", "emulator:TARGET"),
];

/// `did you mean cuda:1? `, or nothing.
fn nearest(word: &str) -> String {
    let (kind, rest) = match word.split_once(':') {
        Some((kind, rest)) => (kind, rest),
        None => (word, ""),
    };
    let number = if rest.parse::<u32>().is_ok() {
        rest
    } else {
        "0"
    };
    let kind = kind.to_ascii_lowercase();
    if let Some((_, meant)) = ALSO.iter().find(|(name, _)| *name == kind) {
        return format!(
            "did you mean {}? ",
            meant.replace(":0", &format!(":{number}"))
        );
    }
    let kinds = COUNTED.iter().map(|(name, _)| *name);
    let near = kinds
        .chain(["cpu", "emulator"])
        .map(|name| (distance(&kind, name), name))
        .min();
    match near {
        Some((0..=2, "cpu")) => "did you mean cpu? ".into(),
        Some((0..=2, "emulator")) => {
            let target = if rest.is_empty() { "TARGET" } else { rest };
            format!("did you mean emulator:{target}? ")
        }
        Some((0..=2, name)) => format!("did you mean {name}:{number}? "),
        _ => String::new(),
    }
}

/// The least number of letters to insert, delete or replace to make one word of another (Levenshtein 1966).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

impl Device {
    /// The first device of the kind that runs code for a target, as `--target` spells it.
    pub fn of_target(target: &str) -> Self {
        let kind = target.split(':').next().unwrap_or_default();
        let counted = COUNTED.iter().find(|(name, _)| *name == kind);
        counted.map_or(Self::Cpu, |(_, device)| device(0))
    }
}

impl FromStr for Device {
    type Err = UnknownDevice;

    fn from_str(text: &str) -> Result<Self, UnknownDevice> {
        let unknown = || UnknownDevice(text.into());
        let counted = |kind: &str| COUNTED.iter().find(|(name, _)| *name == kind);
        match text.split_once(':') {
            None if text == "cpu" => Ok(Self::Cpu),
            None => Ok(counted(text).ok_or_else(unknown)?.1(0)),
            Some(("emulator", target)) if !target.is_empty() => Ok(Self::Emulator(target.into())),
            Some((kind, n)) => {
                let (_, device) = counted(kind).ok_or_else(unknown)?;
                n.parse().map(device).map_err(|_| unknown())
            }
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(n) => write!(f, "cuda:{n}"),
            Self::Rocm(n) => write!(f, "rocm:{n}"),
            Self::OpenCl(n) => write!(f, "opencl:{n}"),
            Self::Ascend(n) => write!(f, "ascend:{n}"),
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
        let all = [
            Device::Cpu,
            Device::Cuda(1),
            Device::Rocm(0),
            Device::OpenCl(3),
            Device::Ascend(7),
            Device::Emulator(target),
        ];
        for device in all {
            assert_eq!(device.to_string().parse(), Ok(device));
        }
        assert_eq!("opencl".parse(), Ok(Device::OpenCl(0)));
        assert_eq!("cuda".parse(), Ok(Device::Cuda(0)));
        for wrong in [
            "",
            "gpu",
            "cpu:0",
            "opencl:",
            "opencl:-1",
            "emulator:",
            "cuda:x",
        ] {
            assert_eq!(wrong.parse::<Device>(), Err(UnknownDevice(wrong.into())));
        }
    }

    #[test]
    fn targets_have_devices() {
        for (target, device) in [
            ("cpu:znver4", Device::Cpu),
            ("cuda:sm_90a", Device::Cuda(0)),
            ("rocm:gfx942", Device::Rocm(0)),
            ("opencl", Device::OpenCl(0)),
            ("opencl:gfx936", Device::OpenCl(0)),
            ("ascend:910B3", Device::Ascend(0)),
        ] {
            assert_eq!(Device::of_target(target), device, "{target}");
        }
    }

    #[test]
    fn what_was_meant_is_named() {
        for (word, wanted) in [
            ("cuba:1", "did you mean cuda:1? "),
            ("CUDA:2", "did you mean cuda:2? "),
            ("hip:3", "did you mean rocm:3? "),
            ("gpu", "did you mean cuda:0? "),
            ("ascent", "did you mean ascend:0? "),
            ("emulater:sm_80", "did you mean emulator:sm_80? "),
            ("emulator:", "did you mean emulator:TARGET? "),
            ("cpu:0", "did you mean cpu? "),
            ("opencl:x", "did you mean opencl:0? "),
            ("toaster", ""),
        ] {
            assert_eq!(nearest(word), wanted, "{word}");
        }
        assert_eq!([distance("kitten", "sitting"), distance("", "abc")], [3, 3]);
    }
}
