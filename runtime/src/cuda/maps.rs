//! Tensor maps: what the copy unit of a device is told about an array.

#![allow(unsafe_code, reason = "the driver encodes maps")]

use cudarc::driver::sys::{
    CUtensorMap, CUtensorMapDataType as DataType, CUtensorMapFloatOOBfill as Outside,
    CUtensorMapInterleave as Interleave, CUtensorMapL2promotion as Promotion,
    CUtensorMapSwizzle as Swizzled,
};
use ir::{
    DType,
    lane::{Swizzle, TensorMap},
};
use serde::Deserialize;

use super::device::Cuda;
use crate::{
    Artifact, DeviceError,
    driver::{Address, Done, done},
    manifest::{Kernel, Launch},
};

/// The part of a lane program that a host needs.
#[derive(Deserialize)]
struct Maps {
    #[serde(default)]
    maps: Vec<TensorMap>,
}

/// The maps of a kernel, which follow its parameters.
pub(super) fn read(
    artifact: &Artifact,
    launch: &Launch,
    kernel: &Kernel,
) -> Result<Vec<TensorMap>, DeviceError> {
    let unreadable = |reason: String| DeviceError::LaneProgram {
        path: artifact.path().display().to_string(),
        kernel: kernel.name.clone(),
        reason,
    };
    let Some(lane) = launch.lane else {
        return Ok(vec![]);
    };
    let text = artifact.text(lane)?;
    let read: Result<Maps, _> = serde_json::from_str(text);
    let Maps { maps } = read.map_err(|e| unreadable(e.to_string()))?;
    match maps.iter().find_map(|m| wrong(m, kernel)) {
        Some(reason) => Err(unreadable(format!("tensor map: {reason}"))),
        None => Ok(maps),
    }
}

/// What the driver would read outside of the map or the parameter, or what its interface has no room for.
fn wrong(map: &TensorMap, kernel: &Kernel) -> Option<String> {
    let Some(param) = kernel.params.get(map.param as usize) else {
        return Some(format!(
            "wanted one of {} parameters, found {}",
            kernel.params.len(),
            map.param
        ));
    };
    let axes = map.sizes.len();
    if !(1..=5).contains(&axes) || map.strides.len() + 1 != axes || map.extents.len() != axes {
        return Some(format!(
            "wanted 1 to 5 axes, each with a size, stride and extent, found {map:?}"
        ));
    }
    if map.sizes.iter().chain(&map.strides).any(|n| *n < 1) || map.extents.contains(&0) {
        return Some(format!("wanted sizes above 0, found {map:?}"));
    }
    let mut last = map.sizes.iter().zip([1].iter().chain(&map.strides));
    let last = last.try_fold(0_i64, |at, (size, stride)| {
        at.checked_add((size - 1).checked_mul(*stride)?)
    });
    match last {
        Some(last) if (last as u64) < param.len => None,
        _ => Some(format!(
            "wanted elements within {}, found {map:?}",
            param.len
        )),
    }
}

fn data_type(dtype: DType) -> DataType {
    match dtype {
        DType::F32 => DataType::CU_TENSOR_MAP_DATA_TYPE_FLOAT32,
        DType::F16 => DataType::CU_TENSOR_MAP_DATA_TYPE_FLOAT16,
        DType::Bf16 => DataType::CU_TENSOR_MAP_DATA_TYPE_BFLOAT16,
        DType::I64 => DataType::CU_TENSOR_MAP_DATA_TYPE_INT64,
        DType::I32 => DataType::CU_TENSOR_MAP_DATA_TYPE_INT32,
        // Bytes are copied as they are, and zeros are zeros in all of them.
        DType::I8 | DType::U8 | DType::Bool => DataType::CU_TENSOR_MAP_DATA_TYPE_UINT8,
    }
}

/// Has the driver encode a map of the array at `at`.
pub(super) fn encode(card: &Cuda, map: &TensorMap, dtype: DType, at: Address) -> Done<CUtensorMap> {
    let bytes = dtype.size() as u64;
    let sizes: Vec<u64> = map.sizes.iter().map(|n| n.unsigned_abs()).collect();
    let strides: Vec<u64> = map
        .strides
        .iter()
        .map(|n| n.unsigned_abs() * bytes)
        .collect();
    let steps = vec![1_u32; sizes.len()];
    let swizzle = match map.swizzle {
        Swizzle::None => Swizzled::CU_TENSOR_MAP_SWIZZLE_NONE,
        Swizzle::B32 => Swizzled::CU_TENSOR_MAP_SWIZZLE_32B,
        Swizzle::B64 => Swizzled::CU_TENSOR_MAP_SWIZZLE_64B,
        Swizzle::B128 => Swizzled::CU_TENSOR_MAP_SWIZZLE_128B,
    };
    let mut encoded = CUtensorMap { opaque: [0; 16] };
    // SAFETY: the lists have an entry for each axis, the strides one less; the map has its own alignment. The array's bounds
    // were held against the parameter's length, and that against its buffer's.
    let code = unsafe {
        (card.functions.cuTensorMapEncodeTiled)(
            &mut encoded,
            data_type(dtype),
            sizes.len() as u32,
            at.0 as *mut _,
            sizes.as_ptr(),
            strides.as_ptr(),
            map.extents.as_ptr(),
            steps.as_ptr(),
            Interleave::CU_TENSOR_MAP_INTERLEAVE_NONE,
            swizzle,
            Promotion::CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
            Outside::CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE,
        )
    };
    done("cuTensorMapEncodeTiled", code).map(|()| encoded)
}
