//! NVIDIA's devices by their data sheets.

use ir::{DType, DeviceModel, Source};

/// A row of the table. Rates of 16-bit products are those of dense matrices; NVIDIA's tables state twice as much, for
/// sparse ones. Products of f32 go at the rate of functions, since TF32 is narrower.
struct Device {
    name: &'static str,
    words: &'static str,
    arch: &'static str,
    /// f32 operations in a second.
    functions: f64,
    /// Operations in a second with f16 or bf16 operands and f32 sums.
    products: f64,
    bytes: f64,
    source: &'static str,
}

const DEVICES: &[Device] = &[
    Device {
        name: "a100",
        words: "A100 SXM 80GB",
        arch: "sm_80",
        functions: 19.5e12,
        products: 312e12,
        bytes: 2039e9,
        source: "NVIDIA A100 data sheet, as quoted at glennklockwood.com/garden/processors/A100; read 2026-11-25",
    },
    Device {
        name: "l40s",
        words: "L40S",
        arch: "sm_89",
        functions: 91.6e12,
        products: 362.05e12,
        bytes: 864e9,
        source: "NVIDIA L40S data sheet, as quoted at mullet.se, product 355414; read 2026-11-25",
    },
    Device {
        name: "h100",
        words: "H100 SXM",
        arch: "sm_90a",
        functions: 67e12,
        products: 989.4e12,
        bytes: 3.35e12,
        source: "NVIDIA H100 data sheet, as quoted at huggingface.co/datasets/devidasmishra/\
                 ai-inference-hardware-economics-2026; read 2026-11-25; f32 noted from memory",
    },
    Device {
        name: "h200",
        words: "H200 SXM",
        arch: "sm_90a",
        functions: 67e12,
        products: 989.4e12,
        bytes: 4.8e12,
        source: "NVIDIA H200 data sheet, as quoted at aiwiki.ai/wiki/nvidia_h200 (4.8 TB/s, processor as H100's) and \
                 ai-hpc.github.io (1979 TFLOP/s sparse); read 2026-11-25; f32 noted from memory",
    },
    Device {
        name: "b200",
        words: "B200",
        arch: "sm_100a",
        functions: 75e12,
        products: 2250e12,
        bytes: 8e12,
        source: "huggingface.co/datasets/devidasmishra/ai-inference-hardware-economics-2026; read 2026-11-25; f32 noted \
                 from memory",
    },
];

/// All devices of this folder; the first for an architecture is the one that its schedules are chosen for.
pub(crate) fn devices() -> Vec<DeviceModel> {
    let model = |d: &Device| DeviceModel {
        name: format!("cuda:{}", d.name),
        words: d.words.into(),
        target: format!("cuda:{}", d.arch),
        functions: d.functions,
        products: vec![(DType::F16, d.products), (DType::Bf16, d.products)],
        bytes_per_second: d.bytes,
        source: Source::DataSheet(d.source.into()),
    };
    DEVICES.iter().map(model).collect()
}
