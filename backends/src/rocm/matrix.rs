//! Matrix instructions: MFMA of CDNA, WMMA of RDNA 3, and dot products of pairs.

use ir::{
    DType,
    lane::{Layout, MatrixInstr, Spelling, Step},
};

use crate::{
    mlir::text::{Elem, Text, Type, Value},
    simt::{
        emit::held::{Held, Part, parts, several},
        outer,
    },
};

/// How the operands of an instruction are handed over.
enum Hand {
    /// As vectors of their own type, with three numbers that are 0.
    Mfma,
    /// The same, bf16 as integers.
    MfmaBits,
    Wmma,
    WmmaBits,
    /// Pair by pair.
    Dot,
}

/// A row of the table.
pub(super) struct Row {
    /// As the ISA documents name it.
    name: &'static str,
    /// LLVM's name, without `llvm.`.
    word: &'static str,
    operands: DType,
    hand: Hand,
    layouts: fn() -> [Layout; 3],
}

/// Of MI300 and before: AMD Instinct MI200 and MI300 (CDNA 3) Instruction Set Architecture documents, "Matrix
/// Arithmetic Instructions", and AMD's matrix instruction calculator; of MI350 the CDNA 4 document. Noted 2026-11-25 from
/// memory of them; LLVM has every one, no device was asked.
pub(super) const MFMA_F16: Row = Row {
    name: "v_mfma_f32_32x32x8_f16",
    word: "amdgcn.mfma.f32.32x32x8f16",
    operands: DType::F16,
    hand: Hand::Mfma,
    layouts: || large(4),
};
pub(super) const MFMA_F16_SMALL: Row = Row {
    name: "v_mfma_f32_16x16x16_f16",
    word: "amdgcn.mfma.f32.16x16x16f16",
    operands: DType::F16,
    hand: Hand::Mfma,
    layouts: || small(4),
};
pub(super) const MFMA_BF16: Row = Row {
    name: "v_mfma_f32_32x32x8_bf16_1k",
    word: "amdgcn.mfma.f32.32x32x8bf16.1k",
    operands: DType::Bf16,
    hand: Hand::MfmaBits,
    layouts: || large(4),
};
pub(super) const MFMA_BF16_SMALL: Row = Row {
    name: "v_mfma_f32_16x16x16_bf16_1k",
    word: "amdgcn.mfma.f32.16x16x16bf16.1k",
    operands: DType::Bf16,
    hand: Hand::MfmaBits,
    layouts: || small(4),
};
pub(super) const MFMA_F32: Row = Row {
    name: "v_mfma_f32_32x32x2_f32",
    word: "amdgcn.mfma.f32.32x32x2f32",
    operands: DType::F32,
    hand: Hand::Mfma,
    layouts: || large(1),
};
pub(super) const MFMA_F32_SMALL: Row = Row {
    name: "v_mfma_f32_16x16x4_f32",
    word: "amdgcn.mfma.f32.16x16x4f32",
    operands: DType::F32,
    hand: Hand::Mfma,
    layouts: || small(1),
};
pub(super) const MFMA_F16_DEEP: Row = Row {
    name: "v_mfma_f32_32x32x16_f16",
    word: "amdgcn.mfma.f32.32x32x16.f16",
    operands: DType::F16,
    hand: Hand::Mfma,
    layouts: || large(8),
};
pub(super) const MFMA_BF16_DEEP: Row = Row {
    name: "v_mfma_f32_32x32x16_bf16",
    word: "amdgcn.mfma.f32.32x32x16.bf16",
    operands: DType::Bf16,
    hand: Hand::Mfma,
    layouts: || large(8),
};
/// RDNA 3 Instruction Set Architecture document, "Wave Matrix Multiply Accumulate (WMMA)", and AMD's "How to accelerate
/// AI applications on RDNA 3 using WMMA" (GPUOpen, 2023): both half waves hold `a` and `b`.
pub(super) const WMMA_F16: Row = Row {
    name: "v_wmma_f32_16x16x16_f16",
    word: "amdgcn.wmma.f32.16x16x16.f16",
    operands: DType::F16,
    hand: Hand::Wmma,
    layouts: wave,
};
pub(super) const WMMA_BF16: Row = Row {
    name: "v_wmma_f32_16x16x16_bf16",
    word: "amdgcn.wmma.f32.16x16x16.bf16",
    operands: DType::Bf16,
    hand: Hand::WmmaBits,
    layouts: wave,
};
/// Vega 7 nm (GCN 5.1) Instruction Set Architecture document, "V_DOT2_F32_F16": a lane's own sum of two products.
pub(super) const DOT_F16: Row = Row {
    name: "v_dot2_f32_f16",
    word: "amdgcn.fdot2",
    operands: DType::F16,
    hand: Hand::Dot,
    layouts: dots,
};

