//! Which code runs on which device.

use crate::{
    Unfit,
    manifest::{Code, Language, TargetCode},
};

/// Major and minor number of what a device can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Capability(pub i32, pub i32);

/// The least that code is made for.
pub(super) const LEAST: Capability = Capability(8, 0);

impl Capability {
    /// `sm_80`
    pub fn name(self) -> String {
        format!("sm_{}{}", self.0, self.1)
    }
}

/// What code was made for: a capability, and whether just for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Made {
    for_: Capability,
    only: bool,
}

/// Reads `sm_80` or `sm_90a`.
fn made_for(arch: &str) -> Option<Made> {
    let digits = arch.strip_prefix("sm_")?;
    let (digits, only) = match digits.strip_suffix('a') {
        Some(digits) => (digits, true),
        None => (digits, false),
    };
    let number: i32 = digits.parse().ok()?;
    let for_ = Capability(number / 10, number % 10);
    Some(Made { for_, only })
}

/// The target whose code is best for a device.
pub(super) fn target(device: Capability) -> &'static str {
    match device {
        Capability(9, 0) => "cuda:sm_90a",
        Capability(10, 0) => "cuda:sm_100a",
        d if d >= Capability(8, 9) => "cuda:sm_89",
        _ => "cuda:sm_80",
    }
}

/// How well a target fits a device with so many lanes and so much shared memory for a block: the fewer steps it is older, the better.
pub(super) fn fit(
    target: &TargetCode,
    device: Capability,
    threads: u32,
    shared: u64,
) -> Result<u32, Unfit> {
    let unfit = |reason| Unfit {
        target: target.target.clone(),
        reason,
    };
    let (arch, text) = match &target.code {
        Code::Source(source) if source.language == Language::Ptx => (&source.arch, true),
        Code::Source(source) => return Err(unfit(format!("is {}", source.language.name()))),
        Code::Image(image) => (&image.arch, false),
        Code::Elf(_) => return Err(unfit("is machine code of a processor".into())),
    };
    let Some(made) = made_for(arch) else {
        return Err(unfit(format!("is machine code for {arch}")));
    };
    let same = made.for_.0 == device.0;
    let runs = match (made.only, text) {
        (true, _) => made.for_ == device,
        // Machine code runs on later devices of its generation, text on all later ones (CUDA C++ Programming Guide,
        // "Binary Compatibility", "PTX Compatibility").
        (false, false) => same && made.for_ <= device,
        (false, true) => made.for_ <= device,
    };
    if !runs {
        return Err(unfit(format!("is for {arch}, this is {}", device.name())));
    }
    let launches = target
        .kernels
        .iter()
        .filter_map(|k| Some((k, k.launch.as_ref()?)));
    for (kernel, launch) in launches {
        // A limit that the driver does not say is 0.
        let above = |most: u64, n: u64| most != 0 && n > most;
        if above(threads.into(), launch.threads.into()) || above(shared, launch.shared.0) {
            return Err(unfit(format!(
                "needs {} lanes and {} bytes of shared memory for a block of {}; there are {threads} and {shared}",
                launch.threads, launch.shared.0, kernel.name
            )));
        }
    }
    let Capability(major, minor) = made.for_;
    let older = (device.0 - major) * 10 + device.1 - minor;
    Ok(2 * older.unsigned_abs() + u32::from(!made.only))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Image, Source};

    fn code(arch: &str, text: bool) -> TargetCode {
        let arch = arch.to_string();
        TargetCode {
            target: format!("cuda:{arch}"),
            toolchain: String::new(),
            accepted_by: None,
            code: match text {
                true => Code::Source(Source {
                    language: Language::Ptx,
                    arch,
                    lanes: 32,
                }),
                false => Code::Image(Image { arch, lanes: 32 }),
            },
            kernels: vec![],
            programs: vec![],
        }
    }

    #[test]
    fn code_runs_where_the_guide_says() {
        for (arch, text, device, wanted) in [
            ("sm_80", true, Capability(8, 0), Some(1)),
            ("sm_80", true, Capability(9, 0), Some(21)),
            ("sm_80", false, Capability(8, 6), Some(13)),
            ("sm_80", false, Capability(9, 0), None),
            ("sm_89", true, Capability(8, 0), None),
            ("sm_90a", true, Capability(9, 0), Some(0)),
            ("sm_90a", true, Capability(10, 0), None),
            ("sm_100a", false, Capability(10, 0), Some(0)),
            ("gfx942", false, Capability(9, 0), None),
        ] {
            let found = fit(&code(arch, text), device, 0, 0).ok();
            assert_eq!(found, wanted, "{arch} on {device:?}");
        }
    }

    #[test]
    fn each_device_has_a_target_that_it_runs() {
        for device in [(8, 0), (8, 6), (8, 9), (9, 0), (10, 0), (10, 3), (12, 0)] {
            let device = Capability(device.0, device.1);
            let arch = target(device).strip_prefix("cuda:").unwrap();
            assert!(fit(&code(arch, true), device, 0, 0).is_ok(), "{device:?}");
        }
    }
}
