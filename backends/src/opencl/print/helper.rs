//! Functions that a text brings along, each only where it is used.

use std::collections::BTreeSet;

use super::dialect::Dialect;

/// A function that the language lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Helper {
    /// `float tw_from_bf16(ushort)`
    FromBf16,
    /// `ushort tw_to_bf16(float)`, to nearest, ties to even; a NaN stays one.
    ToBf16,
    /// `float tw_bf16(float)`: rounded.
    RoundBf16,
    /// `float tw_from_f16(ushort)`
    FromF16,
    /// `ushort tw_to_f16(float)`
    ToF16,
    /// `float tw_f16(float)`: rounded.
    RoundF16,
    /// `long tw_long(float)`: towards zero, saturated, NaN to 0.
    Long,
    /// `float tw_floor_div(float, float)`
    FloorDiv,
    /// `float tw_mod(float, float)`: the sign of the second.
    Mod,
    /// `long tw_int_div(long, long)`: `floor(a / b)`, without traps.
    IntDiv,
}

use Helper::{FloorDiv, FromBf16, FromF16, IntDiv, Long, Mod, RoundBf16, RoundF16, ToBf16, ToF16};

impl Helper {
    /// What it calls.
    fn needs(self) -> &'static [Self] {
        match self {
            RoundBf16 => &[FromBf16, ToBf16],
            RoundF16 => &[FromF16, ToF16],
            _ => &[],
        }
    }

    fn text(self, dialect: Dialect) -> String {
        let f = dialect.function();
        let long = dialect.long();
        let opencl = dialect == Dialect::OpenCl;
        let ushort = dialect.element(ir::DType::F16);
        let (from_bits, to_bits) = if opencl {
            ("as_float", "as_uint")
        } else {
            ("__uint_as_float", "__float_as_uint")
        };
        let body = match self {
            FromBf16 => {
                format!("float tw_from_bf16({ushort} x) {{ return {from_bits}((unsigned int)x << 16); }}")
            }
            ToBf16 => format!(
                "{ushort} tw_to_bf16(float x) {{\n    unsigned int u = {to_bits}(x);\n    \
                 return x != x ? 0x7fc0 : ({ushort})((u + 0x7fff + (u >> 16 & 1)) >> 16);\n}}"
            ),
            RoundBf16 => "float tw_bf16(float x) { return tw_from_bf16(tw_to_bf16(x)); }".into(),
            FromF16 if opencl => {
                "float tw_from_f16(ushort x) { return vload_half(0, (const half *)&x); }".into()
            }
            FromF16 => format!(
                "float tw_from_f16({ushort} x) {{ return (float)__builtin_bit_cast(_Float16, x); }}"
            ),
            ToF16 if opencl => {
                "ushort tw_to_f16(float x) {\n    ushort u;\n    vstore_half_rte(x, 0, (half *)&u);\n    return u;\n}".into()
            }
            ToF16 => format!(
                "{ushort} tw_to_f16(float x) {{ return __builtin_bit_cast({ushort}, (_Float16)x); }}"
            ),
            RoundF16 => "float tw_f16(float x) { return tw_from_f16(tw_to_f16(x)); }".into(),
            Long => format!(
                "{long} tw_long(float x) {{\n    if (x != x) return 0;\n    \
                 if (x >= 9223372036854775808.0f) return 0x7fffffffffffffff;\n    \
                 if (x < -9223372036854775808.0f) return -0x7fffffffffffffff - 1;\n    return ({long})x;\n}}"
            ),
            FloorDiv => "float tw_floor_div(float a, float b) {\n    float q = floor(a / b), r = fma(-q, b, a);\n    \
                 return r * b < 0.0f ? q - 1.0f : q;\n}"
                .into(),
            Mod => "float tw_mod(float a, float b) {\n    float r = fmod(a, b);\n    \
                 return r != 0.0f && (r < 0.0f) != (b < 0.0f) ? r + b : r;\n}"
                .into(),
            IntDiv => format!(
                "{long} tw_int_div({long} a, {long} b) {{\n    if (b == 0) return a;\n    if (b == -1) return -a;\n    \
                 {long} q = a / b;\n    return q - (q * b != a && (a < 0) != (b < 0));\n}}"
            ),
        };
        format!("{f} {body}\n")
    }
}

/// The functions, and those that they call, before those that call them.
pub(super) fn texts(used: &BTreeSet<Helper>, dialect: Dialect) -> String {
    let mut all = used.clone();
    all.extend(used.iter().flat_map(|h| h.needs()));
    let mut ordered: Vec<_> = all.into_iter().collect();
    ordered.sort_by_key(|h| (!h.needs().is_empty(), *h));
    ordered.into_iter().map(|h| h.text(dialect)).collect()
}
