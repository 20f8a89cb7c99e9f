//! The steps that sentence-transformers adds behind a model: `modules.json`.

use std::path::{Path, PathBuf};

use ir::{BinaryFn, Dim, Monoid, UnaryFn, ValueId, ops};
use serde_json::Value;

use super::{
    ImportError,
    config::{Config, read_json, wrong_root},
    layers::Layers,
};

/// Below this, a sum of mask values counts as this; `sentence_transformers.models.Pooling`.
const LEAST_COUNT: f64 = 1e-9;
/// Below this, a length counts as this; `torch.nn.functional.normalize`.
const LEAST_LENGTH: f64 = 1e-12;

/// How tokens become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pool {
    /// The first token.
    First,
    /// The largest of each element over tokens that are not padding.
    Max,
    /// The mean over tokens that are not padding.
    Mean,
    /// Their sum over the square root of their number.
    MeanRoot,
}

/// The key of the configuration that asks for each, and its word in newer configurations.
const POOLS: &[(&str, &str, Pool)] = &[
    ("pooling_mode_cls_token", "cls", Pool::First),
    ("pooling_mode_max_tokens", "max", Pool::Max),
    ("pooling_mode_mean_tokens", "mean", Pool::Mean),
    (
        "pooling_mode_mean_sqrt_len_tokens",
        "mean_sqrt_len_tokens",
        Pool::MeanRoot,
    ),
];

/// The steps of `modules.json`.
pub(super) struct Modules {
    /// Folder of the model itself.
    pub(super) model: PathBuf,
    pool: Option<Pool>,
    normalised: bool,
}

impl Modules {
    /// The steps listed in `dir`, if it lists any.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, ImportError> {
        let file = dir.join("modules.json");
        if !file.is_file() {
            return Ok(None);
        }
        let steps = match read_json(&file)? {
            Value::Array(steps) => steps,
            other => return Err(wrong_root(&file, "a list of modules", &other)),
        };
        let mut out = Self {
            model: dir.into(),
            pool: None,
            normalised: false,
        };
        for step in steps {
            let step = Config::of(&file, step)?;
            let kind = step.text("type")?.unwrap_or_default();
            let path = step.text("path")?.unwrap_or_default();
            if Path::new(path).components().count() > 1 || path.starts_with(['.', '/']) {
                return Err(step.wrong("path", "the name of a folder beside it"));
            }
            match kind.rsplit('.').next() {
                Some("Transformer") => out.model = dir.join(path),
                Some("Pooling") => {
                    out.pool = Some(Pool::read(&dir.join(path).join("config.json"))?)
                }
                Some("Normalize") => out.normalised = true,
                _ => return Err(step.unsupported("type", "Transformer, Pooling, Normalize")),
            }
        }
        Ok(Some(out))
    }

    /// Adds the output `sentence_embedding` if there is a pooling step; `x` is the last hidden state.
    pub(super) fn append(&self, l: &mut Layers, x: ValueId) {
        let Some(pool) = self.pool else { return };
        let mut y = pool.apply(l, x);
        if self.normalised {
            let square = l.unary(UnaryFn::Square, y);
            let sum = l.fold(Monoid::Sum, 1, true, square);
            let length = l.unary(UnaryFn::Sqrt, sum);
            let length = at_least(l, LEAST_LENGTH, length);
            y = l.binary(BinaryFn::Div, y, length);
        }
        l.output("sentence_embedding", y);
    }
}

impl Pool {
    fn read(file: &Path) -> Result<Self, ImportError> {
        let config = Config::read(file)?;
        let all = POOLS
            .iter()
            .map(|(_, word, _)| *word)
            .collect::<Vec<_>>()
            .join(", ");
        if let Some(word) = config.text("pooling_mode")? {
            let found = POOLS.iter().find(|(_, w, _)| *w == word);
            return found
                .map(|p| p.2)
                .ok_or_else(|| config.unsupported("pooling_mode", all));
        }
        let mut found = None;
        for key in config.keys().filter(|k| k.starts_with("pooling_mode_")) {
            if !config.flag(key, false)? {
                continue;
            }
            match POOLS.iter().find(|(k, _, _)| *k == key) {
                Some((_, _, pool)) if found.is_none() => found = Some(*pool),
                _ => return Err(config.unsupported(key, format!("one of {all}"))),
            }
        }
        found.ok_or_else(|| config.wrong("pooling_mode_mean_tokens", "one mode that is true"))
    }

    fn apply(self, l: &mut Layers, x: ValueId) -> ValueId {
        if self == Self::First {
            return l.first_token(x);
        }
        let mask = l.attention_mask();
        let [batch, seq] = <[Dim; 2]>::try_from(l.shape(mask)).expect("a mask has two axes");
        let shape = vec![batch, seq, 1.into()];
        let column = l.op(ops::Reshape { shape }, &[mask]);
        if self == Self::Max {
            let zero = l.scalar(0.0);
            let padding = l.binary(BinaryFn::Eq, column, zero);
            let low = l.scalar(-1e9);
            let kept = l.op(ops::Select {}, &[padding, low, x]);
            return l.fold(Monoid::Max, 1, false, kept);
        }
        let kept = l.mul(x, column);
        let sum = l.fold(Monoid::Sum, 1, false, kept);
        let count = l.fold(Monoid::Sum, 1, true, mask);
        let count = at_least(l, LEAST_COUNT, count);
        let by = if self == Self::Mean {
            count
        } else {
            l.unary(UnaryFn::Sqrt, count)
        };
        l.binary(BinaryFn::Div, sum, by)
    }
}

fn at_least(l: &mut Layers, least: f64, x: ValueId) -> ValueId {
    let least = l.scalar(least);
    l.binary(BinaryFn::Max, x, least)
}
