//! Candidates in one file, for a machine that has the device and no compiler.
//!
//! ```text
//! 0   8   magic `TWBUNDLE`
//! 8   4   version, little endian, as all numbers
//! 12  4   zero
//! 16  8   length of the index
//! 24  32  blake3 of the index
//! 56      the index, JSON of `Index`; then artifacts, each at the offset that the index gives, from the end of the index
//! ```
//!
//! Records of the tuning database pass through as they are: this crate does not know them.

use std::{
    fs::File,
    io::{self, BufWriter, Read, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use ir::{Graph, Layout};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Policy;

const MAGIC: [u8; 8] = *b"TWBUNDLE";
/// The version of bundles that this program reads and writes.
pub const VERSION: u32 = 1;
const HEADER: u64 = 56;
/// Bytes that are read at a time.
const PIECE: usize = 1 << 20;

/// What a bundle holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// The target that all is built for, as spelled on the command line.
    pub target: String,
    /// Kernels.
    pub tasks: Vec<Task>,
}

/// A kernel, and candidates for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// What it computes.
    pub graph: Graph,
    /// The database's record of it.
    pub workload: Map<String, Value>,
    /// The database's record of a trial, without schedule, outcome, times and device.
    pub trial: Map<String, Value>,
    /// Of the operands' values.
    pub seed: u64,
    /// How long each is measured.
    pub policy: Policy,
    /// What all are measured beside.
    pub baseline: Stored,
    /// What is measured.
    pub candidates: Vec<Stored>,
}

/// An artifact of one kernel under one schedule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// The schedule, as the database has it.
    pub schedule: Value,
    /// How it wants each operand.
    pub layouts: Vec<Layout>,
    /// Bytes from the end of the index.
    pub offset: u64,
    /// Length in bytes.
    pub len: u64,
    /// blake3 of its bytes, in hexadecimal.
    pub blake3: String,
}

/// Why a bundle cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The system says no.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is something else.
    #[error("{}: wanted a bundle, found something else; help: `tilewright tune --prepare` makes one", path.display())]
    Other {
        /// The file.
        path: PathBuf,
    },
    /// A later program wrote it.
    #[error("{}: wanted a bundle of version {VERSION}, found {found}; help: take the tilewright-run of the program that made it", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// Its bytes are not those that were written.
    #[error("{}: damaged: {what}; help: copy it again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

/// An open bundle, whose index was checked; artifacts are checked when they are taken out.
#[derive(Debug)]
pub struct Bundle {
    path: PathBuf,
    file: File,
    index: Index,
    /// Where artifacts begin.
    data: u64,
}

/// What the artifact at `path` is stored as, at this offset.
///
/// # Errors
/// The artifact cannot be read.
pub fn stored(
    path: &Path,
    schedule: Value,
    layouts: Vec<Layout>,
    offset: u64,
) -> Result<Stored, BundleError> {
    let mut hash = blake3::Hasher::new();
    let mut file = File::open(path).map_err(failed(path))?;
    let len = io::copy(&mut file, &mut hash).map_err(failed(path))?;
    Ok(Stored {
        schedule,
        layouts,
        offset,
        len,
        blake3: hash.finalize().to_hex().to_string(),
    })
}

/// Writes a bundle of these artifacts, in the order of their offsets, one behind the other. It appears when it is complete.
///
/// # Errors
/// A file cannot be read or written.
pub fn write(path: &Path, index: &Index, artifacts: &[PathBuf]) -> Result<u64, BundleError> {
    let partial = path.with_added_extension("part");
    let done = fill(&partial, index, artifacts);
    let done = done.and_then(|len| {
        std::fs::rename(&partial, path).map_err(failed(path))?;
        Ok(len)
    });
    if done.is_err() {
        // What is not there need not go.
        let _ = std::fs::remove_file(&partial);
    }
    done
}

fn fill(path: &Path, index: &Index, artifacts: &[PathBuf]) -> Result<u64, BundleError> {
    let text = serde_json::to_vec(index).expect("plain data becomes JSON");
    let mut header = [0; HEADER as usize];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&VERSION.to_le_bytes());
    header[16..24].copy_from_slice(&(text.len() as u64).to_le_bytes());
    header[24..].copy_from_slice(blake3::hash(&text).as_bytes());
    let mut out = BufWriter::new(File::create(path).map_err(failed(path))?);
    let mut len = HEADER + text.len() as u64;
    out.write_all(&header)
        .and_then(|()| out.write_all(&text))
        .map_err(failed(path))?;
    for artifact in artifacts {
        let mut file = File::open(artifact).map_err(failed(artifact))?;
        len += io::copy(&mut file, &mut out).map_err(failed(path))?;
    }
    let file = out.into_inner().map_err(|e| failed(path)(e.into_error()))?;
    file.sync_all().map_err(failed(path))?;
    Ok(len)
}

