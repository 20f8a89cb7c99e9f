//! NumPy's `.npz`: a zip of `.npy` arrays, stored or deflated.
//!
//! Opening reads headers only; an array is read when it is asked for, once its type is known to be wanted. So memory
//! stays within that of the arrays that are read, plus a few hundred bytes for each member.

mod header;
mod quiet;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, Read, Write},
    path::{Path, PathBuf},
};

use ir::DType;
use zip::{CompressionMethod, ZipArchive, ZipWriter, result::ZipError, write::SimpleFileOptions};

use crate::{Array, TensorView, WriteError, WriteProblem, artifact::NewFile};
use header::Header;
use quiet::Quiet;

/// Why a `.npz` cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct NpzError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: NpzProblem,
}

/// What is wrong with a `.npz`.
#[derive(Debug, thiserror::Error)]
pub enum NpzProblem {
    /// The operating system refused.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The container is not a zip, or is damaged.
    #[error("not a .npz as `numpy.savez` writes it: {0}")]
    Zip(#[from] ZipError),
    /// Two arrays of one name.
    #[error("array `{0}` occurs twice")]
    Twice(String),
    /// An array has no header as NumPy writes it.
    #[error("array `{array}`: header: wanted {wanted}, found {found}")]
    Header {
        /// Its name.
        array: String,
        /// What would be right.
        wanted: &'static str,
        /// What is there.
        found: String,
    },
    /// An element type that no model takes.
    #[error(
        "array `{array}`: element type `{found}`; wanted float32, float16, int64, int32, int8, uint8 or bool, little-endian; help: convert it, as in `a.astype('float32')`"
    )]
    DType {
        /// Its name.
        array: String,
        /// NumPy's name of the type.
        found: String,
    },
    /// The array is not as long as its header says.
    #[error("array `{array}`: wanted {wanted} bytes of elements, found {found}")]
    Length {
        /// Its name.
        array: String,
        /// What the header says.
        wanted: u64,
        /// What is there.
        found: String,
    },
}

/// An open `.npz`.
pub struct Npz {
    path: PathBuf,
    zip: ZipArchive<BufReader<File>>,
    members: BTreeMap<String, (usize, Header)>,
}

impl Npz {
    /// Opens a file and reads the type of each array.
    pub fn open(path: &Path) -> Result<Self, NpzError> {
        Self::scan(path).map_err(|problem| NpzError {
            path: path.into(),
            problem,
        })
    }

    fn scan(path: &Path) -> Result<Self, NpzProblem> {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
        }
        let mut zip = ZipArchive::new(BufReader::new(file))?;
        let mut members = BTreeMap::new();
        let names: Vec<_> = zip.file_names_raw().map(<[u8]>::to_vec).collect();
        for (index, name) in names.iter().enumerate() {
            let name = String::from_utf8_lossy(name);
            let name = name.strip_suffix(".npy").unwrap_or(&name).to_string();
            let header = Header::read(&name, &mut zip.by_index(index)?)?;
            if members.insert(name.clone(), (index, header)).is_some() {
                return Err(NpzProblem::Twice(name));
            }
        }
        if zip.has_duplicate_names() {
            return Err(NpzProblem::Twice("(one of them)".into()));
        }
        Ok(Self {
            path: path.into(),
            zip,
            members,
        })
    }

    /// The arrays' names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }

    /// Element type and shape of an array.
    pub fn ty(&self, name: &str) -> Option<(DType, &[usize])> {
        self.members
            .get(name)
            .map(|(_, h)| (h.dtype, h.shape.as_slice()))
    }

    /// Reads an array; `None` if there is none of this name.
    pub fn read(&mut self, name: &str) -> Result<Option<Array>, NpzError> {
        let Some((index, header)) = self.members.get(name) else {
            return Ok(None);
        };
        read_member(&mut self.zip, *index, name, header)
            .map(Some)
            .map_err(|problem| NpzError {
                path: self.path.clone(),
                problem,
            })
    }
}

fn read_member(
    zip: &mut ZipArchive<BufReader<File>>,
    index: usize,
    name: &str,
    header: &Header,
) -> Result<Array, NpzProblem> {
    let mut member = zip.by_index(index)?;
    Header::read(name, &mut member)?;
    let wanted = header.byte_len();
    let length = |found: String| NpzProblem::Length {
        array: name.into(),
        wanted,
        found,
    };
    // Grows with what is really there, whatever the header says.
    let mut bytes = Vec::new();
    (&mut member).take(wanted).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < wanted {
        return Err(length(bytes.len().to_string()));
    }
    // Reading to the end also compares the zip's own checksum.
    if member.read(&mut [0])? > 0 {
        return Err(length("more".into()));
    }
    if header.fortran {
        bytes = row_major(&bytes, &header.shape, header.dtype.size());
    }
    Ok(Array {
        dtype: header.dtype,
        shape: header.shape.clone(),
        bytes,
    })
}

/// Reorders elements that are stored first axis fastest.
fn row_major(bytes: &[u8], shape: &[usize], size: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = vec![0; shape.len()];
    for _ in 0..bytes.len() / size {
        let at = index
            .iter()
            .zip(shape)
            .rev()
            .fold(0, |at, (i, n)| at * n + i);
        out.extend_from_slice(&bytes[at * size..][..size]);
        for (i, n) in index.iter_mut().zip(shape).rev() {
            *i += 1;
            if *i < *n {
                break;
            }
            *i = 0;
        }
    }
    out
}

/// Writes arrays as `numpy.savez` does. bf16, which NumPy lacks, becomes float32.
pub fn write_npz(path: &Path, arrays: &[(&str, TensorView<'_>)]) -> Result<(), WriteError> {
    let write = || -> Result<(), WriteProblem> {
        let new = NewFile::create(path)?;
        let mut zip = ZipWriter::new(Quiet::new(new.file.try_clone()?));
        for (name, array) in arrays {
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Stored)
                .large_file(array.bytes.len() >= 1 << 31);
            zip.start_file(format!("{name}.npy"), options)
                .map_err(io::Error::other)?;
            let widened;
            let (dtype, bytes) = match array.dtype {
                DType::Bf16 => {
                    widened = widen(array.bytes);
                    (DType::F32, widened.as_slice())
                }
                dtype => (dtype, array.bytes),
            };
            zip.write_all(&header::encode(dtype, array.shape))?;
            zip.write_all(bytes)?;
        }
        zip.finish().map_err(io::Error::other)?.finish()?;
        Ok(new.publish()?)
    };
    write().map_err(|problem| WriteError {
        path: path.into(),
        problem,
    })
}

fn widen(bf16: &[u8]) -> Vec<u8> {
    bf16.as_chunks::<2>()
        .0
        .iter()
        .flat_map(|[low, high]| [0, 0, *low, *high])
        .collect()
}
