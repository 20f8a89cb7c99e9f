//! The header of a safetensors file, checked in full before a byte of data is used.
//!
//! Format: 8 bytes of header length (little endian), a JSON object of that many bytes, then data.
//! Each tensor's bytes are `data_offsets`, counted from the end of the header; together they cover
//! the data without overlap or gap. Source: github.com/huggingface/safetensors, "Format".
//!
//! Memory: at most 16 times the header's length.

use std::{collections::BTreeMap, fmt, marker::PhantomData, ops::Range};

use ir::DType;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// Most bytes of a header, as in the reference implementation.
const HEADER_LIMIT: u64 = 100_000_000;
/// Most axes of a tensor.
const RANK_LIMIT: usize = 8;

/// An element type of the format.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Element {
    /// The format's word for it.
    pub(super) name: &'static str,
    bits: u64,
    /// The same type here, where there is one.
    pub(super) dtype: Option<DType>,
}

const fn element(name: &'static str, bits: u64, dtype: Option<DType>) -> Element {
    Element { name, bits, dtype }
}

/// Source: the enum `Dtype` of the reference implementation, version 0.8.
const ELEMENTS: &[Element] = &[
    element("BOOL", 8, Some(DType::Bool)),
    element("U8", 8, Some(DType::U8)),
    element("I8", 8, Some(DType::I8)),
    element("I32", 32, Some(DType::I32)),
    element("I64", 64, Some(DType::I64)),
    element("F16", 16, Some(DType::F16)),
    element("BF16", 16, Some(DType::Bf16)),
    element("F32", 32, Some(DType::F32)),
    element("F4", 4, None),
    element("F6_E2M3", 6, None),
    element("F6_E3M2", 6, None),
    element("F8_E5M2", 8, None),
    element("F8_E4M3", 8, None),
    element("F8_E5M2FNUZ", 8, None),
    element("F8_E4M3FNUZ", 8, None),
    element("F8_E8M0", 8, None),
    element("I16", 16, None),
    element("U16", 16, None),
    element("U32", 32, None),
    element("U64", 64, None),
    element("F64", 64, None),
    element("C64", 64, None),
];

/// What the header says of one tensor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TensorInfo {
    pub(super) element: &'static Element,
    pub(super) shape: Vec<i64>,
    /// Position of its bytes in the file.
    pub(super) bytes: Range<usize>,
}

/// How a file breaks the format.
#[derive(Debug, thiserror::Error)]
pub enum SafetensorsError {
    /// No room for the header's length.
    #[error("wanted at least 8 bytes, found {0}")]
    Short(usize),
    /// A header longer than the file, or than any header may be.
    #[error(
        "header length: wanted at most {limit}, found {found}; help: the file is cut off or no safetensors file"
    )]
    HeaderLength {
        /// What fits.
        limit: u64,
        /// What is there.
        found: u64,
    },
    /// The header is not the JSON it should be.
    #[error("header: {0}")]
    Header(#[from] serde_json::Error),
    /// A word that is no element type.
    #[error("tensor `{tensor}`: wanted an element type such as F32, found `{found}`")]
    Element {
        /// Which tensor.
        tensor: String,
        /// What is there.
        found: String,
    },
    /// Bytes that are not as many as the shape and element type ask for.
    #[error("tensor `{tensor}`: {element} of shape {shape:?} takes {wanted}, found {found} bytes")]
    Size {
        /// Which tensor.
        tensor: String,
        /// Its element type.
        element: &'static str,
        /// Its shape.
        shape: Vec<u64>,
        /// A number of bytes, or why there is none.
        wanted: String,
        /// By the offsets.
        found: u64,
    },
    /// Offsets that are no range within the data.
    #[error("tensor `{tensor}`: wanted offsets within 0..{data}, found {begin}..{end}")]
    Offsets {
        /// Which tensor.
        tensor: String,
        /// First byte.
        begin: u64,
        /// One past the last.
        end: u64,
        /// Bytes of data in the file.
        data: u64,
    },
    /// Two tensors that share bytes.
    #[error("tensor `{tensor}`: it begins at {begin}, within `{other}`, which ends at {end}")]
    Overlap {
        /// The later tensor.
        tensor: String,
        /// Where it begins.
        begin: u64,
        /// The tensor before it.
        other: String,
        /// Where that one ends.
        end: u64,
    },
    /// Bytes that belong to no tensor.
    #[error("bytes {begin}..{end} of the data belong to no tensor")]
    Gap {
        /// First byte.
        begin: u64,
        /// One past the last.
        end: u64,
    },
}

