//! Which code runs on which device.

use crate::{
    Unfit,
    manifest::{Code, TargetCode},
};

/// How well a target fits a device with so many lanes and so much shared memory for a block.
pub(super) fn fit(
    target: &TargetCode,
    arch: &str,
    threads: u32,
    shared: u64,
) -> Result<u32, Unfit> {
    let unfit = |reason| Unfit {
        target: target.target.clone(),
        reason,
    };
    let made_for = match &target.code {
        Code::Image(image) => &image.arch,
        Code::Source(source) => return Err(unfit(format!("is {}", source.language.name()))),
        Code::Elf(_) => return Err(unfit("is machine code of a processor".into())),
    };
    if made_for != arch {
        return Err(unfit(format!("is for {made_for}, this is {arch}")));
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
    Ok(0)
}
