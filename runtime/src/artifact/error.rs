//! Why a file is not an artifact that can be used.

use std::{io, path::PathBuf};

/// Why an artifact cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct ArtifactError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with an artifact. Offsets count bytes from the start of the file.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The operating system refused.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A folder, as models are.
    #[error("is a folder; wanted an artifact; help: `tilewright compile` makes one from a model")]
    Folder,
    /// The file does not start as an artifact does.
    #[error(
        "not a tilewright artifact: wanted the first bytes `TILEWRT\\0`, found {found:?}; help: `tilewright compile` writes artifacts"
    )]
    Magic {
        /// The first bytes, at most eight.
        found: Vec<u8>,
    },
    /// Written by another version of the format.
    #[error("format version {found}, this program reads version {wanted}; help: {}", if found > wanted { "use a newer tilewright" } else { "compile the model again" })]
    Version {
        /// Of the file.
        found: u32,
        /// Of this program.
        wanted: u32,
    },
    /// The file is shorter than it says.
    #[error("truncated: {part} ends at byte {wanted}, the file has {found}")]
    Truncated {
        /// What is cut off.
        part: String,
        /// Where it ends.
        wanted: u64,
        /// Length of the file.
        found: u64,
    },
    /// The file is longer than it says.
    #[error("{found} bytes, wanted {wanted}: something follows the end")]
    Trailing {
        /// Where the artifact ends.
        wanted: u64,
        /// Length of the file.
        found: u64,
    },
    /// Bytes that are not those that were written.
    #[error(
        "damaged: the checksum of {part} does not match; help: copy the file again or compile it again"
    )]
    Checksum {
        /// What was changed.
        part: String,
    },
    /// A byte between sections that is not zero.
    #[error("damaged: byte {at} lies between sections and is not zero")]
    Gap {
        /// Its offset.
        at: u64,
    },
    /// The manifest is not what this version writes.
    #[error("manifest: {0}")]
    Syntax(#[from] serde_json::Error),
    /// The manifest contradicts itself or the file.
    #[error("manifest: {place}: wanted {wanted}, found {found}")]
    Manifest {
        /// The part of the manifest, such as `targets[0].programs[0].steps[3].args[1]`.
        place: String,
        /// What would be right.
        wanted: String,
        /// What is there.
        found: String,
    },
}

impl Problem {
    pub(crate) fn manifest(
        place: impl Into<String>,
        wanted: impl ToString,
        found: impl ToString,
    ) -> Self {
        Self::Manifest {
            place: place.into(),
            wanted: wanted.to_string(),
            found: found.to_string(),
        }
    }
}

/// Why an artifact cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct WriteError {
    /// The file that was to be written.
    pub path: PathBuf,
    /// What went wrong. Nothing was left behind.
    pub problem: WriteProblem,
}

/// What went wrong while writing an artifact.
#[derive(Debug, thiserror::Error)]
pub enum WriteProblem {
    /// The folder does not exist or refuses new files.
    #[error("cannot be created in its folder: {0}")]
    Create(io::Error),
    /// The path names something that an artifact must not replace.
    #[error("is {found}; help: name a file")]
    NotAFile {
        /// What is there.
        found: &'static str,
    },
    /// The operating system refused to store the bytes, for example because the disk is full.
    #[error("cannot be written: {0}; nothing was left behind")]
    Io(#[from] io::Error),
    /// The manifest contradicts itself or the sections.
    #[error("{0}")]
    Manifest(Problem),
}
