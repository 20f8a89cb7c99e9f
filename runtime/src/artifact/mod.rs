//! The file `model.tw`: one model, compiled for one target or several. `docs/artifact.md` has the bytes.

mod check;
mod error;
mod header;
mod map;
mod new_file;
mod read;
mod write;

use serde::{Deserialize, Serialize};

use crate::manifest::{Manifest, Section};

pub use error::{ArtifactError, Problem, WriteError, WriteProblem};
pub(crate) use new_file::NewFile;
pub use read::{Artifact, WeightChecks};
pub use write::{OpenNewError, Writer};

/// The manifest as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    sections: Vec<Section>,
    manifest: Manifest,
}
