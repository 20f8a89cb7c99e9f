//! AMD's devices by their data sheets.

use ir::{DType, DeviceModel, Source};

/// A row of the table. Rates of products are those of dense matrices.
struct Device {
    name: &'static str,
    words: &'static str,
    arch: &'static str,
    /// f32 operations in a second.
    functions: f64,
    /// Operations in a second with f16 operands and f32 sums.
    f16: f64,
    /// The same with bf16 operands; as functions where there is no instruction.
    bf16: f64,
    /// The same with f32 operands.
    f32: f64,
    bytes: f64,
    source: &'static str,
}

const MEMORY: &str = "noted 2026-11-25 from memory of AMD's data sheet, not looked up again";

const DEVICES: &[Device] = &[
    Device {
        name: "mi50",
        words: "Radeon Instinct MI50",
        arch: "gfx906",
        functions: 13.3e12,
        f16: 26.5e12,
        bf16: 13.3e12,
        f32: 13.3e12,
        bytes: 1024e9,
        source: MEMORY,
    },
    Device {
        name: "mi210",
        words: "Instinct MI210",
        arch: "gfx90a",
        functions: 22.6e12,
        f16: 181e12,
        bf16: 181e12,
        f32: 45.3e12,
        bytes: 1.6e12,
        source: MEMORY,
    },
    Device {
        name: "mi300x",
        words: "Instinct MI300X",
        arch: "gfx942",
        functions: 163.4e12,
        f16: 1307.4e12,
        bf16: 1307.4e12,
        f32: 163.4e12,
        bytes: 5.3e12,
        source: "5.3 TB/s: emergentmind.com/topics/amd-instinct-mi300x-gpus, read 2026-11-25; operations noted from \
                 memory of AMD's data sheet",
    },
    Device {
        name: "mi355x",
        words: "Instinct MI355X",
        arch: "gfx950",
        functions: 157.3e12,
        f16: 2516.6e12,
        bf16: 2516.6e12,
        f32: 157.3e12,
        bytes: 8e12,
        source: MEMORY,
    },
    Device {
        name: "rx7900xtx",
        words: "Radeon RX 7900 XTX",
        arch: "gfx1100",
        functions: 61.4e12,
        f16: 122.8e12,
        bf16: 122.8e12,
        f32: 61.4e12,
        bytes: 960e9,
        source: "960 GB/s: cputronic.com, read 2026-11-25; operations noted from memory of AMD's data sheet",
    },
];

/// All devices of this folder; the first for an architecture is the one that its schedules are chosen for.
pub(crate) fn devices() -> Vec<DeviceModel> {
    let model = |d: &Device| DeviceModel {
        name: format!("rocm:{}", d.name),
        words: d.words.into(),
        target: format!("rocm:{}", d.arch),
        functions: d.functions,
        products: vec![
            (DType::F16, d.f16),
            (DType::Bf16, d.bf16),
            (DType::F32, d.f32),
        ],
        bytes_per_second: d.bytes,
        source: Source::DataSheet(d.source.into()),
    };
    DEVICES.iter().map(model).collect()
}
