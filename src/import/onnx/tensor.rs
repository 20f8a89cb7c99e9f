//! Tensors of the file: every way to write them, checked against the bytes that are there.

use bytes::Bytes;
use half::{bf16, f16};
use ir::{DType, TensorType};

use super::{error::TensorProblem, file::Folder, proto};

/// Most axes.
const RANK_LIMIT: usize = 8;
/// Most elements.
const ELEMENT_LIMIT: u64 = 1 << 48;

/// An element type of the format.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Elem {
    /// The format's number for it.
    pub code: i32,
    /// The format's word for it.
    pub name: &'static str,
    /// Bytes of an element; 0 where it takes less, or has no fixed size.
    pub size: usize,
    /// The same type here, where there is one.
    pub dtype: Option<DType>,
}

const fn elem(code: i32, name: &'static str, size: usize, dtype: Option<DType>) -> Elem {
    Elem {
        code,
        name,
        size,
        dtype,
    }
}

/// Source: the enum `DataType` of `onnx/onnx.proto`, version 1.23.2.
const ELEMS: &[Elem] = &[
    elem(1, "float", 4, Some(DType::F32)),
    elem(2, "uint8", 1, Some(DType::U8)),
    elem(3, "int8", 1, Some(DType::I8)),
    elem(4, "uint16", 2, None),
    elem(5, "int16", 2, None),
    elem(6, "int32", 4, Some(DType::I32)),
    elem(7, "int64", 8, Some(DType::I64)),
    elem(8, "string", 0, None),
    elem(9, "bool", 1, Some(DType::Bool)),
    elem(10, "float16", 2, Some(DType::F16)),
    elem(11, "double", 8, None),
    elem(12, "uint32", 4, None),
    elem(13, "uint64", 8, None),
    elem(14, "complex64", 0, None),
    elem(15, "complex128", 0, None),
    elem(16, "bfloat16", 2, Some(DType::Bf16)),
    elem(17, "float8e4m3fn", 0, None),
    elem(18, "float8e4m3fnuz", 0, None),
    elem(19, "float8e5m2", 0, None),
    elem(20, "float8e5m2fnuz", 0, None),
    elem(21, "uint4", 0, None),
    elem(22, "int4", 0, None),
    elem(23, "float4e2m1", 0, None),
    elem(24, "float8e8m0", 0, None),
    elem(25, "uint2", 0, None),
    elem(26, "int2", 0, None),
    elem(27, "float6e2m3", 0, None),
    elem(28, "float6e3m2", 0, None),
];

impl Elem {
    /// The element type of this number.
    pub(super) fn of_code(code: i32) -> Option<&'static Self> {
        ELEMS.iter().find(|e| e.code == code)
    }

    /// The element type that is `dtype` here.
    pub(super) fn of(dtype: DType) -> &'static Self {
        let elem = ELEMS.iter().find(|e| e.dtype == Some(dtype));
        elem.expect("every element type is one of the format's")
    }

    /// Whether values are whole numbers.
    pub(super) const fn is_int(&self) -> bool {
        matches!(self.code, 2..=7 | 9 | 12 | 13)
    }
}

/// A tensor whose values are known when the model is imported.
#[derive(Clone, Debug)]
pub(super) struct Constant {
    /// Its name, where it is an initializer.
    pub name: Option<String>,
    /// Element type; its size is not 0.
    pub elem: &'static Elem,
    /// Size of each axis.
    pub shape: Vec<i64>,
    /// Elements, row-major, little endian; a part of the mapped file where it is stored so.
    pub bytes: Bytes,
}

