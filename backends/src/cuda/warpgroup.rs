//! `wgmma`: matrix instructions of four warps.

use ir::{
    DType,
    lane::{Layout, Step, Swizzle, WarpgroupInstr},
};

use crate::{
    mlir::text::{Elem, Text, Type, Value},
    simt::dialect::{Left, Tile},
};

const FLOAT: Type = Type::scalar(Elem::F32);
const WORD: Type = Type::scalar(Elem::I32);
const LONG: Type = Type::scalar(Elem::I64);

/// Columns of a product: all multiples of 8 up to 256 by PTX ISA, "Asynchronous Warpgroup Level Matrix Shape"; layouts
/// have powers of two.
const COLUMNS: [u32; 6] = [256, 128, 64, 32, 16, 8];

/// `wgmma.mma_async.sync.aligned.m64nNk16` with f32 accumulators, for f16 and bf16, the widest first.
///
/// Fragments: PTX ISA 9.0, section 9.7.15.5.1.1.1, "Matrix Fragments for wgmma.mma_async.m64nNk16" (read 2026-11-25): those
/// of `mma.m16n8k16`, a warp to 16 rows, eight columns after the other.
pub(super) fn instructions() -> Vec<WarpgroupInstr> {
    let [r1, r2, r4, r8, r16, r32] = [1, 2, 4, 8, 16, 32].map(Step::rows);
    let [c1, c2, c4, c8] = [1, 2, 4, 8].map(Step::columns);
    let spread = |register: Vec<Step>| Layout {
        register,
        lane: vec![c2, c4, r1, r2, r4],
        warp: vec![r16, r32],
    };
    let make = |operands: DType, n: u32| {
        let eights = (3..n.ilog2()).map(|bit| Step::columns(1 << bit));
        WarpgroupInstr {
            name: format!("wgmma.m64n{n}k16.{operands}"),
            operands,
            accumulator: DType::F32,
            a: spread(vec![c1, r8, c8]),
            c: spread([c1, r8].into_iter().chain(eights).collect()),
            word: format!("m64n{n}k16.f32.{operands}.{operands}"),
        }
    };
    let both = [DType::F16, DType::Bf16].into_iter();
    both.flat_map(|dtype| COLUMNS.map(|n| make(dtype, n)))
        .collect()
}

/// The registers of `c + a b`, which are to be read after a wait.
pub(super) fn emit(
    text: &mut Text,
    instr: &WarpgroupInstr,
    a: &Left,
    b: &Tile,
    c: Option<&[Value]>,
) -> Option<Vec<Value>> {
    let words: Vec<WarpgroupInstr> = instructions();
    if !words.iter().any(|known| known.word == instr.word) {
        return None;
    }
    let width = instr.c.width() as usize;
    let (kept, fresh) = match c {
        Some(c) => (c, vec![]),
        None => (&[][..], vec![FLOAT; width]),
    };
    let list = |from: usize, count: usize| {
        let all: Vec<String> = (from..from + count).map(|i| format!("${i}")).collect();
        format!("{{{}}}", all.join(","))
    };
    let mut inputs = Vec::new();
    let left = match a {
        Left::Held(words) => {
            inputs.extend(words);
            list(width, words.len())
        }
        Left::Shared(tile) => {
            inputs.push(descriptor(text, tile));
            format!("${width}")
        }
    };
    let right = width + inputs.len();
    inputs.push(descriptor(text, b));
    // Neither operand is negated; 1 says of one in shared memory that its lines do not lie along the depth.
    let turned = |tile: &Tile| u32::from(!tile.along_depth);
    let turns = match a {
        Left::Held(_) => format!("{}", turned(b)),
        Left::Shared(tile) => format!("{}, {}", turned(tile), turned(b)),
    };
    let code = format!(
        "{{ .reg .pred p; setp.ne.b32 p, {added}, 0; wgmma.mma_async.sync.aligned.{word} {sums}, {left}, ${right}, p, 1, 1, {turns}; }}",
        added = u32::from(c.is_some()),
        word = instr.word,
        sums = list(0, width),
    );
    Some(text.assembly(&code, kept, &fresh, &inputs))
}

