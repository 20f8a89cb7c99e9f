//! What a code object says of its kernel: a note in MessagePack. LLVM, "User Guide for AMDGPU Backend", "Code Object V3
//! Metadata" and later.

use ir::Bytes;

use crate::simt::Resources;

/// What the kernel of a code object takes; none if it does not say.
pub(super) fn resources(binary: &[u8]) -> Option<Resources> {
    let number = |key: &str| entry(binary, key);
    Some(Resources {
        // `.vgpr_count` has those of accumulators in it, where both share a file.
        registers: number(".vgpr_count")?,
        scalar_registers: number(".sgpr_count")?,
        spills: number(".vgpr_spill_count")? + number(".sgpr_spill_count")?,
        scratch: Bytes(number(".private_segment_fixed_size")?.into()),
        shared: Bytes(number(".group_segment_fixed_size")?.into()),
    })
}

/// The number behind a key. Keys are strings whose length comes first, so none is found within another.
fn entry(binary: &[u8], key: &str) -> Option<u32> {
    let length = u8::try_from(key.len()).ok()?;
    // MessagePack: strings of up to 31 bytes have one byte for kind and length.
    let wanted = [&[0xA0 | length][..], key.as_bytes()].concat();
    let found = binary.windows(wanted.len()).position(|w| w == wanted)?;
    unsigned(&binary[found + wanted.len()..])
}

/// MessagePack's unsigned integers, big endian.
fn unsigned(bytes: &[u8]) -> Option<u32> {
    match bytes {
        [small @ 0..=0x7F, ..] => Some((*small).into()),
        [0xCC, a, ..] => Some((*a).into()),
        [0xCD, a, b, ..] => Some(u16::from_be_bytes([*a, *b]).into()),
        [0xCE, a, b, c, d, ..] => Some(u32::from_be_bytes([*a, *b, *c, *d])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length_are_read() {
        let note = b"\x83\xAB.vgpr_count\xCC\x98\xAB.agpr_count\x07\xB9.group_segment_fixed_size\xCD\x20\x00";
        assert_eq!(entry(note, ".vgpr_count"), Some(152));
        assert_eq!(entry(note, ".agpr_count"), Some(7));
        assert_eq!(entry(note, ".group_segment_fixed_size"), Some(8192));
        assert_eq!(entry(note, ".sgpr_count"), None);
    }
}
