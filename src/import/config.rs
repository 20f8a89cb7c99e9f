//! `config.json`: checked access to the values that decide a model's shape.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::ImportError;

/// Most bytes of a JSON file that is read whole; the parsed form takes at most 160 times as many.
const LIMIT: u64 = 1 << 20;

/// A JSON object of a model's files, and where it is from.
pub(super) struct Config {
    file: PathBuf,
    /// Keys that lead to this object, each followed by a point.
    path: String,
    values: Map<String, Value>,
}

/// The bytes of `file`, at most `limit` of them.
pub(super) fn read(file: &Path, limit: u64) -> Result<Vec<u8>, ImportError> {
    let io = |source| ImportError::Io {
        file: file.into(),
        source,
    };
    let opened = File::open(file).map_err(io)?;
    let mut bytes = Vec::new();
    opened.take(limit + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > limit {
        let found = std::fs::metadata(file).map_err(io)?.len();
        return Err(ImportError::TooLarge {
            file: file.into(),
            limit,
            found,
        });
    }
    Ok(bytes)
}

/// The JSON value that `file` holds.
pub(super) fn read_json(file: &Path) -> Result<Value, ImportError> {
    let bytes = read(file, LIMIT)?;
    serde_json::from_slice(&bytes).map_err(|source| ImportError::Json {
        file: file.into(),
        source,
    })
}

/// A short spelling of a value for messages.
fn spell(value: Option<&Value>) -> String {
    let Some(value) = value else {
        return "nothing".into();
    };
    let mut text: String = value.to_string().chars().take(60).collect();
    if text.len() < value.to_string().len() {
        text.push_str("...");
    }
    text
}

/// The error for a file that holds another kind of value.
pub(super) fn wrong_root(file: &Path, wanted: &str, found: &Value) -> ImportError {
    ImportError::Config {
        file: file.into(),
        key: "$".into(),
        wanted: wanted.into(),
        found: spell(Some(found)),
    }
}

impl Config {
    /// Where it is from.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// The object that `file` holds.
    pub(super) fn read(file: &Path) -> Result<Self, ImportError> {
        Self::of(file, read_json(file)?)
    }

    /// `value` of `file`, which must be an object.
    pub(super) fn of(file: &Path, value: Value) -> Result<Self, ImportError> {
        match value {
            Value::Object(values) => Ok(Self {
                file: file.into(),
                path: String::new(),
                values,
            }),
            other => Err(wrong_root(file, "an object", &other)),
        }
    }

    /// As this, with `value` for `key` where it is silent.
    pub(super) fn or(&self, key: &str, value: impl Into<Value>) -> Self {
        let mut values = self.values.clone();
        if self.get(key).is_none() {
            values.insert(key.into(), value.into());
        }
        Self {
            file: self.file.clone(),
            path: self.path.clone(),
            values,
        }
    }

    /// The value of `key`; `null` counts as absent.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key).filter(|v| !v.is_null())
    }

    /// Whether `key` is there, be it `null`.
    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// All keys, in order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Number of keys.
    pub(super) fn len(&self) -> i64 {
        self.values.len() as i64
    }

    /// The error for a value that cannot be.
    pub(super) fn wrong(&self, key: &str, wanted: impl Into<String>) -> ImportError {
        ImportError::Config {
            file: self.file.clone(),
            key: format!("{}{key}", self.path),
            wanted: wanted.into(),
            found: spell(self.get(key)),
        }
    }

    /// The error for a value that asks for what no importer does.
    pub(super) fn unsupported(&self, key: &str, supported: impl Into<String>) -> ImportError {
        ImportError::Unsupported {
            file: self.file.clone(),
            key: format!("{}{key}", self.path),
            found: spell(self.get(key)),
            supported: supported.into(),
        }
    }

    /// An integer in `1..=limit`.
    pub(super) fn size(&self, key: &str, absent: i64, limit: i64) -> Result<i64, ImportError> {
        match self.get(key) {
            None => Ok(absent),
            Some(v) => match v.as_i64() {
                Some(n) if (1..=limit).contains(&n) => Ok(n),
                _ => Err(self.wrong(key, format!("an integer from 1 to {limit}"))),
            },
        }
    }

    /// An integer from 0.
    pub(super) fn count(&self, key: &str, absent: u64) -> Result<u64, ImportError> {
        match self.get(key) {
            None => Ok(absent),
            Some(v) => v
                .as_u64()
                .ok_or_else(|| self.wrong(key, "an integer from 0")),
        }
    }

    /// A positive number.
    pub(super) fn number(&self, key: &str, absent: f64) -> Result<f64, ImportError> {
        match self.get(key) {
            None => Ok(absent),
            Some(v) => match v.as_f64() {
                Some(x) if x.is_finite() && x > 0.0 => Ok(x),
                _ => Err(self.wrong(key, "a positive number")),
            },
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &str, absent: bool) -> Result<bool, ImportError> {
        match self.get(key) {
            None => Ok(absent),
            Some(v) => v.as_bool().ok_or_else(|| self.wrong(key, "true or false")),
        }
    }

    /// Text.
    pub(super) fn text(&self, key: &str) -> Result<Option<&str>, ImportError> {
        match self.get(key) {
            None => Ok(None),
            Some(v) => v.as_str().map(Some).ok_or_else(|| self.wrong(key, "text")),
        }
    }

    /// A list of positive numbers, `count` of them.
    pub(super) fn numbers(&self, key: &str, count: usize) -> Result<Vec<f64>, ImportError> {
        let list = self.get(key).and_then(Value::as_array);
        let numbers = list
            .into_iter()
            .flatten()
            .map(|v| v.as_f64().filter(|x| *x > 0.0));
        let numbers: Option<Vec<_>> = numbers.collect();
        numbers
            .filter(|n| n.len() == count)
            .ok_or_else(|| self.wrong(key, format!("a list of {count} positive numbers")))
    }

    /// A list of texts.
    pub(super) fn texts(&self, key: &str) -> Result<Option<Vec<&str>>, ImportError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let texts = value
            .as_array()
            .and_then(|v| v.iter().map(Value::as_str).collect());
        texts
            .map(Some)
            .ok_or_else(|| self.wrong(key, "a list of texts"))
    }

    /// A nested object.
    pub(super) fn section(&self, key: &str) -> Result<Option<Self>, ImportError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Object(values)) => Ok(Some(Self {
                file: self.file.clone(),
                path: format!("{}{key}.", self.path),
                values: values.clone(),
            })),
            Some(_) => Err(self.wrong(key, "an object")),
        }
    }
}
