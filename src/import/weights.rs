//! The tensors of a model: safetensors files mapped into memory, and the few that importers make.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use ir::{DType, TensorType, WeightSource, WeightView};
use memmap2::Mmap;
use serde::Deserialize;

use super::{
    ImportError,
    config::read,
    safetensors::{TensorInfo, read_header},
};

/// The one file of weights that are not sharded.
const SINGLE: &str = "model.safetensors";
/// Lists the shards.
const INDEX: &str = "model.safetensors.index.json";
/// Most bytes of an index that is read.
const INDEX_LIMIT: u64 = 100_000_000;

/// A model's tensors by name. Bytes stay in the mapped files; nothing is copied.
#[derive(Default)]
pub struct Weights {
    /// What messages name when no shard is to blame.
    file: PathBuf,
    shards: Vec<Shard>,
    stored: BTreeMap<String, Stored>,
    made: BTreeMap<String, Made>,
}

struct Shard {
    file: PathBuf,
    map: Mmap,
}

struct Stored {
    shard: usize,
    info: TensorInfo,
}

/// A tensor that is in no safetensors file: it follows from the configuration, or stands in another format.
struct Made {
    dtype: DType,
    shape: Vec<i64>,
    bytes: Bytes,
}

/// `model.safetensors.index.json`.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// The bytes of `file`.
pub(super) fn map_file(file: &Path) -> Result<Mmap, ImportError> {
    let io = |source| ImportError::Io {
        file: file.into(),
        source,
    };
    let opened = File::open(file).map_err(io)?;
    // SAFETY: the map is read only; as for every mapped model file, whoever cuts the file off while it is in
    // use stops the process (SIGBUS) and whoever writes to it changes the weights: both are documented.
    #[allow(
        unsafe_code,
        reason = "files are mapped, not copied: weights are larger than memory may hold twice"
    )]
    unsafe { Mmap::map(&opened) }.map_err(io)
}

impl Shard {
    fn open(file: PathBuf) -> Result<(Self, BTreeMap<String, TensorInfo>), ImportError> {
        let map = map_file(&file)?;
        let tensors = read_header(&map).map_err(|source| ImportError::Safetensors {
            file: file.clone(),
            source: source.into(),
        })?;
        Ok((Self { file, map }, tensors))
    }
}

impl Weights {
    /// The weights in a Hugging Face directory.
    ///
    /// # Errors
    /// There are none, or a file breaks its format, or the index disagrees with the shards.
    pub(super) fn open(dir: &Path) -> Result<Self, ImportError> {
        let (single, index) = (dir.join(SINGLE), dir.join(INDEX));
        if single.is_file() {
            Self::of_file(single)
        } else if index.is_file() {
            Self::of_index(dir, index)
        } else {
            Err(ImportError::NotAModel {
                path: dir.into(),
                found: format!("neither {SINGLE} nor {INDEX}"),
            })
        }
    }

    /// The weights in one safetensors file.
    ///
    /// # Errors
    /// It cannot be read or breaks the format.
    pub(super) fn of_file(file: PathBuf) -> Result<Self, ImportError> {
        let (shard, tensors) = Shard::open(file.clone())?;
        let stored = tensors
            .into_iter()
            .map(|(name, info)| (name, Stored { shard: 0, info }));
        Ok(Self {
            file,
            stored: stored.collect(),
            shards: vec![shard],
            made: BTreeMap::new(),
        })
    }

    fn of_index(dir: &Path, file: PathBuf) -> Result<Self, ImportError> {
        let index: Index =
            serde_json::from_slice(&read(&file, INDEX_LIMIT)?).map_err(|source| {
                ImportError::Json {
                    file: file.clone(),
                    source,
                }
            })?;
        let wrong = |tensor: &str, problem: String| ImportError::Index {
            file: file.clone(),
            tensor: tensor.into(),
            problem,
        };
        let mut out = Self {
            file: file.clone(),
            ..Self::default()
        };
        let names: BTreeSet<_> = index
            .weight_map
            .iter()
            .map(|(t, shard)| (shard, t))
            .collect();
        let mut last = None;
        for (shard, tensor) in names {
            if last == Some(shard) {
                continue;
            }
            last = Some(shard);
            if Path::new(shard).components().count() != 1 || !shard.ends_with(".safetensors") {
                let problem =
                    format!("wanted the name of a .safetensors file beside it, found `{shard}`");
                return Err(wrong(tensor, problem));
            }
            let (opened, tensors) = Shard::open(dir.join(shard))?;
            for (name, info) in tensors {
                if index.weight_map.get(&name) != Some(shard) {
                    return Err(wrong(
                        &name,
                        format!("{shard} holds it, but it is not listed there"),
                    ));
                }
                out.stored.insert(
                    name,
                    Stored {
                        shard: out.shards.len(),
                        info,
                    },
                );
            }
            out.shards.push(opened);
        }
        match index
            .weight_map
            .iter()
            .find(|(name, _)| !out.stored.contains_key(*name))
        {
            Some((name, shard)) => Err(wrong(name, format!("{shard} does not hold it"))),
            None => Ok(out),
        }
    }

