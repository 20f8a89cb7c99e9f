//! What this processor has.

/// The architecture of this process, as [`std::env::consts::ARCH`] spells it.
pub const ARCH: &str = std::env::consts::ARCH;

/// What this processor is called.
pub(crate) fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info
        .lines()
        .find_map(|l| l.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| ARCH.into(), |(_, name)| name.trim().into())
}

macro_rules! features {
    ($($name:literal = $std:tt,)*) => {
        /// The features this runtime can ask for, as `/proc/cpuinfo` spells them, and whether they are here.
        #[cfg(target_arch = "x86_64")]
        fn table() -> Vec<(&'static str, bool)> {
            vec![$(($name, std::is_x86_feature_detected!($std)),)*]
        }
    };
}

// Spelling in `/proc/cpuinfo` = spelling in `std::arch`. The latter also asks whether the system saves the registers.
// Only what kernels compute with: random numbers and the saving of state are withdrawn from `/proc/cpuinfo` on
// processors where they are faulty (`rdseed` on Zen 5), and no kernel needs them.
features! {
    "abm" = "lzcnt",
    "adx" = "adx",
    "aes" = "aes",
    "avx" = "avx",
    "avx2" = "avx2",
    "avx512_bf16" = "avx512bf16",
    "avx512_bitalg" = "avx512bitalg",
    "avx512_fp16" = "avx512fp16",
    "avx512_vbmi2" = "avx512vbmi2",
    "avx512_vnni" = "avx512vnni",
    "avx512_vp2intersect" = "avx512vp2intersect",
    "avx512_vpopcntdq" = "avx512vpopcntdq",
    "avx512bw" = "avx512bw",
    "avx512cd" = "avx512cd",
    "avx512dq" = "avx512dq",
    "avx512f" = "avx512f",
    "avx512ifma" = "avx512ifma",
    "avx512vbmi" = "avx512vbmi",
    "avx512vl" = "avx512vl",
    "avx_vnni" = "avxvnni",
    "bmi1" = "bmi1",
    "bmi2" = "bmi2",
    "cx16" = "cmpxchg16b",
    "f16c" = "f16c",
    "fma" = "fma",
    "gfni" = "gfni",
    "movbe" = "movbe",
    "pclmulqdq" = "pclmulqdq",
    "pni" = "sse3",
    "popcnt" = "popcnt",
    "sha_ni" = "sha",
    "sse" = "sse",
    "sse2" = "sse2",
    "sse4_1" = "sse4.1",
    "sse4_2" = "sse4.2",
    "sse4a" = "sse4a",
    "ssse3" = "ssse3",
    "vaes" = "vaes",
    "vpclmulqdq" = "vpclmulqdq",
}

#[cfg(not(target_arch = "x86_64"))]
fn table() -> Vec<(&'static str, bool)> {
    Vec::new()
}

/// The features of this processor, sorted.
pub fn features() -> Vec<&'static str> {
    table()
        .into_iter()
        .filter_map(|(name, here)| here.then_some(name))
        .collect()
}

/// Those of `wanted` that are not known to be here.
pub(super) fn missing(wanted: &[String]) -> Vec<String> {
    let here = features();
    wanted
        .iter()
        .filter(|w| !here.contains(&w.as_str()))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_kernel() {
        let Ok(info) = std::fs::read_to_string("/proc/cpuinfo") else {
            return;
        };
        let Some(line) = info.lines().find(|l| l.starts_with("flags")) else {
            return;
        };
        let flags: Vec<&str> = line.split_whitespace().collect();
        for (name, here) in table() {
            assert_eq!(here, flags.contains(&name), "{name}");
        }
    }

    #[test]
    fn names_what_is_missing() {
        let wanted = ["sse2".to_string(), "warp_drive".to_string()];
        let expected = if ARCH == "x86_64" {
            &wanted[1..]
        } else {
            &wanted[..]
        };
        assert_eq!(missing(&wanted), expected);
    }
}
