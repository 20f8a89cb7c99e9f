//! The processors that code is made for.

use ir::{Bytes, Form, Roofline, Simd, Target};

/// LLVM's triple of every target here.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// A row of the table.
struct Processor {
    /// LLVM's name.
    name: &'static str,
    /// What it must have, in groups.
    requires: &'static [&'static [&'static str]],
    vector: u64,
    registers: u32,
    l1: u64,
    l2: u64,
    /// Fused multiply-adds of a whole vector register that start in one cycle.
    multiply_adds: f64,
    hertz: f64,
}

const V3: &[&str] = &[
    "abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "popcnt",
];
const V4: &[&str] = &["avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"];
const AMD: &[&str] = &["sse4a"];
const ICE_LAKE: &[&str] = &[
    "avx512_bitalg",
    "avx512_vbmi2",
    "avx512_vnni",
    "avx512_vpopcntdq",
    "avx512ifma",
    "avx512vbmi",
    "gfni",
    "vaes",
    "vpclmulqdq",
];

const ZEN_5: &[&str] = &["avx512_vp2intersect", "avx_vnni"];

/// A clock that server parts of these families sustain, where none was measured: an assumption that
/// scales every estimate of a target alike.
const NOMINAL_HERTZ: f64 = 2.5e9;
/// Measured: 116 G/s f32 operations on one Zen 4 core at 32 each cycle (2026-11-23).
const MEASURED_HERTZ: f64 = 116e9 / 32.0;
/// Measured: non-temporal triad with one thread on the same machine (2026-11-23); others are taken to be alike.
const BYTES_PER_SECOND: f64 = 22e9;
/// An assumption: one thread is woken and waited for.
const DISPATCH_SECONDS: f64 = 2e-6;

const KIB: u64 = 1024;

/// Best first: a host is taken for the first whose requirements it meets.
///
/// Caches, registers and multiply-adds in a cycle: AMD, Software Optimization Guide for the AMD Zen 5 (58455),
/// Zen 4 (57647) and Zen 3 (56665) microarchitectures, sections "Cache" and "Floating-Point Unit"; Intel 64 and IA-32
/// Architectures Optimization Reference Manual (248966), the microarchitecture chapters.
const PROCESSORS: &[Processor] = &[
    Processor {
        name: "znver5",
        requires: &[V3, V4, AMD, ICE_LAKE, &["avx512_bf16"], ZEN_5],
        vector: 64,
        registers: 32,
        l1: 48 * KIB,
        l2: 1024 * KIB,
        multiply_adds: 2.0,
        hertz: NOMINAL_HERTZ,
    },
    // Half of a 512-bit register at a time: two halves in one cycle.
    Processor {
        name: "znver4",
        requires: &[V3, V4, AMD, ICE_LAKE, &["avx512_bf16"]],
        vector: 64,
        registers: 32,
        l1: 32 * KIB,
        l2: 1024 * KIB,
        multiply_adds: 1.0,
        hertz: MEASURED_HERTZ,
    },
    Processor {
        name: "znver3",
        requires: &[V3, AMD, &["vaes", "vpclmulqdq"]],
        vector: 32,
        registers: 16,
        l1: 32 * KIB,
        l2: 512 * KIB,
        multiply_adds: 2.0,
        hertz: NOMINAL_HERTZ,
    },
    Processor {
        name: "sapphirerapids",
        requires: &[V3, V4, ICE_LAKE, &["avx512_bf16", "avx512_fp16"]],
        vector: 64,
        registers: 32,
        l1: 48 * KIB,
        l2: 2048 * KIB,
        multiply_adds: 2.0,
        hertz: NOMINAL_HERTZ,
    },
    Processor {
        name: "icelake-server",
        requires: &[V3, V4, ICE_LAKE],
        vector: 64,
        registers: 32,
        l1: 48 * KIB,
        l2: 1280 * KIB,
        multiply_adds: 2.0,
        hertz: NOMINAL_HERTZ,
    },
    Processor {
        name: "skylake-avx512",
        requires: &[V3, V4],
        vector: 64,
        registers: 32,
        l1: 32 * KIB,
        l2: 1024 * KIB,
        multiply_adds: 2.0,
        hertz: NOMINAL_HERTZ,
    },
    Processor {
        name: "haswell",
        requires: &[V3],
        vector: 32,
        registers: 16,
        l1: 32 * KIB,
        l2: 256 * KIB,
        multiply_adds: 2.0,
        hertz: NOMINAL_HERTZ,
    },
    // Levels of the x86-64 psABI, which name no machine: caches of the smallest above.
    Processor {
        name: "x86-64-v4",
        requires: &[V3, V4],
        vector: 64,
        registers: 32,
        l1: 32 * KIB,
        l2: 1024 * KIB,
        multiply_adds: 1.0,
        hertz: NOMINAL_HERTZ,
    },
    Processor {
        name: "x86-64-v3",
        requires: &[V3],
        vector: 32,
        registers: 16,
        l1: 32 * KIB,
        l2: 256 * KIB,
        multiply_adds: 2.0,
        hertz: NOMINAL_HERTZ,
    },
];

/// All CPU targets, best first.
pub(crate) fn targets() -> Vec<Target> {
    PROCESSORS.iter().map(Processor::target).collect()
}

impl Processor {
    fn target(&self) -> Target {
        let mut requires: Vec<String> = self
            .requires
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect();
        requires.sort_unstable();
        let lanes = self.vector as f64 / 4.0;
        Target {
            name: format!("cpu:{}", self.name),
            roofline: Roofline {
                flops_per_second: 2.0 * lanes * self.multiply_adds * self.hertz,
                bytes_per_second: BYTES_PER_SECOND,
                dispatch_seconds: DISPATCH_SECONDS,
            },
            form: Form::Simd(Simd {
                triple: TRIPLE.into(),
                processor: self.name.into(),
                requires,
                vector: Bytes(self.vector),
                registers: self.registers,
                l1: Bytes(self.l1),
                l2: Bytes(self.l2),
            }),
        }
    }
}

/// Whether this machine has a feature, as `/proc/cpuinfo` spells it; none if no target requires it.
#[cfg(target_arch = "x86_64")]
pub(crate) fn host_has(feature: &str) -> Option<bool> {
    use std::arch::is_x86_feature_detected as has;
    Some(match feature {
        "abm" => has!("lzcnt"),
        "avx" => has!("avx"),
        "avx2" => has!("avx2"),
        "avx512_bf16" => has!("avx512bf16"),
        "avx512_bitalg" => has!("avx512bitalg"),
        "avx512_fp16" => has!("avx512fp16"),
        "avx512_vbmi2" => has!("avx512vbmi2"),
        "avx512_vnni" => has!("avx512vnni"),
        "avx512_vp2intersect" => has!("avx512vp2intersect"),
        "avx_vnni" => has!("avxvnni"),
        "avx512_vpopcntdq" => has!("avx512vpopcntdq"),
        "avx512bw" => has!("avx512bw"),
        "avx512cd" => has!("avx512cd"),
        "avx512dq" => has!("avx512dq"),
        "avx512f" => has!("avx512f"),
        "avx512ifma" => has!("avx512ifma"),
        "avx512vbmi" => has!("avx512vbmi"),
        "avx512vl" => has!("avx512vl"),
        "bmi1" => has!("bmi1"),
        "bmi2" => has!("bmi2"),
        "f16c" => has!("f16c"),
        "fma" => has!("fma"),
        "gfni" => has!("gfni"),
        "movbe" => has!("movbe"),
        "popcnt" => has!("popcnt"),
        "sse4a" => has!("sse4a"),
        "vaes" => has!("vaes"),
        "vpclmulqdq" => has!("vpclmulqdq"),
        _ => return None,
    })
}

/// Elsewhere there is no such feature.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn host_has(_: &str) -> Option<bool> {
    Some(false)
}
