//! Inputs for runs whose results nobody looks at.

use ir::{DType, ops::Absent};

pub(super) use crate::random::Random;
use crate::{Array, Port};

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
