//! Writing artifacts: sections as a stream, then the manifest, then the name.

use std::{
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use rustix::fs::MemfdFlags;

use super::{
    Artifact, ArtifactError, Contents, WeightChecks, WriteError, WriteProblem, check,
    header::{Header, encode_evidence},
    new_file::NewFile,
};
use crate::manifest::{Manifest, Section, SectionId, SectionKind};

/// Writes an artifact section by section. Nothing is seen at its path before [`Writer::finish`].
///
/// The bytes depend only on the calls made, so the same calls give the same file.
pub struct Writer {
    out: Hashing,
    target: Target,
    sections: Vec<Section>,
}

enum Target {
    File(NewFile),
    Memory,
}

impl Writer {
    /// Starts an artifact that will be at `path`.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        let at = |problem| WriteError {
            path: path.into(),
            problem,
        };
        let new = NewFile::create(path).map_err(at)?;
        let file = new.file.try_clone().map_err(|e| at(e.into()))?;
        Self::start(file, path, Target::File(new))
    }

    /// Starts an artifact that lives in memory only; [`Writer::open`] ends it.
    pub fn in_memory() -> Result<Self, WriteError> {
        let path = Path::new("(memory)");
        let fd =
            rustix::fs::memfd_create("model.tw", MemfdFlags::CLOEXEC).map_err(|e| WriteError {
                path: path.into(),
                problem: WriteProblem::Create(e.into()),
            })?;
        Self::start(fd.into(), path, Target::Memory)
    }

    fn start(file: File, path: &Path, target: Target) -> Result<Self, WriteError> {
        let mut out = Hashing {
            file: BufWriter::with_capacity(1 << 16, file),
            path: path.into(),
            hash: blake3::Hasher::new(),
            at: 0,
        };
        out.write_all(&[0; Header::LEN]).map_err(|e| out.error(e))?;
        Ok(Self {
            out,
            target,
            sections: Vec::new(),
        })
    }

    /// Adds a section; `fill` writes its bytes, in order.
    pub fn section(
        &mut self,
        name: &str,
        kind: SectionKind,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<SectionId, WriteError> {
        let offset = self.out.align(kind.alignment())?;
        self.out.hash.reset();
        fill(&mut self.out).map_err(|e| self.out.error(e))?;
        self.sections.push(Section {
            name: name.into(),
            kind,
            offset,
            len: self.out.at - offset,
            blake3: self.out.hash.finalize().to_hex().to_string(),
        });
        Ok(SectionId(self.sections.len() as u32 - 1))
    }

    /// Writes the manifest, which refers to the sections by the ids they were given, and publishes the file.
    pub fn finish(self, manifest: Manifest) -> Result<(), WriteError> {
        let (out, target) = self.complete(manifest)?;
        match target {
            Target::File(new) => new.publish().map_err(|e| out.error(e)),
            Target::Memory => Ok(()),
        }
    }

    /// Writes the manifest and opens the artifact. One that was begun with a path is published too.
    pub fn open(self, manifest: Manifest) -> Result<Artifact, OpenNewError> {
        let (out, target) = self.complete(manifest)?;
        let path = out.path.clone();
        let file = out.file.get_ref().try_clone().map_err(|e| out.error(e))?;
        if let Target::File(new) = target {
            new.publish().map_err(|e| out.error(e))?;
        }
        Ok(Artifact::from_file(&file, &path, WeightChecks::Skip)?)
    }

    fn complete(self, manifest: Manifest) -> Result<(Hashing, Target), WriteError> {
        let Self {
            mut out,
            target,
            sections,
        } = self;
        let contents = Contents { sections, manifest };
        check::contents(&contents).map_err(|p| WriteError {
            path: out.path.clone(),
            problem: WriteProblem::Manifest(p),
        })?;
        let json = serde_json::to_vec(&contents).map_err(|e| out.error(e.into()))?;
        let manifest_offset = out.align(64)?;
        out.write_all(&json).map_err(|e| out.error(e))?;
        let body_len = out.align(64)?;
        let header = Header {
            manifest_offset,
            manifest_len: json.len() as u64,
            body_len,
            manifest_hash: *blake3::hash(&json).as_bytes(),
        };
        out.write_all(&encode_evidence(b""))
            .map_err(|e| out.error(e))?;
        out.seal(&header).map_err(|e| out.error(e))?;
        Ok((out, target))
    }
}

/// Why an artifact that was just written is not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenNewError {
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// It could not be read back.
    #[error(transparent)]
    Read(#[from] ArtifactError),
}

/// A file that hashes what goes into it.
struct Hashing {
    file: BufWriter<File>,
    path: PathBuf,
    hash: blake3::Hasher,
    at: u64,
}

impl Hashing {
    fn error(&self, e: io::Error) -> WriteError {
        WriteError {
            path: self.path.clone(),
            problem: e.into(),
        }
    }

    /// Fills up with zeros to a multiple of `to`.
    fn align(&mut self, to: u64) -> Result<u64, WriteError> {
        let end = self.at.next_multiple_of(to);
        let zeros = [0; 4096];
        self.write_all(&zeros[..(end - self.at) as usize])
            .map_err(|e| self.error(e))?;
        Ok(end)
    }

    fn seal(&mut self, header: &Header) -> io::Result<()> {
        self.file.flush()?;
        let file = self.file.get_mut();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&header.encode())
    }
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.hash.update(&bytes[..n]);
        self.at += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
