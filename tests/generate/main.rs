//! Texts continued token by token: what states remember, against runs over the whole text, and against what `transformers`
//! generates.

mod compiled;
mod meaning;
mod paged;
#[path = "../support/mod.rs"]
mod support;

use std::{fs, path::PathBuf};

use serde::Deserialize;
use support::models;

/// What `transformers` generates, stored by `tests/models/make.py`.
#[derive(Deserialize)]
struct Generated {
    prompt: Vec<i64>,
    tokens: Vec<i64>,
}

impl Generated {
    /// The prompt and what follows.
    fn text(&self) -> Vec<i64> {
        [&self.prompt[..], &self.tokens].concat()
    }
}

/// Every stored decoder with a language model's head.
fn decoders() -> Vec<(PathBuf, Generated)> {
    let folders = fs::read_dir(models()).unwrap().map(|e| e.unwrap().path());
    // The text of `chat` is a prompt in words.
    let mut folders: Vec<_> = folders.filter(|f| !f.ends_with("chat")).collect();
    folders.sort();
    let read = |folder: PathBuf| {
        let text = fs::read_to_string(folder.join("generate.json")).ok()?;
        Some((folder, serde_json::from_str(&text).unwrap()))
    };
    let all: Vec<_> = folders.into_iter().filter_map(read).collect();
    assert!(all.len() >= 18);
    all
}

/// The largest difference, relative to the largest number wanted.
fn relative_error(found: &[f64], wanted: &[f64]) -> f64 {
    assert_eq!(found.len(), wanted.len());
    let scale = wanted.iter().fold(0.0, |m, x| f64::max(m, x.abs()));
    let pairs = found.iter().zip(wanted);
    let worst = pairs.map(|(a, b)| (a - b).abs());
    // `max` would hide a NaN.
    worst.fold(0.0, |m, x| if x > m || x.is_nan() { x } else { m }) / scale
}