/// The tensors of the safetensors file that `file` holds, by name.
pub(super) fn read_header(file: &[u8]) -> Result<BTreeMap<String, TensorInfo>, SafetensorsError> {
    let (length, rest) = file
        .split_first_chunk()
        .ok_or(SafetensorsError::Short(file.len()))?;
    let length = u64::from_le_bytes(*length);
    let limit = (rest.len() as u64).min(HEADER_LIMIT);
    if length > limit {
        return Err(SafetensorsError::HeaderLength {
            limit,
            found: length,
        });
    }
    let (header, data) = rest.split_at(length as usize);
    let Header(entries) = serde_json::from_slice(header)?;
    check_cover(&entries, data.len() as u64)?;
    let start = file.len() - data.len();
    entries
        .into_iter()
        .map(|(name, entry)| {
            let info = tensor_info(&name, entry, start)?;
            Ok((name, info))
        })
        .collect()
}

/// Every byte of the data belongs to exactly one tensor.
fn check_cover(entries: &BTreeMap<String, Entry>, data: u64) -> Result<(), SafetensorsError> {
    let mut order: Vec<_> = entries
        .iter()
        .map(|(name, e)| (e.data_offsets, name))
        .collect();
    order.sort();
    let (mut end, mut before) = (0, "");
    for ((from, to), name) in order {
        if from > to || to > data {
            let (tensor, begin, end) = (name.clone(), from, to);
            return Err(SafetensorsError::Offsets {
                tensor,
                begin,
                end,
                data,
            });
        }
        if from < end {
            let (tensor, other) = (name.clone(), before.into());
            return Err(SafetensorsError::Overlap {
                tensor,
                begin: from,
                other,
                end,
            });
        }
        if from > end {
            return Err(SafetensorsError::Gap {
                begin: end,
                end: from,
            });
        }
        (end, before) = (to, name);
    }
    if end < data {
        return Err(SafetensorsError::Gap {
            begin: end,
            end: data,
        });
    }
    Ok(())
}

/// `entry` with its shape, element type and bytes in agreement; data begins at `start` of the file.
fn tensor_info(name: &str, entry: Entry, start: usize) -> Result<TensorInfo, SafetensorsError> {
    let Some(element) = ELEMENTS.iter().find(|e| e.name == entry.dtype) else {
        return Err(SafetensorsError::Element {
            tensor: name.into(),
            found: entry.dtype,
        });
    };
    let (begin, end) = entry.data_offsets;
    let bits = entry
        .shape
        .0
        .iter()
        .try_fold(element.bits, |bits, n| bits.checked_mul(*n));
    if bits != Some((end - begin) * 8) {
        return Err(SafetensorsError::Size {
            tensor: name.into(),
            element: element.name,
            shape: entry.shape.0,
            wanted: bits.map_or("more than 2^61".into(), |b| b.div_ceil(8).to_string()),
            found: end - begin,
        });
    }
    Ok(TensorInfo {
        element,
        shape: entry.shape.0.iter().map(|n| *n as i64).collect(),
        bytes: start + begin as usize..start + end as usize,
    })
}

/// The header, as written.
struct Header(BTreeMap<String, Entry>);

/// One tensor, as written.
#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Shape,
    data_offsets: (u64, u64),
}

/// At most [`RANK_LIMIT`] sizes, each within `i64`, none of them allocated for before it is read.
struct Shape(Vec<u64>);

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Collect::<Self>(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Collect::<Self>(PhantomData))
    }
}

/// Reads a `T` element by element.
struct Collect<T>(PhantomData<T>);

impl<'de> Visitor<'de> for Collect<Shape> {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {RANK_LIMIT} sizes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shape, A::Error> {
        let mut sizes = Vec::new();
        while let Some(size) = seq.next_element::<u64>()? {
            if sizes.len() == RANK_LIMIT || i64::try_from(size).is_err() {
                return Err(A::Error::custom(format!(
                    "wanted at most {RANK_LIMIT} sizes below 2^63"
                )));
            }
            sizes.push(size);
        }
        Ok(Shape(sizes))
    }
}

impl<'de> Visitor<'de> for Collect<Header> {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with one entry for each tensor")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let entry = map.next_value().map_err(|e| in_tensor(&name, e))?;
            if entries.contains_key(&name) {
                return Err(in_tensor(&name, "it is listed twice"));
            }
            entries.insert(name, entry);
        }
        Ok(Header(entries))
    }
}

fn in_tensor<E: serde::de::Error>(name: &str, problem: impl fmt::Display) -> E {
    E::custom(format!("tensor `{name}`: {problem}"))
}
