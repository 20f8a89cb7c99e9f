//! Reading artifacts: everything is checked before it is used.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use super::{
    ArtifactError, Contents, Problem, WriteError, WriteProblem, check,
    header::{Header, decode_evidence, encode_evidence},
    map::FileMap,
    new_file::NewFile,
};
use crate::{
    evidence::Record,
    manifest::{BufferRef, CodeRef, Launch, Manifest, Section, SectionId, SectionKind, TextRef},
};

/// When checksums of weights are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightChecks {
    /// Once for each section, before its first use.
    BeforeUse,
    /// Never: damage goes unseen.
    Skip,
}

/// An artifact mapped into memory, consistent in itself.
pub struct Artifact {
    path: PathBuf,
    map: FileMap,
    header: Header,
    contents: Contents,
    weight_checks: WeightChecks,
    /// For each section, whether its checksum matches; unset before the first use.
    intact: Vec<OnceLock<bool>>,
    evidence: Vec<Record>,
}

impl Artifact {
    /// Opens a file, and compares the checksums of all but the weights.
    pub fn open(path: &Path, weight_checks: WeightChecks) -> Result<Self, ArtifactError> {
        let file = File::open(path).map_err(|e| ArtifactError {
            path: path.into(),
            problem: e.into(),
        })?;
        Self::from_file(&file, path, weight_checks)
    }

    pub(super) fn from_file(
        file: &File,
        path: &Path,
        weight_checks: WeightChecks,
    ) -> Result<Self, ArtifactError> {
        Self::read(file, path, weight_checks).map_err(|problem| ArtifactError {
            path: path.into(),
            problem,
        })
    }

    fn read(file: &File, path: &Path, weight_checks: WeightChecks) -> Result<Self, Problem> {
        let meta = file.metadata()?;
        if meta.is_dir() {
            return Err(Problem::Folder);
        }
        if meta.len() == 0 {
            return Err(Problem::Magic { found: Vec::new() });
        }
        let map = FileMap::new(file)?;
        let header = Header::decode(&map)?;
        let found = map.len() as u64;
        let manifest_end = header.manifest_offset.saturating_add(header.manifest_len);
        for (part, wanted) in [
            ("the manifest", manifest_end),
            ("the body", header.body_len),
        ] {
            if wanted > found {
                return Err(Problem::Truncated {
                    part: part.into(),
                    wanted,
                    found,
                });
            }
        }
        let json = &map[header.manifest_offset as usize..manifest_end as usize];
        if blake3::hash(json).as_bytes() != &header.manifest_hash {
            return Err(Problem::Checksum {
                part: "the manifest".into(),
            });
        }
        let contents: Contents = serde_json::from_slice(json)?;
        check::contents(&contents)?;
        check::layout(&map, &header, &contents.sections)?;
        let evidence = match decode_evidence(&map, header.body_len as usize)? {
            b"" => Vec::new(),
            json => serde_json::from_slice(json)?,
        };
        let intact = contents.sections.iter().map(|_| OnceLock::new()).collect();
        let path = path.into();
        let artifact = Self {
            path,
            map,
            header,
            contents,
            weight_checks,
            intact,
            evidence,
        };
        for (i, section) in artifact.contents.sections.iter().enumerate() {
            if section.kind != SectionKind::Weights {
                artifact.checked(SectionId(i as u32))?;
            }
        }
        Ok(artifact)
    }

    /// Where the artifact was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds.
    pub fn manifest(&self) -> &Manifest {
        &self.contents.manifest
    }

    /// Where its sections lie.
    pub fn sections(&self) -> &[Section] {
        &self.contents.sections
    }

    /// Length of the file in bytes.
    pub fn len(&self) -> u64 {
        self.map.len() as u64
    }

    /// Whether the file has no bytes: never, since it has a header.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// The hash of everything but the evidence, in hexadecimal: equal for equal compilations.
    pub fn identity(&self) -> String {
        blake3::hash(&self.header.encode()).to_hex().to_string()
    }

    /// What was seen of the kernels.
    pub fn evidence(&self) -> &[Record] {
        &self.evidence
    }

    /// Replaces the file by one with these records; the artifact that is open stays as it was.
    pub fn rewrite_evidence(&self, records: &[Record]) -> Result<(), WriteError> {
        let write = || -> Result<(), WriteProblem> {
            let mut new = NewFile::create(&self.path)?;
            new.file
                .write_all(&self.map[..self.header.body_len as usize])?;
            let json = serde_json::to_vec(records).map_err(std::io::Error::from)?;
            new.file.write_all(&encode_evidence(&json))?;
            Ok(new.publish()?)
        };
        write().map_err(|problem| WriteError {
            path: self.path.clone(),
            problem,
        })
    }

    /// The bytes of a section.
    ///
    /// # Errors
    /// The checksum of a weight section is compared at its first use.
    pub fn section(&self, id: SectionId) -> Result<&[u8], ArtifactError> {
        self.checked(id).map_err(|problem| ArtifactError {
            path: self.path.clone(),
            problem,
        })
    }

    /// A piece of a text section that the manifest refers to.
    pub fn text(&self, text: TextRef) -> Result<&str, ArtifactError> {
        let bytes = self.section(text.section)?;
        let bytes = &bytes[text.offset as usize..(text.offset + text.len) as usize];
        std::str::from_utf8(bytes).map_err(|_| ArtifactError {
            path: self.path.clone(),
            problem: Problem::manifest(format!("text at {text:?}"), "UTF-8", "other bytes"),
        })
    }

    /// What a device of many lanes is given of a kernel: its text, or else its machine code. Their sections were checked
    /// when the artifact was opened.
    pub(crate) fn kernel_code(&self, launch: &Launch) -> &[u8] {
        let (section, offset, len) = match (launch.source, launch.image) {
            (Some(t), _) => (t.section, t.offset, t.len),
            (None, Some(c)) => (c.section, c.offset, c.len),
            (None, None) => unreachable!("`artifact::check` wants one of them"),
        };
        let start = self.contents.sections[section.0 as usize].offset + offset;
        &self.map[start as usize..(start + len) as usize]
    }

    /// Machine code of a kernel, if there is some. Its section was checked when the artifact was opened.
    pub(crate) fn image(&self, launch: &Launch) -> Option<&[u8]> {
        let CodeRef {
            section,
            offset,
            len,
        } = launch.image?;
        let start = self.contents.sections[section.0 as usize].offset + offset;
        Some(&self.map[start as usize..(start + len) as usize])
    }

    /// The bytes of a weight; `None` for buffers that are not weights.
    pub fn weight(&self, buffer: BufferRef) -> Result<Option<&[u8]>, ArtifactError> {
        let BufferRef::Weight {
            section,
            offset,
            len,
        } = buffer
        else {
            return Ok(None);
        };
        let bytes = self.section(section)?;
        Ok(Some(&bytes[offset as usize..(offset + len) as usize]))
    }

    fn checked(&self, id: SectionId) -> Result<&[u8], Problem> {
        let index = id.0 as usize;
        let section = &self.contents.sections[index];
        let bytes = &self.map[section.offset as usize..(section.offset + section.len) as usize];
        if section.kind == SectionKind::Weights && self.weight_checks == WeightChecks::Skip {
            return Ok(bytes);
        }
        let intact = self.intact[index]
            .get_or_init(|| blake3::hash(bytes).to_hex().as_str() == section.blake3);
        if *intact {
            Ok(bytes)
        } else {
            Err(Problem::Checksum {
                part: format!("section `{}`", section.name),
            })
        }
    }
}
