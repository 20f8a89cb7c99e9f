//! Devices by name, and those that run a target's code.

use ir::DeviceModel;

use crate::{cuda, resolve::nearest, rocm, targets};

/// A name that no device has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("roofline: no `{name}`; help: wanted one of {}", nearest.join(", "))]
pub struct UnknownDevice {
    /// What was asked for.
    pub name: String,
    /// Devices spelled almost so, or all if none is.
    pub nearest: Vec<String>,
}

/// All devices with a data sheet.
pub fn devices() -> Vec<DeviceModel> {
    [cuda::devices::devices(), rocm::devices::devices()].concat()
}

/// The device of this name.
///
/// # Errors
/// There is none.
pub fn device(name: &str) -> Result<DeviceModel, UnknownDevice> {
    let all = devices();
    if let Some(found) = all.iter().find(|d| d.name == name) {
        return Ok(found.clone());
    }
    Err(UnknownDevice {
        name: name.into(),
        nearest: nearest(name, all.iter().map(|d| d.name.as_str())),
    })
}

/// The devices that run the code of the target of this name, the one that schedules are chosen for first; by assumed
/// rates if no data sheet is known; none if there is no such target.
pub fn devices_of(target: &str) -> Vec<DeviceModel> {
    let mut found = devices();
    found.retain(|d| d.target == target);
    if found.is_empty() {
        let target = targets().into_iter().find(|t| t.name == target);
        found.extend(target.as_ref().map(DeviceModel::assumed));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::{Bound, Bytes, DType, Flops, KernelWork};

    #[test]
    fn schedules_are_chosen_for_the_first_device_of_a_target() {
        for target in targets() {
            let first = &devices_of(&target.name)[0];
            let rates = (first.functions, first.bytes_per_second);
            let own = &target.roofline;
            assert_eq!(
                rates,
                (own.flops_per_second, own.bytes_per_second),
                "{}",
                target.name
            );
        }
        assert!(devices_of("cuda:sm_99").is_empty());
    }

    #[test]
    fn every_device_runs_the_code_of_a_target() {
        let targets = targets();
        for device in devices() {
            assert!(
                targets.iter().any(|t| t.name == device.target),
                "{}",
                device.name
            );
            assert_eq!(super::device(&device.name).unwrap(), device);
            let f16 = device.products.iter().find(|(d, _)| *d == DType::F16);
            assert!(f16.is_some_and(|(_, rate)| *rate > device.functions));
        }
    }

    /// A bf16 contraction of 8192 on H200: 2 * 8192^3 / 989.4e12 = 1.111 ms; its 402 MB of memory take 84 us.
    #[test]
    fn a_large_product_on_h200_takes_a_millisecond() {
        let n = 8192;
        let work = KernelWork {
            products: Flops(2 * n * n * n),
            operands: [DType::Bf16].into(),
            functions: Flops(0),
            bytes: Bytes(3 * 2 * n * n),
        };
        let h200 = device("cuda:h200").unwrap();
        let floor = h200.floor(&work);
        assert_eq!(floor.bound, Bound::Products);
        assert!((floor.seconds - 1.111e-3).abs() < 1e-6, "{floor:?}");
        assert_eq!(
            device("cuda:h2000").unwrap_err().to_string(),
            "roofline: no `cuda:h2000`; help: wanted one of cuda:h200, cuda:b200, cuda:h100"
        );
    }
}
