//! What a model directory says about continuing a text, beside the model: where texts end, and its tokenizer.

use std::path::Path;

use serde_json::Value;

use super::{
    ImportError,
    config::{Config, read},
    pooling::Modules,
};

/// Most bytes of a tokenizer's file.
const TOKENIZER_LIMIT: u64 = 64 << 20;

/// What runs that continue a text need beside the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Generation {
    /// Tokens at which a text ends.
    pub ends: Vec<i64>,
    /// The text of `tokenizer.json`, if there is one.
    pub tokenizer: Option<String>,
}

/// What the Hugging Face directory at `path`, or that of the config.json at `path`, says.
///
/// # Errors
/// A file cannot be read, or breaks its format.
pub fn generation(path: &Path) -> Result<Generation, ImportError> {
    let dir = match path.ends_with("config.json") {
        true => path.parent().unwrap_or(path),
        false => path,
    };
    let modules = Modules::read(dir)?;
    let dir = modules.as_ref().map_or(dir, |m| &m.model);
    let mut ends = Vec::new();
    for file in ["generation_config.json", "config.json"] {
        let file = dir.join(file);
        // The first that says anything counts, as in `transformers`.
        if ends.is_empty() && file.is_file() {
            ends = ends_of(&Config::read(&file)?)?;
        }
    }
    let file = dir.join("tokenizer.json");
    let tokenizer = match file.is_file() {
        false => None,
        true => {
            let text = String::from_utf8(read(&file, TOKENIZER_LIMIT)?);
            Some(text.map_err(|e| ImportError::NotText {
                file,
                position: e.utf8_error().valid_up_to(),
            })?)
        }
    };
    Ok(Generation { ends, tokenizer })
}

/// `eos_token_id`: one token, or several.
fn ends_of(config: &Config) -> Result<Vec<i64>, ImportError> {
    let key = "eos_token_id";
    let one = |v: &Value| v.as_i64().filter(|id| *id >= 0);
    let ends = match config.get(key) {
        None => return Ok(vec![]),
        Some(Value::Array(all)) => all.iter().map(one).collect(),
        Some(value) => one(value).map(|id| vec![id]),
    };
    ends.ok_or_else(|| config.wrong(key, "a token's number, or a list of them"))
}
