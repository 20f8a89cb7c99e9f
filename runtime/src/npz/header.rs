//! The header of a `.npy` array: a Python dictionary in text.
//! Source: numpy/doc/neps/nep-0001-npy-format.rst.

use std::io::Read;

use ir::DType;

use super::NpzProblem;

/// No header that NumPy writes for a plain array is longer.
const LONGEST: usize = 1 << 16;

/// Element type and shape of an array in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub dtype: DType,
    pub shape: Vec<usize>,
    /// First axis fastest.
    pub fortran: bool,
}

/// NumPy's spelling of each element type it shares with us.
const TYPES: [(&str, DType); 7] = [
    ("f4", DType::F32),
    ("f2", DType::F16),
    ("i8", DType::I64),
    ("i4", DType::I32),
    ("i1", DType::I8),
    ("u1", DType::U8),
    ("b1", DType::Bool),
];

impl Header {
    /// Reads the start of the array of this name, up to its elements.
    pub fn read(array: &str, from: &mut impl Read) -> Result<Self, NpzProblem> {
        let bad = |wanted, found: String| NpzProblem::Header {
            array: array.into(),
            wanted,
            found,
        };
        let mut start = [0; 8];
        from.read_exact(&mut start)?;
        if start[..6] != *b"\x93NUMPY" {
            return Err(bad("`\\x93NUMPY`", format!("{:?}", &start[..6])));
        }
        let len = match start[6] {
            1 => {
                let mut len = [0; 2];
                from.read_exact(&mut len)?;
                u16::from_le_bytes(len) as usize
            }
            2 | 3 => {
                let mut len = [0; 4];
                from.read_exact(&mut len)?;
                u32::from_le_bytes(len) as usize
            }
            other => return Err(bad("format version 1, 2 or 3", other.to_string())),
        };
        if len > LONGEST {
            return Err(bad("at most 65536 bytes", len.to_string()));
        }
        let mut text = vec![0; len];
        from.read_exact(&mut text)?;
        let text = String::from_utf8_lossy(&text);
        let field = |key: &str| {
            let (_, rest) = text.split_once(&format!("'{key}':"))?;
            Some(rest.trim_start())
        };
        let missing = |wanted| bad(wanted, text.trim().to_string());

        let descr = field("descr").ok_or_else(|| missing("'descr'"))?;
        let descr = descr
            .strip_prefix('\'')
            .and_then(|d| d.split('\'').next())
            .unwrap_or(descr);
        let dtype = TYPES
            .iter()
            .find(|(word, _)| descr.strip_prefix(['<', '|', '=']).unwrap_or(descr) == *word)
            .map(|(_, dtype)| *dtype)
            .ok_or_else(|| NpzProblem::DType {
                array: array.into(),
                found: descr.into(),
            })?;

        let order = field("fortran_order").ok_or_else(|| missing("'fortran_order'"))?;
        let fortran = order.starts_with("True");

        let shape = field("shape")
            .and_then(|s| s.strip_prefix('('))
            .and_then(|s| s.split_once(')'))
            .ok_or_else(|| missing("'shape'"))?
            .0;
        let sizes = shape.split(',').map(str::trim).filter(|s| !s.is_empty());
        let shape: Vec<usize> = sizes
            .map(|s| s.trim_end_matches('L').parse())
            .collect::<Result<_, _>>()
            .map_err(|_| missing("sizes in 'shape'"))?;
        let bytes = shape
            .iter()
            .try_fold(dtype.size(), |n, d| n.checked_mul(*d));
        if bytes.is_none_or(|n| n > isize::MAX as usize) {
            return Err(missing("a 'shape' that fits into memory"));
        }
        Ok(Self {
            dtype,
            shape,
            fortran,
        })
    }

    /// Bytes of all elements.
    pub fn byte_len(&self) -> u64 {
        (self.shape.iter().product::<usize>() * self.dtype.size()) as u64
    }
}

/// The bytes before the elements of an array; the type is not bf16.
pub(super) fn encode(dtype: DType, shape: &[usize]) -> Vec<u8> {
    let word = TYPES
        .iter()
        .find(|(_, d)| *d == dtype)
        .expect("bf16 is widened before")
        .0;
    let order = if dtype.size() == 1 { '|' } else { '<' };
    let sizes: String = shape.iter().map(|n| format!("{n},")).collect();
    let sizes = if shape.len() > 1 {
        sizes.trim_end_matches(',')
    } else {
        &sizes
    };
    let mut text =
        format!("{{'descr': '{order}{word}', 'fortran_order': False, 'shape': ({sizes}), }}");
    let end = (10 + text.len() + 1).next_multiple_of(64);
    text.extend(std::iter::repeat_n(' ', end - 11 - text.len()));
    text.push('\n');
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((text.len() as u16).to_le_bytes());
    out.extend(text.as_bytes());
    out
}
