//! The model's file and those beside it: mapped, never copied, and nothing outside the model's folder.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs,
    path::{Component, Path, PathBuf},
};

use bytes::Bytes;
use prost::Message;

use super::{
    error::{OnnxError, TensorProblem},
    proto,
};
use crate::import::{ImportError, weights::map_file};

/// Versions of the standard operators that are known; the newest is that of the package `onnx` 1.23.2.
const STANDARD_VERSIONS: std::ops::RangeInclusive<i64> = 13..=28;
/// Domains whose operators are known beside the standard ones, each in version 1.
pub(super) const OTHER_DOMAINS: [&str; 1] = ["com.microsoft"];
/// The long name of the standard domain.
const STANDARD_DOMAIN: &str = "ai.onnx";

/// The message in `file`.
pub(super) fn read_model(file: &Path) -> Result<proto::Model, ImportError> {
    let bytes = Bytes::from_owner(map_file(file)?);
    let wrong = |source| ImportError::Onnx {
        file: file.into(),
        source: Box::new(source),
    };
    let model = proto::Model::decode(bytes).map_err(|e| wrong(e.into()))?;
    check_versions(&model).map_err(wrong)?;
    Ok(model)
}

/// The name that operators of a domain are looked up by.
pub(super) fn domain_of(name: &str) -> &str {
    if name == STANDARD_DOMAIN { "" } else { name }
}

/// A domain, for people.
fn spelled(domain: &str) -> String {
    if domain.is_empty() {
        STANDARD_DOMAIN
    } else {
        domain
    }
    .into()
}

/// Every domain that a node uses has one version, a known one. A domain that no node uses may be any.
fn check_versions(model: &proto::Model) -> Result<(), OnnxError> {
    let graph = model.graph.as_ref().ok_or(OnnxError::NoGraph)?;
    let own: Vec<_> = model.functions.iter().map(|f| f.domain.as_str()).collect();
    let known = |domain: &str| domain.is_empty() || OTHER_DOMAINS.contains(&domain);
    let imports = |sets: &[proto::Opset]| -> Result<(), OnnxError> {
        let mut seen = BTreeMap::new();
        for set in sets {
            let domain = domain_of(&set.domain);
            if seen.insert(domain.to_owned(), set.version).is_some() {
                return Err(OnnxError::Duplicate {
                    what: "operator set",
                    name: domain.into(),
                });
            }
            let versions = if domain.is_empty() {
                STANDARD_VERSIONS
            } else {
                1..=1
            };
            if known(domain) && !versions.contains(&set.version) {
                return Err(OnnxError::Opset {
                    domain: spelled(domain),
                    wanted: format!("{} to {}", versions.start(), versions.end()),
                    found: set.version.to_string(),
                });
            }
        }
        Ok(())
    };
    imports(&model.opset_import)?;
    for function in &model.functions {
        imports(&function.opset_import)?;
    }
    // A domain that nobody declares: its version cannot be told.
    let declared = |domain: &str, sets: &[proto::Opset]| {
        own.contains(&domain) || sets.iter().any(|s| domain_of(&s.domain) == domain)
    };
    let missing = |nodes: &[proto::Node], sets: &[proto::Opset]| {
        let mut domains = nodes.iter().map(|n| domain_of(&n.domain));
        domains.find(|d| !declared(d, sets)).map(str::to_owned)
    };
    let in_functions = model
        .functions
        .iter()
        .find_map(|f| missing(&f.node, &f.opset_import));
    match missing(&graph.node, &model.opset_import).or(in_functions) {
        None => Ok(()),
        Some(domain) => Err(OnnxError::Opset {
            domain: spelled(&domain),
            wanted: "one in `opset_import`".into(),
            found: "none".into(),
        }),
    }
}

/// Where the files of external data are.
pub(super) struct Folder {
    path: PathBuf,
    /// Whether they may be opened: where only the graph is wanted, they may be missing.
    reads: bool,
    opened: RefCell<BTreeMap<PathBuf, Bytes>>,
}

impl Folder {
    /// The folder of the model `file`.
    pub(super) fn of(file: &Path, reads: bool) -> Self {
        let parent = file.parent().filter(|p| !p.as_os_str().is_empty());
        Self {
            reads,
            path: parent.unwrap_or(Path::new(".")).into(),
            opened: RefCell::default(),
        }
    }

    /// Whether the values of `tensor` are elsewhere, and not to be looked at.
    pub(super) fn leaves(&self, tensor: &proto::Tensor) -> bool {
        !self.reads && tensor.data_location == 1
    }

    /// The bytes that `entries` lead to, `wanted` of them if they do not say how many.
    pub(super) fn external(
        &self,
        entries: &[proto::Entry],
        wanted: u64,
    ) -> Result<Bytes, TensorProblem> {
        let text = |key: &str| {
            entries
                .iter()
                .find(|e| e.key == key)
                .map(|e| e.value.as_str())
        };
        let number = |key: &'static str, default: u64| match text(key) {
            None => Ok(default),
            Some(text) => text.parse::<u64>().map_err(|_| TensorProblem::External {
                key,
                wanted: "a number of bytes".into(),
                found: format!("`{text}`"),
            }),
        };
        let location = text("location").unwrap_or_default();
        let bytes = self.open(location)?;
        let (begin, length) = (number("offset", 0)?, number("length", wanted)?);
        let end = begin
            .checked_add(length)
            .filter(|end| *end <= bytes.len() as u64);
        let Some(end) = end else {
            return Err(TensorProblem::External {
                key: "length",
                wanted: format!("a part of the {} bytes of `{location}`", bytes.len()),
                found: format!("{length} bytes from {begin}"),
            });
        };
        Ok(bytes.slice(begin as usize..end as usize))
    }

    /// The file at `location`, within the folder.
    fn open(&self, location: &str) -> Result<Bytes, TensorProblem> {
        let outside = || TensorProblem::External {
            key: "location",
            wanted: "a file within the model's folder".into(),
            found: format!("`{location}`"),
        };
        let path = Path::new(location);
        let plain = |c| matches!(c, Component::Normal(_) | Component::CurDir);
        if location.is_empty() || !path.components().all(plain) {
            return Err(outside());
        }
        let unreadable = |problem: String| TensorProblem::Unreadable {
            file: location.into(),
            problem,
        };
        let real = |path: &Path| fs::canonicalize(path).map_err(|e| unreadable(e.to_string()));
        let (folder, file) = (real(&self.path)?, real(&self.path.join(path))?);
        if !file.starts_with(&folder) || !file.is_file() {
            return Err(outside());
        }
        if let Some(bytes) = self.opened.borrow().get(&file) {
            return Ok(bytes.clone());
        }
        let map = map_file(&file).map_err(|e| unreadable(e.to_string()))?;
        let bytes = Bytes::from_owner(map);
        self.opened.borrow_mut().insert(file, bytes.clone());
        Ok(bytes)
    }
}