/// A tile as the instruction takes it: PTX ISA 9.0, section 9.7.15.5.1.2, "Shared Memory Matrix Layout", "Strides" and
/// "Matrix Descriptor Format" (read 2026-11-25).
///
/// | bits | what | of a tile |
/// |---|---|---|
/// | 0-13 | start address / 16 | [`Tile::start`]; along the depth within a line it is all that moves |
/// | 16-29 | leading dimension byte offset / 16 | lines along the depth: not used, a line holds the whole depth; else from one chunk of a line's rows or columns to the next: [`Tile::next_chunk`] |
/// | 32-45 | stride dimension byte offset / 16 | from eight lines to the next eight: [`Tile::next_lines`] |
/// | 49-51 | base offset | 0: groups of eight lines begin where the swizzle's pattern does |
/// | 62-63 | swizzle | 1, 2, 3 for 128, 64, 32 bytes |
fn descriptor(text: &mut Text, tile: &Tile) -> Value {
    let constant = constant(tile);
    let leading = text.int(WORD, constant & 0xFFFF_FFFF);
    let low = text.binary("arith.addi", tile.start, leading);
    let low = text.convert("arith.extui", low, LONG);
    let high = text.int(LONG, constant & !0xFFFF_FFFF);
    text.binary("arith.ori", low, high)
}

/// All fields but the start address.
fn constant(tile: &Tile) -> i64 {
    let field = |bytes: u32| i64::from(bytes >> 4 & 0x3FFF);
    let leading = if tile.along_depth {
        1
    } else {
        field(tile.next_chunk)
    };
    let mode = match tile.swizzle {
        Swizzle::None => 0,
        Swizzle::B128 => 1,
        Swizzle::B64 => 2,
        Swizzle::B32 => 3i64,
    };
    leading << 16 | field(tile.next_lines) << 32 | mode << 62
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PTX ISA 9.0, section 9.7.15.5.1.1.1: its figures of `a` and of the accumulator, as formulas.
    #[test]
    fn fragments_are_those_of_the_ptx_isa() {
        for instr in instructions() {
            assert!(instr.fits(32));
            let (m, n, k) = instr.sides();
            assert_eq!((m, k), (64, 16));
            assert_eq!(instr.c.width(), n / 2);
            assert!(instr.word.starts_with(&format!("m64n{n}k16.f32.")));
            for thread in 0..128 {
                let (warp, lane) = (thread / 32, thread % 32);
                let row = 16 * warp + lane / 4;
                for i in 0..8 {
                    let below = if i & 2 == 0 { 0 } else { 8 };
                    let column = 2 * (lane % 4) + (i & 1) + if i < 4 { 0 } else { 8 };
                    assert_eq!(instr.a.place(i, lane, warp), (row + below, column));
                }
                for i in 0..n / 2 {
                    let below = if i % 4 < 2 { 0 } else { 8 };
                    let column = 8 * (i / 4) + 2 * (lane % 4) + (i & 1);
                    assert_eq!(instr.c.place(i, lane, warp), (row + below, column));
                }
            }
        }
    }

    /// Tiles in 128-byte lines: 64 deep along the lines, eight lines after the other; and columns along lines, 64 to a
    /// chunk, a chunk 64 places deep.
    #[test]
    fn descriptors_hold_the_strides() {
        let mut text = Text::default();
        let mut tile = Tile {
            start: text.int(WORD, 0),
            along_depth: true,
            swizzle: Swizzle::B128,
            next_lines: 1024,
            next_chunk: 0,
        };
        assert_eq!(constant(&tile), 1 << 62 | 64 << 32 | 1 << 16);
        tile.along_depth = false;
        tile.next_chunk = 64 * 128;
        assert_eq!(constant(&tile), 1 << 62 | 64 << 32 | 512 << 16);
        tile.swizzle = Swizzle::B32;
        assert_eq!(constant(&tile) as u64 >> 62, 3);
    }
}