const ALL: &[Row] = &[
    MFMA_F16,
    MFMA_F16_SMALL,
    MFMA_BF16,
    MFMA_BF16_SMALL,
    MFMA_F32,
    MFMA_F32_SMALL,
    MFMA_F16_DEEP,
    MFMA_BF16_DEEP,
    WMMA_F16,
    WMMA_BF16,
    DOT_F16,
];

/// `count` steps, from `first` on, each twice the one before.
fn doubling(step: fn(u32) -> Step, first: u32, count: u32) -> Vec<Step> {
    (0..count).map(|bit| step(first << bit)).collect()
}

/// `side x side` results of 64 lanes, whose operands hold `depth` numbers side by side: the lanes that are left once
/// each row (or column) has one go on along the depth.
fn square(side: u32, depth: u32, c: Vec<Step>) -> [Layout; 3] {
    let (bits, held) = (side.ilog2(), depth.ilog2());
    let fragment = |along: fn(u32) -> Step, deep: fn(u32) -> Step| Layout {
        register: doubling(deep, 1, held),
        lane: [doubling(along, 1, bits), doubling(deep, depth, 6 - bits)].concat(),
        warp: vec![],
    };
    let c = Layout {
        register: c,
        lane: [
            doubling(Step::columns, 1, bits),
            doubling(Step::rows, 4, 6 - bits),
        ]
        .concat(),
        warp: vec![],
    };
    [
        fragment(Step::rows, Step::columns),
        fragment(Step::columns, Step::rows),
        c,
    ]
}

/// 32 x 32: register `r` of `c` is at row `8 (r / 4) + 4 (lane / 32) + r mod 4`, column `lane mod 32`.
fn large(depth: u32) -> [Layout; 3] {
    square(32, depth, [1, 2, 8, 16].map(Step::rows).into())
}

/// 16 x 16: register `r` of `c` is at row `4 (lane / 16) + r`, column `lane mod 16`.
fn small(depth: u32) -> [Layout; 3] {
    square(16, depth, [1, 2].map(Step::rows).into())
}

/// Register `r` of `c` is at row `2 r + lane / 16`, column `lane mod 16`; lane `l` has row (or column) `l mod 16`.
fn wave() -> [Layout; 3] {
    let fragment = |along: fn(u32) -> Step, deep: fn(u32) -> Step| Layout {
        register: doubling(deep, 1, 4),
        lane: [doubling(along, 1, 4), vec![Step::NONE]].concat(),
        warp: vec![],
    };
    let c = Layout {
        register: doubling(Step::rows, 2, 3),
        lane: [doubling(Step::columns, 1, 4), vec![Step::rows(1)]].concat(),
        warp: vec![],
    };
    [
        fragment(Step::rows, Step::columns),
        fragment(Step::columns, Step::rows),
        c,
    ]
}

/// The outer product's, each number of an operand two deep.
fn dots() -> [Layout; 3] {
    let flat = outer(64);
    let deeper = |mut layout: Layout, deep: Step| {
        layout.register.insert(0, deep);
        layout
    };
    [
        deeper(flat.a, Step::columns(1)),
        deeper(flat.b, Step::rows(1)),
        flat.c,
    ]
}

