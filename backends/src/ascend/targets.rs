//! Ascend devices as targets.
//!
//! Sources: cores and buffers, AscendNPU-IR `bishengir/include/bishengir/Dialect/HACC/Targets/NPUTargetSpec.td`;
//! alignments, noted from public Ascend C documentation; both read 2026-11. Clocks of the 910B1, of the 910B3 and of the
//! 910C, all memory rates and every number of the 310P are not verified; its clock is a placeholder. Operations per
//! second are those of 16-bit products.

use ir::{Bytes, Form, OnChip, Roofline, Target, TensorCore};

const KIB: u64 = 1024;

/// Cube operations of a core and cycle at 16 bits: 16 x 16 x 16 multiply-adds.
const CUBE_FLOPS: f64 = 8192.0;

/// Bytes per second of global memory. No two sources agree: a placeholder until one is measured.
const BYTES_PER_SECOND: f64 = 1.2e12;

/// Seconds from one kernel to the next. Not measured.
const DISPATCH_SECONDS: f64 = 1e-5;

/// A row of the table of devices.
struct Device {
    name: &'static str,
    cube_cores: u32,
    vector_cores: u32,
    /// Kibibytes.
    vector: u64,
    staging: u64,
    sums: u64,
    /// Cycles per second.
    hertz: f64,
}

/// What devices of the 910 families share.
const fn die(name: &'static str, cube_cores: u32, hertz: f64) -> Device {
    Device {
        name,
        cube_cores,
        vector_cores: 2 * cube_cores,
        vector: 192,
        staging: 512,
        sums: 128,
        hertz,
    }
}

const DEVICES: &[Device] = &[
    die("Ascend910B1", 24, 1.8e9),
    die("Ascend910B2", 24, 1.8e9),
    die("Ascend910B3", 20, 1.8e9),
    die("Ascend910B4", 20, 1.5e9),
    // Dies of the 910C.
    die("Ascend910_9362", 20, 1.8e9),
    die("Ascend910_9363", 20, 1.8e9),
    die("Ascend910_9372", 20, 1.8e9),
    die("Ascend910_9381", 24, 1.8e9),
    die("Ascend910_9382", 24, 1.8e9),
    die("Ascend910_9391", 24, 1.8e9),
    die("Ascend910_9392", 24, 1.8e9),
    // No target of `bishengir-compile`: Ascend C alone. Of two numbers for L1, the smaller.
    Device {
        name: "Ascend310P",
        cube_cores: 8,
        vector_cores: 8,
        vector: 256,
        staging: 512,
        sums: 256,
        hertz: 1.08e9,
    },
];

/// The name of a product for which there are several devices, with the one of them that has the fewest cores; all
/// have the same buffers.
const PRODUCTS: &[(&str, &str)] = &[("ascend:910C", "ascend:910_9362")];

/// The target that stands for a product of several devices.
pub fn device(product: &str) -> Option<&'static str> {
    let named = |(name, target): &(&str, &'static str)| (*name == product).then_some(*target);
    PRODUCTS.iter().find_map(named)
}

/// All devices.
pub fn targets() -> Vec<Target> {
    DEVICES.iter().map(Device::target).collect()
}

impl Device {
    fn target(&self) -> Target {
        let on_chip = |kib: u64, align| OnChip {
            size: Bytes(kib * KIB),
            align: Bytes(align),
        };
        let short = self.name.trim_start_matches("Ascend");
        Target {
            name: format!("ascend:{short}"),
            roofline: Roofline {
                flops_per_second: CUBE_FLOPS * f64::from(self.cube_cores) * self.hertz,
                bytes_per_second: BYTES_PER_SECOND,
                dispatch_seconds: DISPATCH_SECONDS,
            },
            form: Form::Tensor(TensorCore {
                device: self.name.into(),
                cube_cores: self.cube_cores,
                vector_cores: self.vector_cores,
                vector: on_chip(self.vector, 32),
                staging: on_chip(self.staging, 32),
                left: on_chip(64, 512),
                right: on_chip(64, 512),
                // As the result of a product.
                sums: on_chip(self.sums, 1024),
                fractal: 16,
                fractal_row: Bytes(32),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_data_sheets() {
        let rate = |name: &str| {
            let all = targets();
            let target = all.iter().find(|t| t.name == name).unwrap();
            (target.roofline.flops_per_second / 1e11).round() / 10.0
        };
        assert_eq!(rate("ascend:910B2"), 353.9);
        assert_eq!(rate("ascend:910B4"), 245.8);
    }

    #[test]
    fn products_stand_for_the_device_with_the_fewest_cores() {
        for (product, device) in PRODUCTS {
            let all = targets();
            assert!(all.iter().all(|t| t.name != *product));
            let found = all.iter().find(|t| t.name == *device).unwrap();
            let cores = |t: &Target| t.tensor().map(|c| c.cube_cores);
            let family = all.iter().filter(|t| t.name.starts_with("ascend:910_"));
            assert_eq!(cores(found), family.map(cores).min().unwrap());
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = targets().into_iter().map(|t| t.name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), DEVICES.len());
    }
}
