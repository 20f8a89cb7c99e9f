//! Matrix instructions of Hygon's DCU, by words, with bodies for devices that lack them.
//!
//! One macro has three bodies, chosen by `TW_MATRIX`: 2 the instruction itself, 1 dot products of pairs (gfx906), 0
//! multiply-adds. The last two hand fragments around through local memory, by the layouts that the program states.
//! Which spelling a compiler release takes is not told by `__has_builtin` on DTK, so the driver is asked to build them
//! in turn. Names: HYGON-AI/triton-das, MmacGroup.cpp, and tile-ai/tilelang-hygon, gemm.h (read 2026-11). None of it
//! has run on such a device.

use ir::lane::{MatrixInstr, Program, Spelling};

use super::Dialect;

/// How operands go in, whose registers are floats.
#[derive(Clone, Copy)]
pub(super) enum Operand {
    /// As they are.
    Float,
    /// As half precision.
    Half,
    /// The upper halves of their bits, as integers.
    Upper,
}

impl Operand {
    /// A vector of so many, from floats.
    pub fn text(self, dialect: Dialect, vector: &str, len: u32) -> String {
        let ty = |scalar| dialect.vector(scalar, len);
        match (self, dialect) {
            (Self::Float, _) => vector.to_owned(),
            (Self::Half, Dialect::OpenCl) => format!("convert_half{len}({vector})"),
            (Self::Half, Dialect::Hip) => {
                format!("__builtin_convertvector({vector}, {})", ty("_Float16"))
            }
            (Self::Upper, Dialect::OpenCl) => {
                format!("as_short{len}(convert_ushort{len}(as_uint{len}({vector}) >> 16))")
            }
            (Self::Upper, Dialect::Hip) => format!(
                "__builtin_convertvector(__builtin_bit_cast({}, {vector}) >> 16, {})",
                ty("unsigned int"),
                ty("short")
            ),
        }
    }

    /// Scalars of the vectors that its text names.
    pub fn scalars(self) -> &'static [&'static str] {
        match self {
            Self::Float => &["float"],
            Self::Half => &["float", "_Float16"],
            Self::Upper => &["float", "unsigned int", "short"],
        }
    }
}

/// A word of a matrix instruction.
pub(super) struct Mmac {
    /// As [`Spelling::Word`] has it.
    pub word: &'static str,
    /// The compiler's own function.
    pub builtin: &'static str,
    /// How its operands go in.
    pub operand: Operand,
    /// What dots a row and a column that were handed around.
    pub dot: &'static str,
}

/// All words.
pub(super) const WORDS: &[Mmac] = &[
    Mmac {
        word: "mmac_f16",
        builtin: "__builtin_hcu_mmac_f32_16x16x16_f16",
        operand: Operand::Half,
        dot: "tw_dot_f16",
    },
    Mmac {
        word: "mmac_bf16",
        builtin: "__builtin_hcu_mmac_f32_16x16x16_bf16",
        operand: Operand::Upper,
        dot: "tw_dot",
    },
    Mmac {
        word: "mmac_f32",
        builtin: "__builtin_hcu_mmac_16x16x8_f32",
        operand: Operand::Float,
        dot: "tw_dot",
    },
];

/// Options that choose a body, the preferred first.
pub(super) const VARIANTS: [&str; 3] = ["-DTW_MATRIX=2", "-DTW_MATRIX=1", ""];

/// The instruction of this word.
pub(super) fn find(word: &str) -> Option<&'static Mmac> {
    WORDS.iter().find(|m| m.word == word)
}

/// Elements of both operands.
pub(super) fn elements(instr: &MatrixInstr) -> u32 {
    let (m, n, k) = instr.sides();
    (m + n) * k
}

/// Floats of local memory by which the warps of a block hand fragments around.
pub(super) fn staged(program: &Program) -> u64 {
    let words = program.matrix.iter();
    let words = words.filter(|m| matches!(m.spelling, Spelling::Word(_)));
    let most = words.map(elements).max().unwrap_or(0);
    u64::from(most) * u64::from(program.warps)
}
