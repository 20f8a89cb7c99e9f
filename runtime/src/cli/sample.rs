//! Inputs for runs whose results nobody looks at.

use ir::{DType, ops::Absent};

use crate::{Array, Port};

/// Pseudo-random numbers (splitmix64: Steele, Lea and Flood 2014).
pub(super) struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// A value for an input: ids below its bound, numbers within -1..1, ones where nothing is known.
/// `None` for inputs that may be left out.
pub(super) fn sample(port: &Port, random: &mut Random) -> Option<Array> {
    if port.absent != Absent::Required {
        return None;
    }
    let mut bytes = vec![0; port.byte_len()];
    for element in bytes.chunks_exact_mut(port.dtype.size()) {
        let unit = (random.next() >> 40) as f32 / (1 << 23) as f32 - 1.0;
        let whole = if port.below > 0 {
            random.next() % port.below as u64
        } else {
            1
        };
        match port.dtype {
            DType::F32 => element.copy_from_slice(&unit.to_le_bytes()),
            DType::F16 => element.copy_from_slice(&half::f16::from_f32(unit).to_le_bytes()),
            DType::Bf16 => element.copy_from_slice(&half::bf16::from_f32(unit).to_le_bytes()),
            DType::Bool => element.fill(1),
            _ => element.copy_from_slice(&whole.to_le_bytes()[..element.len()]),
        }
    }
    Some(Array {
        dtype: port.dtype,
        shape: port.shape.clone(),
        bytes,
    })
}