    /// Whether a file holds `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.stored.contains_key(name)
    }

    /// Whether the files hold both tensors, and not the same bytes for them.
    pub(super) fn differ(&self, a: &str, b: &str) -> bool {
        matches!((self.weight(a), self.weight(b)), (Some(a), Some(b)) if a.bytes != b.bytes)
    }

    /// Names of all tensors in the files, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.stored.keys().map(String::as_str)
    }

    /// The element type of the tensor `name`, a float, after its shape was found to be `shape`.
    pub(super) fn check(&self, name: &str, shape: &[i64]) -> Result<DType, ImportError> {
        let stored = self.shaped(name, shape)?;
        let dtype = stored.info.element.dtype.filter(|d| d.is_float());
        dtype.ok_or_else(|| self.wrong_type(name, stored, "F32, F16 or BF16"))
    }

    /// Fails unless the files hold `name` with the type `ty`.
    pub(super) fn check_type(&self, name: &str, ty: &TensorType) -> Result<(), ImportError> {
        let stored = self.shaped(name, &ty.known_shape().unwrap_or_default())?;
        if stored.info.element.dtype != Some(ty.dtype) {
            return Err(self.wrong_type(name, stored, ty.dtype.name()));
        }
        Ok(())
    }

    /// The tensor `name`, after its shape was found to be `shape`.
    fn shaped(&self, name: &str, shape: &[i64]) -> Result<&Stored, ImportError> {
        let Some(stored) = self.stored.get(name) else {
            return Err(ImportError::MissingTensor {
                file: self.file.clone(),
                tensor: name.into(),
                wanted: shape.into(),
            });
        };
        if stored.info.shape != shape {
            return Err(ImportError::TensorShape {
                file: self.shards[stored.shard].file.clone(),
                tensor: name.into(),
                wanted: shape.into(),
                found: stored.info.shape.clone(),
            });
        }
        Ok(stored)
    }

    fn wrong_type(&self, name: &str, stored: &Stored, wanted: &str) -> ImportError {
        ImportError::TensorType {
            file: self.shards[stored.shard].file.clone(),
            tensor: name.into(),
            wanted: wanted.into(),
            found: stored.info.element.name.into(),
        }
    }

    /// The error for tensors that the model does not have.
    pub(super) fn extra(&self, names: &[&str]) -> ImportError {
        let mut shown = names[..names.len().min(4)].join(", ");
        if names.len() > 4 {
            shown.push_str(", ...");
        }
        ImportError::ExtraTensors {
            file: self.file.clone(),
            count: names.len(),
            names: shown,
        }
    }

    /// Adds a tensor that is in no file.
    pub(super) fn make(&mut self, name: &str, values: &[f32]) {
        let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.insert(name, DType::F32, vec![values.len() as i64], bytes);
    }

    /// Adds a tensor, whose bytes fill its shape.
    pub(super) fn insert(&mut self, name: &str, dtype: DType, shape: Vec<i64>, bytes: Bytes) {
        let made = Made {
            dtype,
            shape,
            bytes,
        };
        self.made.insert(name.into(), made);
    }
}

impl WeightSource for Weights {
    fn weight(&self, name: &str) -> Option<WeightView<'_>> {
        if let Some(made) = self.made.get(name) {
            return Some(WeightView {
                dtype: made.dtype,
                shape: made.shape.clone(),
                bytes: &made.bytes,
            });
        }
        let Stored { shard, info } = self.stored.get(name)?;
        let bytes = &self.shards[*shard].map[info.bytes.clone()];
        Some(WeightView {
            dtype: info.element.dtype?,
            shape: info.shape.clone(),
            bytes,
        })
    }
}