impl Constant {
    /// The tensor that `tensor` is; nothing where its element type has no numbers here.
    pub(super) fn read(tensor: &proto::Tensor, folder: &Folder) -> Result<Self, TensorProblem> {
        let shape = checked_shape(&tensor.dims)?;
        let elem = match Elem::of_code(tensor.data_type) {
            Some(elem) if elem.size > 0 => elem,
            other => {
                let name = other.map_or_else(|| tensor.data_type.to_string(), |e| e.name.into());
                return Err(TensorProblem::Elem(name));
            }
        };
        let wanted = shape.iter().product::<i64>() as u64 * elem.size as u64;
        let mut places = Vec::new();
        if tensor.data_location == 1 {
            places.push(folder.external(&tensor.external_data, wanted)?);
        }
        places.extend(tensor.raw_data.clone());
        places.extend(typed(tensor, elem)?);
        if places.len() > 1 {
            return Err(TensorProblem::Values {
                wanted: "one of raw data, typed data and external data",
                found: format!("{} of them", places.len()),
            });
        }
        let bytes = places.pop().unwrap_or_default();
        if bytes.len() as u64 != wanted {
            return Err(TensorProblem::Bytes {
                elem: elem.name,
                shape,
                wanted,
                found: bytes.len() as u64,
            });
        }
        Ok(Self::new(elem, shape, bytes))
    }

    /// The type of a tensor whose values are elsewhere, and not looked at.
    pub(super) fn absent(tensor: &proto::Tensor) -> Result<TensorType, TensorProblem> {
        let shape = checked_shape(&tensor.dims)?;
        match Elem::of_code(tensor.data_type).map(|e| (e.dtype, e.name)) {
            Some((Some(dtype), _)) => Ok(TensorType::fixed(dtype, &shape)),
            Some((None, name)) => Err(TensorProblem::Elem(name.into())),
            None => Err(TensorProblem::Elem(tensor.data_type.to_string())),
        }
    }

    /// A tensor of these bytes, which fill it; truth values become 0 or 1.
    pub(super) fn new(elem: &'static Elem, shape: Vec<i64>, bytes: Bytes) -> Self {
        let odd = elem.dtype == Some(DType::Bool) && bytes.iter().any(|b| *b > 1);
        let bytes = if odd {
            bytes.iter().map(|b| u8::from(*b != 0)).collect()
        } else {
            bytes
        };
        Self {
            name: None,
            elem,
            shape,
            bytes,
        }
    }

    /// A tensor of these numbers, rounded to `dtype`.
    pub(super) fn of_numbers(dtype: DType, shape: Vec<i64>, numbers: &[f64]) -> Self {
        let tensor = ir::Tensor::from_f64(dtype, &shape, numbers.to_vec());
        let bytes = tensor.expect("numbers fill their shape").bytes().to_vec();
        Self::new(Elem::of(dtype), shape, bytes.into())
    }

    /// Number of elements.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() / self.elem.size
    }

    /// The values, if they are whole numbers within 64 bits.
    pub(super) fn integers(&self) -> Option<Vec<i64>> {
        if !self.elem.is_int() {
            return None;
        }
        let each = self.bytes.chunks_exact(self.elem.size);
        each.map(|b| match self.elem.code {
            2 | 9 => Some(b[0].into()),
            3 => Some((b[0] as i8).into()),
            4 => Some(u16::from_le_bytes(array(b)).into()),
            5 => Some(i16::from_le_bytes(array(b)).into()),
            6 => Some(i32::from_le_bytes(array(b)).into()),
            12 => Some(u32::from_le_bytes(array(b)).into()),
            13 => u64::from_le_bytes(array(b)).try_into().ok(),
            _ => Some(i64::from_le_bytes(array(b))),
        })
        .collect()
    }

    /// The values, rounded to f64 where they are whole numbers beyond 2^53.
    pub(super) fn numbers(&self) -> Vec<f64> {
        let each = self.bytes.chunks_exact(self.elem.size);
        match self.elem.code {
            1 => each.map(|b| f32::from_le_bytes(array(b)).into()).collect(),
            10 => each
                .map(|b| f16::from_le_bytes(array(b)).to_f64())
                .collect(),
            11 => each.map(|b| f64::from_le_bytes(array(b))).collect(),
            13 => each.map(|b| u64::from_le_bytes(array(b)) as f64).collect(),
            16 => each
                .map(|b| bf16::from_le_bytes(array(b)).to_f64())
                .collect(),
            _ => {
                let integers = self.integers().expect("other types are whole numbers");
                integers.into_iter().map(|n| n as f64).collect()
            }
        }
    }

    /// The same values as `dtype` holds them.
    pub(super) fn cast(&self, dtype: DType) -> Self {
        if self.elem.dtype == Some(dtype) {
            return self.clone();
        }
        if let (DType::I64, Some(whole)) = (dtype, self.integers()) {
            let bytes = whole.iter().flat_map(|n| n.to_le_bytes()).collect();
            return Self::new(Elem::of(dtype), self.shape.clone(), bytes);
        }
        Self::of_numbers(dtype, self.shape.clone(), &self.numbers())
    }
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    *bytes
        .first_chunk()
        .expect("an element has as many bytes as its type says")
}

