//! `mma.sync`: matrix instructions of a warp.

use ir::{
    DType,
    lane::{Layout, MatrixInstr, Spelling, Step},
};

use crate::{
    mlir::text::{Elem, Text, Type, Value},
    simt::emit::held::{Held, Part, several},
};

/// LLVM's names, without `llvm.`.
const F16: &str = "nvvm.mma.m16n8k16.row.col.f32.f32";
const BF16: &str = "nvvm.mma.m16n8k16.row.col.bf16";

/// `mma.sync.aligned.m16n8k16.row.col` with f32 accumulators, for f16 and bf16.
///
/// Fragments: PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type" (2026-11-25); the tests below are
/// its formulas.
pub(super) fn instructions() -> Vec<MatrixInstr> {
    let quad = |a: Step, b: Step, c: Step, d: Step, e: Step| vec![a, b, c, d, e];
    let [r1, r2, r4, r8] = [1, 2, 4, 8].map(Step::rows);
    let [c1, c2, c4, c8] = [1, 2, 4, 8].map(Step::columns);
    let make = |operands: DType, word: &str| MatrixInstr {
        name: format!("mma.m16n8k16.{operands}"),
        operands,
        accumulator: DType::F32,
        a: Layout {
            register: vec![c1, r8, c8],
            lane: quad(c2, c4, r1, r2, r4),
            warp: vec![],
        },
        b: Layout {
            register: vec![r1, r8],
            lane: quad(r2, r4, c1, c2, c4),
            warp: vec![],
        },
        c: Layout {
            register: vec![c1, r8],
            lane: quad(c2, c4, r1, r2, r4),
            warp: vec![],
        },
        spelling: Spelling::Word(word.into()),
    };
    vec![make(DType::F16, F16), make(DType::Bf16, BF16)]
}

/// The registers of `c + a b`.
pub(super) fn emit(text: &mut Text, word: &str, [a, b, c]: [&Held; 3]) -> Option<Vec<Part>> {
    let pairs = |text: &mut Text, held: &Held| -> Vec<Value> {
        let pairs = held.chunks(text, 2);
        match word {
            F16 => pairs,
            _ => {
                let words = pairs.into_iter();
                words.map(|v| text.bits(v, several(Elem::I32, 1))).collect()
            }
        }
    };
    if ![F16, BF16].contains(&word) {
        return None;
    }
    let mut operands = pairs(text, a);
    operands.extend(pairs(text, b));
    for part in &c.parts {
        operands.push(text.single(*part));
    }
    let float = Type::scalar(Elem::F32);
    let results = text.calls(float, 4, &format!("llvm.{word}"), &operands);
    Some(results.into_iter().map(Part::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_are_those_of_the_ptx_isa() {
        for instr in instructions() {
            assert!(instr.fits(32));
            assert_eq!(instr.sides(), (16, 8, 16));
            for lane in 0..32 {
                let (group, place) = (lane / 4, lane % 4);
                for i in 0..8 {
                    let row = if i < 2 || (4..6).contains(&i) {
                        group
                    } else {
                        group + 8
                    };
                    let column = place * 2 + (i & 1) + if i < 4 { 0 } else { 8 };
                    assert_eq!(instr.a.place(i, lane, 0), (row, column));
                }
                for i in 0..4 {
                    let row = place * 2 + (i & 1) + if i < 2 { 0 } else { 8 };
                    assert_eq!(instr.b.place(i, lane, 0), (row, group));
                    let row = if i < 2 { group } else { group + 8 };
                    assert_eq!(instr.c.place(i, lane, 0), (row, place * 2 + (i & 1)));
                }
            }
        }
    }
}