fn failed(path: &Path) -> impl Fn(io::Error) -> BundleError + '_ {
    |error| BundleError::File {
        path: path.into(),
        error,
    }
}

impl Bundle {
    /// Opens a bundle, and checks its index.
    ///
    /// # Errors
    /// It cannot be read, is none, is of a later version, or damaged.
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        let damaged = |what: String| BundleError::Damaged {
            path: path.into(),
            what,
        };
        let other = || BundleError::Other { path: path.into() };
        let mut file = File::open(path).map_err(failed(path))?;
        let len = file.metadata().map_err(failed(path))?.len();
        let mut header = [0; HEADER as usize];
        if len < 8 {
            return Err(other());
        }
        let start = len.min(HEADER) as usize;
        file.read_exact(&mut header[..start])
            .map_err(failed(path))?;
        if header[..8] != MAGIC {
            return Err(other());
        }
        if len < HEADER {
            return Err(damaged(format!(
                "wanted a header of {HEADER} bytes, the file has {len}"
            )));
        }
        let field = |at: usize, n: usize| {
            let bytes = header[at..at + n].iter().rev();
            bytes.fold(0, |number: u64, b| number << 8 | u64::from(*b))
        };
        let version = field(8, 4) as u32;
        if version != VERSION {
            return Err(BundleError::Version {
                path: path.into(),
                found: version,
            });
        }
        if field(12, 4) != 0 {
            return Err(damaged("bytes 12 to 16: wanted zeros".into()));
        }
        let index_len = field(16, 8);
        if index_len > len - HEADER {
            return Err(damaged(format!(
                "its index has {index_len} bytes, the file has {} after the header",
                len - HEADER
            )));
        }
        // No more than the file has.
        let mut text = vec![0; index_len as usize];
        file.read_exact(&mut text).map_err(failed(path))?;
        if blake3::hash(&text).as_bytes() != &header[24..] {
            return Err(damaged("the checksum of its index does not hold".into()));
        }
        let index: Index = serde_json::from_slice(&text)
            .map_err(|e| damaged(format!("its index cannot be read: {e}")))?;
        let data = HEADER + index_len;
        check(&index, len - data).map_err(damaged)?;
        Ok(Self {
            path: path.into(),
            file,
            index,
            data,
        })
    }

    /// What it holds.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Writes an artifact to a file of its own.
    ///
    /// # Errors
    /// Its bytes are not those that the index names, or a file cannot be read or written.
    pub fn take(&self, stored: &Stored, to: &Path) -> Result<(), BundleError> {
        let mut hash = blake3::Hasher::new();
        let mut out = File::create(to).map_err(failed(to))?;
        let mut piece = vec![0; PIECE];
        let mut done = 0;
        while done < stored.len {
            let n = (stored.len - done).min(PIECE as u64) as usize;
            let at = self.data + stored.offset + done;
            let read = self.file.read_exact_at(&mut piece[..n], at);
            read.map_err(failed(&self.path))?;
            hash.update(&piece[..n]);
            out.write_all(&piece[..n]).map_err(failed(to))?;
            done += n as u64;
        }
        if hash.finalize().to_hex().as_str() != stored.blake3 {
            return Err(BundleError::Damaged {
                path: self.path.clone(),
                what: format!(
                    "the checksum of the artifact at {} does not hold",
                    stored.offset
                ),
            });
        }
        Ok(())
    }
}

/// Fails unless graphs are sound, and artifacts lie one behind the other and fill `len` bytes.
fn check(index: &Index, len: u64) -> Result<(), String> {
    for task in &index.tasks {
        ir::verify(&task.graph).map_err(|e| format!("the graph of a task: {e}"))?;
    }
    let mut end = 0_u64;
    for stored in index.all() {
        if stored.offset != end {
            return Err(format!(
                "an artifact: wanted it at {end}, where the one before ends, found it at {}",
                stored.offset
            ));
        }
        end = end.saturating_add(stored.len);
    }
    match end == len {
        true => Ok(()),
        false => Err(format!(
            "its artifacts have {end} bytes, the file has {len} after the index"
        )),
    }
}

impl Index {
    /// All artifacts, in the order of their offsets as [`write`] takes them.
    fn all(&self) -> impl Iterator<Item = &Stored> {
        self.tasks
            .iter()
            .flat_map(|t| std::iter::once(&t.baseline).chain(&t.candidates))
    }
}