/// Sizes of a tensor that can be.
pub(super) fn checked_shape(dims: &[i64]) -> Result<Vec<i64>, TensorProblem> {
    let sizes = dims.iter().map(|d| u64::try_from(*d).ok());
    // The product without zeros, so that no order of factors overflows.
    let product = sizes.clone().try_fold(1u64, |product, size| {
        product
            .checked_mul(size?.max(1))
            .filter(|n| *n <= ELEMENT_LIMIT)
    });
    if dims.len() > RANK_LIMIT || product.is_none() {
        return Err(TensorProblem::Sizes(
            dims.iter().copied().take(16).collect(),
        ));
    }
    Ok(dims.to_vec())
}

/// The values of the typed fields, little endian; nothing where all are empty.
fn typed(tensor: &proto::Tensor, elem: &Elem) -> Result<Option<Bytes>, TensorProblem> {
    let fields = [
        ("float_data", tensor.float_data.len()),
        ("int32_data", tensor.int32_data.len()),
        ("int64_data", tensor.int64_data.len()),
        ("double_data", tensor.double_data.len()),
        ("uint64_data", tensor.uint64_data.len()),
    ];
    let Some((field, _)) = fields.into_iter().find(|(_, n)| *n > 0) else {
        return Ok(None);
    };
    let own = match elem.code {
        1 => "float_data",
        7 => "int64_data",
        11 => "double_data",
        12 | 13 => "uint64_data",
        _ => "int32_data",
    };
    if field != own || fields.iter().filter(|(_, n)| *n > 0).count() > 1 {
        return Err(TensorProblem::Values {
            wanted: own,
            found: field.into(),
        });
    }
    let narrow = |n: i64, size: usize| {
        let bits = 8 * size as u32;
        let fits = -(1i64 << (bits - 1)) <= n && n < 1i64 << bits;
        if bits < 64 && !fits {
            return Err(TensorProblem::Values {
                wanted: elem.name,
                found: n.to_string(),
            });
        }
        Ok(n.to_le_bytes().into_iter().take(size))
    };
    let bytes: Vec<u8> = match elem.code {
        1 => tensor
            .float_data
            .iter()
            .flat_map(|x| x.to_le_bytes())
            .collect(),
        7 => tensor
            .int64_data
            .iter()
            .flat_map(|x| x.to_le_bytes())
            .collect(),
        11 => tensor
            .double_data
            .iter()
            .flat_map(|x| x.to_le_bytes())
            .collect(),
        13 => tensor
            .uint64_data
            .iter()
            .flat_map(|x| x.to_le_bytes())
            .collect(),
        12 => {
            let numbers = tensor.uint64_data.iter().map(|n| narrow(*n as i64, 4));
            numbers
                .collect::<Result<Vec<_>, _>>()?
                .into_iter()
                .flatten()
                .collect()
        }
        _ => {
            let numbers = tensor
                .int32_data
                .iter()
                .map(|n| narrow((*n).into(), elem.size));
            numbers
                .collect::<Result<Vec<_>, _>>()?
                .into_iter()
                .flatten()
                .collect()
        }
    };
    Ok(Some(bytes.into()))
}