impl Row {
    pub(super) fn instruction(&self) -> MatrixInstr {
        let [a, b, c] = (self.layouts)();
        MatrixInstr {
            name: self.name.into(),
            operands: self.operands,
            accumulator: DType::F32,
            a,
            b,
            c,
            spelling: Spelling::Word(self.word.into()),
        }
    }
}

/// Whether a lane computes it from its own registers alone.
pub(super) fn is_lane_own(word: &str) -> bool {
    word == DOT_F16.word
}

/// The registers of `c + a b`.
pub(super) fn emit(text: &mut Text, word: &str, [a, b, c]: [&Held; 3]) -> Option<Vec<Part>> {
    let row = ALL.iter().find(|row| row.word == word)?;
    if matches!(row.hand, Hand::Dot) {
        return Some(dot_pairs(text, word, [a, b, c]));
    }
    let bits = matches!(row.hand, Hand::MfmaBits | Hand::WmmaBits);
    let [a, b] = [a, b].map(|held| {
        let value = held.joined(text);
        match bits {
            true => text.bits(value, value.ty.of(Elem::I16)),
            false => value,
        }
    });
    let c = c.joined(text);
    let mut operands = vec![a, b, c];
    if matches!(row.hand, Hand::Mfma | Hand::MfmaBits) {
        // No broadcast of `a`, no permutation of `b`.
        let zero = text.int(Type::scalar(Elem::I32), 0);
        operands.extend([zero; 3]);
    }
    let result = text.call(c.ty, &format!("llvm.{word}"), &operands);
    Some(parts(result).collect())
}

fn dot_pairs(text: &mut Text, word: &str, [a, b, c]: [&Held; 3]) -> Vec<Part> {
    let (a, b) = (a.chunks(text, 2), b.chunks(text, 2));
    let saturate = text.int(several(Elem::I1, 1), 0);
    let mut results = Vec::new();
    for (i, part) in c.parts.iter().enumerate() {
        let sum = text.single(*part);
        let (row, column) = (a[i / b.len()], b[i % b.len()]);
        let value: Value = text.call(
            sum.ty,
            &format!("llvm.{word}"),
            &[row, column, sum, saturate],
        );
        results.push(value.into());
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_fit() {
        for row in ALL {
            let lanes = if row.name.contains("wmma") { 32 } else { 64 };
            assert!(row.instruction().fits(lanes), "{}", row.name);
        }
    }

    /// In each operand a lane has one row (or column), and as many numbers side by side as it holds; where the results
    /// lie is as the documents say for each shape.
    #[test]
    fn results_lie_where_the_documents_say() {
        for row in ALL {
            let instr = row.instruction();
            let (m, _, _) = instr.sides();
            let depth = instr.a.width();
            for lane in 0..instr.c.lanes() {
                let a = (lane % m, lane / m * depth);
                let c = |r: u32| match row.hand {
                    Hand::Dot => None,
                    Hand::Wmma | Hand::WmmaBits => Some((2 * r + lane / 16, lane % 16)),
                    _ if m == 32 => Some((8 * (r / 4) + 4 * (lane / 32) + r % 4, lane % 32)),
                    _ => Some((4 * (lane / 16) + r, lane % 16)),
                };
                for r in 0..instr.c.width() {
                    if let Some(place) = c(r) {
                        assert_eq!(instr.c.place(r, lane, 0), place, "{}", row.name);
                    }
                }
                for r in 0..depth {
                    let (place, turned) = (instr.a.place(r, lane, 0), instr.b.place(r, lane, 0));
                    match row.hand {
                        Hand::Dot => {}
                        Hand::Wmma | Hand::WmmaBits => assert_eq!(place, (lane % 16, r)),
                        _ => assert_eq!(place, (a.0, a.1 + r), "{}", row.name),
                    }
                    if !matches!(row.hand, Hand::Dot) {
                        assert_eq!(turned, (place.1, place.0), "{}", row.name);
                    }
                }
            }
        }
    }
}
